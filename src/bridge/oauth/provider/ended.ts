/** Links and clients that have ended, as every process knows them: so a token needs no read, and stops within a minute. */
import { randomBytes } from 'node:crypto'
import type { Clock, Store } from 'transom-core/ports'

export interface Ended {
  /** Written before the link goes: whatever fails after it, no process that looks believes its tokens any more. */
  noteLink(grantId: string): Promise<void>
  /** The same for all links of a client. */
  noteClient(clientId: string): Promise<void>
  /** False also for what ended somewhere else since the last look. `issuedAt`: epoch milliseconds. */
  has(token: { readonly grantId: string; readonly clientId: string; readonly issuedAt: number }): boolean
  /** Reads what ended since the last look. */
  look(): Promise<void>
}

/** One of the two has ended. */
interface EndedRecord {
  readonly grantId?: string
  readonly clientId?: string
  readonly at: number
}

/** Longer than any access token lives: what ended earlier has no token left. */
const rememberedMs = 3_600_000 + 600_000
/** Clocks of processes differ, and DynamoDB's index is a moment behind: each look reads this much again. */
const overlapMs = 120_000
const group = 'ended'

export function createEnded(store: Store, clock: Clock): Ended {
  const records = store.collection<EndedRecord>('oauth-ended')
  /** When a link or a client ended. */
  const links = new Map<string, number>()
  const clients = new Map<string, number>()
  let readTo = 0

  async function note(ended: Omit<EndedRecord, 'at'>): Promise<void> {
    const record = { ...ended, at: clock() }
    const id = `${idAt(record.at)}-${randomBytes(9).toString('base64url')}`
    await records.put(id, record, { group, expiresAt: record.at + rememberedMs })
    keep(record)
  }

  function keep({ grantId, clientId, at }: EndedRecord): void {
    if (grantId !== undefined) links.set(grantId, at)
    if (clientId !== undefined) clients.set(clientId, Math.max(at, clients.get(clientId) ?? 0))
  }

  return {
    noteLink: (grantId) => note({ grantId }),
    noteClient: (clientId) => note({ clientId }),
    has({ grantId, clientId, issuedAt }) {
      // A client may be added again under the same id; what it is given then is good.
      return links.has(grantId) || issuedAt <= (clients.get(clientId) ?? -1)
    },
    async look() {
      const began = clock()
      const after = idAt(Math.max(Math.min(readTo, began) - overlapMs, began - rememberedMs))
      for await (const { value } of records.all(group, { after })) keep(value)
      readTo = began
      for (const known of [links, clients])
        for (const [id, at] of known) if (at < began - rememberedMs) known.delete(id)
    },
  }
}

/** Ids in order of time. */
const idAt = (at: number): string => String(Math.max(0, at)).padStart(15, '0')
