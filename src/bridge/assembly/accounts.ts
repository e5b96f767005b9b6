/** What the house keeps of an account beside its sign-in, links and audit: handed out as one object, and removed. */
import type { Broker } from '../broker/broker.ts'
import type { Cameras } from '../cameras/cameras.ts'
import type { CameraStates } from '../cameras/states.ts'
import type { Visits } from '../cameras/visits.ts'
import { figuresKind } from '../web/figures.ts'
import type { PushDevices } from '../web/push-devices.ts'
import type { User } from '../oauth/people/users.ts'
import type { AccountId, Camera, Clock, Recordings, Store } from 'transom-core/ports'
import type { Notices } from './notices.ts'

export interface AccountRecords {
  /** Plain data, without keys and secrets. Times are epoch milliseconds. */
  export(this: void, user: User): Promise<Readonly<Record<string, unknown>>>
  /** Removes what hangs on the account alone. Its cameras, shares and sessions go by themselves, before. */
  forget(this: void, user: User): Promise<void>
}

/** Kinds of records whose id is the account's, and those that are in the account's list. */
const byId = ['mute', 'alexa-link', 'alexa-refresh', 'google-link', 'google-asked-again', 'registry-copy']
const byGroup = ['notice', 'alexa-customer', 'stream-token', 'push-device', figuresKind]

export function createAccountRecords(deps: {
  readonly store: Store
  readonly cameras: Pick<Cameras, 'list'>
  readonly states: Pick<CameraStates, 'of'>
  readonly visits: Pick<Visits, 'moments' | 'mutedUntil'>
  readonly broker: Pick<Broker, 'recent'>
  readonly notices: Pick<Notices, 'list'>
  readonly devices: Pick<PushDevices, 'list'>
  readonly recordings: Recordings | undefined
  readonly clock: Clock
}): AccountRecords {
  const { store, cameras, states, visits, broker, notices, devices, recordings, clock } = deps

  async function described(camera: Camera) {
    const span = { from: 0, to: clock() + 1 }
    const [state, moments, recorded] = await Promise.all([
      states.of(camera),
      visits.moments(camera, span),
      recordings?.list(camera.id, { ...span, limit: Infinity }),
    ])
    return { ...camera, state, moments, recordings: recorded ?? [] }
  }

  return {
    async export({ accountId }) {
      const [own, sessions, notes, notified, mutedUntil] = await Promise.all([
        cameras.list(accountId),
        broker.recent(accountId),
        notices.list(accountId),
        devices.list(accountId),
        visits.mutedUntil(accountId),
      ])
      return {
        cameras: await Promise.all(own.map(described)),
        sessions,
        notices: notes,
        // Without what would let others notify them.
        devices: notified.map(({ subscription: _secret, ...device }) => device),
        ...(mutedUntil !== undefined && { mutedUntil }),
      }
    },
    forget: ({ accountId }) => forget(store, accountId),
  }
}

async function forget(store: Store, account: AccountId): Promise<void> {
  for (const kind of byId) await store.collection(kind).remove(account)
  for (const kind of byGroup) {
    const records = store.collection(kind)
    for await (const { id } of records.all(account)) await records.remove(id)
  }
}
