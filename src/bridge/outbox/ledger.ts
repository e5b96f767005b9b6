/** The durable side of the outbox: one record for each thing that is still to be said, and for a while what was said. */
import { hash } from 'node:crypto'
import type { AccountId, Clock, Store } from 'transom-core/ports'
import type { Outgoing } from './outgoing.ts'

/** How long a delivered or dropped event is remembered, so that adding it again does nothing. */
const memoryMs = 3_600_000
/**
 * What is open is spread over so many lists, because in DynamoDB a list is one key of the index, which takes 1,000 writes a
 * second: two for each press and assistant. Presses by their id, so that 32,000 a second have room, reports by account.
 */
const pressLists = 64
const reportLists = 16
/** Until 0.2 all presses were in this list; it is still read. Drop it with the version after: nothing stays open for so long. */
const oldPressList = 'press'

export interface Entry {
  /** Id of the record: one for each press, one for each subject that reports are about. */
  readonly key: string
  readonly event: Outgoing
  /** Of the record as this process last read or wrote it. */
  version: number
  attempts: number
  /** Delivered, dropped or stale; only the record does not say so yet. */
  isTold: boolean
  /** In-flight mark on the record: somebody is sending it until then (epoch milliseconds), or died doing so. */
  heldUntil: number
  /** The mark is this process's own. */
  isOurs: boolean
}

/** Of what was said only that is kept by which it is known again, and nothing of the account. Until 0.2 it was the event. */
type Line =
  | { readonly state: 'open'; readonly event: Outgoing; readonly heldUntil?: number }
  | { readonly state: 'said'; readonly at: number; readonly idHash: string }
  | { readonly state: 'said'; readonly event: Outgoing }

export interface Ledger {
  /**
   * Writes the event down, marked as ours, with the body that it has together with what waits. `undefined`: it was known
   * already, or something newer about its subject is.
   */
  open(event: Outgoing, heldUntil: number): Promise<Entry | undefined>
  /** Marks it as being sent until `heldUntil`. False: another process has it, or something newer took its place. */
  hold(entry: Entry, heldUntil: number): Promise<boolean>
  /** Takes the marker off again: it was not sent, and anybody may. */
  release(entry: Entry): Promise<void>
  /** Delivered, dropped or too old: nothing more is to be done. Something newer about the same subject stays open. */
  settle(entry: Entry): Promise<void>
  /** Removes what is open of an account. */
  forget(accountId: AccountId): Promise<void>
  /** Everything that is open, oldest first. */
  left(): Promise<readonly Entry[]>
}

export function createLedger(store: Store, clock: Clock): Ledger {
  const lines = store.collection<Line>('outbox')

  async function write(entry: Entry, line: Line): Promise<boolean> {
    const version = await lines.put(entry.key, line, { ...placeOf(entry, line), onlyIf: { version: entry.version } })
    if (version === undefined) return false
    const heldUntil = line.state === 'open' ? line.heldUntil : undefined
    Object.assign(entry, { version, heldUntil: heldUntil ?? 0, isOurs: heldUntil !== undefined })
    return true
  }

  function placeOf({ event }: Pick<Entry, 'event'>, { state }: Pick<Line, 'state'>) {
    const expiresAt = Math.max(event.usefulUntil, clock()) + memoryMs
    return state === 'open' ? { expiresAt, group: listOf(event) } : { expiresAt }
  }

  return {
    async open(event, heldUntil) {
      const key = keyOf(event)
      let told = event
      // Events about one subject are written one after the other, so that the newest is taken on last.
      const opened = await lines.change(key, (known) => {
        const before = known && knownBy(known.value)
        if (before && (before.idHash === digest(event.id) || before.at > event.at)) return undefined
        const isWaiting = known?.value.state === 'open'
        told = isWaiting && event.together !== undefined ? { ...event, body: event.together } : event
        const line: Line = { event: told, state: 'open', heldUntil }
        return { value: line, ...placeOf({ event }, line) }
      })
      return (
        opened && { key, event: told, version: opened.version, attempts: 0, isTold: false, heldUntil, isOurs: true }
      )
    },
    hold: (entry, heldUntil) => write(entry, { event: entry.event, state: 'open', heldUntil }),
    async release(entry) {
      await write(entry, { event: entry.event, state: 'open' })
    },
    async settle(entry) {
      const { id, at } = entry.event
      await write(entry, { state: 'said', at, idHash: digest(id) })
    },
    async forget(accountId) {
      const open = await openIn([...allPressLists, reportList(accountId)])
      await Promise.all(
        open.filter(({ event }) => event.accountId === accountId).map(async ({ key }) => lines.remove(key)),
      )
    },
    async left() {
      const open = await openIn([...allPressLists, ...allReportLists])
      return open.sort((one, other) => one.event.at - other.event.at)
    },
  }

  /** Side by side: one after the other they would take as many round trips as there are lists. */
  async function openIn(lists: readonly string[]): Promise<Entry[]> {
    const found = lists.map(async (list) => {
      const entries: Entry[] = []
      for await (const { id, value, version } of lines.all(list))
        if (value.state === 'open') entries.push(toEntry(id, value, version))
      return entries
    })
    return (await Promise.all(found)).flat()
  }
}

function toEntry(id: string, { event, heldUntil = 0 }: Extract<Line, { state: 'open' }>, version: number): Entry {
  return { key: id, event, version, attempts: 0, isTold: false, heldUntil, isOurs: false }
}

/** A press is a thing of its own; of reports about one subject only the newest counts. Hashed, because ids may be long. */
function keyOf({ lane, destination, id, accountId, cameraId, subject }: Outgoing): string {
  const parts = lane === 'press' ? [lane, destination, id] : [lane, destination, accountId, cameraId, subject ?? '']
  return digest(JSON.stringify(parts))
}

const digest = (text: string): string => hash('sha256', text, 'base64url')

const knownBy = (line: Line): { readonly at: number; readonly idHash: string } =>
  'event' in line ? { at: line.event.at, idHash: digest(line.event.id) } : line

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}-${index}`)
const allPressLists = [oldPressList, ...numbered('press', pressLists)]
const allReportLists = numbered('report', reportLists)

/** The list in which an event is found while it is open. */
export function listOf({ lane, id, accountId }: Outgoing): string {
  return lane === 'press' ? `press-${shareOf(id, pressLists)}` : reportList(accountId)
}

const reportList = (accountId: AccountId): string => `report-${shareOf(accountId, reportLists)}`

/** Always the same of 0 to `count` - 1 for a text, whatever process asks; even for counts that divide 256. */
const shareOf = (text: string, count: number): number => hash('sha256', text, 'buffer')[0]! % count
