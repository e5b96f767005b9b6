/** What the assistants call: one negotiation for each session at a time, and what is kept of it. */
import { randomBytes } from 'node:crypto'
import { BridgeError, toBridgeError } from 'transom-core/errors'
import type { AccountId, Camera, Clock, IceServer, Log } from 'transom-core/ports'
import type { CameraId, Presence, SessionId, Signaling, Store } from 'transom-core/ports'
import { createAttempts, type ViewerReport } from './attempts.ts'
import { createEndings } from './endings.ts'
import { createHabits } from './habits.ts'
import { createHistory } from './history.ts'
import { createPlaces, type ViewLimits } from './places.ts'
import { digestOf, factsOf, idOf, type NegotiateRequest, type SessionRef } from './request.ts'
import { goneError, isOver, refused, type Session } from './session.ts'
import type { Assistant, Budgets, RecordedSpan } from './story.ts'
import { createViews, viewFor, type SessionView, type Views } from './view.ts'
import { createViewerNames, type ViewerName } from './viewer-name.ts'

/**
 * The session broker: what the assistants' rooms and the page ask for views. Both assistants call the same
 * `negotiate`.
 */
export interface Broker extends Views {
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
  /** Ends every view that this account has, and forgets them with those that its guests had of its cameras. */
  forget(accountId: AccountId): Promise<void>
  /** True when the camera should end this viewer: it says that it is connected, and its session is over. */
  cameraReported(camera: Camera, report: ViewerReport): Promise<boolean>
  /** What the viewer of this name, which is ours, may see of recordings, and who looks; also while it negotiates. */
  recordingOf(viewerId: string): Promise<ViewedRecording | undefined>
  /** Fetches ahead what an offer to this camera will need; if it is known whose offer, also opens the line for it. */
  warm(camera: Camera, ref?: SessionRef): void
  /** STUN and TURN servers for this camera, by the instant `by`. Throws `BridgeError('signaling_failed')`. */
  iceServers(camera: Camera, by: number): Promise<readonly IceServer[]>
  /** Whether the camera is connected; undefined when nobody can know. */
  isOnline(camera: Camera): boolean | undefined
  /** Why a view of the camera would fail now: it is not connected, in its own words where it has said any. */
  absence(camera: Camera): BridgeError | undefined
  /** How many negotiations are running. */
  running(): number
  /** By which id the session of a display can be viewed. */
  idOf(ref: SessionRef): SessionId
  /** Refuses what is running and lets go of everything. */
  close(): Promise<void>
}

/** A view of what was recorded of a camera, that is not over. */
export interface ViewedRecording {
  readonly accountId: AccountId
  readonly cameraId: CameraId
  readonly recording: RecordedSpan
}

/** What the broker works with: the way to the cameras, the store, and how long things may take. */
export interface BrokerDeps {
  readonly signaling: Signaling
  readonly presence: Presence
  readonly store: Store
  readonly budgets: Budgets
  /** How many views an account may have at once; without limits when not given. */
  readonly views?: ViewLimits
  /** An account keeps its newest sessions, so many or a hundredth more, and earlier ones that go on; default 50. */
  readonly mostKept?: number
  /** Letters and digits that no other bridge on the same channels has: viewers with other names are not ours. */
  readonly mark?: string
  /** Told of each change of a session, also while it negotiates; must not throw. */
  readonly onSession?: (view: SessionView, accountId: AccountId) => void
  /** Told once of each view when it has failed or is over, for each account that may read it; must not throw. */
  readonly onOutcome?: (view: SessionView, reader: AccountId) => void
  readonly clock: Clock
  readonly log: Log
}

/** So long after its viewer was named, the record of a session that was begun is kept, or never will be. */
const unsavedMs = 120_000

/**
 * Makes a broker, which begins to work with the first call. It carries out what `session.ts` decides, and decides
 * nothing itself.
 */
