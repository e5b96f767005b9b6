/** Sets up oidc-provider for clients such as Alexa and Google, and says in the log what it did. */
import type { EventEmitter } from 'node:events'
import { Provider, errors, interactionPolicy, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import { accessScope, accountId, type Clock, type Log, type Store } from 'transom-core/ports'
import { createAdapterFactory } from './adapter.ts'
import { cookieKind, nameCookiesByRequest, providerCookies } from '../cookies.ts'
import { isSecretOf, type Clients, type Registration } from './clients.ts'
import type { Ended } from './ended.ts'
import type { SigningKey } from './keyring.ts'
import { linkLifetime, sessionLifetime, signedInLifetime } from './lifetimes.ts'
import type { Link } from './links.ts'
import type { Sessions } from './sessions.ts'
import { routeOf } from '../request.ts'
import { addStreamlinedLinking, type StreamlinedOptions } from './streamlined.ts'
import type { User, Users } from '../people/users.ts'

export interface ProviderSetup {
  /** Called when a link has been made, before the client hears of it. Never rejects. */
  readonly onLinked: (link: Link) => Promise<void>
  /** Called when new tokens were given for a link. */
  readonly onRefreshed: (grantId: string) => void
  /** Called when the provider itself ended a link: the client revoked it, or a code or token was used twice. Never rejects. */
  readonly onRevoked: (link: Link, why: 'revoked' | 'reused') => Promise<void>
  /** Keeps in which browsers who is signed in, and what our own page was given by it. */
  readonly sessions: Pick<Sessions, 'note' | 'noteGrant'>
  readonly issuer: string
  /** What the access tokens are for: the bridge's own address. */
  readonly audience: string
  readonly clients: Clients
  /** Private, ES256; the first signs, all verify. */
  readonly signingKeys: readonly SigningKey[]
  readonly cookieKeys: readonly string[]
  readonly store: Store
  readonly ended: Pick<Ended, 'noteLink'>
  readonly users: Users
  readonly pages: ErrorPages
  readonly clock: Clock
  readonly log: Log
  readonly streamlined: StreamlinedOptions | undefined
  readonly hasIntrospection: boolean
}

/** What a person reads when a request cannot go on, as HTML. */
export interface ErrorPages {
  outage(): string
  /** `error` and `description`: RFC 6749 section 4.1.2.1. */
  refused(error: string, description?: string): string
}

const minute = 60
const hour = 60 * minute

export function createProvider(setup: ProviderSetup): Provider {
  const ended = new Map<string, Link & { readonly isLink: boolean }>()
  const telling = new WeakMap<object, Promise<void>>()
  const provider = new Provider(setup.issuer, {
    ...configuration(setup),
    adapter: createAdapterFactory({
      ...setup,
      hasStreamlined: setup.streamlined !== undefined,
      onLinkEnded: (link) => void ended.set(link.grantId, link),
    }),
  })
  // `server.ts` sets the forwarded headers to what the issuer says, so that links and cookies fit it behind any proxy.
  provider.proxy = true
  nameCookiesByRequest(provider, setup.issuer)
  provider.use(guardOutage(setup))
  provider.use(tellOfLinks(setup, telling))
  provider.use(noteSignIn(setup))
  provider.on('grant.revoked', (ctx, grantId) => {
    const link = ended.get(grantId)
    ended.delete(grantId)
    const why = ctx.oidc.route === 'token' ? 'reused' : 'revoked'
    if (link?.isLink === true) telling.set(ctx, setup.onRevoked(link, why))
  })
  logEvents(provider, setup.log)
  compareHashes(provider, setup)
  stateLinks(provider)
  if (setup.streamlined !== undefined) {
    addStreamlinedLinking(provider, setup.streamlined, {
      ...setup,
      scope: accessScope,
      resourceServer: opaqueTokens(setup.audience),
    })
  }
  return provider
}

function configuration({ issuer, audience, signingKeys, ...setup }: ProviderSetup): Configuration {
  const { path: cookiePath, ...cookie } = cookieKind(issuer, 'transom_session').rules
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  return {
    // Without this an EC-only key set makes every client invalid.
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    extraClientMetadata: { properties: ['assistant', 'secrets', 'tenant'] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    clientBasedCORS: (_ctx, origin, client) => isPageOf(client, origin),
    jwks: { keys: signingKeys.map((key) => ({ ...key, kty: 'EC', alg: 'ES256', use: 'sig' })) },
    cookies: {
      keys: [...setup.cookieKeys],
      names: providerCookies(issuer),
      long: { ...cookie, signed: true, path: cookiePath },
      // The provider gives these a path of their own, for each request one.
      short: { ...cookie, signed: true },
    },
    responseTypes: ['code'],
    // The API's own scopes belong to its resource server below; listed here too, consent would ask for them twice.
    scopes: ['openid'],
    claims: { openid: ['sub'] },
    // The assistants send it only where their console is told so.
    pkce: { required: (_ctx, client) => client['assistant'] === 'other' || isConsole(client) },
    // One process clock decides; there is no skew to forgive between the provider and its own store.
    clockTolerance: 0,
    discovery: {
      userinfo_endpoint: `${issuer}/userinfo`,
      ...(setup.hasIntrospection && { introspection_endpoint: `${issuer}/introspection` }),
    },

    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    // Alexa and Google refresh in parallel and lose answers; a rotated token would cost them the link.
    rotateRefreshToken: (ctx) => ctx.oidc.client?.['assistant'] === 'other' || isConsole(ctx.oidc.client),
    revokeGrantPolicy: () => true,
    ttl: {
      AccessToken: hour,
      // RFC 6749 section 4.1.2 recommends ten minutes at most, Google asks for about as many.
      AuthorizationCode: 10 * minute,
      // A rotated one ends when the first would have (RFC 9700 section 4.14.2).
      RefreshToken: (ctx, _token, client) =>
        isConsole(client) ? (ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? signedInLifetime) : linkLifetime,
      // Until its code is redeemed (`keepLink`), a grant is only a promise.
      Grant: hour,
      Interaction: 30 * minute,
      Session: sessionLifetime,
      IdToken: hour,
    },

    findAccount: async (_ctx, sub) => {
      const user = await setup.users.findByAccount(sub)
      return user && { user, accountId: user.accountId, claims: () => ({ sub: user.accountId }) }
    },
    // Each link is agreed to on our page and gets a grant of its own, so that unlinking one leaves the others alone.
    loadExistingGrant: async (ctx) => {
      if (isConsole(ctx.oidc.client)) return grantToConsole(ctx, audience, setup.sessions)
      const grantId = ctx.oidc.result?.consent?.grantId
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId)
    },
    interactions: {
      policy: policy(audience),
      url: (_ctx, interaction) => `${path}/interaction/${interaction.uid}`,
    },
    renderError: (ctx, out) => {
      ctx.type = 'html'
      ctx.body = ctx.status >= 500 ? setup.pages.outage() : setup.pages.refused(out.error, out.error_description)
    },

    formats: {
      customizers: {
        jwt: (_ctx, token, parts) => {
          // Lets a JWT be checked against its link, as `tokens.ts` does.
          if ('grantId' in token) parts.payload['grant_id'] = token.grantId
          // And lets a door know what client it is for, without a read.
          if ('client' in token && token.client) parts.payload['client_kind'] = token.client['assistant']
        },
      },
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => {
          if (token.clientId === client.clientId) return true
          throw new errors.InvalidRequest('the token was issued to another client')
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource, client) => {
          if (resource !== audience) throw new errors.InvalidTarget()
          // Google's account-linking validator flags JWTs; a Lambda behind Alexa can verify one without a store.
          if (client['assistant'] === 'google') return opaqueTokens(audience)
          const kid = signingKeys[0]?.kid
          return {
            ...opaqueTokens(audience),
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256', ...(kid === undefined ? {} : { kid }) } },
          }
        },
      },
    },
  }
}

