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

/** Those with names or a remedy in them: the page says the rest in its reader's language. */
const named: readonly Notice['kind'][] = ['alexa_same_names', 'alexa_left_out', 'button_stuck', 'certificate_ending']

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
  certificate_ending: (remedy) => `The HTTPS certificate of this bridge could not be renewed. ${remedy}`,
}

const noticeOf = (kind: Notice['kind'], why: string, at: number): Notice => ({
  kind,
  message: words[kind](why),
  ...(named.includes(kind) && { about: why }),
  at,
})

/** The certificate that the bridge itself keeps cannot be renewed, and has less than a third of its lifetime left. */
export interface CertificateEnding {
  /** What to change, in English. */
  readonly remedy: string
  /** Epoch milliseconds of the last try. */
  readonly at: number
  /** Until when the certificate is valid, in epoch milliseconds. */
  readonly until: number
}

/** What every owner should know of it. It is kept nowhere: there is none as soon as a new certificate is in use. */
export const certificateNotice = ({ remedy, at, until }: CertificateEnding): Notice => ({
  ...noticeOf('certificate_ending', remedy, at),
  until,
})

export function createNotices({ store, clock, log }: { store: Store; clock: Clock; log: Log }): Notices {
  const records = store.collection<Notice>('notice')
  return {
    async add(accountId, kind, why) {
      const at = clock()
      log('warn', 'notices.added', { accountId, kind, error: why })
      const options = { group: accountId, expiresAt: at + keptMs }
      await records
        .put(`${accountId}#${kind}`, noticeOf(kind, why, at), options)
        .catch((thrown: unknown) => log('error', 'notices.not-kept', { accountId, kind, error: String(thrown) }))
    },
    remove: (accountId, kind) =>
      records
        .remove(`${accountId}#${kind}`)
        .catch((thrown: unknown) => log('error', 'notices.not-removed', { accountId, kind, error: String(thrown) })),
    list: async (accountId) => (await records.list(accountId)).map(({ value }) => value),
  }
}
