/** What happened to an account, for its owner to read: links, shares, refused logins, tokens that somebody used twice. */
import { randomBytes } from 'node:crypto'
import type { Clock, Log, Store } from '../ports.ts'

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

export interface AuditEntry {
  readonly kind: AuditKind
  /** Epoch milliseconds. */
  readonly at: number
  /** Which client, which camera, which login: in words for the owner, never a secret. */
  readonly detail?: string
}

export interface Audit {
  /** Never rejects: an entry that cannot be written is logged, and what it is about goes on. */
  write(accountId: string, kind: AuditKind, detail?: string): Promise<void>
  /** Newest first. */
  read(accountId: string, limit?: number): Promise<readonly AuditEntry[]>
}

const keptMs = 400 * 24 * 3_600_000
/** Ids count down, since lists go up: the newest comes first. */
const endOfTime = 9_999_999_999_999

export function createAudit(store: Store, clock: Clock, log: Log): Audit {
  const records = store.collection<AuditEntry>('audit')
  return {
    async write(accountId, kind, detail) {
      const at = clock()
      const id = `${String(endOfTime - at).padStart(13, '0')}-${randomBytes(9).toString('base64url')}`
      try {
        const entry = { kind, at, ...(detail === undefined ? {} : { detail: detail.slice(0, 200).toWellFormed() }) }
        await records.put(id, entry, { group: accountId, expiresAt: at + keptMs })
      } catch (error) {
        log('error', 'oauth.audit_lost', { accountId, kind, error })
      }
    },
    async read(accountId, limit = 50) {
      return (await records.list(accountId, { limit })).map(({ value }) => value)
    },
  }
}
