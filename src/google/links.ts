/** Which accounts are linked with Google, as far as we know: only for them do we speak to Home Graph. */
import { accountId, type AccountId, type Clock, type Store } from '../ports.ts'

export interface GoogleLinks {
  /** Google has asked for the devices of this account, so it is linked. */
  open(account: AccountId): Promise<void>
  /** Google, the user or Home Graph said that it is not linked any more. */
  close(account: AccountId): Promise<void>
  isOpen(account: AccountId): Promise<boolean>
  /** All linked accounts, in pages, in no order that matters. */
  all(): AsyncIterable<AccountId>
}

const group = 'linked'

export function createGoogleLinks({ store, clock }: { store: Store; clock: Clock }): GoogleLinks {
  const records = store.collection<{ readonly since: number }>('google-link')
  return {
    async open(account) {
      await records.put(account, { since: clock() }, { group, onlyIf: 'absent' })
    },
    close: (account) => records.remove(account),
    isOpen: async (account) => (await records.get(account)) !== undefined,
    async *all() {
      let after: string | undefined
      do {
        const page = await records.list(group, after === undefined ? {} : { after })
        for (const { id } of page) yield accountId(id)
        after = page.at(-1)?.id
      } while (after !== undefined)
    },
  }
}
