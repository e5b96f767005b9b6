/** What makes us speak to Google unasked: a camera came or went, the list of cameras changed, a user left. */
import { randomUUID } from 'node:crypto'
import type { AccountId, Camera, Clock } from '../ports.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Broker } from '../broker/broker.ts'
import type { TraitStates } from '../wire/google.ts'
import type { CameraFacts } from './cameras.ts'
import type { GoogleEvent } from './deliver.ts'
import { traitStates } from './devices.ts'
import type { GoogleLinks } from './links.ts'

/** The state of a camera in the words of its traits, as it is now. */
export type StatesOf = (camera: Camera) => Promise<TraitStates>

export function createStatesOf(broker: Pick<Broker, 'isOnline'>, facts: CameraFacts): StatesOf {
  return async (camera) =>
    traitStates(broker.isOnline(camera), facts.sourcesOf(camera), await facts.conditionOf(camera))
}

/** Everything here is durable when it resolves, and costs nothing for an account that Google does not know. */
export interface GoogleReports {
  /** States of this account's cameras may have changed; what is true when the report leaves is what Google hears. */
  statesChanged(account: AccountId): Promise<void>
  /** A camera was added, renamed, changed or removed: Google is asked to ask us again. */
  camerasChanged(account: AccountId): Promise<void>
  /** The user ended the link on our side: Google is told to forget the account. Call it after the tokens are revoked. */
  unlinkedHere(account: AccountId): Promise<void>
}

/** How long each is worth telling; what is missed by then the next reconciliation mends. */
const usefulMs = { states: 3_600_000, sync: 24 * 3_600_000, unlink: 7 * 24 * 3_600_000 } as const

export function createGoogleReports(deps: { outbox: Outbox; links: GoogleLinks; clock: Clock }): GoogleReports {
  const { outbox, links, clock } = deps

  /** One subject for a whole account: while a report waits, whatever else changes goes along with it, in one call. */
  async function add(account: AccountId, kind: keyof typeof usefulMs): Promise<void> {
    const at = clock()
    const body: GoogleEvent = { kind }
    await outbox.add([
      {
        id: `google-${kind}-${randomUUID()}`,
        destination: 'google',
        lane: 'report',
        accountId: account,
        subject: kind,
        body,
        at,
        usefulUntil: at + usefulMs[kind],
      },
    ])
  }

  return {
    async statesChanged(account) {
      if (await links.isOpen(account)) await add(account, 'states')
    },
    async camerasChanged(account) {
      if (await links.isOpen(account)) await add(account, 'sync')
    },
    async unlinkedHere(account) {
      if (!(await links.isOpen(account))) return
      await links.close(account)
      await add(account, 'unlink')
    },
  }
}
