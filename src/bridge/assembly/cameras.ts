/** The cameras as every entry plugs them in: the bridge's own records, or a copy of a vendor's registry. */
import type { KeyObject } from 'node:crypto'
import { createCameras, type Cameras, type OnCameraChange } from '../cameras/cameras.ts'
import { withRegistry } from '../cameras/registry.ts'
import type { BridgeDeps } from './ground.ts'

/**
 * `sealing` and `onChange` as in the cameras' records. `copies`: the records as they are, for what is told unasked. That must
 * not wait for a registry, and what follows from a change of the copy must not wait for its end.
 */
export function openCameras(
  { store, registry, clock, log }: Pick<BridgeDeps, 'store' | 'registry' | 'clock' | 'log'>,
  sealing: KeyObject,
  onChange: OnCameraChange,
): { readonly cameras: Cameras; readonly copies: Cameras } {
  const copies = createCameras(store, onChange, sealing)
  const cameras = registry === undefined ? copies : withRegistry(copies, { registry, store, clock, log })
  return { cameras, copies }
}
