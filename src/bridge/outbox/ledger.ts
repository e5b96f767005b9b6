/** The durable side of the outbox: one record for each thing that is still to be said, and for a while what was said. */
import { createHash } from 'node:crypto'
import type { Clock, Store, Stored } from 'transom-core/ports'
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

interface Line {
  readonly event: Outgoing
  readonly state: 'open' | 'said'
  readonly heldUntil?: number
}

export interface Ledger {
  /** Writes the event down, marked as ours. `undefined`: it was known already, or something newer about its subject is. */
  open(event: Outgoing, heldUntil: number): Promise<Entry | undefined>
  /** Marks it as being sent until `heldUntil`. False: another process has it, or something newer took its place. */
  hold(entry: Entry, heldUntil: number): Promise<boolean>
  /** Takes the marker off again: it was not sent, and anybody may. */
  release(entry: Entry): Promise<void>
  /** Delivered, dropped or too old: nothing more is to be done. Something newer about the same subject stays open. */
  settle(entry: Entry): Promise<void>
  /** Everything that is open, oldest first. */
  left(): Promise<readonly Entry[]>
}

export function createLedger(store: Store, clock: Clock): Ledger {
  const lines = store.collection<Line>('outbox')

  async function write(entry: Entry, line: Line): Promise<boolean> {
    const version = await lines.put(entry.key, line, { ...placeOf(line), onlyIf: { version: entry.version } })
    if (version === undefined) return false
    Object.assign(entry, { version, heldUntil: line.heldUntil ?? 0, isOurs: line.heldUntil !== undefined })
    return true
  }

  function placeOf({ event, state }: Line) {
    const expiresAt = Math.max(event.usefulUntil, clock()) + memoryMs
    return state === 'open' ? { expiresAt, group: listOf(event) } : { expiresAt }
  }

  return {
    async open(event, heldUntil) {
      const key = keyOf(event)
      const line: Line = { event, state: 'open', heldUntil }
      // Events about one subject are written one after the other, so that the newest is taken on last.
      const opened = await lines.change(key, (known) => {
        const isKnown = known && (known.value.event.id === event.id || known.value.event.at > event.at)
        return isKnown ? undefined : { value: line, ...placeOf(line) }
      })
      return opened && { key, event, version: opened.version, attempts: 0, isTold: false, heldUntil, isOurs: true }
    },
    hold: (entry, heldUntil) => write(entry, { event: entry.event, state: 'open', heldUntil }),
    async release(entry) {
      await write(entry, { event: entry.event, state: 'open' })
    },
    async settle(entry) {
      await write(entry, { event: entry.event, state: 'said' })
    },
    async left() {
      const found: Entry[] = []
      for (const list of allLists)
        for await (const line of lines.all(list)) if (line.value.state === 'open') found.push(toEntry(line))
      return found.sort((one, other) => one.event.at - other.event.at)
    },
  }
}

function toEntry({ id, value, version }: Stored<Line>): Entry {
  const { event, heldUntil = 0 } = value
  return { key: id, event, version, attempts: 0, isTold: false, heldUntil, isOurs: false }
}

/** A press is a thing of its own; of reports about one subject only the newest counts. Hashed, because ids may be long. */
function keyOf({ lane, destination, id, accountId, cameraId, subject }: Outgoing): string {
  const parts = lane === 'press' ? [lane, destination, id] : [lane, destination, accountId, cameraId, subject ?? '']
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

const allLists = ['press', ...Array.from({ length: reportLists }, (_, index) => `report-${index}`)]

function listOf({ lane, accountId }: Outgoing): string {
  if (lane === 'press') return 'press'
  return `report-${createHash('sha256').update(accountId).digest()[0]! % reportLists}`
}
