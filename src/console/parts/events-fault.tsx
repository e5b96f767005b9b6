import type { Camera } from '../api.ts'
import { useLanguage } from '../language/language.ts'

/** Why the presses and the motion of the camera do not arrive, and what to do about it. */
export function EventsFault({ fault }: { readonly fault: NonNullable<Camera['eventsFault']> }) {
  const { words, explainEvents } = useLanguage()
  const { message, advice } = explainEvents(fault)
  return (
    <section class="cause" aria-label={words.cause.events}>
      <p class="code">{words.cause.eventsMissing}</p>
      <p class="why">{message}</p>
      <p>{advice}</p>
    </section>
  )
}
