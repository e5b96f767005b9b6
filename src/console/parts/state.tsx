import type { Camera } from '../api.ts'

/** Online or not: as a word, and as a dot. */
export function OnlineState({ camera }: { readonly camera: Pick<Camera, 'isOnline'> }) {
  const { isOnline } = camera
  if (isOnline === null) return <span class="state">Not known</span>
  return <span class={isOnline ? 'state is-on' : 'state is-off'}>{isOnline ? 'Online' : 'Offline'}</span>
}
