/** Links that an operator hands to a person: to sign up, or to set a new password. Each works once, for a while. */
import { hash, randomBytes } from 'node:crypto'
import type { AccountId, Clock, Store, Stored } from 'transom-core/ports'

export type Ticket =
  | {
      readonly kind: 'invitation'
      readonly tenant?: string
      /** How many taken logins were asked for with it. */
      readonly taken?: number
    }
  | { readonly kind: 'reset'; readonly accountId: AccountId }

export interface Tickets {
  /** Returns the code, which is kept as a hash only. */
  issue(ticket: Ticket, lifeMs: number): Promise<string>
  look(code: string): Promise<Ticket | undefined>
  /** Of several at once exactly one gets it. */
  redeem(code: string): Promise<Stored<Ticket> | undefined>
  /** Takes a redemption back, when what it was for did not come about. */
  restore(code: string, ticket: Stored<Ticket>): Promise<void>
  /** The account's links to set a new password work no more. */
  forget(account: AccountId): Promise<void>
}

export function createTickets(store: Store, clock: Clock): Tickets {
  const records = store.collection<Ticket>('oauth-ticket')
  return {
    async issue(ticket, lifeMs) {
      const code = randomBytes(24).toString('base64url')
      await records.put(keyOf(code), ticket, { expiresAt: clock() + lifeMs, ...placeOf(ticket) })
      return code
    },
    look: async (code) => (await records.get(keyOf(code)))?.value,
    redeem: (code) => records.take(keyOf(code)),
    async restore(code, { value, expiresAt }) {
      await records.put(keyOf(code), value, {
        ...placeOf(value),
        ...(expiresAt !== undefined && { expiresAt }),
      })
    },
    async forget(account) {
      for await (const { id } of records.all(account)) await records.remove(id)
    },
  }
}

const placeOf = (ticket: Ticket) => (ticket.kind === 'reset' ? { group: ticket.accountId } : {})
const keyOf = (code: string): string => hash('sha256', code, 'base64url')