function isConsole(client: KoaContextWithOIDC['oidc']['client']): boolean {
  return client?.['assistant'] === 'console'
}

/** Public clients are pages, ours or a vendor's: each speaks to the token endpoint from where its codes are sent. */
function isPageOf(client: KoaContextWithOIDC['oidc']['client'], origin: string): boolean {
  if (client?.clientAuthMethod !== 'none') return false
  return client.redirectUris?.some((uri) => new URL(uri).origin === origin) === true
}

/** Nobody is asked whether our own page may show what our own pages are for. */
async function grantToConsole(ctx: KoaContextWithOIDC, audience: string, sessions: Pick<Sessions, 'noteGrant'>) {
  const { provider, session, client } = ctx.oidc
  if (session?.accountId === undefined || client === undefined) return undefined
  const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId })
  grant.addResourceScope(audience, accessScope)
  await sessions.noteGrant(session.uid, await grant.save())
  return grant
}

/** oidc-provider's own prompts, and two checks before them: is there anything to grant, does the account still exist. */
function policy(audience: string): interactionPolicy.DefaultPolicy {
  const { Check } = interactionPolicy
  const prompts = interactionPolicy.base()
  const login = prompts.get('login')
  login?.checks.add(
    new Check('unknown_scope', 'none of the requested scopes exists', ({ oidc }) => {
      const known = oidc.resourceServers?.[audience]?.scopes
      if (![...oidc.requestParamScopes].some((scope) => scope === 'openid' || known?.has(scope))) {
        throw new errors.InvalidScope('none of the requested scopes exists', oidc.params?.['scope'] as string)
      }
      return Check.NO_NEED_TO_PROMPT
    }),
  )
  login?.checks.add(
    new Check('account_gone', 'the signed-in account no longer exists', ({ oidc }) => {
      return oidc.session?.accountId !== undefined && oidc.account === undefined
    }),
  )
  login?.checks.add(
    new Check('not_this_person', 'the session is of another tenant, or from before a new password', ({ oidc }) => {
      if (oidc.session?.accountId === undefined || oidc.account === undefined) return Check.NO_NEED_TO_PROMPT
      const user = oidc.account['user'] as User
      const isOld = (oidc.session.loginTs ?? 0) < Math.floor((user.passwordSince ?? 0) / 1000)
      return isOld || user.tenant !== oidc.client?.['tenant']
    }),
  )
  return prompts
}

