import type { Problem } from 'transom-player'
import { causeName } from '../words.ts'

/** Why it failed, and what can be done about it. */
export function Cause({ cause }: { readonly cause: Problem }) {
  return (
    <section class="cause" aria-label="Cause">
      <p class="code">{causeName(cause.code)}</p>
      <p class="why">{cause.message}</p>
      {cause.advice !== undefined && <p>{cause.advice}</p>}
    </section>
  )
}
