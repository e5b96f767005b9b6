/** Plugs account linking into the bridge: what it may know of cameras, what follows an unlinking, whose tokens count. */
import type { Cameras } from '../cameras/cameras.ts'
import type { Keys } from './keys.ts'
import { trustedAuthority } from './trusted-authority.ts'
import type { LinkingConfig } from '../settings/linking-settings.ts'
import type { Shares } from '../cameras/sharing.ts'
import type { Authority } from '../authority.ts'
import type { Sharing } from '../oauth/people/sharing.ts'
import type { OAuthClient } from '../oauth/client.ts'
import { createConsent } from '../cameras/consent.ts'
import { createOAuth, type OAuth, type OAuthOptions } from '../oauth/server.ts'
import type { Clock, Log, Store } from 'transom-core/ports'

export interface LinkingDeps {
  readonly config: LinkingConfig
  readonly behindProxy: number
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
  /** What else is kept of an account. */
  readonly ofAccount?: NonNullable<OAuthOptions['ofAccount']>
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
  const { publicUrl, clock } = deps
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
    startsPerSecond: config.startsPerSecond,
    ...(operatorKey !== undefined && { operatorKey }),
    ...(upstream !== undefined && { upstream }),
    ...(streamlined !== undefined && { streamlined }),
    cameras: async (account) => (await shares.visible.list(account)).map(({ name }) => name),
    sharing: sharingAmong,
  })
  return {
    oauth,
    sharing: sharingAmong(oauth),
    isServed: config.foreignTokens === undefined,
    isSecure: publicUrl.startsWith('https:'),
    authority: trustedAuthority(config.foreignTokens, oauth, clock),
  }
}
