/** What is kept of sessions: their records in the store, moved by the same steps as the running ones, for 30 days. */
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
  /**
   * The sessions that this account may read, its own and those of guests at its cameras, newest first and a batch at a time.
   * Of those that `isMeant` leaves out no record is read. `after`: the key of the last one that is known already.
   */
  newest(reader: AccountId, isMeant: (listed: Listed) => boolean, after?: string): AsyncIterable<readonly Found[]>
  /** The account's own sessions, in no order. */
  all(accountId: AccountId): Promise<readonly Session[]>
  /** To be called when a session has ended: keeps the newest, as many as are to be kept, and whatever still goes on. */
  prune(accountId: AccountId): Promise<void>
  /** Removes the account's sessions, and those of guests at its cameras. */
  forget(accountId: AccountId): Promise<void>
}

/** A session as the list of those who may read it has it: what can be asked for without reading its record. */
export interface Listed extends Pick<Session['facts'], 'id' | 'startedAt' | 'assistant' | 'cameraId'> {
  /** It is a guest's, and the reader is the camera's owner. */
  readonly isGuests?: true
}

/** What is listed, under its place in the list. Without a session, its record is gone or is another attempt's now. */
export interface Found {
  readonly key: string
  readonly session: Session | undefined
}

/** A session's record is kept this long. */
const keptMs = 30 * 24 * 3_600_000
/** So many records are read side by side. */
const batch = 50
const endOfTime = 9_999_999_999_999
/** The store may take so long to tell of an earlier attempt; then the camera is asked without knowing. */
const recallMs = 500

/** Between those that began before this instant and those that began then, or later. */
export const keyBefore = (at: number): string => newestFirst(at - 1)

const newestFirst = (startedAt: number): string => String(endOfTime - startedAt).padStart(13, '0')

export function createHistory(deps: {
  readonly store: Store
  readonly mostKept: number
  /** Told of each update. */
  readonly onChange: (session: Session) => void
  /** Told once of each attempt: when it has failed, or is over. */
  readonly onOutcome: (session: Session) => void
  readonly clock: Clock
  readonly log: Log
}): History {
  const { mostKept, onChange, onOutcome, clock, log } = deps
  const sessions = deps.store.collection<Session>('session')
  // A session's name tells nothing of when it began, and records are listed by their names.
  const lists = deps.store.collection<Listed>('session-listed')
  /** How many sessions of an account have ended here since the surplus was last removed. */
  const surplus = new Map<AccountId, number>()
  const most = Math.floor(mostKept / 100)

  return { get: (id) => sessions.get(id), recall, save, update, newest, all, prune, forget }

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
      await Promise.all([list(session), sessions.change(id, next, { read: recalled })])
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
    const hasCome = isKnown(session) && !isKnown(before)
    if (hasCome) onOutcome(session)
    log('info', 'broker.session', {
      sessionId: id,
      assistant,
      cameraId,
      ...(before === undefined && { isNew: true }),
      phase: session.phase,
      code,
      ...(hasCome && { outcome: code ?? 'ok' }),
      ms: clock() - startedAt,
    })
  }

  /** For whoever looks, and for the owner of the camera. */
  async function list({ facts: { id, startedAt, assistant, cameraId, accountId, ownerId } }: Session): Promise<void> {
    const listed = { id, startedAt, assistant, cameraId }
    const key = `${newestFirst(startedAt)}-${id}`
    await lists.put(key, listed, place(accountId))
    if (ownerId !== undefined) await lists.put(`${key}-guest`, { ...listed, isGuests: true }, place(ownerId))
  }

  async function* newest(
    reader: AccountId,
    isMeant: (listed: Listed) => boolean,
    after?: string,
  ): AsyncGenerator<readonly Found[]> {
    let meant: Stored<Listed>[] = []
    for await (const one of lists.all(reader, { after })) {
      if (isMeant(one.value)) meant.push(one)
      if (meant.length < batch) continue
      yield await Promise.all(meant.map(find))
      meant = []
    }
    yield await Promise.all(meant.map(find))
  }

  /** A reference that was used again is another session now, perhaps at another camera. */
  async function find({ id: key, value }: Pick<Stored<Listed>, 'id' | 'value'>): Promise<Found> {
    const session = (await sessions.get(value.id))?.value
    return { key, session: session?.facts.startedAt === value.startedAt ? session : undefined }
  }

  async function all(accountId: AccountId): Promise<readonly Session[]> {
    const found: Session[] = []
    for await (const { value } of sessions.all(accountId)) found.push(value)
    return found
  }

  /** Reading the whole list costs the more the longer it may be, so that is done the less often. */
  async function prune(accountId: AccountId): Promise<void> {
    if (most > 0) {
      const ended = (surplus.get(accountId) ?? Infinity) + 1
      surplus.set(accountId, ended < most ? ended : 0)
      if (ended < most) return
    }
    const places = { own: 0, guests: 0 }
    for await (const { id: key, value } of lists.all(accountId)) {
      if (++places[value.isGuests ? 'guests' : 'own'] <= mostKept) continue
      // A guest's record is the guest's.
      if (!value.isGuests) {
        const { session } = await find({ id: key, value })
        if (session && !isOver(session, clock())) continue
        if (session) await sessions.remove(session.facts.id)
      }
      await lists.remove(key)
    }
  }

  async function forget(accountId: AccountId): Promise<void> {
    for await (const { id } of sessions.all(accountId)) await sessions.remove(id)
    for await (const { id: key, value } of lists.all(accountId)) {
      const session = value.isGuests && (await sessions.get(value.id))
      if (session && session.value.facts.ownerId === accountId) await sessions.remove(session.id)
      // Both who looked and the owner of the camera had it in their lists.
      const own = key.replace(/-guest$/, '')
      await lists.remove(own)
      await lists.remove(`${own}-guest`)
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
