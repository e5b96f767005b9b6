/** What the assistants call: one negotiation for each session at a time, and what is kept of it. */
import { createHash, randomBytes } from 'node:crypto'
import { within } from 'transom-core/deadline'
import { BridgeError, toBridgeError } from 'transom-core/errors'
import { sessionId, type AccountId, type Camera, type Clock, type IceServer, type Log } from 'transom-core/ports'
import type { CameraId, Presence, SessionId, Signaling, Store } from 'transom-core/ports'
import { createHabits } from './habits.ts'
import { createHistory } from './history.ts'
import { startNegotiation, type Negotiation } from './negotiation.ts'
import type { AnswerRules } from './rules.ts'
import { goneError, refused, type Session } from './session.ts'
import type { Assistant, Budgets, Facts, Told, ViewerState } from './story.ts'
import { viewFor, type SessionView } from './view.ts'
import { createPlaces, type ViewLimits } from './places.ts'
import { nameViewer, readViewerName, type ViewerName } from './viewer-name.ts'

export interface NegotiateRequest {
  readonly assistant: Assistant
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
  readonly assistant: Assistant
  readonly accountId: AccountId
  readonly reference: string
}

/** Which sessions; all, if nothing is said. */
export interface Wanted {
  readonly assistant?: Assistant
  readonly cameraId?: CameraId
  readonly limit?: number
}

/** What a camera says about one of its viewers. */
export interface ViewerReport extends Told {
  readonly viewerId: string
  readonly state: ViewerState
}

export interface Broker {
  /**
   * The complete SDP answer to an offer; one verdict, by `answerBy`. A repeat of the same offer gets the same answer, a
   * new offer under the same reference replaces the earlier attempt. Throws `BridgeError`.
   */
  negotiate(request: NegotiateRequest): Promise<string>
  /** Keeps the cause of a view that was refused before the display could offer, for the owner to see. Never rejects. */
  refused(camera: Camera, assistant: Assistant, error: BridgeError): Promise<void>
  /** The display says that media flows. Unknown sessions are ignored, here and below. */
  connected(ref: SessionRef): Promise<void>
  end(ref: SessionRef, reason: string): Promise<void>
  endAll(accountId: AccountId, assistant: Assistant, reason: string): Promise<void>
  /** Ends every view that this account has of this camera, at any display. */
  endCamera(accountId: AccountId, cameraId: CameraId, reason: string): Promise<void>
  /** True when the camera should end this viewer: it says that it is connected, and its session is over. */
  cameraReported(camera: Camera, report: ViewerReport): Promise<boolean>
  /** Fetches ahead what an offer to this camera will need; if it is known whose offer, also opens the line for it. */
  warm(camera: Camera, ref?: SessionRef): void
  /** STUN and TURN servers for this camera, by the instant `by`. Throws `BridgeError('signaling_failed')`. */
  iceServers(camera: Camera, by: number): Promise<readonly IceServer[]>
  /** Whether the camera is connected; undefined when nobody can know. */
  isOnline(camera: Camera): boolean | undefined
  /** Why a view of the camera would fail now: it is not connected, in its own words where it has said any. */
  absence(camera: Camera): BridgeError | undefined
  view(accountId: AccountId, id: SessionId): Promise<SessionView | undefined>
  /** The account's sessions and those of guests at its cameras, newest first. */
  recent(accountId: AccountId, wanted?: Wanted): Promise<readonly SessionView[]>
  /** How many negotiations are running. */
  running(): number
  /** By which id the session of a display can be viewed. */
  idOf(ref: SessionRef): SessionId
  /** Refuses what is running and lets go of everything. */
  close(): Promise<void>
}

export interface BrokerDeps {
  readonly signaling: Signaling
  readonly presence: Presence
  readonly store: Store
  readonly budgets: Budgets
  /** How many views an account may have at once; without limits when not given. */
  readonly views?: ViewLimits
  /** Of the sessions that are over, an account keeps at most so many, or a hundredth more; default 50. */
  readonly mostKept?: number
  /** Letters and digits that no other bridge on the same channels has: viewers with other names are not ours. */
  readonly mark?: string
  /** Told of each change of a session, also while it negotiates; must not throw. */
  readonly onSession?: (view: SessionView, accountId: AccountId) => void
  readonly clock: Clock
  readonly log: Log
}

