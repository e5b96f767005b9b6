/** Drives one session to its verdict: carries effects out and events in, owns the timer and the camera's line, decides nothing. */
import { within } from 'transom-core/deadline'
import { toBridgeError } from 'transom-core/errors'
import type { Camera, CameraId, CameraMessage, Clock, Log, Presence, Signaling } from 'transom-core/ports'
import { gatheredBy, open, step, type Effect, type Session } from './session.ts'
import type { Facts, Gathered, SessionEvent, Told, ViewerState } from './story.ts'

export interface NegotiationDeps {
  readonly signaling: Signaling
  readonly presence: Presence
  readonly clock: Clock
  readonly log: Log
  /** Told of each new state of the session; must not throw. */
  readonly onChange?: (session: Session) => void
  /** Told what the camera sent, when it was waited for to the end; must not throw. */
  readonly onGathered?: (cameraId: CameraId, gathered: Gathered) => void
}

export interface Negotiation {
  /** The display's answer; rejects with the `BridgeError` of the refusal. */
  readonly verdict: Promise<string>
  /** Fulfils when the timer is gone and the camera's line is closed. */
  readonly done: Promise<void>
  /** The session as it is now. */
  session(): Session
  /** The camera says before the verdict how this viewer fares; after it, what is stored is moved instead. */
  cameraReported(state: ViewerState, told: Told): void
  /** Ends it from outside: before the verdict it is refused. */
  end(reason: string): void
}

/** A line that is hung up should be closed by then. */
const lineCloseMs = 2_000

/** Starts a session with the display's offer, towards a camera that must be its `facts.cameraId`. */
export function startNegotiation(deps: NegotiationDeps, facts: Facts, camera: Camera, offer: string): Negotiation {
  const { signaling, presence, clock, log } = deps
  const { channel } = camera
  const hangUp = new AbortController()
  const verdict = Promise.withResolvers<string>()
  const lines: Promise<void>[] = []
  let timer: NodeJS.Timeout | undefined

  const absent = presence(channel)
  const [opened, effects] = open(facts, offer, clock(), absent?.online === false ? absent : undefined)
  let session = opened
  deps.onChange?.(session)
  effects.forEach(carryOut)

  function feed(event: SessionEvent): void {
    const [next, effects] = step(session, event)
    const gathered = next.phase === 'gathering' ? undefined : gatheredBy(session, event.at)
    if (gathered !== undefined) deps.onGathered?.(camera.id, gathered)
    if (next !== session) deps.onChange?.(next)
    session = next
    effects.forEach(carryOut)
  }

  function carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'offer':
        lines.push(listen(effect.sdp), learnServers())
        return
      case 'wake':
        if (hangUp.signal.aborted) return
        clearTimeout(timer)
        timer = setTimeout(wake, Math.max(0, effect.at - clock()))
        return
      case 'answer':
        verdict.resolve(effect.sdp)
        return
      case 'refuse':
        verdict.reject(effect.error)
        return
      case 'hang-up':
        clearTimeout(timer)
        hangUp.abort()
    }
  }

  function wake(): void {
    const seen = presence(channel)
    if (seen?.online === false) {
      const { sinceAt, fault } = seen
      feed({ kind: 'camera-gone', sinceAt, ...(fault && { fault }), at: clock() })
    }
    feed({ kind: 'woke', at: clock() })
  }

  async function listen(sdp: string): Promise<void> {
    try {
      for await (const message of signaling.offer(channel, facts.viewerId, sdp, hangUp.signal))
        feed(eventOf(message, clock()))
      feed({ kind: 'signaling-ended', at: clock() })
    } catch (thrown) {
      const error = toBridgeError(thrown)
      if (!hangUp.signal.aborted)
        log('warn', 'broker.signaling-failed', { sessionId: facts.id, cameraId: camera.id, error })
      feed({ kind: 'signaling-failed', code: error.code, message: error.message, at: clock() })
    }
  }

  /** Beside the offer, never before it: what kinds of candidates are worth waiting for. */
  async function learnServers(): Promise<void> {
    try {
      const urls = (await signaling.iceServers(channel, hangUp.signal)).flatMap((server) => server.urls)
      const turnUrls = urls.filter((url) => /^turns?:/.test(url))
      const turn = turnUrls.length > 0
      const stun = turn || urls.some((url) => /^stuns?:/.test(url))
      feed({ kind: 'servers-known', servers: { turn, stun, turnUrls }, at: clock() })
    } catch {
      // Not knowing costs at most `settleCapMs`; a signaling service that is down shows in `listen`.
    }
  }

  /** Lines end when they are hung up; one that does not must not hold up whoever waits for us. */
  async function linesClosed(): Promise<void> {
    await verdict.promise.catch(ignore)
    await within(lineCloseMs, () => Promise.all(lines), ignore).catch((error: unknown) =>
      log('error', 'broker.line-stays-open', { sessionId: facts.id, error }),
    )
  }

  return {
    verdict: verdict.promise,
    done: linesClosed(),
    session: () => session,
    cameraReported(state, told) {
      if (!hangUp.signal.aborted) feed({ kind: 'camera-reported', state, ...told, at: clock() })
    },
    end: (reason) => feed({ kind: 'ended', reason, at: clock() }),
  }
}

function eventOf(message: CameraMessage, at: number): SessionEvent {
  switch (message.kind) {
    case 'answer':
      return { kind: 'camera-answered', sdp: message.sdp, at }
    case 'candidate': {
      const { kind: _, ...candidate } = message
      return { kind: 'camera-candidate', candidate, at }
    }
    case 'end-of-candidates':
      return { kind: 'camera-gathered', at }
    case 'garbled':
      return { kind: 'camera-garbled', what: message.what, at }
  }
}

/** For a promise whose outcome is handled by whoever asked for it. */
function ignore(): void {}
