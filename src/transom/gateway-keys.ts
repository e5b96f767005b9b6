/** The gateways on other machines: their names, and the keys by which the bridge knows them. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { BridgeError } from 'transom-core/errors'
import type { Clock, Store } from 'transom-core/ports'
import { homeGateway } from './sources.ts'

export interface GatewayKeys {
  /** Makes the key of a new gateway. It is not to be had again. Throws `BridgeError` `invalid_request` when the name is taken. */
  add(name: string): Promise<string>
  list(): Promise<readonly { readonly name: string; readonly createdAt: number }[]>
  has(name: string): Promise<boolean>
  /** Makes its key useless; false when there is none of this name. */
  remove(name: string): Promise<boolean>
  /** The name of the gateway whose key this is. */
  nameOf(key: string): Promise<string | undefined>
}

interface Kept {
  /** SHA-256 in base64. */
  readonly keyHash: string
  readonly createdAt: number
}

const group = 'all'

/** `homeKey`: that of the gateway which runs with the bridge; it is in no store and ends with this process. */
export function createGatewayKeys(store: Store, homeKey: string, clock: Clock): GatewayKeys {
  const records = store.collection<Kept>('gateway')
  const homeHash = hash('sha256', homeKey, 'buffer')
  return {
    async add(name) {
      const key = `${name}.${randomBytes(32).toString('base64url')}`
      const kept = { keyHash: hash('sha256', key, 'base64'), createdAt: clock() }
      const version = name === homeGateway ? undefined : await records.put(name, kept, { onlyIf: 'absent', group })
      if (version === undefined) throw new BridgeError('invalid_request', `there is a gateway ${name} already`)
      return key
    },
    async list() {
      const found: { name: string; createdAt: number }[] = []
      for await (const { id, value } of records.all(group)) found.push({ name: id, createdAt: value.createdAt })
      return found
    },
    has: async (name) => name === homeGateway || (await records.get(name)) !== undefined,
    remove: async (name) => (await records.take(name)) !== undefined,
    async nameOf(key) {
      const given = hash('sha256', key, 'buffer')
      if (timingSafeEqual(given, homeHash)) return homeGateway
      const name = key.slice(0, key.lastIndexOf('.'))
      const stored = /^[a-z0-9-]{1,64}$/.test(name) ? await records.get(name) : undefined
      const isRight = stored !== undefined && timingSafeEqual(given, Buffer.from(stored.value.keyHash, 'base64'))
      return isRight ? name : undefined
    },
  }
}
