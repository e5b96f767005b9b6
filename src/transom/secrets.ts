/** What the embedded bridge must keep secret: made at the first start, kept in one file that only its owner can read. */
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { exportJWK, generateKeyPair } from 'jose'
import * as z from 'zod'

const credentials = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() })

/** The file's content. */
export const secretsShape = z.object({
  /** Keys for signing and sealing. The first of a list is in use, the others are still accepted. */
  keys: z.object({
    /** ES256 private keys that sign access tokens. */
    signing: z.array(z.looseObject({ kty: z.literal('EC') })).min(1),
    cookies: z.array(z.string()).min(1),
    /** 32 bytes in base64; seals the tokens that Alexa grants us, what cameras sign with, and the signing keys of a rotation. */
    sealing: z.string().refine((text) => Buffer.from(text, 'base64').length === 32),
  }),
  clientSecrets: z.object({ alexa: z.string(), google: z.string() }),
  demo: z.object({ login: z.string(), password: z.string(), cameraKey: z.string() }),
  /** For the embedded signaling service; absent until it has made them. */
  credentials: z.object({ application: credentials, camera: credentials }).optional(),
})

export type Secrets = z.infer<typeof secretsShape>

/**
 * Reads the file, or makes it at the first start. It belongs to the database: either without the other is an error that
 * says what to do, and so is a damaged file.
 */
export async function loadSecrets(path: string, databasePath: string): Promise<Secrets> {
  // An empty database is none: a disk that was full, or a copy that failed, leaves such a file.
  const [hasSecrets, hasDatabase] = [
    existsSync(path),
    (statSync(databasePath, { throwIfNoEntry: false })?.size ?? 0) > 0,
  ]
  const known = hasSecrets ? await readSecrets(path) : undefined
  // Without credentials the very first start was cut short, before there was a database.
  const isBegun = known?.credentials !== undefined
  if (hasDatabase !== hasSecrets && (hasDatabase || isBegun)) {
    const [missing, there] = hasDatabase ? [path, databasePath] : [databasePath, path]
    throw new Error(
      `${missing} is missing or empty, and ${there} belongs to it: restore it from your backup, or remove both to start over`,
    )
  }
  if (known !== undefined) return known
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const secrets: Secrets = {
    keys: {
      signing: [{ ...(await exportJWK(privateKey)), kty: 'EC', kid: randomUUID(), alg: 'ES256', use: 'sig' }],
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

async function readSecrets(path: string): Promise<Secrets> {
  // Of a directory that is read as a file, Node does not say which.
  const text = await readFile(path, 'utf8').catch((error: Error) => Promise.reject(Object.assign(error, { path })))
  try {
    return secretsShape.parse(JSON.parse(text))
  } catch (cause) {
    throw new Error(`${path} is damaged: restore it from your backup`, { cause })
  }
}

/** Replaces the file as a whole, so that a crash leaves the old one or the new one. */
export async function saveSecrets(path: string, secrets: object): Promise<void> {
  // What an earlier crash left behind would keep its own mode.
  await rm(`${path}.new`, { force: true })
  await writeFile(`${path}.new`, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
}

/** 60 bits in letters and digits that cannot be mistaken for one another: `k7mq-x2fp-9wdt`. */
function readablePassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789x'
  const letters = Array.from(randomBytes(12), (byte) => alphabet[byte % 32])
  return [0, 4, 8].map((start) => letters.slice(start, start + 4).join('')).join('-')
}
