/** The keys that cameras and applications sign with: made here, kept encrypted, looked up to verify a signature. */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { BridgeError } from 'transom-core/errors'
import type { Clock, Log, Store } from 'transom-core/ports'
import { readIfThere, writeWhole } from 'transom-core/private-file'

/** What a key opens: an application's every channel in any role, a camera's its own as master, a viewer's those named. */
export type Scope =
  | { readonly kind: 'application' }
  | { readonly kind: 'camera'; readonly channelName: string }
  | { readonly kind: 'viewer'; readonly channelNames: readonly string[] }

/** Which keys: those of applications, of one channel's cameras, or of all viewers. */
export type KeysOf = Exclude<Scope, { readonly kind: 'viewer' }> | { readonly kind: 'viewer' }

export interface Credential {
  readonly accessKeyId: string
  readonly secret: string
  readonly scope: Scope
}

export interface Credentials {
  /** Makes a key; `name` is for whoever lists it. This is the only time that its secret leaves. */
  readonly create: (scope: Scope, name?: string) => Promise<{ accessKeyId: string; secretAccessKey: string }>
  readonly find: (accessKeyId: string) => Promise<Credential | undefined>
  /** The keys, without their secrets. */
  readonly list: (of: KeysOf) => Promise<readonly IssuedKey[]>
  /** Makes the key useless. False when there is none of this id. */
  readonly revoke: (accessKeyId: string) => Promise<boolean>
  /**
   * Takes the channel away from every key: one of the same name that is made later is another channel. Returns the ids of
   * the keys that opened nothing else, which are revoked.
   */
  readonly forget: (channelName: string) => Promise<readonly string[]>
}

export interface IssuedKey {
  readonly accessKeyId: string
  readonly scope: Scope
  readonly name?: string
  /** Epoch milliseconds. */
  readonly createdAt: number
}

/** How a key is stored. HMAC needs the secret itself, so it is encrypted and not hashed. */
interface CredentialRecord {
  readonly scope: Scope
  /** base64 of nonce (12 bytes), GCM tag (16 bytes) and the encrypted secret. */
  readonly sealed: string
  readonly name?: string
  readonly createdAt: number
}

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** Opens the keys kept in the store; the key that encrypts them lies in `directory`, so that the store alone betrays none. */
export async function openCredentials(directory: string, store: Store, clock: Clock, log: Log): Promise<Credentials> {
  const key = await loadKey(join(directory, 'credentials.key'))
  const records = store.collection<CredentialRecord>('signaling-credential')
  const list = async (of: KeysOf): Promise<readonly IssuedKey[]> => {
    const found: IssuedKey[] = []
    for await (const { id, value } of records.all(groupOf(of))) {
      const { scope, name, createdAt } = value
      found.push({ accessKeyId: id, scope, ...(name !== undefined && { name }), createdAt })
    }
    return found
  }
  /** Throws what is wrong with the record: another key file, or somebody changed it. */
  const secretOf = (accessKeyId: string, { scope, sealed }: CredentialRecord) =>
    unseal(key, sealed, boundTo(accessKeyId, scope))
  /** False when the key opened nothing but this channel, and is gone. */
  const narrow = async (accessKeyId: string, channelName: string): Promise<boolean> => {
    const narrowed = await records.change(accessKeyId, (stored) => {
      if (stored?.value.scope.kind !== 'viewer') return undefined
      const channelNames = stored.value.scope.channelNames.filter((name) => name !== channelName)
      if (channelNames.length === 0) return undefined
      const scope = { kind: 'viewer', channelNames } as const
      const sealed = seal(key, secretOf(accessKeyId, stored.value), boundTo(accessKeyId, scope))
      return { value: { ...stored.value, scope, sealed }, group: groupOf(scope) }
    })
    if (narrowed === undefined) await records.remove(accessKeyId)
    return narrowed !== undefined
  }
  return {
    list,
    async create(scope, name) {
      const accessKeyId = `TRSM${base32(randomBytes(16))}`
      const secretAccessKey = randomBytes(30).toString('base64url')
      const sealed = seal(key, secretAccessKey, boundTo(accessKeyId, scope))
      const record = { scope, sealed, ...(name !== undefined && { name }), createdAt: clock() }
      await records.put(accessKeyId, record, { onlyIf: 'absent', group: groupOf(scope) })
      return { accessKeyId, secretAccessKey }
    },
    async find(accessKeyId) {
      const found = await records.get(accessKeyId)
      if (!found) return undefined
      try {
        return { accessKeyId: found.id, scope: found.value.scope, secret: secretOf(found.id, found.value) }
      } catch (error) {
        // Another key file, or a record that somebody changed. To the caller the key does not exist.
        log('error', 'signaling.credential-unreadable', { accessKeyId, error: String(error) })
        return undefined
      }
    },
    async revoke(accessKeyId) {
      return /^\w{1,128}$/.test(accessKeyId) && (await records.take(accessKeyId)) !== undefined
    },
    async forget(channelName) {
      const revoked: string[] = []
      for (const { accessKeyId, scope } of [
        ...(await list({ kind: 'camera', channelName })),
        ...(await list({ kind: 'viewer' })),
      ])
        if (opens(scope, channelName) && !(await narrow(accessKeyId, channelName))) revoked.push(accessKeyId)
      return revoked
    },
  }
}

