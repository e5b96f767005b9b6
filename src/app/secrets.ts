/** What the embedded bridge must keep secret: made at the first start, kept in one file that only its owner can read. */
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { exportJWK, generateKeyPair, type JWK } from 'jose'

/** Keys for signing and sealing. The first of a list is in use, the others are still accepted. */
export interface Keys {
  /** ES256 private keys that sign access tokens. */
  readonly signing: readonly JWK[]
  readonly cookies: readonly string[]
  /** 32 bytes in base64; seals the tokens that Alexa grants us. */
  readonly sealing: string
}

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface Secrets {
  readonly keys: Keys
  readonly clientSecrets: { readonly alexa: string; readonly google: string }
  readonly demo: { readonly login: string; readonly password: string; readonly cameraKey: string }
  /** For the embedded signaling service; absent until it has made them. */
  readonly credentials?: { readonly application: Credentials; readonly camera: Credentials }
}

/** Reads the file or makes it. `isFirstStart` says whether a file is expected: a database without its secrets is an error. */
export async function loadSecrets(path: string, databasePath: string): Promise<Secrets> {
  if (existsSync(path)) return JSON.parse(await readFile(path, 'utf8')) as Secrets
  if (existsSync(databasePath)) {
    throw new Error(
      `${path} is missing, but ${databasePath} was made with it: restore it from your backup, or remove both to begin anew`,
    )
  }
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const secrets: Secrets = {
    keys: {
      signing: [{ ...(await exportJWK(privateKey)), kid: randomUUID(), alg: 'ES256', use: 'sig' }],
      cookies: [randomBytes(32).toString('base64url')],
      sealing: randomBytes(32).toString('base64'),
    },
    // Letters and digits only: other characters have broken account linking at Google.
    clientSecrets: { alexa: randomBytes(24).toString('hex'), google: randomBytes(24).toString('hex') },
    demo: { login: 'demo', password: readablePassword(), cameraKey: randomBytes(32).toString('base64url') },
  }
  await saveSecrets(path, secrets)
  return secrets
}

/** Replaces the file as a whole, so that a crash leaves the old one or the new one. */
export async function saveSecrets(path: string, secrets: object): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
}

/** 60 bits in letters and digits that cannot be mistaken for one another: `k7mq-x2fp-9wdt`. */
function readablePassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789x'
  const letters = Array.from(randomBytes(12), (byte) => alphabet[byte % 32])
  return [0, 4, 8].map((start) => letters.slice(start, start + 4).join('')).join('-')
}
