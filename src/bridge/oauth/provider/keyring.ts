/** The keys that sign access tokens, and their change: a new one is known everywhere before it signs, an old one until its last token is over. */
import { hash } from 'node:crypto'
import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { Clock, Store } from 'transom-core/ports'

export type SigningKey = JWK & { readonly kid: string }

export interface KeyState {
  readonly kid: string
  /** Epoch milliseconds from which it signs, if no newer one does. 0 for a key of the configuration. */
  readonly signsFrom: number
  /** Until then its tokens are believed; absent for the key in use. */
  readonly until?: number
}

export interface Keyring {
  /** Private keys in the order in which they count: the first signs, all verify. */
  current(): Promise<readonly SigningKey[]>
  list(): Promise<readonly KeyState[]>
  /** Makes a new key; the others end when the last token they can have signed is over. Throws without a sealing key. */
  rotate(): Promise<KeyState>
}

interface KeyRecord extends Omit<KeyState, 'kid'> {
  /** The private JWK as a compact JWE; absent for a key of the configuration. */
  readonly sealed?: string
}

/** Every process looks for new keys within a minute (`lookout.ts`), and a new one signs only after everybody must have looked. */
const announceMs = 2 * 60_000
/** The life of an access token (an hour), and some minutes for clocks that differ. */
const lastTokenMs = 3_600_000 + 300_000
const group = 'keys'

export function createKeyring(deps: {
  readonly store: Store
  readonly configured: readonly JWK[]
  /** 32 bytes in base64: stored keys are encrypted with it. Without it nothing is stored, and `rotate` throws. */
  readonly sealingKey: string | undefined
  readonly clock: Clock
}): Keyring {
  const { clock, store } = deps
  const configured = deps.configured.map(withKeyId)
  const records = store.collection<KeyRecord>('oauth-key')
  const secret = deps.sealingKey === undefined ? undefined : Buffer.from(deps.sealingKey, 'base64')
  if (secret !== undefined && secret.length !== 32) throw new Error('the sealing key must be 32 bytes in base64')

  /** Newest first. */
  async function all(): Promise<readonly (KeyState & { readonly key?: SigningKey; readonly sealed?: string })[]> {
    const stored = new Map((await records.list(group)).map(({ id, value }) => [id, value]))
    const own = configured.map((key) => ({ signsFrom: 0, ...stored.get(key.kid), kid: key.kid, key }))
    const others = [...stored].flatMap(([kid, value]) => (value.sealed === undefined ? [] : [{ kid, ...value }]))
    return [...others.sort((a, b) => b.signsFrom - a.signsFrom), ...own].filter(
      ({ until = Infinity }) => until > clock(),
    )
  }

  return {
    async current() {
      if (secret === undefined) return configured
      const keys = await all()
      const ready = keys.filter(({ signsFrom }) => signsFrom <= clock())
      const coming = keys.filter(({ signsFrom }) => signsFrom > clock())
      const opened = [...ready, ...coming].map(async ({ kid, key, sealed }) => key ?? unseal(secret, kid, sealed ?? ''))
      return Promise.all(opened)
    },
    list: async () =>
      (await all()).map(({ kid, signsFrom, until }) => ({ kid, signsFrom, ...(until === undefined ? {} : { until }) })),
    async rotate() {
      if (secret === undefined) throw new Error('keys can only be rotated where a sealing key is set')
      const signsFrom = clock() + announceMs
      const made = withKeyId(await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey))
      const before = await all()
      await records.put(made.kid, { signsFrom, sealed: await seal(secret, made) }, { group, onlyIf: 'absent' })
      const until = signsFrom + lastTokenMs
      for (const { kid, signsFrom: from, sealed, until: ended } of before) {
        if (ended !== undefined) continue
        const record = { signsFrom: from, until, ...(sealed === undefined ? {} : { sealed }) }
        // A key of the configuration is still read at every start: that it has ended must never be forgotten.
        await records.put(kid, record, { group, ...(sealed !== undefined && { expiresAt: until }) })
      }
      return { kid: made.kid, signsFrom }
    },
  }
}

/** The key with its RFC 7638 thumbprint as id, so that every process names it alike. Throws on any other kind of key. */
export function withKeyId(key: JWK): SigningKey {
  const { crv, kty, x, y, d } = key
  if (kty !== 'EC' || crv !== 'P-256' || !x || !y || !d) throw new Error('signing keys must be private P-256 keys')
  return { crv, kty, x, y, d, kid: hash('sha256', JSON.stringify({ crv, kty, x, y }), 'base64url') }
}

export function publicPart({ d: _d, ...key }: SigningKey): JWK {
  return { ...key, alg: 'ES256' }
}

/** The key's id is part of what is sealed, so that one record cannot be put in the place of another. */
function seal(secret: Buffer, key: SigningKey): Promise<string> {
  return new CompactEncrypt(Buffer.from(JSON.stringify(key)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(secret)
}

async function unseal(secret: Buffer, kid: string, sealed: string): Promise<SigningKey> {
  const { plaintext } = await compactDecrypt(sealed, secret, {
    keyManagementAlgorithms: ['dir'],
    contentEncryptionAlgorithms: ['A256GCM'],
  })
  const key = withKeyId(JSON.parse(Buffer.from(plaintext).toString()) as JWK)
  if (key.kid !== kid) throw new Error(`the stored signing key ${kid} holds another key`)
  return key
}
