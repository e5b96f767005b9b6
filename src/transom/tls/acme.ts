/** Certificates of a public authority for the bridge: its account, its challenges, and what to do when one fails. */
import { execFile } from 'node:child_process'
import { createHash, type X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import * as z from 'zod'
import { pause } from 'transom-core/deadline'
import { boundedFetch, whyFailed, type Fetch } from 'transom-core/fetch'
import type { Clock } from 'transom-core/ports'
import { readIfThere, writeWhole } from 'transom-core/private-file'
import { belongTogether, makeRequest } from 'transom-signaling/make-certificate'
import { AcmeError, orderCertificate, type Challenge, type Solve } from './acme-client.ts'
import { createPairFile, isFor } from './certificate.ts'
import type { CertificateSource } from './keeper.ts'

/** What `TRANSOM_HTTPS=acme` is set up with. */
export interface AcmeSettings {
  readonly kind: 'acme'
  readonly names: readonly string[]
  readonly directory: string
  readonly email: string | undefined
  readonly binding: { readonly keyId: string; readonly key: string } | undefined
  /** A program that changes the DNS, for DNS-01; without it HTTP-01. */
  readonly dnsHook: string | undefined
}

export interface AcmeSourceOptions {
  readonly settings: AcmeSettings
  /** The folder of HTTPS. */
  readonly directory: string
  /** What the plain HTTP door answers below `/.well-known/acme-challenge/`, by token. */
  readonly challenges: Map<string, string>
  /** Default: bounded, over the network. */
  readonly fetch?: Fetch
  /** Default: that of `core/deadline`. */
  readonly pause?: typeof pause
  readonly clock: Clock
}

const answerMs = 20_000
/** A chain of four certificates is less than 10 KiB. */
const answerBytes = 256 * 1024
/** A program may wait until its change is seen by the name servers. */
const hookMs = 180_000

/** The program for DNS-01 failed. */
class HookError extends Error {}

/** One file for each authority: what one has signed is of no use with another. */
export const acmePair = (directory: string, { directory: url }: AcmeSettings) =>
  createPairFile(directory, `acme-${new URL(url).host.replaceAll(/[^\w.-]/g, '-')}`)

/** Opens what is kept in the folder, and gets what is missing. */
export function createAcmeSource(options: AcmeSourceOptions): CertificateSource {
  const { settings, directory, challenges, clock } = options
  const { fetch = boundedFetch({ ms: answerMs, maxBytes: answerBytes }) } = options
  const { names, dnsHook, email, binding } = settings
  const file = acmePair(directory, settings)
  const solve = dnsHook === undefined ? solveByHttp(challenges) : solveByDns(dnsHook)
  return {
    names: async () => names,
    kept: file.read,
    async renew(signal) {
      const accountKey = await loadAccountKey(join(directory, 'acme-account.json'))
      const { key, csr } = await makeRequest(names)
      const type = dnsHook === undefined ? 'http-01' : 'dns-01'
      const client = {
        directory: settings.directory,
        accountKey,
        email,
        binding,
        fetch,
        pause: options.pause ?? pause,
        clock,
      }
      const pair = { key, cert: await orderCertificate(client, { names, csr, type, solve }, signal) }
      const now = clock()
      const isUsable = ({ validToDate }: X509Certificate) => validToDate.getTime() > now
      if (!belongTogether(pair, isUsable) || !isFor(pair, names))
        throw new AcmeError('', 'the authority gave a certificate that is not the one that was asked for')
      await file.write(pair)
      return pair
    },
    remedy: (thrown) => remedyFor(thrown, settings),
    waitMs: (thrown) => (thrown instanceof AcmeError ? thrown.retryAfterMs : undefined),
  }
}

async function loadAccountKey(path: string): Promise<JWK> {
  const text = await readIfThere(path)
  if (text !== undefined) {
    const found = accountKey.safeParse(jsonOf(text))
    // Another account gets the same certificates: nothing is lost with this one.
    if (found.success) return found.data
  }
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const made = await exportJWK(privateKey)
  await writeWhole(path, `${JSON.stringify(made)}\n`)
  return made
}

const accountKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
})

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function solveByHttp(challenges: Map<string, string>): Solve {
  return async ({ token, keyAuthorization }) => {
    challenges.set(token, keyAuthorization)
    return () => challenges.delete(token)
  }
}

/** The program is started without a shell, as `PROGRAM add|remove NAME VALUE`, and has the record in place when it ends. */
function solveByDns(program: string): Solve {
  const run = promisify(execFile)
  const call = async (verb: 'add' | 'remove', { name, keyAuthorization }: Challenge, signal?: AbortSignal) => {
    const value = createHash('sha256').update(keyAuthorization).digest('base64url')
    const record = `_acme-challenge.${name}`
    try {
      await run(program, [verb, record, value], { timeout: hookMs, ...(signal && { signal }) })
    } catch (cause) {
      const { stderr = '' } = cause as { readonly stderr?: string }
      const why = stderr.trim().slice(-300) || whyFailed(cause)
      throw new HookError(`${program} ${verb} ${record} failed: ${why}`, { cause })
    }
  }
  return async (challenge, signal) => {
    await call('add', challenge, signal)
    // A record that is left behind harms nobody, and the certificate is there.
    return () => call('remove', challenge).catch(() => undefined)
  }
}

function remedyFor(thrown: unknown, { names, directory, dnsHook }: AcmeSettings): string {
  const name = names[0] ?? ''
  if (thrown instanceof HookError)
    return 'Run the program of TRANSOM_ACME_DNS_HOOK by hand, and correct what it reports.'
  const type = thrown instanceof AcmeError ? thrown.type : undefined
  switch (type) {
    case 'connection':
    case 'unauthorized':
    case 'incorrectResponse':
    case 'tls':
      return dnsHook === undefined
        ? `Forward port 80 of ${name} to TRANSOM_PORT, or to TRANSOM_HTTP_PORT where that is set; a proxy before it must pass /.well-known/acme-challenge/ on.`
        : `The TXT record _acme-challenge.${name} was not found: let TRANSOM_ACME_DNS_HOOK wait until the name servers have it.`
    case 'dns':
      return `Create a record for ${name} in your DNS that leads here.`
    case 'caa':
      return `Permit this authority in the CAA record of ${name}.`
    case 'rateLimited':
      return 'The authority accepts no more requests for now. The next try comes by itself.'
    case 'rejectedIdentifier':
    case 'unsupportedIdentifier':
      return `The authority has no certificates for ${name}: use a public name, or TRANSOM_HTTPS=own.`
    case 'externalAccountRequired':
      return 'Set TRANSOM_ACME_EAB_KEY_ID and TRANSOM_ACME_EAB_KEY to what the authority gave you.'
    case 'invalidContact':
    case 'unsupportedContact':
      return 'Correct TRANSOM_ACME_EMAIL, or remove it.'
    case undefined:
      return `Give this machine a way to ${new URL(directory).host}, and a clock that is right.`
    default:
      return `Check TRANSOM_ACME_DIRECTORY and the names. The next try comes by itself.`
  }
}
