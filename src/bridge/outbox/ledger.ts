/** The durable side of the outbox: one record for each thing that is still to be said, and for a while what was said. */
import { hash } from 'node:crypto'
import type { AccountId, Clock, Store } from 'transom-core/ports'
import type { Outgoing } from './outgoing.ts'

/** How long a delivered or dropped event is remembered, so that adding it again does nothing. */
const memoryMs = 3_600_000
/** Reports are spread over so many lists, because in DynamoDB a list is one partition. */
const reportLists = 16

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
  /** Writes the event down, marked as ours. `undefined`: it was known already, or something newer about its subject is. */
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
      const line: Line = { event, state: 'open', heldUntil }
      // Events about one subject are written one after the other, so that the newest is taken on last.
      const opened = await lines.change(key, (known) => {
        const before = known && knownBy(known.value)
        const isKnown = before && (before.idHash === digest(event.id) || before.at > event.at)
        return isKnown ? undefined : { value: line, ...placeOf({ event }, line) }
      })
      return opened && { key, event, version: opened.version, attempts: 0, isTold: false, heldUntil, isOurs: true }
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
      for (const list of ['press', reportList(accountId)])
        for await (const { id, value } of lines.all(list))
          if (value.state === 'open' && value.event.accountId === accountId) await lines.remove(id)
    },
    async left() {
      const found: Entry[] = []
      for (const list of allLists)
        for await (const { id, value, version } of lines.all(list))
          if (value.state === 'open') found.push(toEntry(id, value, version))
      return found.sort((one, other) => one.event.at - other.event.at)
    },
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

const allLists = ['press', ...Array.from({ length: reportLists }, (_, index) => `report-${index}`)]

function listOf({ lane, accountId }: Outgoing): string {
  return lane === 'press' ? 'press' : reportList(accountId)
}

const reportList = (accountId: AccountId): string => `report-${hash('sha256', accountId, 'buffer')[0]! % reportLists}`
