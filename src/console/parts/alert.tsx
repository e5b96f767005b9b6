import type { Problem } from 'transom-player'
import { useLanguage } from '../language/language.ts'

/** What went wrong, and what to do about it. */
export function Alert({ problem }: { readonly problem: Problem }) {
  const { message, advice } = useLanguage().explain(problem)
  return (
    <p class="alert" role="alert">
      {message} {advice}
    </p>
  )
}
