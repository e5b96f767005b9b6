/** Which accounts are linked with Google, as far as we know: only for them do we speak to Home Graph. */
import { accountId, type AccountId, type Clock, type Store } from 'transom-core/ports'

export interface GoogleLinks {
  /** Google has asked for the devices of this account, so it is linked. */
  open(account: AccountId): Promise<void>
  /** Google, the user or Home Graph said that it is not linked any more. */
  close(account: AccountId): Promise<void>
  isOpen(account: AccountId): Promise<boolean>
  /** Google asked a moment ago, and may not have taken in yet what it was told: a 404 means nothing then. */
  isFresh(account: AccountId): Promise<boolean>
  /** Linked accounts in an order that stays: those after `after`, or from the first one on. */
  list(page: { readonly limit: number; readonly after: AccountId | undefined }): Promise<readonly AccountId[]>
}

const group = 'linked'
/** From SYNC until Home Graph has it, "around half a minute" (google-home/smart-home-nodejs issue 382), and as much again. */
const takenInMs = 60_000

export function createGoogleLinks({ store, clock }: { store: Store; clock: Clock }): GoogleLinks {
  const records = store.collection<{ readonly syncedAt: number }>('google-link')
  return {
    async open(account) {
      await records.put(account, { syncedAt: clock() }, { group })
    },
    close: (account) => records.remove(account),
    isOpen: async (account) => (await records.get(account)) !== undefined,
    async isFresh(account) {
      const link = await records.get(account)
      return link !== undefined && clock() - link.value.syncedAt < takenInMs
    },
    async list({ limit, after }) {
      const page = await records.list(group, { limit, ...(after !== undefined && { after }) })
      return page.map(({ id }) => accountId(id))
    },
  }
}
