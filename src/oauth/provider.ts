/** Sets up oidc-provider for clients such as Alexa and Google, and says in the log what it did. */
import type { EventEmitter } from 'node:events'
import { Provider, errors, interactionPolicy, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import type { JWK } from 'jose'
import type { Clock, Log, Store } from '../ports.ts'
import { createAdapterFactory } from './adapter.ts'
import type { OAuthClient } from './client.ts'
import type { Pages } from './pages.ts'
import type { Users } from './users.ts'

export interface ProviderSetup {
  /** Called when a link has been made, before the client hears of it. Never rejects. */
  readonly onLinked: (link: { accountId: string; clientId: string; grantId: string }) => Promise<void>
  readonly issuer: string
  /** What the access tokens are for: the bridge's own address. */
  readonly audience: string
  readonly clients: readonly OAuthClient[]
  /** Private, ES256, each with its `kid`; the first signs, all verify. */
  readonly signingKeys: readonly (JWK & { kid: string })[]
  readonly cookieKeys: readonly string[]
  readonly store: Store
  readonly users: Users
  readonly pages: Pages
  readonly clock: Clock
  readonly log: Log
}

export const defaultScope = 'camera'
/** Cookies live below the issuer's path only; their names say whose they are. */
const cookieNames = { session: 'transom_session', interaction: 'transom_interaction', resume: 'transom_resume' }

const minute = 60
const hour = 60 * minute
/**
 * A hundred years: both assistants treat a refused refresh as the end of the link, so refresh tokens must not age, and
 * the grant must outlive them (google-home.md section 5.2).
 */
const linkLifetime = 100 * 365 * 24 * hour

export function createProvider(setup: ProviderSetup): Provider {
  const provider = new Provider(setup.issuer, configuration(setup))
  // `server.ts` sets the forwarded headers to what the issuer says, so that links and cookies fit it behind any proxy.
  provider.proxy = true
  provider.use(guardOutage(setup))
  provider.use(keepLink(setup))
  logEvents(provider, setup.log)
  return provider
}

function configuration({ issuer, audience, clients, signingKeys, ...setup }: ProviderSetup): Configuration {
  const cookie = { httpOnly: true, sameSite: 'lax', secure: issuer.startsWith('https:'), signed: true } as const
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  return {
    adapter: createAdapterFactory(setup.store, setup.clock),
    clients: clients.map((client) => ({
      client_id: client.clientId,
      client_secret: client.clientSecret,
      redirect_uris: [...client.redirectUris],
      // "Basic" also lets the secret come in the body.
      token_endpoint_auth_method: client.assistant === 'alexa' ? 'client_secret_basic' : 'client_secret_post',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      // Not `form_post`: it needs a script, which our pages forbid.
      response_modes: ['query', 'fragment'],
      assistant: client.assistant,
    })),
    // Without this an EC-only key set makes every client invalid.
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    extraClientMetadata: { properties: ['assistant'] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    clientBasedCORS: () => false,
    jwks: { keys: signingKeys.map((key) => ({ ...key, kty: 'EC', alg: 'ES256', use: 'sig' })) },
    cookies: {
      keys: [...setup.cookieKeys],
      names: cookieNames,
      long: { ...cookie, path: path === '' ? '/' : path },
      short: cookie,
    },
    responseTypes: ['code'],
    // The API's own scopes belong to its resource server below; listed here too, consent would ask for them twice.
    scopes: ['openid'],
    claims: { openid: ['sub'] },
    pkce: { required: (_ctx, client) => client.clientAuthMethod === 'none' },
    // One process clock decides; there is no skew to forgive between the provider and its own store.
    clockTolerance: 0,

    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    // Alexa and Google refresh in parallel and lose answers; a rotated token would cost them the link.
    rotateRefreshToken: () => false,
    revokeGrantPolicy: () => true,
    ttl: {
      AccessToken: hour,
      // RFC 6749 section 4.1.2 recommends ten minutes at most, Google asks for about as many.
      AuthorizationCode: 10 * minute,
      RefreshToken: linkLifetime,
      // Until its code is redeemed (`keepLink`), a grant is only a promise.
      Grant: hour,
      Interaction: 30 * minute,
      Session: hour,
      IdToken: hour,
    },

    findAccount: async (_ctx, sub) => {
      const user = await setup.users.findByAccount(sub)
      return user && { accountId: user.accountId, claims: () => ({ sub: user.accountId }) }
    },
    // Each link is agreed to on our page and gets a grant of its own, so that unlinking one leaves the others alone.
    loadExistingGrant: async (ctx) => {
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
          const server = { scope: defaultScope, audience, accessTokenTTL: hour }
          // Google's account-linking validator flags JWTs; a Lambda behind Alexa can verify one without a store.
          if (client['assistant'] !== 'alexa') return { ...server, accessTokenFormat: 'opaque' }
          const kid = signingKeys[0]?.kid
          return {
            ...server,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256', ...(kid === undefined ? {} : { kid }) } },
          }
        },
      },
    },
  }
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
  return prompts
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
      log('error', 'oauth.outage', { path: ctx.path, error: describe(error) })
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

/** The redeemed code makes the link: from here on its grant stays until somebody unlinks. */
function keepLink({ log, onLinked }: Pick<ProviderSetup, 'log' | 'onLinked'>): Middleware {
  return async (ctx, next) => {
    await next()
    const { params, entities } = ctx.oidc ?? {}
    if (ctx.oidc?.route !== 'token' || ctx.status !== 200 || params?.['grant_type'] !== 'authorization_code') return
    const grant = entities?.Grant
    if (grant === undefined) return
    grant.exp = Math.floor(Date.now() / 1000) + linkLifetime
    await grant.save()
    log('info', 'oauth.linked', { clientId: grant.clientId, accountId: grant.accountId })
    await onLinked({ accountId: grant.accountId ?? '', clientId: grant.clientId ?? '', grantId: grant.jti })
  }
}

function logEvents(provider: Provider, log: Log): void {
  const refused = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) =>
    log('warn', 'oauth.refused', {
      route: ctx.oidc.route,
      clientId: ctx.oidc.client?.clientId,
      error: error.error,
      reason: error.error_detail ?? error.error_description,
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
