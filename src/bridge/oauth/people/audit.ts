/** What happened to an account, for its owner to read: links, shares, refused logins, tokens that somebody used twice. */
import { randomBytes } from 'node:crypto'
import type { Clock, Log, Store } from 'transom-core/ports'

export type AuditKind =
  | 'linked'
  | 'unlinked'
  | 'token-reused'
  | 'login-failed'
  | 'signed-up'
  | 'signed-in'
  | 'signed-out'
  | 'password-reset'
  | 'password-changed'
  | 'passkey-added'
  | 'passkey-removed'
  | 'shared'
  | 'unshared'
  | 'invited'
  | 'left'

export interface AuditEntry {
  readonly kind: AuditKind
  /** Epoch milliseconds. */
  readonly at: number
  /** Which client, which camera, which login: in words for the owner, never a secret. */
  readonly detail?: string
}

/** What strangers do, counted: one line a day at most, and none of them instead of what the owner did. */
interface Refusals {
  /** Newest first, by day. */
  readonly days: readonly { readonly day: number; readonly count: number; readonly at: number; readonly from: string }[]
}

export interface Audit {
  /** Never rejects: an entry that cannot be written is logged, and what it is about goes on. */
  write(accountId: string, kind: AuditKind, detail?: string): Promise<void>
  /** Counts a login that was refused. Never rejects. `from`: where it came from, in words. */
  refused(accountId: string, from: string): Promise<void>
  /** Newest first; refused logins by the day, beside the `limit` of all else. */
  read(accountId: string, limit?: number): Promise<readonly AuditEntry[]>
}

const dayMs = 24 * 3_600_000
const mostDays = 14
const keptMs = 400 * 24 * 3_600_000
/** Ids count down, since lists go up: the newest comes first. */
const endOfTime = 9_999_999_999_999

export function createAudit(store: Store, clock: Clock, log: Log): Audit {
  const records = store.collection<AuditEntry>('audit')
  const refusals = store.collection<Refusals>('audit-refused')
  return {
    async write(accountId, kind, detail) {
      const at = clock()
      const id = `${String(endOfTime - at).padStart(13, '0')}-${randomBytes(9).toString('base64url')}`
      try {
        const entry = { kind, at, ...(detail === undefined ? {} : { detail: detail.slice(0, 200).toWellFormed() }) }
        await records.put(id, entry, { group: accountId, expiresAt: at + keptMs })
      } catch (error) {
        log('error', 'oauth.audit-lost', { accountId, kind, error })
      }
    },
    async refused(accountId, from) {
      const at = clock()
      const day = Math.floor(at / dayMs)
      try {
        await refusals.change(accountId, (stored) => {
          const [latest, ...earlier] = stored?.value.days ?? []
          const others = latest === undefined || latest.day === day ? earlier : [latest, ...earlier]
          const count = latest?.day === day ? latest.count + 1 : 1
          const days = [{ day, count, at, from: from.slice(0, 100).toWellFormed() }, ...others]
          return { value: { days: days.slice(0, mostDays) }, expiresAt: at + keptMs }
        })
      } catch (error) {
        log('error', 'oauth.audit-lost', { accountId, kind: 'login-failed', error })
      }
    },
    async read(accountId, limit = 50) {
      const [own, refused] = await Promise.all([records.list(accountId, { limit }), refusals.get(accountId)])
      const counted = (refused?.value.days ?? []).map(({ count, at, from }): AuditEntry => {
        return { kind: 'login-failed', at, detail: count === 1 ? from : `${count} times that day, last ${from}` }
      })
      return [...own.map(({ value }) => value), ...counted].sort((a, b) => b.at - a.at)
    },
  }
}
