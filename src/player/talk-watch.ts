/** Whether the camera plays what this viewer says: it plays one voice at a time, and the bridge knows whose. */

const askMs = 1_000

/** Follows one view from its answer to its end. */
export interface TalkWatch {
  /** The microphone was opened, or muted. */
  set(isTalking: boolean): void
  /** The view is over: nothing is reported any more. */
  close(): void
}

/**
 * Asks about once a second while the microphone is open, and reports each change. `isWaiting` says whether somebody else is
 * talking; when it rejects, nothing is known, and so nothing is claimed.
 */
export function createTalkWatch(
  isWaiting: (signal: AbortSignal) => Promise<boolean>,
  report: (otherTalks: boolean) => void,
): TalkWatch {
  let talk: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let otherTalks = false

  function change(now: boolean): void {
    if (now === otherTalks) return
    otherTalks = now
    report(now)
  }

  async function ask(signal: AbortSignal): Promise<void> {
    const now = await isWaiting(signal).catch(() => false)
    if (signal.aborted) return
    change(now)
    if (!signal.aborted) next(signal)
  }

  function next(signal: AbortSignal): void {
    timer = setTimeout(() => void ask(signal), askMs)
  }

  function close(): void {
    clearTimeout(timer)
    talk?.abort()
    talk = undefined
  }

  return {
    set(isTalking) {
      if (isTalking === (talk !== undefined)) return
      if (!isTalking) {
        close()
        return change(false)
      }
      talk = new AbortController()
      next(talk.signal)
    },
    close,
  }
}