export function createBroker(deps: BrokerDeps): Broker {
  const { signaling, presence, clock, log, mostKept = 50, mark = '' } = deps
  const habits = createHabits(clock)
  const history = createHistory({ ...deps, mostKept, onChange: tell, onOutcome })
  const places = createPlaces(deps.views ?? { negotiating: Infinity, connected: Infinity }, clock)
  const names = createViewerNames(mark, clock)
  const attempts = createAttempts({ ...deps, history, habits, names, onChange: tell, onSettled: places.settled })
  const { endOne, endWhere } = createEndings({ attempts, history, clock })
  let isClosed = false

  function tell(session: Session): void {
    places.moved(session)
    if (session.phase === 'closed' && session.cause?.code === 'media_failed') habits.doubt(session.facts.cameraId)
    tellReaders(session, deps.onSession)
  }

  function onOutcome(session: Session): void {
    tellReaders(session, deps.onOutcome)
  }

  function tellReaders(session: Session, listener: BrokerDeps['onSession']): void {
    const { accountId, ownerId } = session.facts
    for (const reader of ownerId === undefined ? [accountId] : [accountId, ownerId]) {
      const view = viewFor(reader, session, clock())
      if (view !== undefined) listener?.(view, reader)
    }
  }

  return {
    negotiate(request) {
      if (isClosed) return Promise.reject(new BridgeError('internal', 'the bridge is stopping'))
      const id = idOf(request)
      const digest = digestOf(request.offer)
      const running = attempts.latest(id)
      if (running?.digest === digest) return running.answer
      let silent: SessionId | undefined
      try {
        silent = places.take(id, request.accountId, request.camera)
      } catch (refusal) {
        log('warn', 'broker.view-refused', {
          cameraId: request.camera.id,
          assistant: request.assistant,
          error: String(refusal),
        })
        return Promise.reject(toBridgeError(refusal))
      }
      if (silent !== undefined)
        endOne(silent, 'a newer view took its place').catch((error: unknown) =>
          log('warn', 'broker.session-not-ended', { sessionId: silent, error }),
        )
      running?.end('a newer offer took its place')
      return attempts.begin(request, id, digest).answer
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
        .catch((thrown: unknown) => log('warn', 'broker.history-not-pruned', { error: thrown }))
    },
    async connected(ref) {
      const id = idOf(ref)
      const at = clock()
      // What is not recorded yet could not be moved, and would seem never to have connected.
      await attempts.latest(id)?.done
      await history.update(id, { kind: 'display-connected', at })
    },
    async end(ref, reason) {
      await endOne(idOf(ref), reason)
      await history.prune(ref.accountId)
    },
    endAll: (accountId, assistant, reason) => endWhere(accountId, (one) => one.assistant === assistant, reason),
    endCamera: (accountId, id, reason) => endWhere(accountId, (one) => one.cameraId === id, reason),
    async forget(accountId) {
      await endWhere(accountId, () => true, 'the account was removed')
      await history.forget(accountId)
    },
    async cameraReported(camera, report) {
      const { viewerId, ...what } = report
      const name = names.read(viewerId)
      if (name === undefined) return false
      habits.report(camera.id)
      places.reported(name.id, report.state === 'connected')
      // Before the answer there is no record yet, and only two things to say.
      const running = attempts.latest(name.id)
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
      const recorded = session && names.read(session.facts.viewerId)
      return report.state === 'connected' && isUnwanted(camera, name, session, recorded, clock())
    },
    async recordingOf(viewerId) {
      const id = names.read(viewerId)?.id
      if (id === undefined) return undefined
      const running = attempts.latest(id)?.request
      if (running?.recording)
        return { accountId: running.accountId, cameraId: running.camera.id, recording: running.recording }
      const session = (await history.get(id))?.value
      if (!session?.facts.recording || session.facts.viewerId !== viewerId || isOver(session, clock())) return undefined
      const { accountId, cameraId, recording } = session.facts
      return { accountId, cameraId, recording }
    },
    warm(camera, ref) {
      if (ref === undefined) return signaling.warm(camera.channel)
      const id = idOf(ref)
      // Each line takes a place at the camera, whoever never comes by it.
      if (!places.prepare(id, ref.accountId, camera)) return signaling.warm(camera.channel)
      signaling.warm(camera.channel, names.prepare(id))
    },
    iceServers: (camera, by) => signaling.iceServers(camera.channel, AbortSignal.timeout(Math.max(1, by - clock()))),
    isOnline: (camera) => presence(camera.channel)?.online,
    absence(camera) {
      const seen = presence(camera.channel)
      return seen?.online === false ? goneError(seen.fault) : undefined
    },
    ...createViews(history, clock),
    running: () => attempts.unfinished().length,
    idOf,
    async close() {
      isClosed = true
      const open = attempts.unfinished()
      for (const running of open) running.end('the bridge is stopping')
      await Promise.all(open.map(({ done }) => done))
    },
  }
}

/**
 * Whether a viewer of this name that is connected at this camera should not be. `session` is what is stored under its
 * session's id, `recorded` the viewer of which that speaks.
 */
function isUnwanted(
  camera: Camera,
  { madeAt }: ViewerName,
  session: Session | undefined,
  recorded: ViewerName | undefined,
  now: number,
): boolean {
  // Its own attempt is not recorded, perhaps not yet: a view that has just begun is never cut.
  if (session === undefined || recorded === undefined || recorded.madeAt < madeAt) return now >= madeAt + unsavedMs
  // A later attempt speaks for the session. One at another camera cannot: nobody who ends views of this camera finds it.
  return session.facts.cameraId !== camera.id || isOver(session, now)
}
