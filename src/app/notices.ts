/** What an owner should know and can do something about: an assistant that is not linked any more. */
import type { AccountId, Clock, Log, Store } from '../ports.ts'

export interface Notice {
  readonly kind: 'alexa_unlinked' | 'google_unlinked'
  readonly message: string
  readonly at: number
}

export interface Notices {
  /** Never rejects: what was the reason for it has happened all the same. */
  add(accountId: AccountId, kind: Notice['kind'], why: string): Promise<void>
  list(accountId: AccountId): Promise<readonly Notice[]>
}

const keptMs = 30 * 24 * 3_600_000

const words: Record<Notice['kind'], string> = {
  alexa_unlinked: 'Alexa takes no more events for this account: enable the skill again in the Alexa app.',
  google_unlinked: 'Google takes no more reports for this account: link it again in the Google Home app.',
}

export function createNotices({ store, clock, log }: { store: Store; clock: Clock; log: Log }): Notices {
  const records = store.collection<Notice>('notice')
  return {
    async add(accountId, kind, why) {
      const at = clock()
      log('warn', 'notice', { accountId, kind, why })
      const options = { group: accountId, expiresAt: at + keptMs }
      await records
        .put(`${accountId}#${kind}`, { kind, message: words[kind], at }, options)
        .catch((thrown: unknown) => log('error', 'notice not kept', { accountId, kind, reason: String(thrown) }))
    },
    list: async (accountId) => (await records.list(accountId)).map(({ value }) => value),
  }
}