/** The store may hold an answer back for so long. A Lambda sleeps once it has answered, so the record should be kept before. */
const keepMs = 250

const mostPrepared = 1_000
/** A line that was opened ahead is not there any longer than this, and its name of no use. */
const preparedMs = 30_000
/** So long after its viewer was named, the record of a session that was begun is kept, or never will be. */
const unsavedMs = 120_000

interface Running {
  readonly request: NegotiateRequest
  readonly digest: string
  readonly answer: Promise<string>
  /** Fulfils when nothing of it is left open and its record is kept. */
  readonly done: Promise<void>
  end(reason: string): void
  cameraReported(camera: Camera, report: ViewerReport): void
}

export function createBroker(deps: BrokerDeps): Broker {
  const { signaling, presence, clock, log, mostKept = 50, mark = '' } = deps
  const habits = createHabits(clock)
  const history = createHistory({ ...deps, mostKept, onChange: tell })
  const places = createPlaces(deps.views ?? { negotiating: Infinity, connected: Infinity }, clock)
  /** The latest attempt of each session, while it may still be joined. */
  const live = new Map<SessionId, Running>()
  /** Names under which lines were opened ahead, each for one attempt. */
  const prepared = new Map<SessionId, string>()
  const unfinished = new Set<Running>()
  let isClosed = false

  function begin(request: NegotiateRequest, id: SessionId, digest: string): Running {
    let negotiation: Negotiation | undefined
    let endedEarly: string | undefined
    let saved: Promise<void> = Promise.resolve()

    const run = async (): Promise<string> => {
      // One read on the way of an offer: an assistant that repeats itself must not be answered by a second session.
      const earlier = await history.recall(id)
      const session = earlier?.value
      const isRepeat = session?.facts.offerDigest === digest && 'endsBy' in session && clock() < session.endsBy
      if (isRepeat) return session.answer
      const viewerId = nameOf(id)
      prepared.delete(id)
      const expected = habits.expected(request.camera.id)
      const facts = {
        ...factsOf(request, id, viewerId, digest, deps.budgets),
        ...(expected && { expected }),
        ...(habits.hasReports(request.camera.id) && { hasReports: true as const }),
      }
      // A later attempt under the same name speaks for the session.
      const onChange = (changed: Session) => {
        if (live.get(id) === running) tell(changed)
      }
      negotiation = startNegotiation(
        { ...deps, onChange, onGathered: habits.learn },
        facts,
        request.camera,
        request.offer,
      )
      if (endedEarly !== undefined) negotiation.end(endedEarly)
      try {
        return await negotiation.verdict
      } catch (refusal) {
        // Who is refused may try again at once; who is answered joins this attempt until its record can be read.
        forget()
        throw refusal
      } finally {
        saved = history.save(negotiation.session(), earlier)
        await within(keepMs, () => saved, ignore).catch(ignore)
      }
    }

    const answer = run()
    const finish = async (): Promise<void> => {
      await Promise.allSettled([answer])
      await Promise.all([negotiation?.done, saved])
      forget()
      unfinished.delete(running)
      if (!live.has(id)) places.settled(id)
    }
    const forget = (): void => {
      if (live.get(id) === running) live.delete(id)
    }
    const end = (reason: string): void => {
      endedEarly ??= reason
      negotiation?.end(reason)
    }
    const cameraReported = (camera: Camera, { viewerId, state, ...told }: ViewerReport): void => {
      const facts = negotiation?.session().facts
      if (facts?.cameraId === camera.id && facts.viewerId === viewerId) negotiation?.cameraReported(state, told)
    }
    const running = { request, digest, answer, done: Promise.resolve().then(finish), end, cameraReported }
    live.set(id, running)
    unfinished.add(running)
    return running
  }

  /** The name under which a line was opened ahead, or a new one. */
  function nameOf(id: SessionId): string {
    const ready = prepared.get(id)
    const madeAt = readViewerName(ready ?? '', mark)?.madeAt ?? -Infinity
    return ready !== undefined && clock() < madeAt + preparedMs ? ready : nameViewer(id, mark, clock())
  }

  function tell(session: Session): void {
    places.moved(session)
    if (session.phase === 'closed' && session.cause?.code === 'media_failed') habits.doubt(session.facts.cameraId)
    const { accountId, ownerId } = session.facts
    for (const reader of ownerId === undefined ? [accountId] : [accountId, ownerId]) {
      const view = viewFor(reader, session, clock())
      if (view !== undefined) deps.onSession?.(view, reader)
    }
  }

  /** Whether a viewer that is connected at this camera should not be; `session` is what is stored under its session's id. */
  function isUnwanted(camera: Camera, name: ViewerName, session: Session | undefined): boolean {
    const recorded = session && readViewerName(session.facts.viewerId, mark)
    // Its own attempt is not recorded, perhaps not yet: a view that has just begun is never cut.
    if (session === undefined || recorded === undefined || recorded.madeAt < name.madeAt)
      return clock() >= name.madeAt + unsavedMs
    // A later attempt speaks for the session. One at another camera cannot: nobody who ends views of this camera finds it.
    return session.facts.cameraId !== camera.id || history.isOver(session)
  }

  async function endOne(id: SessionId, reason: string): Promise<void> {
    const running = live.get(id)
    running?.end(reason)
    await running?.done
    await history.update(id, { kind: 'ended', reason, at: clock() })
  }

  async function endWhere(
    accountId: AccountId,
    isMeant: (view: Pick<Facts, 'assistant' | 'cameraId'>) => boolean,
    reason: string,
  ): Promise<void> {
    const ours = [...unfinished].filter(
      ({ request: { camera, ...request } }) =>
        request.accountId === accountId && isMeant({ ...request, cameraId: camera.id }),
    )
    for (const running of ours) running.end(reason)
    await Promise.all(ours.map(({ done }) => done))
    const open = (await history.all(accountId)).filter(({ facts, phase }) => phase !== 'closed' && isMeant(facts))
    await Promise.all(open.map(({ facts }) => endOne(facts.id, reason)))
  }

  return {
    negotiate(request) {
      if (isClosed) return Promise.reject(new BridgeError('internal', 'the bridge is stopping'))
      const id = idOf(request)
      const digest = digestOf(request.offer)
      const running = live.get(id)
      if (running?.digest === digest) return running.answer
      let silent: SessionId | undefined
      try {
        silent = places.take(id, request.accountId, request.camera)
      } catch (refusal) {
        log('warn', 'view refused', {
          camera: request.camera.id,
          assistant: request.assistant,
          reason: String(refusal),
        })
        return Promise.reject(toBridgeError(refusal))
      }
      if (silent !== undefined)
        endOne(silent, 'a newer view took its place').catch((error: unknown) =>
          log('warn', 'session not ended', { session: silent, error }),
        )
      running?.end('a newer offer took its place')
      return begin(request, id, digest).answer
    },
    async refused(camera, assistant, error) {
      const reference = randomBytes(16).toString('base64url')
      const ref = { assistant, accountId: camera.accountId, reference }
      const startedAt = clock()
      const rules = { ipv4Only: false, tcpCandidates: false, talkBack: false }
      const asked = { ...ref, camera, rules, offer: '', receivedAt: startedAt, answerBy: startedAt }
      const session = refused(factsOf(asked, idOf(ref), '', '', deps.budgets), clock(), error)
      tell(session)
      await history.save(session, undefined)
      await history
        .prune(camera.accountId)
        .catch((thrown: unknown) => log('warn', 'history not pruned', { error: thrown }))
    },
    async connected(ref) {
      const id = idOf(ref)
      const at = clock()
      // What is not recorded yet could not be moved, and would seem never to have connected.
      await live.get(id)?.done
      await history.update(id, { kind: 'display-connected', at })
    },
    async end(ref, reason) {
      await endOne(idOf(ref), reason)
      await history.prune(ref.accountId)
    },
    endAll: (accountId, assistant, reason) => endWhere(accountId, (one) => one.assistant === assistant, reason),
    endCamera: (accountId, id, reason) => endWhere(accountId, (one) => one.cameraId === id, reason),
    async cameraReported(camera, report) {
      const { viewerId, ...what } = report
      const name = readViewerName(viewerId, mark)
      if (name === undefined) return false
      habits.report(camera.id)
      places.reported(name.id, report.state === 'connected')
      // Before the answer there is no record yet, and only two things to say.
      const running = live.get(name.id)
      if (report.state === 'busy' || report.state === 'failed') running?.cameraReported(camera, report)
      if (report.state === 'busy') return false
      // The one word that is not said again.
      if (report.state === 'failed') await running?.done
      const stored = await history.get(name.id)
      // A camera speaks of its own viewers only, and of the attempt that is running now.
      const isItsOwn = stored?.value.facts.cameraId === camera.id && stored.value.facts.viewerId === viewerId
      const session = isItsOwn
        ? await history.update(name.id, { kind: 'camera-reported', ...what, at: clock() }, stored)
        : stored?.value
      return report.state === 'connected' && isUnwanted(camera, name, session)
    },
    warm(camera, ref) {
      if (ref === undefined) return signaling.warm(camera.channel)
      const id = idOf(ref)
      // Each line takes a place at the camera, whoever never comes by it.
      if (!places.prepare(id, ref.accountId, camera)) return signaling.warm(camera.channel)
      const viewerId = nameOf(id)
      prepared.set(id, viewerId)
      // Most displays that were shown the way do come; of those that did not, the oldest are forgotten.
      for (const [oldest] of prepared) if (prepared.size > mostPrepared) prepared.delete(oldest)
      signaling.warm(camera.channel, viewerId)
    },
    iceServers: (camera, by) => signaling.iceServers(camera.channel, AbortSignal.timeout(Math.max(1, by - clock()))),
    isOnline: (camera) => presence(camera.channel)?.online,
    absence(camera) {
      const seen = presence(camera.channel)
      return seen?.online === false ? goneError(seen.fault) : undefined
    },
    async view(accountId, id) {
      const stored = /^[\w-]{22}$/.test(id) ? await history.get(id) : undefined
      return stored && viewFor(accountId, stored.value, clock())
    },
    async recent(accountId, { assistant, cameraId, limit } = {}) {
      const [own, ofGuests] = await Promise.all([history.all(accountId), history.ofGuests(accountId)])
      const every = [...own, ...ofGuests].sort((a, b) => b.facts.startedAt - a.facts.startedAt)
      const found = every.filter(
        ({ facts }) =>
          (assistant === undefined || facts.assistant === assistant) &&
          (cameraId === undefined || facts.cameraId === cameraId),
      )
      return found.slice(0, limit).flatMap((session) => viewFor(accountId, session, clock()) ?? [])
    },
    running: () => unfinished.size,
    idOf,
    async close() {
      isClosed = true
      const open = [...unfinished]
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
  const owner = camera.sharedBy !== undefined && { ownerId: camera.sharedBy }
  const who = { id, assistant, accountId, ...owner, cameraId: camera.id, reference, viewerId }
  // Without a speaker, a way back would lead nowhere.
  const fitting = {
    ...rules,
    talkBack: rules.talkBack && camera.hasSpeaker,
    // Guests see a camera, and talk by it where they may; where it looks is the owner's.
    mayControl: camera.sharedBy === undefined,
    needsPicture: camera.hasVideo !== false,
  }
  return { ...who, offerDigest, startedAt: receivedAt, answerBy, rules: fitting, budgets }
}

/** The same display's session has the same id on every machine, so that a repeat finds it. */
function idOf({ assistant, accountId, reference }: SessionRef): SessionId {
  return sessionId(digestOf(JSON.stringify([assistant, accountId, reference])))
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}

/** For a promise whose outcome is handled by whoever made it. */
function ignore(): void {}
