/** One view of a camera, live or of what was recorded, from the bridge's leave to the loss of the picture. */
import type { Bridge, RecordingFrom } from './bridge.ts'
import { connectDisplay, type Display, type PlayerStep } from './display.ts'
import type { PlaybackNow } from './playback.ts'
import { createPictureWatch, createSampler, undecodable, type Look } from './picture.ts'
import { PlayerError, type Problem } from './problem.ts'
import type { PlayerStats } from './stats.ts'
import { createTalkWatch } from './talk-watch.ts'

const statsMs = 1_000
/** Without another picture for this long, the view is lost, whatever the connection says. */
const frozenMs = 6_000

/**
 * What is worth knowing of a view, and no failure. `other_talks`: the camera plays somebody else's voice, not this viewer's.
 * `still_picture`: pictures are decoded, and have been equal in every pixel for five seconds, as those of a test card.
 */
export type PlayerRemark = 'other_talks' | 'still_picture'

/** What there is to say of a live view, besides that it is live. */
export interface Findings {
  /** What is wrong with the picture. */
  readonly fault: Problem | undefined
  readonly remarks: readonly PlayerRemark[]
}

/** Where a view is shown, until when, and who learns of what it does. */
export interface ViewOptions {
  readonly bridge: Bridge
  readonly video: HTMLVideoElement
  /** What was recorded is shown, and how it is played. */
  readonly recorded?: RecordingFrom & { readonly onPlayback: (state: PlaybackNow) => void }
  /** The viewer leaves. */
  readonly signal: AbortSignal
  onStep(step: PlayerStep): void
  /** A view has begun: by this reference the bridge's list of sessions names it. */
  onView(reference: string): void
  /** There is a picture, or at least sound. */
  onLive(display: Display): void
  /** Once a second while live. */
  onStats(stats: PlayerStats): void
  /** What there is to say has changed. */
  onFindings(findings: Findings): void
}

/** One attempt, from asking for a view to the loss of its picture. Rejects with the reason, which is the signal's if that is aborted. */
export async function holdView({ bridge, video, signal, recorded, ...on }: ViewOptions): Promise<never> {
  const recording = recorded && { from: recorded.from }
  /** A picture that stands still as it should. */
  let isResting = false
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => undefined)
  const lose = (problem: Problem): void => lost.reject(new PlayerError(problem))
  on.onStep({ step: 'view-asked', at: Date.now() })
  const { reference, iceServers } = await bridge.view(signal, recording)
  let display: Display | undefined
  let sessionId: string | undefined
  let seen: Look = { fault: undefined, isStill: false }
  let otherTalks = false
  const report = (): void => {
    const remarks: PlayerRemark[] = []
    if (otherTalks) remarks.push('other_talks')
    if (seen.isStill) remarks.push('still_picture')
    on.onFindings({ fault: seen.fault, remarks })
  }
  const talk = createTalkWatch(
    async (within) => sessionId !== undefined && (await bridge.isWaitingToTalk(sessionId, within)),
    (now) => {
      otherTalks = now
      report()
    },
  )
  let timer: ReturnType<typeof setInterval> | undefined
  const abort = (): void => lost.reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    on.onStep({ step: 'view-granted', at: Date.now() })
    on.onView(reference)
    display = await connectDisplay({
      video,
      iceServers,
      signal,
      onStep(step) {
        on.onStep(step)
        if (step.step === 'talking') talk.set(true)
        if (step.step === 'talk-ended') talk.set(false)
      },
      onLost: () => lose(lostBecause('The connection to the camera was lost.')),
      async exchange(offer, within) {
        const answered = await bridge.offer(reference, offer, within, recording)
        sessionId = answered.sessionId
        return answered.sdp
      },
      ...(recorded && {
        onPlayback(state) {
          isResting = state.isPaused || state.isOver
          recorded.onPlayback(state)
        },
      }),
    })
    bridge.tell(reference, 'connected')
    on.onLive(display)
    timer = watch(display, video, {
      onStats: on.onStats,
      onLook(now) {
        if (now.fault === seen.fault && now.isStill === seen.isStill) return
        seen = now
        report()
      },
      isResting: () => isResting,
      lose,
    })
    return await lost.promise
  } finally {
    signal.removeEventListener('abort', abort)
    clearInterval(timer)
    talk.close()
    display?.close()
    bridge.tell(reference, 'end', { reason: signal.aborted ? 'the viewer left' : 'the picture was lost' })
  }
}

const lostBecause = (message: string): Problem => ({
  code: 'media_lost',
  message,
  advice: 'It is connecting again by itself.',
})

interface Watchers extends Pick<ViewOptions, 'onStats'> {
  /** What the picture is like, each time. */
  onLook(look: Look): void
  isResting(): boolean
  lose(problem: Problem): void
}

/** Looks at the figures and at the picture once a second. */
function watch(
  display: Display,
  video: HTMLVideoElement,
  { onStats, onLook, isResting, lose }: Watchers,
): ReturnType<typeof setInterval> {
  const sample = createSampler(video)
  const picture = createPictureWatch()
  let seen = -1
  let movedAt = performance.now()
  const look = async (): Promise<void> => {
    const stats = await display.stats()
    onStats(stats)
    // Of a camera without picture, its sound is what comes.
    const now = display.hasPicture ? stats.framesDecoded : stats.bytesReceived
    // A hidden page may decode nothing.
    if (now !== seen || document.hidden || isResting()) movedAt = performance.now()
    seen = now
    if (performance.now() - movedAt > frozenMs) {
      const isUndecodable = stats.framesReceived > 0 && stats.framesDecoded === 0
      lose(isUndecodable ? undecodable : lostBecause('The picture stood still.'))
    }
    // Of a recording the camera would be blamed for what it did long ago.
    if (!display.playback) onLook(picture.look(performance.now(), stats.framesDecoded, sample()))
  }
  // A closed connection has no statistics, and its end is told elsewhere.
  return setInterval(() => void look().catch(() => undefined), statsMs)
}
