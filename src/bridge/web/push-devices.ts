/** The devices of an account that get notifications, and the keys of the bridge that send them, sealed in the store. */
import { createHash, ECDH, type KeyObject } from 'node:crypto'
import type webPush from 'web-push'
import { BridgeError } from 'transom-core/errors'
import type { AccountId, Clock, Store } from 'transom-core/ports'
import { seal, unseal } from 'transom-core/seal'
import { pushSubscription, type Device, type PushSubscriptionJson, type WantedDevice } from 'transom-core/wire/push'

/** A device with what it takes to reach it. */
export interface PushTarget extends Device {
  readonly language: WantedDevice['language']
  readonly subscription: PushSubscriptionJson
}

/** The key pair by which push services know the bridge (RFC 8292), in base64url. */
export type VapidKeys = Readonly<webPush.VapidKeys>

export interface PushDevices {
  /** Made when first asked for, and the same from then on. */
  keys(): Promise<VapidKeys>
  /** Oldest first; those that cannot be opened, since the sealing key is another, are left out. */
  list(accountId: AccountId): Promise<readonly PushTarget[]>
  /** The same subscription again replaces the former, also that of another account: a browser belongs to who sits there. */
  add(accountId: AccountId, wanted: WantedDevice): Promise<Device>
  /** False where the account has no such device. */
  remove(accountId: AccountId, id: string): Promise<boolean>
}

/** Of one account: more than any household carries. */
const mostDevices = 50

interface KeptDevice extends Device {
  readonly accountId: AccountId
  readonly language: WantedDevice['language']
  /** Whoever knows endpoint and keys can notify the device. */
  readonly sealed: string
}

/** `sealing`: a secret key of 32 bytes. */
export function createPushDevices(deps: {
  readonly store: Store
  readonly sealing: KeyObject
  readonly clock: Clock
}): PushDevices {
  const { store, sealing, clock } = deps
  const devices = store.collection<KeptDevice>('push-device')
  const keyPairs = store.collection<VapidKeys>('push-keys')

  const opened = (pair: VapidKeys | undefined): VapidKeys | undefined => {
    if (pair === undefined) return undefined
    const privateKey = unseal(sealing, pair.publicKey, pair.privateKey)
    return privateKey === undefined ? undefined : { publicKey: pair.publicKey, privateKey }
  }

  const target = ({ id, name, addedAt, language, sealed }: KeptDevice): readonly PushTarget[] => {
    const text = unseal(sealing, id, sealed)
    if (text === undefined) return []
    return [{ id, name, addedAt, language, subscription: pushSubscription.parse(JSON.parse(text)) }]
  }

  async function list(accountId: AccountId): Promise<readonly PushTarget[]> {
    const found: PushTarget[] = []
    for await (const { value } of devices.all(accountId)) found.push(...target(value))
    return found.sort((one, other) => one.addedAt - other.addedAt)
  }

  return {
    async keys() {
      const known = opened((await keyPairs.get('vapid'))?.value)
      if (known !== undefined) return known
      const { default: library } = await import('web-push')
      const { publicKey, privateKey } = library.generateVAPIDKeys()
      const made = { publicKey, privateKey: seal(sealing, publicKey, privateKey) }
      // Another request may have made them meanwhile.
      await keyPairs.change('vapid', (now) => (opened(now?.value) ? undefined : { value: made }))
      return opened((await keyPairs.get('vapid'))?.value) ?? { publicKey, privateKey }
    },
    list,
    async add(accountId, { name, language, subscription }) {
      if (!isOnCurve(subscription.keys.p256dh))
        throw new BridgeError('invalid_request', 'subscription.keys.p256dh must be a point of P-256')
      const id = createHash('sha256').update(subscription.endpoint).digest('base64url')
      const others = (await list(accountId)).filter((one) => one.id !== id)
      if (others.length >= mostDevices)
        throw new BridgeError('invalid_request', `an account has ${mostDevices} devices at most: remove one`)
      const device = { id, name, addedAt: clock() }
      const sealed = seal(sealing, id, JSON.stringify(subscription))
      await devices.put(id, { ...device, accountId, language, sealed }, { group: accountId })
      return device
    },
    async remove(accountId, id) {
      const isTheirs = (await devices.get(id))?.value.accountId === accountId
      if (isTheirs) await devices.remove(id)
      return isTheirs
    },
  }
}

/** What is not would only show when somebody rings. */
function isOnCurve(p256dh: string): boolean {
  try {
    ECDH.convertKey(p256dh, 'prime256v1', 'base64url')
    return true
  } catch {
    return false
  }
}
