/** The OAuth clients: the assistants, as typed into their consoles, and others that an operator lets in. */
import * as z from 'zod'
import type { ClientKind } from 'transom-core/ports'
import { faultsOf } from 'transom-core/wire/faults'

/** An assistant that links accounts. */
export type Assistant = 'alexa' | 'google'

/** The client id of our own page, where there is one. */
export const consoleClient = 'console'

/** What a client is called towards the person who links. Google asks to be named so, not by a product's name. */
export const assistantNames: Record<Assistant, string> = { alexa: 'Amazon Alexa', google: 'Google' }

/** A client from the configuration, with its secret as the console has it. */
export interface OAuthClient {
  readonly clientId: string
  /** 16 to 128 letters and digits: other characters have broken linking at Google. */
  readonly clientSecret: string
  readonly assistant: Exclude<ClientKind, 'console'>
  /** Compared character by character. `https`, or `http` on this machine for development. */
  readonly redirectUris: readonly string[]
  /** Only accounts of the same tenant sign in through it; without one, only accounts without one. */
  readonly tenant?: string
  /** Shown to the person who links a client of the kind `other`. */
  readonly name?: string
  /** Stands in for a real client of its assistant, and is gone once there is one in the store. */
  readonly isPlaceholder?: true
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Everything about a client but its secret. */
export const clientFacts = z.object({
  // Not `.` or `..`, which no path can hold (RFC 3986 section 5.2.4).
  clientId: z
    .string()
    .regex(
      /^(?!\.{1,2}$)[\w.-]{1,100}$/,
      'must be 1 to 100 letters, digits, dots, dashes or underscores, and not . or ..',
    ),
  assistant: z.enum(['alexa', 'google', 'other']),
  redirectUris: z
    .array(z.string().max(2000).refine(isRedirectUri, 'must be https, or http on this machine, without #'))
    .min(1)
    .max(20),
  tenant: z
    .string()
    .regex(/^[\w.-]{1,100}$/)
    .optional(),
  name: z.string().trim().min(1).max(100).optional(),
})
const client = clientFacts.extend({
  clientSecret: z.string().regex(/^[A-Za-z0-9]{16,128}$/, 'must be 16 to 128 letters and digits'),
})

/** Throws when a client could not work or would not be safe; says which one and why, never its secret. */
export function checkClients(clients: readonly OAuthClient[]): void {
  for (const candidate of clients) {
    const checked = client.safeParse(candidate)
    if (!checked.success) throw new Error(`OAuth client ${candidate.clientId}: ${faultsOf(checked.error)}`)
  }
}

/** The addresses that Alexa may send a browser back to, for the vendor id of the developer account (alexa.md section 3.1). */
export function alexaRedirectUris(vendorId: string): readonly string[] {
  return ['pitangui.amazon.com', 'layla.amazon.com', 'alexa.amazon.co.jp'].map(
    (host) => `https://${host}/api/skill/link/${vendorId}`,
  )
}

/** Where a project of the Google Home developer console takes the code: this and the project's id (google-home.md section 5.1). */
const googleProjects = 'https://oauth-redirect.googleusercontent.com/r/'
/** Where the Google Home app takes it, which links accounts itself since September 2026 (cloud-to-cloud/account-linking-migration). */
const googleHomeApp = 'https://oauth-redirect.googleusercontent.com/a/com.google.Chromecast'

/** Of the client that the simulator plays; no project of Google. */
export const demoProject = 'demo'

/**
 * The addresses that Google may send a browser back to, for the id of a project of the Google Home developer console.
 */
export function googleRedirectUris(projectId: string): readonly string[] {
  const sandbox = googleProjects.replace('oauth-redirect', 'oauth-redirect-sandbox')
  return [`${googleProjects}${projectId}`, `${sandbox}${projectId}`, googleHomeApp]
}

/** What a client may be sent back to: its own addresses; for a project of Google the app's as well, also if it was made before there was one. */
export function allowedRedirectUris({
  assistant,
  redirectUris,
}: Pick<OAuthClient, 'redirectUris'> & { readonly assistant: ClientKind }): string[] {
  const isProject = assistant === 'google' && redirectUris.some((uri) => uri.startsWith(googleProjects))
  return [...new Set([...redirectUris, ...(isProject ? [googleHomeApp] : [])])]
}

/** Opens the Google Home app where an account is linked with this project (universal link of the same page). */
export function homeAppLink(projectId: string): string {
  const deeplink = `setup/ha_linking?agent_id=${projectId}`
  return `https://home.google.com/home-app/?deeplink=${encodeURIComponent(deeplink)}`
}

/** The project id of a client of Google, by its redirect URIs; undefined for any other client. */
export function googleProjectOf({ redirectUris }: Pick<OAuthClient, 'redirectUris'>): string | undefined {
  return redirectUris.find((uri) => uri.startsWith(googleProjects))?.slice(googleProjects.length)
}

/** Whether a browser may be sent to this address with a code: https, or http on this machine, without fragment, wildcard and user. */
export function isRedirectUri(text: string): boolean {
  const uri = URL.parse(text)
  if (uri === null || /[#*]/.test(text) || uri.username !== '' || uri.password !== '') return false
  return uri.protocol === 'https:' || (uri.protocol === 'http:' && loopback.has(uri.hostname))
}
