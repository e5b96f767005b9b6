/** What Google is told unasked of a whole account, and the one place that says how a camera is. */
import type { Broker } from '../broker/broker.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { AccountId, Camera, Clock } from 'transom-core/ports'
import type { TraitStates } from 'transom-core/wire/google'
import type { StateOf } from './cameras.ts'
import { traitStates } from './devices.ts'
import type { GoogleLinks } from './links.ts'
import { accountEntry } from './news.ts'

/** The state of a camera in the words of its traits, as it is now. */
export type StatesOf = (camera: Camera) => Promise<TraitStates>

export function createStatesOf(broker: Pick<Broker, 'isOnline'>, stateOf: StateOf): StatesOf {
  return async (camera) => traitStates(camera, broker.isOnline(camera), await stateOf(camera))
}

/** Everything here is durable when it resolves, and costs nothing for an account that is not linked with Google. */
export interface GoogleReports {
  /** States of this account's cameras may have changed; what is true when the report leaves is what Google hears. */
  statesChanged(account: AccountId): Promise<void>
  /** What Google has kept of this account's cameras is not right: Google is asked to ask us again. */
  camerasChanged(account: AccountId): Promise<void>
  /** The user ended the link on our side: Google is told to forget the account. Call it after the tokens are revoked. */
  unlinkedHere(account: AccountId): Promise<void>
}

export function createGoogleReports(deps: {
  readonly outbox: Pick<Outbox, 'add'>
  readonly links: GoogleLinks
  readonly clock: Clock
}): GoogleReports {
  const { outbox, links, clock } = deps
  const add = (account: AccountId, kind: 'states' | 'sync' | 'unlink') =>
    outbox.add([accountEntry(account, kind, clock())])

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
