/** The attempts at each session that are under way: the latest may be joined, and every one ends with its record kept. */
import { within } from 'transom-core/deadline'
import type { Camera, SessionId } from 'transom-core/ports'
import type { Habits } from './habits.ts'
import type { History } from './history.ts'
import { startNegotiation, type Negotiation, type NegotiationDeps } from './negotiation.ts'
import { factsOf, type NegotiateRequest } from './request.ts'
import type { Session } from './session.ts'
import type { Budgets, Told, ViewerState } from './story.ts'
import type { ViewerNames } from './viewer-name.ts'

/** What a camera says about one of its viewers. */
export interface ViewerReport extends Told {
  readonly viewerId: string
  readonly state: ViewerState
}

/** One offer, from its coming until nothing of it is left open. */
export interface Attempt {
  readonly request: NegotiateRequest
  readonly digest: string
  readonly answer: Promise<string>
  /** Fulfils when nothing of it is left open and its record is kept. */
  readonly done: Promise<void>
  end(reason: string): void
  cameraReported(camera: Camera, report: ViewerReport): void
}

export interface Attempts {
  /** The latest attempt of a session, while it may still be joined. */
  latest(id: SessionId): Attempt | undefined
  /** Those of which something is left open. */
  unfinished(): readonly Attempt[]
  /** Begins one, which is the latest from now on. */
  begin(request: NegotiateRequest, id: SessionId, digest: string): Attempt
}

export interface AttemptsDeps extends Omit<NegotiationDeps, 'onChange' | 'onGathered'> {
  readonly budgets: Budgets
  readonly history: Pick<History, 'recall' | 'save'>
  readonly habits: Pick<Habits, 'expected' | 'learn' | 'hasReports'>
  readonly names: Pick<ViewerNames, 'take'>
  /** Told of each new state of a session, by its latest attempt alone. */
  readonly onChange: (session: Session) => void
  /** No attempt of this session is under way any more. */
  readonly onSettled: (id: SessionId) => void
}

/** The store may hold an answer back for so long. A Lambda sleeps once it has answered, so the record should be kept before. */
const keepMs = 250

export function createAttempts(deps: AttemptsDeps): Attempts {
  const { budgets, history, habits, names, onChange, onSettled, clock } = deps
  const latest = new Map<SessionId, Attempt>()
  const unfinished = new Set<Attempt>()

  /** Towards the camera, under a new name. */
  function start({ camera, ...request }: NegotiateRequest, id: SessionId, digest: string, isLatest: () => boolean) {
    const expected = habits.expected(camera.id)
    const facts = {
      ...factsOf({ camera, ...request }, id, names.take(id), digest, budgets),
      ...(expected && { expected }),
      ...(habits.hasReports(camera.id) && { hasReports: true as const }),
    }
    // A later attempt under the same name speaks for the session.
    const tell = (session: Session) => isLatest() && onChange(session)
    const watching = { ...deps, onChange: tell, onGathered: habits.learn }
    return startNegotiation(watching, facts, camera, request.offer)
  }

  function begin(request: NegotiateRequest, id: SessionId, digest: string): Attempt {
    let negotiation: Negotiation | undefined
    let endedEarly: string | undefined
    let saved: Promise<void> = Promise.resolve()
    const isLatest = () => latest.get(id) === attempt
    const forget = () => isLatest() && latest.delete(id)

    const run = async (): Promise<string> => {
      // One read on the way of an offer: an assistant that repeats itself must not be answered by a second session.
      const earlier = await history.recall(id)
      const given = earlier && answerGiven(earlier.value, digest, clock())
      if (given !== undefined) return given
      negotiation = start(request, id, digest, isLatest)
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
      unfinished.delete(attempt)
      if (!latest.has(id)) onSettled(id)
    }
    const attempt: Attempt = {
      request,
      digest,
      answer,
      done: Promise.resolve().then(finish),
      end(reason) {
        endedEarly ??= reason
        negotiation?.end(reason)
      },
      cameraReported(camera, { viewerId, state, ...told }) {
        const facts = negotiation?.session().facts
        if (facts?.cameraId === camera.id && facts.viewerId === viewerId) negotiation?.cameraReported(state, told)
      },
    }
    latest.set(id, attempt)
    unfinished.add(attempt)
    return attempt
  }

  return { latest: (id) => latest.get(id), unfinished: () => [...unfinished], begin }
}

/** What this same offer was answered with, while that view may go on. */
function answerGiven(session: Session, digest: string, now: number): string | undefined {
  const isGoing = session.phase === 'answered' || session.phase === 'connected'
  return isGoing && session.facts.offerDigest === digest && now < session.endsBy ? session.answer : undefined
}

/** For a promise whose outcome is handled by whoever made it. */
function ignore(): void {}