function opaqueTokens(audience: string) {
  return { scope: accessScope, audience, accessTokenTTL: hour, accessTokenFormat: 'opaque' } as const
}

/** oidc-provider would compare with the secret itself, which we do not keep. */
function compareHashes(provider: Provider, { clock }: Pick<ProviderSetup, 'clock'>): void {
  provider.Client.prototype.compareClientSecret = function (given) {
    return isSecretOf(this['secrets'] as Registration['secrets'], given, clock())
  }
}

/** Lets a grant say whether it is a link: oidc-provider keeps no property of a model that its class does not list. */
function stateLinks({ Grant }: Provider): void {
  const kept = [...Grant.IN_PAYLOAD, 'isLink']
  Object.defineProperty(Grant, 'IN_PAYLOAD', { get: () => kept })
}

type Middleware = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>

/**
 * A fault of ours must not look like a refusal: an assistant that reads `invalid_grant` removes the link. So everything
 * unexpected, the store above all, becomes 503 with a time to come back.
 */
function guardOutage({ log, pages }: ProviderSetup): Middleware {
  return async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      log('error', 'oauth.outage', { path: routeOf(ctx.path), error: describe(error) })
      ctx.status = 500
      ctx.type = 'html'
      ctx.body = pages.outage()
    }
    if (ctx.status < 500) return
    ctx.status = 503
    ctx.set('retry-after', '5')
    if (ctx.path.startsWith('/token') || !ctx.response.is('html')) {
      ctx.body = { error: 'temporarily_unavailable', error_description: 'please try again later' }
    }
  }
}

/** The redeemed code or assertion makes the link: from here on its grant stays until somebody unlinks. */
function tellOfLinks(
  { log, onLinked, onRefreshed }: ProviderSetup,
  telling: WeakMap<object, Promise<void>>,
): Middleware {
  return async (ctx, next) => {
    await next()
    await telling.get(ctx)
    if (ctx.oidc?.route !== 'token' || ctx.status !== 200) return
    const { params, entities } = ctx.oidc
    const grant = entities.Grant
    if (grant === undefined) return
    const isLink = !isConsole(ctx.oidc.client)
    if (params?.['grant_type'] === 'refresh_token') return isLink ? onRefreshed(grant.jti) : undefined
    Object.assign(grant, { isLink })
    grant.exp = Math.floor(Date.now() / 1000) + (isLink ? linkLifetime : signedInLifetime + hour)
    await grant.save()
    if (!isLink) return
    const { accountId = '', clientId = '', jti: grantId } = grant
    log('info', 'oauth.linked', { clientId, accountId })
    await onLinked({ accountId, clientId, grantId })
  }
}

/** For people to see where they are signed in. */
function noteSignIn({ sessions }: ProviderSetup): Middleware {
  return async (ctx, next) => {
    await next()
    const session = ctx.oidc?.session
    if (session?.accountId === undefined) return
    const loginAt = (session.loginTs ?? 0) * 1000
    await sessions.note({ uid: session.uid, accountId: accountId(session.accountId), loginAt }, ctx.get('user-agent'))
  }
}

function logEvents(provider: Provider, log: Log): void {
  const refused = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) =>
    log('warn', 'oauth.refused', {
      route: ctx.oidc.route,
      clientId: ctx.oidc.client?.clientId,
      code: error.error,
      error: error.error_detail ?? error.error_description,
    })
  provider.on('authorization.error', refused)
  provider.on('grant.error', refused)
  provider.on('revocation.error', refused)
  provider.on('server_error', (ctx, error) => {
    log('error', 'oauth.outage', { route: ctx.oidc.route, error: describe(error) })
  })
  provider.on('grant.revoked', (ctx, grantId) => {
    log('info', 'oauth.unlinked', { clientId: ctx.oidc.client?.clientId, route: ctx.oidc.route, grantId })
  })
  // Without a listener Koa prints to the console. Its own event is missing in the provider's type.
  const koa: EventEmitter = provider
  koa.on('error', (error) => log('error', 'oauth.outage', { error: describe(error) }))
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
