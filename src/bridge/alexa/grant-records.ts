/** What an account's grant holds, sealed in the store: nobody who reads the store can send for the account. */
import type { KeyObject } from 'node:crypto'
import * as z from 'zod'
import type { AccountId, Clock, Log, Store } from 'transom-core/ports'
import { seal, unseal } from 'transom-core/seal'
import { alexaRegions } from './region.ts'

const grantSchema = z.object({
  accessToken: z.string(),
  refreshToken: z.string(),
  expiresAt: z.number(),
  region: z.enum(alexaRegions).optional(),
  /** Absent of grants from before it was kept. */
  acceptedAt: z.number().optional(),
  /** Of the code that it was given for. */
  codeDigest: z.string().optional(),
  /** Of the link that brought it; absent in grants of before. */
  linkId: z.string().optional(),
})
export type AlexaGrant = z.infer<typeof grantSchema>

export interface GrantRecords {
  /** `undefined` also for one that was sealed with another key, which is logged. Rejects if the store does. */
  read(accountId: AccountId): Promise<AlexaGrant | undefined>
  /** Whether there is one; it is not opened. */
  has(accountId: AccountId): Promise<boolean>
  put(accountId: AccountId, grant: AlexaGrant): Promise<void>
  /** Writes what `next` makes of the grant that is there now. False when it makes nothing of it, or there is none. */
  change(accountId: AccountId, next: (grant: AlexaGrant) => AlexaGrant | undefined): Promise<boolean>
  remove(accountId: AccountId): Promise<void>
  /** Removes the grant if it is the one that is meant; false if it is not, or there is none. */
  removeIf(accountId: AccountId, isMeant: (grant: AlexaGrant) => boolean): Promise<boolean>
}

/** `key`: a secret key of 32 bytes. */
export function createGrantRecords(deps: {
  readonly store: Store
  readonly key: KeyObject
  readonly clock: Clock
  readonly log: Log
}): GrantRecords {
  const { key, clock, log } = deps
  const records = deps.store.collection<{ readonly sealed: string }>('alexa-link')
  const open = (accountId: AccountId, { sealed }: { readonly sealed: string }): AlexaGrant | undefined => {
    const text = unseal(key, accountId, sealed)
    return text === undefined ? undefined : grantSchema.parse(JSON.parse(text))
  }
  const sealed = (accountId: AccountId, grant: AlexaGrant) => ({ sealed: seal(key, accountId, JSON.stringify(grant)) })

  return {
    async read(accountId) {
      const stored = await records.get(accountId)
      const grant = stored && open(accountId, stored.value)
      if (stored && !grant) {
        const hint = 'the key has changed; the skill must be enabled again'
        log('error', 'alexa.grant-unreadable', { accountId, hint })
      }
      return grant
    },
    has: async (accountId) => (await records.get(accountId)) !== undefined,
    async put(accountId, grant) {
      await records.put(accountId, sealed(accountId, grant))
    },
    async change(accountId, next) {
      const written = await records.change(accountId, (stored) => {
        const grant = stored && open(accountId, stored.value)
        const changed = grant && next(grant)
        return changed && { value: sealed(accountId, changed) }
      })
      return written !== undefined
    },
    remove: (accountId) => records.remove(accountId),
    async removeIf(accountId, isMeant) {
      const gone = await records.change(accountId, (stored) => {
        const grant = stored && open(accountId, stored.value)
        // A removal on a condition: a record that has run out does not exist.
        return grant && isMeant(grant) ? { value: { sealed: '' }, expiresAt: clock() } : undefined
      })
      return gone !== undefined
    },
  }
}
