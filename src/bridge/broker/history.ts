/** What is kept of sessions: their records in the store, moved by the same steps as the running ones, for a day. */
import { within } from 'transom-core/deadline'
import type { AccountId, Clock, Log, SessionId, Store, Stored } from 'transom-core/ports'
import { isOver, outcome, step, type Session } from './session.ts'
import type { SessionEvent } from './story.ts'

export interface History {
  get(id: SessionId): Promise<Stored<Session> | undefined>
  /** What the store knows of a session; undefined also when it does not say in time. */
  recall(id: SessionId): Promise<Stored<Session> | undefined>
  /** Keeps the record, unless that of a later attempt is there already. Never rejects: a store that fails costs no answer. */
  save(session: Session, recalled: Stored<Session> | undefined): Promise<void>
  /** Moves what is stored, beginning with what was just read; returns what is stored then. */
  update(id: SessionId, event: SessionEvent, read?: Stored<Session>): Promise<Session | undefined>
  /** The newest sessions of guests at this account's cameras, newest first. */
  ofGuests(owner: AccountId): Promise<readonly Session[]>
  /** The account's own sessions, newest first. */
  all(accountId: AccountId): Promise<readonly Session[]>
  /** To be called when a session has ended: keeps no more of them than are to be kept. */
  prune(accountId: AccountId): Promise<void>
  /** Removes the account's sessions, and those of guests at its cameras. */
  forget(accountId: AccountId): Promise<void>
}

/** A session's record is kept this long. */
const keptMs = 24 * 3_600_000
/** An owner is shown so many of them. */
const mostOfGuests = 200
const endOfTime = 9_999_999_999_999
/** The store may take so long to tell of an earlier attempt; then the camera is asked without knowing. */
const recallMs = 500

export function createHistory(deps: {
  readonly store: Store
  readonly mostKept: number
  /** Told of each update. */
  readonly onChange: (session: Session) => void
  readonly clock: Clock
  readonly log: Log
}): History {
  const { mostKept, onChange, clock, log } = deps
  const sessions = deps.store.collection<Session>('session')
  const guests = deps.store.collection<{ readonly sessionId: SessionId }>('session-of-guest')
  /** How many sessions of an account have ended here since the surplus was last removed. */
  const surplus = new Map<AccountId, number>()
  const most = Math.floor(mostKept / 100)

  return { get: (id) => sessions.get(id), recall, save, update, all, ofGuests, prune, forget }

  async function recall(id: SessionId): Promise<Stored<Session> | undefined> {
    const failed = (error: unknown): undefined =>
      log('error', 'broker.session-not-recalled', { sessionId: id, error }) as undefined
    return within(recallMs, () => sessions.get(id), failed).catch(failed)
  }

  async function save(session: Session, recalled: Stored<Session> | undefined): Promise<void> {
    const { id, accountId, startedAt, viewerId } = session.facts
    report(session)
    const isLater = ({ facts }: Session) => facts.viewerId !== viewerId && facts.startedAt > startedAt
    const next = (stored: Stored<Session> | undefined) =>
      stored !== undefined && isLater(stored.value) ? undefined : { value: session, ...place(accountId) }
    try {
      await noteForOwner(session)
      await sessions.change(id, next, { read: recalled })
    } catch (error) {
      log('error', 'broker.session-not-saved', { sessionId: id, error })
    }
  }

  async function update(id: SessionId, event: SessionEvent, read?: Stored<Session>): Promise<Session | undefined> {
    let before: Session | undefined
    const next = (stored: Stored<Session> | undefined) => {
      before = stored?.value
      if (before === undefined) return undefined
      const [value] = step(before, event)
      return value === before ? undefined : { value, ...place(value.facts.accountId) }
    }
    const moved = (await sessions.change(id, next, read && { read }))?.value
    if (moved === undefined) return before
    onChange(moved)
    if (moved.phase !== before?.phase || outcomeOf(moved) !== outcomeOf(before)) report(moved, before)
    return moved
  }

  /** One line for each turn of a session, by which views and their outcomes can be counted, each once, in whatever process. */
  function report(session: Session, before?: Session): void {
    const { id, assistant, cameraId, startedAt } = session.facts
    const code = outcomeOf(session)
    log('info', 'broker.session', {
      sessionId: id,
      assistant,
      cameraId,
      ...(before === undefined && { isNew: true }),
      phase: session.phase,
      code,
      ...(isKnown(session) && !isKnown(before) && { outcome: code ?? 'ok' }),
      ms: clock() - startedAt,
    })
  }

  /** A guest's session is in the guest's list; the owner of the camera finds it by this. */
  async function noteForOwner({ facts: { id, ownerId, startedAt } }: Session): Promise<void> {
    if (ownerId === undefined) return
    const newestFirst = String(endOfTime - startedAt).padStart(13, '0')
    await guests.put(`${newestFirst}-${id}`, { sessionId: id }, place(ownerId))
  }

  async function ofGuests(owner: AccountId): Promise<readonly Session[]> {
    const listed = await guests.list(owner, { limit: mostOfGuests })
    const found = await Promise.all(listed.map(async ({ value }) => (await sessions.get(value.sessionId))?.value))
    // A reference that was used again is another session now, perhaps at another camera.
    return [...new Map(found.flatMap((one) => (one?.facts.ownerId === owner ? [[one.facts.id, one]] : []))).values()]
  }

  async function all(accountId: AccountId): Promise<readonly Session[]> {
    const found: Session[] = []
    for await (const { value } of sessions.all(accountId)) found.push(value)
    return found.sort((a, b) => b.facts.startedAt - a.facts.startedAt)
  }

  /** Reading the whole history costs the more the longer it may be, so that is done the less often. */
  async function prune(accountId: AccountId): Promise<void> {
    if (most > 0) {
      const ended = (surplus.get(accountId) ?? Infinity) + 1
      surplus.set(accountId, ended < most ? ended : 0)
      if (ended < most) return
    }
    const over = (await all(accountId)).filter((session) => isOver(session, clock()))
    await Promise.all(over.slice(mostKept).map(({ facts }) => sessions.remove(facts.id)))
  }

  async function forget(accountId: AccountId): Promise<void> {
    for await (const { id } of sessions.all(accountId)) await sessions.remove(id)
    for await (const { id, value } of guests.all(accountId)) {
      const session = await sessions.get(value.sessionId)
      if (session?.value.facts.ownerId === accountId) await sessions.remove(session.id)
      await guests.remove(id)
    }
    surplus.delete(accountId)
  }

  function place(accountId: AccountId): { readonly group: string; readonly expiresAt: number } {
    return { group: accountId, expiresAt: clock() + keptMs }
  }
}

/** Its outcome is: it has a cause, or is over. */
const isKnown = (session: Session | undefined): boolean =>
  session !== undefined && (session.phase === 'closed' || outcome(session).cause !== undefined)

/** The code of its cause; `unconfirmed` where nobody knows whether there is one. */
function outcomeOf(session: Session | undefined): string | undefined {
  if (session === undefined) return undefined
  const { cause, isUnconfirmed } = outcome(session)
  return isUnconfirmed ? 'unconfirmed' : cause?.code
}
