/** Settings of HTTPS: their variables, and what they mean together. */
import { isIP } from 'node:net'
import * as z from 'zod'
import { isWildcard, plainHost, setting, wholeNumber } from 'transom-core/setting-shapes'
import type { AcmeSettings } from './acme.ts'

const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory'

const names = z.string().transform((text, context) => {
  const hosts = text.split(/[\s,]+/).filter(Boolean)
  const plain = hosts.map((host) => plainHost(host.toLowerCase()))
  if (hosts.length > 0 && plain.every((host) => host !== undefined && !isWildcard(host)))
    return plain.filter((host) => host !== undefined)
  context.addIssue('must be names or addresses alone, with commas: door.example.org, 192.168.1.5')
  return z.NEVER
})

/** The variables, for the table of all settings. */
export const httpsVariables = {
  TRANSOM_HTTPS: setting(
    'first',
    '`acme`: the bridge gets its certificate from a public authority. `own`: from an authority of its own, which phones install once. `off`: for this machine alone, or behind a proxy. See [https.md](docs/https.md).',
    z.enum(['off', 'acme', 'own']).default('off'),
  ),
  TRANSOM_HTTPS_NAMES: setting(
    'https',
    'More names and addresses for the certificate, with commas.',
    names.optional(),
    'the host of the public URL; with `own` also the names and private addresses of this machine',
  ),
  TRANSOM_HTTP_PORT: setting(
    'https',
    'A second port that speaks plain HTTP: `80` where no router forwards port 80 to `TRANSOM_PORT`, which speaks both.',
    wholeNumber(1, 65_535, 80).unwrap().optional(),
  ),
  TRANSOM_ACME_DIRECTORY: setting(
    'https',
    'The public authority: the address of its ACME directory.',
    z.url({ protocol: /^https$/, error: 'must be an https address' }).default(letsEncrypt),
  ),
  TRANSOM_ACME_EMAIL: setting('https', 'Your address for the authority, where it wants one.', z.email().optional()),
  TRANSOM_ACME_DNS_HOOK: setting(
    'https',
    'A program that writes records into your DNS, for a bridge that port 80 does not reach: `PROGRAM add NAME VALUE` and `PROGRAM remove NAME VALUE`.',
    z.string().optional(),
  ),
  TRANSOM_ACME_EAB_KEY_ID: setting(
    'https',
    'Where the authority has customers: the key ID that it gave you.',
    z.string().optional(),
  ),
  TRANSOM_ACME_EAB_KEY: setting(
    'https',
    'The key to it, in base64url.',
    z
      .string()
      .regex(/^[\w-]{20,}=*$/, 'must be the HMAC key in base64url')
      .optional(),
  ),
}

const variables = z.object(httpsVariables)

/** How the bridge speaks HTTPS itself. */
export type HttpsSettings = AcmeSettings | { readonly kind: 'own'; readonly names: readonly string[] }

/** HTTPS as it is set; undefined when the bridge speaks none itself. Throws an `Error` that says what does not fit. */
export function toHttpsSettings(
  env: z.infer<typeof variables>,
  publicUrl: string | undefined,
  isBehindProxy: boolean,
): HttpsSettings | undefined {
  const kind = env.TRANSOM_HTTPS
  if (kind === 'off') {
    if (env.TRANSOM_HTTP_PORT !== undefined)
      throw new Error('TRANSOM_HTTP_PORT is for TRANSOM_HTTPS=acme or own: without it TRANSOM_PORT speaks plain HTTP')
    return undefined
  }
  if (publicUrl?.startsWith('https:') !== true)
    throw new Error(
      `TRANSOM_HTTPS=${kind} needs TRANSOM_PUBLIC_URL, with https:// and the name by which browsers reach this machine: ${kind === 'own' ? 'https://door.local:8080' : 'https://door.example.org'}`,
    )
  if (isBehindProxy)
    throw new Error('TRANSOM_HTTPS and TRANSOM_BEHIND_PROXY: either the bridge or the proxy ends TLS, set one of them')
  const host = new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')
  const all = [...new Set([host, ...(env.TRANSOM_HTTPS_NAMES ?? [])])]
  return kind === 'own' ? { kind, names: all } : toAcme(env, all)
}

function toAcme(env: z.infer<typeof variables>, all: readonly string[]): AcmeSettings {
  const { TRANSOM_ACME_DNS_HOOK: dnsHook, TRANSOM_ACME_EAB_KEY_ID: keyId, TRANSOM_ACME_EAB_KEY: key } = env
  if ((keyId === undefined) !== (key === undefined))
    throw new Error('TRANSOM_ACME_EAB_KEY_ID and TRANSOM_ACME_EAB_KEY belong together: set both or none')
  const address = all.find((name) => isIP(name))
  if (dnsHook !== undefined && address !== undefined)
    throw new Error(`TRANSOM_ACME_DNS_HOOK is for names: ${address} has no DNS, remove one of them`)
  return {
    kind: 'acme',
    names: all,
    directory: env.TRANSOM_ACME_DIRECTORY,
    email: env.TRANSOM_ACME_EMAIL,
    binding: keyId === undefined || key === undefined ? undefined : { keyId, key },
    dnsHook,
  }
}
