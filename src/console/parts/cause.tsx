import type { Problem } from 'transom-player'
import { useLanguage } from '../language/language.ts'

interface CauseProps {
  readonly cause: Problem
  readonly isHint?: boolean
  /** The reader is a guest, who can change nothing at the camera. */
  readonly isGuest?: boolean
}

/** Why it failed, or why nobody knows whether it did, and what can be done about it. */
export function Cause({ cause, isHint = false, isGuest = false }: CauseProps) {
  const { words, explain, nameOf } = useLanguage()
  const { message, advice } = explain(cause)
  const name = nameOf(cause)
  const isOwners = isGuest && isOfCamera(cause.code)
  return (
    <section class={isHint ? 'cause is-hint' : 'cause'} aria-label={isHint ? words.cause.hint : words.cause.title}>
      {!message.startsWith(name) && <p class="code">{name}</p>}
      <p class="why">{message}</p>
      {isOwners ? <p>{words.cause.askOwner}</p> : advice !== undefined && <p>{advice}</p>}
    </section>
  )
}

/** What is put right at the camera, at its gateway or at the bridge. What the reader's own display or account needs is not. */
const isOfCamera = (code: string): boolean =>
  /^(source|camera)_/.test(code)
    ? code !== 'camera_not_found' && code !== 'camera_busy'
    : ['no_common_codec', 'no_candidates', 'media_failed', 'signaling_failed', 'no_sound', 'no_picture'].includes(code)
