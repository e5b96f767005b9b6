/** The cameras as every entry plugs them in: the bridge's own records, or a copy of a vendor's registry. */
import type { KeyObject } from 'node:crypto'
import { createCameras, type Cameras, type OnCameraChange } from '../cameras/cameras.ts'
import { withRegistry } from '../cameras/registry.ts'
import type { BridgeDeps } from './ground.ts'

/** `sealing` and `onChange` as in the cameras' records. */
export function openCameras(
  { store, registry, clock, log }: Pick<BridgeDeps, 'store' | 'registry' | 'clock' | 'log'>,
  sealing: KeyObject,
  onChange: OnCameraChange,
): Cameras {
  const own = createCameras(store, onChange, sealing)
  return registry === undefined ? own : withRegistry(own, { registry, store, clock, log })
}
