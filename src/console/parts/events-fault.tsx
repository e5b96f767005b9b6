import type { Camera } from '../api.ts'

/** Why the presses and the motion of the camera do not arrive, and what to do about it. */
export function EventsFault({ fault }: { readonly fault: NonNullable<Camera['eventsFault']> }) {
  return (
    <section class="cause" aria-label="Events that do not arrive">
      <p class="code">Its presses and motion do not arrive</p>
      <p class="why">{fault.message}</p>
      <p>{fault.advice}</p>
    </section>
  )
}
