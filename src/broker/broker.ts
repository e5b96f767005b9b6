/** What the assistants call: one negotiation for each session at a time, and the sessions' records. */
import { createHash, randomBytes } from 'node:crypto'
import { sessionId, type AccountId, type Camera, type Clock, type IceServer, type Log } from '../ports.ts'
import type { Presence, SessionId, Signaling, Store } from '../ports.ts'
import type { AnswerRules } from './answer.ts'
import { startNegotiation, type Negotiation } from './negotiation.ts'
import { step, type Budgets, type Facts, type Heard, type Session, type SessionEvent } from './session.ts'
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
  /** Fetches ahead what an offer to this camera will need; if it is known whose offer, also opens the line for it. */
  warm(camera: Camera, ref?: SessionRef): void
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

const mostPrepared = 1_000

interface Running {
  readonly digest: string
  readonly answer: Promise<string>
  /** Fulfils when nothing of it is left open. */
  readonly done: Promise<void>
  end(reason: string): void
}

export function createBroker(deps: BrokerDeps): Broker {
  const { signaling, presence, clock, log } = deps
  const sessions = deps.store.collection<Session>('session')
  const live = new Map<SessionId, Running>()
  /** Names under which lines were opened ahead, each for one attempt. */
  const prepared = new Map<SessionId, string>()

  function begin(request: NegotiateRequest, id: SessionId, digest: string): Running {
    let negotiation: Negotiation | undefined
    let endedEarly: string | undefined

    const run = async (): Promise<string> => {
      // One read on the way of an offer: an assistant that repeats itself must not be answered by a second session.
      const earlier = (await sessions.get(id))?.value
      const isRepeat = earlier?.facts.offerDigest === digest && 'endsBy' in earlier && clock() < earlier.endsBy
      if (isRepeat) return earlier.answer
      const viewerId = prepared.get(id) ?? viewerIdOf(id)
      prepared.delete(id)
      const facts = factsOf(request, id, viewerId, digest, deps.budgets)
      negotiation = startNegotiation(deps, facts, request.camera, request.offer)
      if (endedEarly !== undefined) negotiation.end(endedEarly)
      try {
        return await negotiation.verdict
      } finally {
        await save(negotiation.session())
      }
    }

    const answer = run()
    const done = async (): Promise<void> => {
      await Promise.allSettled([answer])
      await negotiation?.done
      if (live.get(id)?.answer === answer) live.delete(id)
    }
    const end = (reason: string): void => {
      endedEarly = reason
      negotiation?.end(reason)
    }
    return { digest, answer, done: done(), end }
  }

  /** The record is for later events and for the owner; a store that fails must not cost the display its answer. */
  async function save(session: Session): Promise<void> {
    const { id, accountId, assistant, cameraId, startedAt } = session.facts
    const code = 'cause' in session ? session.cause?.code : undefined
    log('info', 'session', {
      session: id,
      assistant,
      camera: cameraId,
      phase: session.phase,
      code,
      ms: clock() - startedAt,
    })
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
    const running = live.get(id)
    running?.end(reason)
    await running?.done
    await update(id, { kind: 'ended', reason, at: clock() })
  }

  return {
    negotiate(request) {
      const id = idOf(request)
      const digest = digestOf(request.offer)
      const running = live.get(id)
      if (running?.digest === digest) return running.answer
      running?.end('a newer offer took its place')
      const next = begin(request, id, digest)
      live.set(id, next)
      return next.answer
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
    warm(camera, ref) {
      if (ref === undefined) return signaling.warm(camera.channel)
      const id = idOf(ref)
      const viewerId = prepared.get(id) ?? viewerIdOf(id)
      prepared.set(id, viewerId)
      // Most displays that were shown the way do come; of those that did not, the oldest are forgotten.
      for (const [oldest] of prepared) if (prepared.size > mostPrepared) prepared.delete(oldest)
      signaling.warm(camera.channel, viewerId)
    },
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
      for (const running of open) running.end('the bridge is stopping')
      await Promise.all(open.map(({ done }) => done))
    },
  }
}

function factsOf(
  request: NegotiateRequest,
  id: SessionId,
  viewerId: string,
  offerDigest: string,
  budgets: Budgets,
): Facts {
  const { assistant, accountId, camera, reference, rules, receivedAt, answerBy } = request
  const who = { id, assistant, accountId, cameraId: camera.id, reference, viewerId }
  return { ...who, offerDigest, startedAt: receivedAt, answerBy, rules, budgets }
}

/** Fresh for each attempt: a KVS camera refuses a second offer from a viewer that it still holds. */
function viewerIdOf(id: SessionId): string {
  return `s-${id}.${randomBytes(4).toString('hex')}`
}

/** The same display's session has the same id on every machine, so that a repeat finds it. */
function idOf({ assistant, accountId, reference }: SessionRef): SessionId {
  return sessionId(digestOf(JSON.stringify([assistant, accountId, reference])))
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
