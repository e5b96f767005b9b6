/** What the owner of a session is shown: its story and its one cause; no SDP, no address, no token. */
import { advice } from 'transom-core/errors'
import type { AccountId, CameraId, Clock, SessionId } from 'transom-core/ports'
import { keyBefore, type History, type Listed } from './history.ts'
import { isOverdue, outcome, step, type Session } from './session.ts'
import type { Assistant, Cause, Heard, RecordedSpan, Step } from './story.ts'

/** A session as somebody who may read it sees it. Instants are epoch milliseconds. */
export interface SessionView {
  readonly id: SessionId
  readonly assistant: Assistant
  readonly cameraId: CameraId
  /** Whose view it is, where the reader is the owner of a camera at which a guest looks. */
  readonly guestId?: AccountId
  readonly reference: string
  readonly phase: Session['phase']
  readonly startedAt: number
  /** Milliseconds from the display's offer to its answer; absent when there was none. */
  readonly answerMs?: number
  /** When it is over if nobody ends it; absent without a running view. */
  readonly endsBy?: number
  readonly endedAt?: number
  readonly timeline: readonly Step[]
  readonly cause?: Cause & { readonly advice: string }
  /** Not why it failed, but why nobody knows whether it did. */
  readonly hint?: typeof unconfirmed
  readonly heard?: Heard
  /** Sound from the display may go to the camera. */
  readonly mayTalk: boolean
  /** It shows what was recorded, not what happens now. */
  readonly recording?: RecordedSpan
}

/** The hint at a view of which nobody said whether it was seen. */
export const unconfirmed = {
  code: 'unconfirmed',
  message: 'neither the display nor the camera reports whether the picture appeared',
  advice:
    'If the picture appeared, there is nothing to do. If the display stayed dark, it could not reach the camera: set up a TURN server (TRANSOM_TURN_URLS). A camera that reports its viewers, as those of the gateway do, makes sure.',
} as const

/** The same for an account that may read it: the one that looks, or the camera's owner. `undefined` for any other. */
export function viewFor(reader: AccountId, stored: Session, at: number): SessionView | undefined {
  const { accountId, ownerId } = stored.facts
  if (reader === accountId) return viewOf(stored, at)
  return reader === ownerId ? { ...viewOf(stored, at), guestId: accountId } : undefined
}

/** The view of a session at the instant `at`; one whose time is over is shown closed even if nobody stored that yet. */
export function viewOf(stored: Session, at: number): SessionView {
  const session = isOverdue(stored, at) ? step(stored, { kind: 'woke', at: stored.endsBy })[0] : stored
  const { facts, timeline, phase, heard } = session
  const { answeredAt, endsBy, cause, isUnconfirmed } = outcome(session)
  const end = timeline.findLast(({ step: name }) => name === 'ended' || name === 'refused')
  return {
    id: facts.id,
    assistant: facts.assistant,
    cameraId: facts.cameraId,
    reference: facts.reference,
    phase,
    startedAt: facts.startedAt,
    ...(answeredAt === undefined ? {} : { answerMs: answeredAt - facts.startedAt }),
    ...(endsBy === undefined ? {} : { endsBy }),
    ...(end === undefined ? {} : { endedAt: end.at }),
    timeline,
    mayTalk: facts.rules.talkBack,
    ...(facts.recording && { recording: facts.recording }),
    ...(cause === undefined ? {} : { cause: { ...cause, advice: advice[cause.code] } }),
    ...(isUnconfirmed && { hint: unconfirmed }),
    ...(heard === undefined ? {} : { heard }),
  }
}

/** What became of a view: a warning (no sound) on one that goes on is a failure, too. */
export const outcomes = ['running', 'fine', 'unconfirmed', 'failed'] as const
/** One of these. */
export type Outcome = (typeof outcomes)[number]

/** What became of a view so far. */
export function outcomeOf({ cause, hint, phase }: Pick<SessionView, 'cause' | 'hint' | 'phase'>): Outcome {
  if (cause !== undefined) return 'failed'
  if (hint !== undefined) return 'unconfirmed'
  return phase === 'closed' ? 'fine' : 'running'
}

/** Which sessions; all, if nothing is said. */
export interface Wanted {
  readonly assistant?: Assistant
  readonly cameraId?: CameraId
  readonly outcome?: Outcome
  /** Begun then or later, and before then. Epoch milliseconds. */
  readonly from?: number
  readonly to?: number
  readonly limit?: number
  /** What the page before this one gave as `next`. */
  readonly after?: string
}

/** Some sessions, newest first. */
export interface SessionPage {
  readonly views: readonly SessionView[]
  /** There may be more: ask again with this as `after`. */
  readonly next?: string
}

/** The kept sessions, for those who may read them. */
export interface Views {
  /** `undefined` also for one that this account may not read. */
  view(accountId: AccountId, id: SessionId): Promise<SessionView | undefined>
  /** Whoever's it is: for the operator, not for an account. */
  explain(id: SessionId): Promise<SessionView | undefined>
  /** The account's sessions and those of guests at its cameras, newest first. */
  recent(accountId: AccountId, wanted?: Wanted): Promise<readonly SessionView[]>
  /** The same page by page. One that is looked through for an outcome that is rare may end early, with a `next`. */
  page(accountId: AccountId, wanted: Wanted & { readonly limit: number }): Promise<SessionPage>
}

/** As many records are read for one page, whatever comes of them. */
const mostRead = 1_000

/** Makes the reading side of the history. */
export function createViews(history: Pick<History, 'get' | 'newest'>, clock: Clock): Views {
  const get = async (id: SessionId) => (/^[\w-]{22}$/.test(id) ? (await history.get(id))?.value : undefined)

  async function page(accountId: AccountId, wanted: Wanted, most: number): Promise<SessionPage> {
    const { assistant, cameraId, outcome: became, from = 0, to, limit = Infinity } = wanted
    const after = wanted.after ?? (to === undefined ? undefined : keyBefore(to))
    const isMeant = (listed: Listed): boolean =>
      (assistant === undefined || listed.assistant === assistant) &&
      (cameraId === undefined || listed.cameraId === cameraId)
    const views: SessionView[] = []
    let read = 0
    for await (const batch of history.newest(accountId, isMeant, after)) {
      for (const { key, session } of batch) {
        read += 1
        const view = session && viewFor(accountId, session, clock())
        if (view !== undefined && view.startedAt < from) return { views }
        if (view !== undefined && (became === undefined || outcomeOf(view) === became)) views.push(view)
        if (views.length >= limit || read >= most) return { views, next: key }
      }
    }
    return { views }
  }

  return {
    async view(accountId, id) {
      const stored = await get(id)
      return stored && viewFor(accountId, stored, clock())
    },
    async explain(id) {
      const stored = await get(id)
      return stored && viewOf(stored, clock())
    },
    page: (accountId, wanted) => page(accountId, wanted, mostRead),
    recent: async (accountId, wanted = {}) => (await page(accountId, wanted, Infinity)).views,
  }
}
