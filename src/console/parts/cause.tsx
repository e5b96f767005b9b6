import type { Problem } from 'transom-player'
import { causeName } from '../words.ts'

/** Why it failed, or why nobody knows whether it did, and what can be done about it. */
export function Cause({ cause, isHint = false }: { readonly cause: Problem; readonly isHint?: boolean }) {
  return (
    <section class={isHint ? 'cause is-hint' : 'cause'} aria-label={isHint ? 'Hint' : 'Cause'}>
      <p class="code">{causeName(cause.code)}</p>
      <p class="why">{cause.message}</p>
      {cause.advice !== undefined && <p>{cause.advice}</p>}
    </section>
  )
}
