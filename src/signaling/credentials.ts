/** The keys that cameras and applications sign with: made here, kept encrypted, looked up to verify a signature. */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { BridgeError } from '../errors.ts'
import type { Clock, Log, Store } from '../ports.ts'
import { readIfThere, writeWhole } from './private-file.ts'

/** What a key opens: an application's every channel in any role, a camera's its own channel as master. */
export type Scope = { readonly kind: 'application' } | { readonly kind: 'camera'; readonly channelName: string }

export interface Credential {
  readonly accessKeyId: string
  readonly secret: string
  readonly scope: Scope
}

export interface Credentials {
  /** Makes a key. This is the only time that its secret leaves. */
  readonly create: (scope: Scope) => Promise<{ accessKeyId: string; secretAccessKey: string }>
  readonly find: (accessKeyId: string) => Promise<Credential | undefined>
  /** The keys of this scope, without their secrets; the oldest ones that there is room for. */
  readonly list: (scope: Scope) => Promise<readonly IssuedKey[]>
  /** Makes the key useless. False when there is none of this id. */
  readonly revoke: (accessKeyId: string) => Promise<boolean>
}

export interface IssuedKey {
  readonly accessKeyId: string
  /** Epoch milliseconds. */
  readonly createdAt: number
}

/** How a key is stored. HMAC needs the secret itself, so it is encrypted and not hashed. */
interface CredentialRecord {
  readonly scope: Scope
  /** base64 of nonce (12 bytes), GCM tag (16 bytes) and the encrypted secret. */
  readonly sealed: string
  readonly createdAt: number
}

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** Opens the keys kept in the store; the key that encrypts them lies in `directory`, so that the store alone betrays none. */
export async function openCredentials(directory: string, store: Store, clock: Clock, log: Log): Promise<Credentials> {
  const key = await loadKey(join(directory, 'credentials.key'))
  const records = store.collection<CredentialRecord>('signaling-credential')
  return {
    async create(scope) {
      const accessKeyId = `TRSM${base32(randomBytes(16))}`
      const secretAccessKey = randomBytes(30).toString('base64url')
      const sealed = seal(key, secretAccessKey, boundTo(accessKeyId, scope))
      const record = { scope, sealed, createdAt: clock() }
      await records.put(accessKeyId, record, { onlyIf: 'absent', group: groupOf(scope) })
      return { accessKeyId, secretAccessKey }
    },
    async find(accessKeyId) {
      const found = await records.get(accessKeyId)
      if (!found) return undefined
      const { scope, sealed } = found.value
      try {
        return { accessKeyId: found.id, scope, secret: unseal(key, sealed, boundTo(accessKeyId, scope)) }
      } catch (error) {
        // Another key file, or a record that somebody changed. To the caller the key does not exist.
        log('error', 'signaling-credential-unreadable', { accessKeyId, error: String(error) })
        return undefined
      }
    },
    async list(scope) {
      const found = await records.list(groupOf(scope))
      return found.map(({ id, value }) => ({ accessKeyId: id, createdAt: value.createdAt }))
    },
    async revoke(accessKeyId) {
      return /^\w{1,128}$/.test(accessKeyId) && (await records.take(accessKeyId)) !== undefined
    },
  }
}

const groupOf = (scope: Scope) => (scope.kind === 'application' ? 'application' : `camera:${scope.channelName}`)

/** What a camera's key may do, in the words of KVS's IAM actions: what its SDK asks for at start, and to connect. */
const cameraActions: ReadonlySet<string> = new Set([
  'CreateSignalingChannel',
  'DescribeSignalingChannel',
  'GetSignalingChannelEndpoint',
  'GetIceServerConfig',
  'DescribeMediaStorageConfiguration',
  'ConnectAsMaster',
])

/** Whether a key of this scope may do this to this channel, or to all of them when `channelName` is undefined. */
export function isAllowed(scope: Scope, action: string, channelName: string | undefined): boolean {
  return scope.kind === 'application' || (cameraActions.has(action) && channelName === scope.channelName)
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
  return Buffer.from(JSON.stringify([accessKeyId, scope.kind, scope.kind === 'camera' ? scope.channelName : null]))
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
