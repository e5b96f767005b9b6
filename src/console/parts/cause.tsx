import type { Problem } from 'transom-player'
import { useLanguage } from '../language/language.ts'

/** Why it failed, or why nobody knows whether it did, and what can be done about it. */
export function Cause({ cause, isHint = false }: { readonly cause: Problem; readonly isHint?: boolean }) {
  const { words, explain, nameOf } = useLanguage()
  const { message, advice } = explain(cause)
  const name = nameOf(cause)
  return (
    <section class={isHint ? 'cause is-hint' : 'cause'} aria-label={isHint ? words.cause.hint : words.cause.title}>
      {!message.startsWith(name) && <p class="code">{name}</p>}
      <p class="why">{message}</p>
      {advice !== undefined && <p>{advice}</p>}
    </section>
  )
}
