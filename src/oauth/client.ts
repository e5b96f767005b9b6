/** The assistants' OAuth clients, as typed into their consoles. */
import { z } from 'zod'

export type Assistant = 'alexa' | 'google'

/** What a client is called towards the person who links. Google asks to be named so, not by a product's name. */
export const assistantNames: Record<Assistant, string> = { alexa: 'Amazon Alexa', google: 'Google' }

export interface OAuthClient {
  readonly clientId: string
  /** 16 to 128 letters and digits: other characters have broken linking at Google. */
  readonly clientSecret: string
  readonly assistant: Assistant
  /** Compared character by character. `https`, or `http` on this machine for development. */
  readonly redirectUris: readonly string[]
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

const client = z.object({
  clientId: z.string().regex(/^[\w.-]{1,100}$/),
  clientSecret: z.string().regex(/^[A-Za-z0-9]{16,128}$/, 'must be 16 to 128 letters and digits'),
  assistant: z.enum(['alexa', 'google']),
  redirectUris: z.array(z.string().refine(isRedirectUri, 'must be https, or http on this machine, without #')).min(1),
})

/** Throws when a client could not work or would not be safe; says which one and why, never its secret. */
export function checkClients(clients: readonly OAuthClient[]): void {
  for (const candidate of clients) {
    const checked = client.safeParse(candidate)
    if (!checked.success) throw new Error(`OAuth client ${candidate.clientId}: ${z.prettifyError(checked.error)}`)
  }
}

function isRedirectUri(text: string): boolean {
  const uri = URL.parse(text)
  if (uri === null || text.includes('#') || uri.username !== '' || uri.password !== '') return false
  return uri.protocol === 'https:' || (uri.protocol === 'http:' && loopback.has(uri.hostname))
}
