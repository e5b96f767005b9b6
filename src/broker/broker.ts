/** Drives sessions: carries effects out and events in, keeps the record, and decides nothing. */
import { createHash, randomBytes } from 'node:crypto'
import { BridgeError, toBridgeError } from '../errors.ts'
import {
  sessionId,
  type AccountId,
  type Camera,
  type CameraMessage,
  type Clock,
  type IceServer,
  type Log,
} from '../ports.ts'
import type { Presence, SessionId, Signaling, Store } from '../ports.ts'
import type { AnswerRules } from './answer.ts'
import {
  open,
  step,
  type Budgets,
  type Effect,
  type Facts,
  type Heard,
  type Session,
  type SessionEvent,
} from './session.ts'
import { viewOf, type SessionView } from './view.ts'

export type { AnswerRules } from './answer.ts'

export interface NegotiateRequest {
  readonly assistant: 'alexa' | 'google'
  readonly accountId: AccountId
  readonly camera: Camera
  /** The display's own name for the session; the same name again is the same session. */
  readonly reference: string
  /** The display's complete SDP offer. */
  readonly offer: string
  readonly receivedAt: number
  /** The instant by which the reply must be out. */
  readonly answerBy: number
  readonly rules: AnswerRules
}

export interface SessionRef {
  readonly assistant: 'alexa' | 'google'
  readonly accountId: AccountId
  readonly reference: string
}

/** What a camera says about one of its viewers. */
export interface ViewerReport {
  readonly viewerId: string
  readonly state: 'connected' | 'failed' | 'left'
  readonly heard?: Heard
}

export interface Broker {
  /**
   * The complete SDP answer to an offer; one verdict, by `answerBy`. A repeat of the same offer gets the same answer, a
   * new offer under the same reference replaces the earlier attempt. Throws `BridgeError`.
   */
  negotiate(request: NegotiateRequest): Promise<string>
  /** The display says that media flows. Unknown sessions are ignored, here and below. */
  connected(ref: SessionRef): Promise<void>
  end(ref: SessionRef, reason: string): Promise<void>
  endAll(accountId: AccountId, assistant: 'alexa' | 'google', reason: string): Promise<void>
  cameraReported(camera: Camera, report: ViewerReport): Promise<void>
  /** Fetches ahead what an offer to this camera will need. */
  warm(camera: Camera): void
  /** STUN and TURN servers for this camera, by the instant `by`. Throws `BridgeError('signaling_failed')`. */
  iceServers(camera: Camera, by: number): Promise<readonly IceServer[]>
  /** Whether the camera is connected; undefined when nobody can know. */
  isOnline(camera: Camera): boolean | undefined
  view(accountId: AccountId, id: SessionId): Promise<SessionView | undefined>
  /** The account's sessions, newest first. */
  recent(accountId: AccountId): Promise<readonly SessionView[]>
  /** How many negotiations are running. */
  running(): number
  /** Refuses what is running and lets go of everything. */
  close(): Promise<void>
}

export interface BrokerDeps {
  readonly signaling: Signaling
  readonly presence: Presence
  readonly store: Store
  readonly budgets: Budgets
  readonly clock: Clock
  readonly log: Log
}

/** A session's record is kept this long, and at most this many for each account. */
const history = { keptMs: 24 * 3_600_000, most: 50 } as const

interface Negotiation {
  readonly digest: string
  readonly answer: Promise<string>
  /** Settles when nothing of it is left open. */
  readonly done: Promise<void>
  feed(event: SessionEvent): void
}

