import type { Problem } from 'transom-player'

/** What went wrong, and what to do about it. */
export function Alert({ problem: { message, advice } }: { readonly problem: Problem }) {
  return (
    <p class="alert" role="alert">
      {message} {advice}
    </p>
  )
}
