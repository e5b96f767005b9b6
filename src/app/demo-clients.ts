/** The two clients that an embedded bridge begins with; for real consoles, `npm run admin -- client add` makes others. */
import { alexaRedirectUris, googleRedirectUris, type OAuthClient } from '../oauth/client.ts'
import type { Secrets } from './secrets.ts'

/** Redirect URIs as the two consoles show them; the vendor and project ids are placeholders until real ones are known. */
export function demoClients({ clientSecrets }: Secrets): readonly OAuthClient[] {
  return [
    {
      clientId: 'alexa',
      clientSecret: clientSecrets.alexa,
      assistant: 'alexa',
      redirectUris: alexaRedirectUris('DEMO'),
    },
    {
      clientId: 'google',
      clientSecret: clientSecrets.google,
      assistant: 'google',
      redirectUris: googleRedirectUris('demo'),
    },
  ]
}
