/** What an owner should know and can do something about: an assistant that is not linked any more, names that are one. */
import type { AccountId, Clock, Log, Store } from 'transom-core/ports'
import type { Notice } from 'transom-core/wire/api'
import { ENDPOINT_LIMIT } from '../alexa/discovery.ts'

export interface Notices {
  /** One of each kind: the newest. Never rejects: what was the reason for it has happened all the same. */
  add(accountId: AccountId, kind: Notice['kind'], why: string): Promise<void>
  /** What it was about is put right. Never rejects. */
  remove(accountId: AccountId, kind: Notice['kind']): Promise<void>
  list(accountId: AccountId): Promise<readonly Notice[]>
}

const keptMs = 30 * 24 * 3_600_000

/** Those that name cameras: the page says them in its reader's language. */
const named: readonly Notice['kind'][] = ['alexa_same_names', 'alexa_left_out', 'button_stuck']

const words: Record<Notice['kind'], (why: string) => string> = {
  alexa_unlinked: () =>
    'Alexa accepts no more events for this account: enable the skill (add-on) again in the Alexa app.',
  google_unlinked: () => 'Google accepts no more reports for this account: link it again in the Google Home app.',
  alexa_same_names: (names) =>
    `Alexa cannot distinguish cameras with the same name: give each its own name (${names}).`,
  button_stuck: (name) =>
    `The button of ${name} rings without a pause. It is ignored until it has been quiet for a minute: check whether it is stuck.`,
  alexa_left_out: (names) =>
    `Alexa does not get every camera: it accepts ${ENDPOINT_LIMIT}, with ids of letters, digits and _-=#;:?@&. Missing: ${names}.`,
}

export function createNotices({ store, clock, log }: { store: Store; clock: Clock; log: Log }): Notices {
  const records = store.collection<Notice>('notice')
  return {
    async add(accountId, kind, why) {
      const at = clock()
      log('warn', 'notices.added', { accountId, kind, error: why })
      const options = { group: accountId, expiresAt: at + keptMs }
      await records
        .put(
          `${accountId}#${kind}`,
          { kind, message: words[kind](why), ...(named.includes(kind) && { about: why }), at },
          options,
        )
        .catch((thrown: unknown) => log('error', 'notices.not-kept', { accountId, kind, error: String(thrown) }))
    },
    remove: (accountId, kind) =>
      records
        .remove(`${accountId}#${kind}`)
        .catch((thrown: unknown) => log('error', 'notices.not-removed', { accountId, kind, error: String(thrown) })),
    list: async (accountId) => (await records.list(accountId)).map(({ value }) => value),
  }
}
