/** Whose tokens count: our own server's, or in verify-only mode those of somebody else's. */
import { createAuthority, type Authority } from '../authority.ts'
import { createForeignVerifier } from '../oauth/provider/foreign-tokens.ts'
import type { Trust } from '../oauth/provider/trust.ts'
import type { LinkingConfig } from '../settings/linking-settings.ts'
import type { ClientKind, Clock } from 'transom-core/ports'

/** `own`: what is believed where no other server is set. */
export function trustedAuthority(
  foreign: LinkingConfig['foreignTokens'],
  own: Pick<Trust, 'verifyToken' | 'kindOf'>,
  clock: Clock,
): Authority {
  if (foreign !== undefined) {
    const kindsOf = async ({ clientId }: { readonly clientId: string }) => foreignKinds(clientId, foreign)
    return createAuthority({ verifyToken: createForeignVerifier(foreign, clock), kindsOf })
  }
  return createAuthority({
    verifyToken: own.verifyToken,
    async kindsOf({ clientId, clientKind }) {
      const kind = clientKind ?? (await own.kindOf(clientId))
      return kind === undefined ? [] : [kind]
    },
  })
}

/** A vendor's own server may not name its clients in its tokens: what the settings do not tell apart is left to the audience. */
function foreignKinds(
  clientId: string,
  { alexaClientId, googleClientId }: NonNullable<LinkingConfig['foreignTokens']>,
): readonly ClientKind[] {
  if (clientId === alexaClientId) return ['alexa']
  if (clientId === googleClientId) return ['google']
  return [
    'other',
    ...(alexaClientId === undefined ? (['alexa'] as const) : []),
    ...(googleClientId === undefined ? (['google'] as const) : []),
  ]
}
