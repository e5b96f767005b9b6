/** The two clients that an embedded bridge begins with; for real consoles, `npx transom client add` makes others. */
import { alexaRedirectUris, demoProject, googleRedirectUris, type OAuthClient } from 'transom-bridge/oauth/client'
import { linkedUri } from 'transom-simulator/account-links'
import type { Secrets } from './secrets.ts'

/**
 * Redirect URIs as the two consoles show them; the vendor and project ids are placeholders until real ones are known, and
 * the clients go once there are real ones. `simulatedAt`: the public URL at which the simulator links accounts by them;
 * as long as it does, they stay.
 */
export function demoClients({ clientSecrets }: Secrets, simulatedAt?: string): readonly OAuthClient[] {
  const simulated = (assistant: 'alexa' | 'google'): readonly string[] =>
    simulatedAt === undefined ? [] : [linkedUri(simulatedAt, assistant)]
  const stay = simulatedAt === undefined && ({ isPlaceholder: true } as const)
  return [
    {
      ...stay,
      clientId: 'alexa',
      clientSecret: clientSecrets.alexa,
      assistant: 'alexa',
      redirectUris: [...alexaRedirectUris('DEMO'), ...simulated('alexa')],
    },
    {
      ...stay,
      clientId: 'google',
      clientSecret: clientSecrets.google,
      assistant: 'google',
      redirectUris: [...googleRedirectUris(demoProject), ...simulated('google')],
    },
  ]
}
