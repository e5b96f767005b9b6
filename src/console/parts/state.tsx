import type { Camera } from '../api.ts'

/** Online or not: as a word, and as a dot. */
export function OnlineState({ camera }: { readonly camera: Pick<Camera, 'isOnline' | 'fault'> }) {
  const { isOnline, fault } = camera
  if (isOnline === null) return <span class="state">Not known</span>
  if (fault && !isOnline) {
    return (
      <span class="state is-off" title={fault.message}>
        Offline
      </span>
    )
  }
  return <span class={isOnline ? 'state is-on' : 'state is-off'}>{isOnline ? 'Online' : 'Offline'}</span>
}
