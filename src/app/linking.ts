/** Plugs account linking into the bridge: what it may know of cameras, what follows an unlinking, whose tokens count. */
import type { Cameras } from '../cameras/cameras.ts'
import type { Keys } from './keys.ts'
import type { LinkingConfig } from './linking-settings.ts'
import type { Shares } from '../cameras/sharing.ts'
import { createAuthority, type Authority } from '../authority.ts'
import { BridgeError } from '../errors.ts'
import type { Sharing } from '../oauth/account-actions.ts'
import type { OAuthClient } from '../oauth/client.ts'
import { createForeignVerifier } from '../oauth/foreign-tokens.ts'
import { createOAuth, type OAuth, type OAuthOptions } from '../oauth/server.ts'
import { cameraId, type AccountId, type ClientKind, type Clock, type Grant, type Log, type Store } from '../ports.ts'

export interface LinkingDeps {
  readonly config: LinkingConfig
  readonly behindProxy: boolean
  readonly publicUrl: string
  readonly keys: Keys
  readonly clients: readonly OAuthClient[]
  readonly store: Store
  readonly cameras: Pick<Cameras, 'list'>
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
  const sharing: Sharing = {
    cameras: async (owner) => Promise.all((await cameras.list(owner)).map((camera) => sharedCamera(owner, camera))),
    async share(owner, camera, guest, mayTalk) {
      const { id, name } = await owned(owner, camera)
      await shares.share(owner, id, guest, mayTalk)
      await tellBoth('shared', name, owner, guest)
    },
    async unshare(owner, camera, guest) {
      const { id, name } = await owned(owner, camera)
      await shares.unshare(owner, id, guest)
      await tellBoth('unshared', name, owner, guest)
    },
  }
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
    sharing,
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
    sharing,
    isServed: foreignTokens === undefined,
    isSecure: publicUrl.startsWith('https:'),
    authority: createAuthority({ verifyToken, kindsOf }),
  }

  async function owned(owner: AccountId, id: string) {
    const camera = (await cameras.list(owner)).find((one) => one.id === id)
    if (camera === undefined) throw new BridgeError('camera_not_found')
    return camera
  }

  async function sharedCamera(owner: AccountId, { id, name }: { id: string; name: string }) {
    const guests = await shares.guests(owner, cameraId(id))
    const described = await Promise.all(
      guests.map(async ({ accountId, mayTalk }) => {
        const user = await oauth.users.findByAccount(accountId)
        return { accountId, mayTalk, login: user?.login ?? 'an account that is gone' }
      }),
    )
    return { id, name, guests: described }
  }

  async function tellBoth(kind: 'shared' | 'unshared', camera: string, owner: AccountId, guest: AccountId) {
    const [from, to] = await Promise.all([oauth.users.findByAccount(owner), oauth.users.findByAccount(guest)])
    await oauth.audit.write(owner, kind, `${camera} with ${to?.login ?? guest}`)
    await oauth.audit.write(guest, kind, `${camera} by ${from?.login ?? owner}`)
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