export function createBroker(deps: BrokerDeps): Broker {
  const { signaling, presence, clock, log } = deps
  const sessions = deps.store.collection<Session>('session')
  const live = new Map<SessionId, Negotiation>()

  function begin(request: NegotiateRequest, id: SessionId, digest: string): Negotiation {
    const { camera, assistant, accountId, reference, rules } = request
    const hangUp = new AbortController()
    const verdict = Promise.withResolvers<string>()
    const pumps: Promise<void>[] = []
    const early: SessionEvent[] = []
    let session: Session | undefined
    let timer: NodeJS.Timeout | undefined

    const feed = (event: SessionEvent): void => {
      if (session === undefined) return void early.push(event)
      const [next, effects] = step(session, event)
      session = next
      effects.forEach(carryOut)
    }

    const carryOut = (effect: Effect): void => {
      switch (effect.kind) {
        case 'offer':
          pumps.push(pump(effect.sdp), learnServers())
          return
        case 'wake':
          clearTimeout(timer)
          timer = setTimeout(wake, Math.max(0, effect.at - clock()))
          return
        case 'answer':
          verdict.resolve(effect.sdp)
          return
        case 'refuse':
          verdict.reject(new BridgeError(effect.code, effect.message))
          return
        case 'hang-up':
          clearTimeout(timer)
          hangUp.abort()
      }
    }

    const wake = (): void => {
      const seen = presence(camera.channel)
      if (session?.phase === 'offered' && seen?.online === false)
        feed({ kind: 'camera-gone', sinceAt: seen.sinceAt, at: clock() })
      feed({ kind: 'woke', at: clock() })
    }

    const pump = async (sdp: string): Promise<void> => {
      try {
        for await (const message of signaling.offer(camera.channel, facts.viewerId, sdp, hangUp.signal))
          feed(eventOf(message, clock()))
        feed({ kind: 'signaling-ended', at: clock() })
      } catch (thrown) {
        const { code, message, cause } = toBridgeError(thrown)
        if (!hangUp.signal.aborted) log('warn', 'signaling', { session: id, camera: camera.id, code, message, cause })
        feed({ kind: 'signaling-failed', code, message, at: clock() })
      }
    }

    const learnServers = async (): Promise<void> => {
      try {
        const servers = await signaling.iceServers(camera.channel, hangUp.signal)
        feed({
          kind: 'servers-known',
          relay: servers.some(({ urls }) => urls.some((url) => /^turns?:/.test(url))),
          at: clock(),
        })
      } catch {
        // Not knowing them costs at most `settleCapMs`; a signaling service that fails is reported by `pump`.
      }
    }

    const facts: Facts = {
      ...{
        id,
        assistant,
        accountId,
        cameraId: camera.id,
        reference,
        offerDigest: digest,
        rules,
        budgets: deps.budgets,
      },
      viewerId: `s-${id}.${randomBytes(4).toString('hex')}`,
      startedAt: request.receivedAt,
      answerBy: request.answerBy,
    }

    const run = async (): Promise<string> => {
      const earlier = (await sessions.get(id))?.value
      const repeated =
        earlier !== undefined && 'answer' in earlier && 'endsBy' in earlier && earlier.facts.offerDigest === digest
      if (repeated && clock() < earlier.endsBy) return earlier.answer
      const seen = presence(camera.channel)
      const [opened, effects] = open(facts, request.offer, clock(), seen?.online === false ? seen.sinceAt : undefined)
      session = opened
      effects.forEach(carryOut)
      early.forEach(feed)
      try {
        return await verdict.promise
      } finally {
        await save(session)
        report(session)
      }
    }

    const answer = run()
    const settled = answer.then(ignore, ignore).then(() => Promise.allSettled(pumps))
    return { digest, answer, feed, done: settled.then(() => void (live.get(id)?.answer === answer && live.delete(id))) }
  }

  /** The record is for later events and for the owner; a store that fails must not cost the display its answer. */
  async function save(session: Session): Promise<void> {
    const { id, accountId } = session.facts
    try {
      await sessions.put(id, session, { group: accountId, expiresAt: clock() + history.keptMs })
    } catch (thrown) {
      log('error', 'session not saved', { session: id, cause: thrown })
    }
  }

  async function update(id: SessionId, event: SessionEvent): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const stored = await sessions.get(id)
      if (stored === undefined) return
      const [next] = step(stored.value, event)
      if (next === stored.value) return
      const kept = { group: next.facts.accountId, expiresAt: clock() + history.keptMs }
      if ((await sessions.put(id, next, { ...kept, onlyIf: { version: stored.version } })) !== undefined) return
    }
    log('warn', 'session update lost', { session: id, event: event.kind })
  }

  async function all(accountId: AccountId): Promise<readonly Session[]> {
    const page = await sessions.list(accountId, { limit: 500 })
    return page.map(({ value }) => value).sort((a, b) => b.facts.startedAt - a.facts.startedAt)
  }

  async function endOne(id: SessionId, reason: string): Promise<void> {
    const negotiation = live.get(id)
    negotiation?.feed({ kind: 'ended', reason, at: clock() })
    await negotiation?.done
    await update(id, { kind: 'ended', reason, at: clock() })
  }

  function report({ facts, phase, ...session }: Session): void {
    const cause = 'cause' in session ? session.cause : undefined
    const { id, assistant, cameraId, startedAt } = facts
    log('info', 'session', {
      session: id,
      assistant,
      camera: cameraId,
      phase,
      code: cause?.code,
      ms: clock() - startedAt,
    })
  }

  return {
    negotiate(request) {
      const id = idOf(request)
      const digest = digestOf(request.offer)
      const running = live.get(id)
      if (running?.digest === digest) return running.answer
      running?.feed({ kind: 'ended', reason: 'a newer offer took its place', at: clock() })
      const negotiation = begin(request, id, digest)
      live.set(id, negotiation)
      return negotiation.answer
    },
    connected: (ref) => update(idOf(ref), { kind: 'display-connected', at: clock() }),
    async end(ref, reason) {
      await endOne(idOf(ref), reason)
      const old = (await all(ref.accountId)).slice(history.most)
      await Promise.all(old.map(({ facts }) => sessions.remove(facts.id)))
    },
    async endAll(accountId, assistant, reason) {
      const open = (await all(accountId)).filter(
        ({ facts, phase }) => facts.assistant === assistant && phase !== 'closed',
      )
      await Promise.all(open.map(({ facts }) => endOne(facts.id, reason)))
    },
    async cameraReported(camera, { viewerId, ...what }) {
      const id = sessionId(/^s-([\w-]{22})\./.exec(viewerId)?.[1] ?? '')
      const stored = id === '' ? undefined : await sessions.get(id)
      // A camera speaks of its own viewers only, and of the attempt that is running now.
      if (stored?.value.facts.cameraId !== camera.id || stored.value.facts.viewerId !== viewerId) return
      await update(id, { kind: 'camera-reported', ...what, at: clock() })
    },
    warm: (camera) => signaling.warm(camera.channel),
    iceServers: (camera, by) => signaling.iceServers(camera.channel, AbortSignal.timeout(Math.max(1, by - clock()))),
    isOnline: (camera) => presence(camera.channel)?.online,
    async view(accountId, id) {
      const stored = await sessions.get(id)
      return stored?.value.facts.accountId === accountId ? viewOf(stored.value, clock()) : undefined
    },
    recent: async (accountId) => (await all(accountId)).map((session) => viewOf(session, clock())),
    running: () => live.size,
    async close() {
      const open = [...live.values()]
      for (const negotiation of open) negotiation.feed({ kind: 'ended', reason: 'the bridge is stopping', at: clock() })
      await Promise.all(open.map(({ done }) => done))
    },
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

/** The same display's session has the same id on every machine, so that a repeat finds it. */
function idOf({ assistant, accountId, reference }: SessionRef): SessionId {
  return sessionId(digestOf(JSON.stringify([assistant, accountId, reference])))
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}

/** For promises whose outcome somebody else handles. */
function ignore(): void {}