const groupOf = (of: KeysOf) => (of.kind === 'camera' ? `camera:${of.channelName}` : of.kind)

/** What keys may do, in the words of KVS's IAM actions: what the SDKs ask for at start, and to connect. */
const findActions = ['DescribeSignalingChannel', 'GetSignalingChannelEndpoint', 'GetIceServerConfig']
const actions: Readonly<Record<'camera' | 'viewer', ReadonlySet<string>>> = {
  camera: new Set([...findActions, 'CreateSignalingChannel', 'DescribeMediaStorageConfiguration', 'ConnectAsMaster']),
  viewer: new Set([...findActions, 'ConnectAsViewer']),
}

/** Whether a key of this scope may do this to this channel, or to all of them when `channelName` is undefined. */
export function isAllowed(scope: Scope, action: string, channelName: string | undefined): boolean {
  if (scope.kind === 'application') return true
  return actions[scope.kind].has(action) && channelName !== undefined && opens(scope, channelName)
}

function opens(scope: Scope, channelName: string): boolean {
  switch (scope.kind) {
    case 'application':
      return true
    case 'camera':
      return scope.channelName === channelName
    case 'viewer':
      return scope.channelNames.includes(channelName)
  }
}

async function loadKey(path: string): Promise<KeyObject> {
  const kept = await readIfThere(path)
  const bytes = kept === undefined ? randomBytes(keyBytes) : Buffer.from(kept, 'base64')
  // A new key would make every stored credential useless, so a damaged file is the operator's to mend.
  if (bytes.length !== keyBytes) {
    throw new BridgeError('store_failed', `${path} is damaged: restore the whole data directory from your backup`)
  }
  if (kept === undefined) await writeWhole(path, `${bytes.toString('base64')}\n`)
  return createSecretKey(bytes)
}

/** Binds the encrypted secret to its record: whoever can write the table can neither swap secrets nor widen a scope. */
function boundTo(accessKeyId: string, scope: Scope): Buffer {
  return Buffer.from(JSON.stringify([accessKeyId, scope.kind, channelsOf(scope)]))
}

function channelsOf(scope: Scope): string | readonly string[] | null {
  switch (scope.kind) {
    case 'application':
      return null
    case 'camera':
      return scope.channelName
    case 'viewer':
      return scope.channelNames
  }
}

function seal(key: KeyObject, secret: string, bound: Buffer): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound)
  const encrypted = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64')
}

function unseal(key: KeyObject, sealed: string, bound: Buffer): string {
  const bytes = Buffer.from(sealed, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(bound).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
  return decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
}

/** One character of RFC 4648's alphabet for each byte: 5 bits of it. */
function base32(bytes: Buffer): string {
  return Array.from(bytes, (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte & 31]).join('')
}
