/** What happened to an account, for its owner to read: links, shares, refused logins, tokens that somebody used twice. */
import { hash, randomBytes } from 'node:crypto'
import type { Clock, Log, Store } from 'transom-core/ports'
import { canonicalLogin } from './users.ts'

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
  | 'recording-viewed'
  | 'data-downloaded'
  | 'account-removed'

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

/** Somebody else whose login stands in an entry, and what the entry says once that account is gone. */
export interface Mention {
  readonly login: MentionedLogin
  readonly without: string
}

export interface MentionedLogin {
  readonly login: string
  readonly tenant?: string | undefined
}

export interface Audit {
  /** Never rejects: an entry that cannot be written is logged, and what it is about goes on. */
  write(accountId: string, kind: AuditKind, detail?: string, mention?: Mention): Promise<void>
  /** Counts a login that was refused. Never rejects. `from`: where it came from, in words. */
  refused(accountId: string, from: string): Promise<void>
  /** Newest first; refused logins by the day, beside the `limit` of all else. */
  read(accountId: string, limit?: number): Promise<readonly AuditEntry[]>
  /** Removes all entries of the account, and its login from those of others. */
  forget(accountId: string, login: MentionedLogin): Promise<void>
}

const dayMs = 24 * 3_600_000
const mostDays = 14
const keptMs = 400 * 24 * 3_600_000
/** Ids count down, since lists go up: the newest comes first. */
const endOfTime = 9_999_999_999_999

export function createAudit(store: Store, clock: Clock, log: Log): Audit {
  const records = store.collection<AuditEntry>('audit')
  const refusals = store.collection<Refusals>('audit-refused')
  /** By the login that they mention: the entries that are to be changed when it goes. */
  const mentions = store.collection<{ readonly accountId: string; readonly without: string }>('audit-mention')
  return {
    async write(accountId, kind, detail, mention) {
      const at = clock()
      const id = `${String(endOfTime - at).padStart(13, '0')}-${randomBytes(9).toString('base64url')}`
      try {
        const entry = { kind, at, ...(detail === undefined ? {} : { detail: shown(detail) }) }
        const expiresAt = at + keptMs
        if (mention !== undefined) {
          const place = { group: mentionList(mention.login), expiresAt }
          await mentions.put(id, { accountId, without: shown(mention.without) }, place)
        }
        await records.put(id, entry, { group: accountId, expiresAt })
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
    async forget(accountId, login) {
      await refusals.remove(accountId)
      for await (const { id } of records.all(accountId)) {
        await records.remove(id)
        await mentions.remove(id)
      }
      for await (const { id, value } of mentions.all(mentionList(login))) {
        await records.change(id, (stored) => {
          if (stored === undefined) return undefined
          const { expiresAt } = stored
          const place = { group: value.accountId, ...(expiresAt !== undefined && { expiresAt }) }
          return { value: { ...stored.value, detail: value.without }, ...place }
        })
        await mentions.remove(id)
      }
    },
  }
}

const shown = (detail: string): string => detail.slice(0, 200).toWellFormed()

/** Of a fixed length, whatever was typed. */
const mentionList = ({ login, tenant = '' }: MentionedLogin): string =>
  hash('sha256', `${tenant}\n${canonicalLogin(login)}`, 'base64url')
