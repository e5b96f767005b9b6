/** Plugs account linking into the bridge: what it may know of cameras, what follows an unlinking, whose tokens count. */
import type { Cameras } from '../cameras/cameras.ts'
import type { Keys } from './keys.ts'
import type { LinkingConfig } from '../settings/linking-settings.ts'
import type { Shares } from '../cameras/sharing.ts'
import { createAuthority, type Authority } from '../authority.ts'
import type { Sharing } from '../oauth/account-actions.ts'
import type { OAuthClient } from '../oauth/client.ts'
import { createConsent } from '../cameras/consent.ts'
import { createForeignVerifier } from '../oauth/foreign-tokens.ts'
import { createOAuth, type OAuth, type OAuthOptions } from '../oauth/server.ts'
import type { ClientKind, Clock, Grant, Log, Store } from 'transom-core/ports'

export interface LinkingDeps {
  readonly config: LinkingConfig
  readonly behindProxy: boolean
  readonly publicUrl: string
  readonly keys: Keys
  readonly clients: readonly OAuthClient[]
  readonly store: Store
  readonly cameras: Pick<Cameras, 'list' | 'find'>
  readonly shares: Shares
  /** Where our own page is, if it is served. */
  readonly consoleUri?: string
  /** A link of the account with this assistant has ended, here or there. */
  readonly onUnlinked: NonNullable<OAuthOptions['onUnlinked']>
  readonly clock: Clock
  readonly log: Log
}

export interface Linking {
  readonly oauth: OAuth
  /** As the account page does it. */
  readonly sharing: Sharing
  /** False in verify-only mode: then our own endpoints must not be reachable. */
  readonly isServed: boolean
  /** The public URL is https. */
  readonly isSecure: boolean
  /** Who may open which door with an access token. */
  readonly authority: Authority
}

export function createLinking({ config, keys, cameras, shares, ...deps }: LinkingDeps): Linking {
  const { publicUrl, onUnlinked, clock } = deps
  const { operatorKey, upstream, streamlined } = config
  const sharingAmong = (people: Pick<OAuth, 'users' | 'audit'>) =>
    createConsent({ ...deps, ...people, cameras, shares })
  const oauth = createOAuth({
    ...deps,
    issuer: `${publicUrl}/oauth`,
    signingKeys: keys.signing,
    cookieKeys: keys.cookies,
    sealingKey: keys.sealing,
    brand: config.brand,
    ...(operatorKey !== undefined && { operatorKey }),
    ...(upstream !== undefined && { upstream }),
    ...(streamlined !== undefined && { streamlined }),
    cameras: async (account) => (await shares.visible.list(account)).map(({ name }) => name),
    onUnlinked,
    sharing: sharingAmong,
  })
  const verifyToken =
    config.foreignTokens === undefined ? oauth.verifyToken : createForeignVerifier(config.foreignTokens, clock)
  const { foreignTokens } = config
  const kindsOf = async ({ clientId, clientKind }: Grant): Promise<readonly ClientKind[]> => {
    if (foreignTokens !== undefined) return foreignKinds(clientId, foreignTokens)
    const kind = clientKind ?? (await oauth.kindOf(clientId))
    return kind === undefined ? [] : [kind]
  }
  return {
    oauth,
    sharing: sharingAmong(oauth),
    isServed: foreignTokens === undefined,
    isSecure: publicUrl.startsWith('https:'),
    authority: createAuthority({ verifyToken, kindsOf }),
  }
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
