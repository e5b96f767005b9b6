/** One view of a camera, from the bridge's leave to the loss of the picture. */
import type { Bridge } from './bridge.ts'
import { connectDisplay, type Display, type PlayerStep } from './display.ts'
import { PlayerError } from './problem.ts'
import type { PlayerStats } from './stats.ts'

const statsMs = 1_000
/** A picture that stands still for this long is a lost one, whatever the connection says. */
const frozenMs = 6_000

/** Where a view is shown, until when, and who learns of what it does. */
export interface ViewOptions {
  readonly bridge: Bridge
  readonly video: HTMLVideoElement
  /** The viewer leaves. */
  readonly signal: AbortSignal
  onStep(step: PlayerStep): void
  /** A view has begun: by this reference the bridge's list of sessions names it. */
  onView(reference: string): void
  /** There is a picture, or at least sound. */
  onLive(display: Display): void
  /** Once a second while live. */
  onStats(stats: PlayerStats): void
}

/** One attempt, from asking for a view to the loss of its picture. Rejects with the reason, which is the signal's if that is aborted. */
export async function holdView({ bridge, video, signal, ...on }: ViewOptions): Promise<never> {
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => undefined)
  const lose = (message: string): void =>
    lost.reject(new PlayerError({ code: 'media_lost', message, advice: 'It is connecting again by itself.' }))
  on.onStep({ step: 'view-asked', at: Date.now() })
  const { reference, iceServers } = await bridge.view(signal)
  let display: Display | undefined
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
      onStep: on.onStep,
      onLost: () => lose('The connection to the camera was lost.'),
      exchange: (sdp, within) => bridge.offer(reference, sdp, within),
    })
    bridge.tell(reference, 'connected')
    on.onLive(display)
    timer = watch(display, on.onStats, () => lose('The picture stood still.'))
    return await lost.promise
  } finally {
    signal.removeEventListener('abort', abort)
    clearInterval(timer)
    display?.close()
    bridge.tell(reference, 'end', { reason: signal.aborted ? 'the viewer left' : 'the picture was lost' })
  }
}

function watch(
  display: Display,
  onStats: (stats: PlayerStats) => void,
  freeze: () => void,
): ReturnType<typeof setInterval> {
  let seen = -1
  let movedAt = performance.now()
  const look = async (): Promise<void> => {
    const stats = await display.stats()
    onStats(stats)
    // Of a camera without picture, its sound is what comes.
    const now = display.hasPicture ? stats.framesDecoded : stats.bytesReceived
    // A hidden page may decode nothing.
    if (now !== seen || document.hidden) movedAt = performance.now()
    seen = now
    if (performance.now() - movedAt > frozenMs) freeze()
  }
  // A closed connection has no statistics, and its end is told elsewhere.
  return setInterval(() => void look().catch(() => undefined), statsMs)
}
