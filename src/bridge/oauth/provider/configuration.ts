/** What oidc-provider is to be: its clients, cookies, prompts, grants, lifetimes and tokens. */
import { errors, interactionPolicy, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import type { Asking } from '../language.ts'
import { accessScope } from 'transom-core/ports'
import { cookieKind, providerCookies } from '../cookies.ts'
import type { User, Users } from '../people/users.ts'
import type { SigningKey } from './keyring.ts'
import { linkLifetime, sessionLifetime, signedInLifetime } from './lifetimes.ts'
import type { Sessions } from './sessions.ts'

export interface ConfigurationSetup {
  readonly issuer: string
  /** What the access tokens are for: the bridge's own address. */
  readonly audience: string
  /** Private, ES256; the first signs, all verify. */
  readonly signingKeys: readonly SigningKey[]
  readonly cookieKeys: readonly string[]
  readonly users: Users
  /** Keeps what our own page was given. */
  readonly sessions: Pick<Sessions, 'noteGrant'>
  readonly pages: (asking: Asking) => ErrorPages
  readonly hasIntrospection: boolean
}

/** What a person reads when a request cannot go on, as HTML. */
export interface ErrorPages {
  outage(): string
  /** `error` and `description`: RFC 6749 section 4.1.2.1. */
  refused(error: string, description?: string): string
  lost(): string
}

/** In seconds, as lifetimes are here. */
const minute = 60
export const hour = 60 * minute

/** Everything that oidc-provider is told, in parts that each speak of one thing. */
export function configuration(setup: ConfigurationSetup): Configuration {
  const { issuer, signingKeys } = setup
  return {
    jwks: { keys: signingKeys.map((key) => ({ ...key, kty: 'EC', alg: 'ES256', use: 'sig' })) },
    // One process clock decides; there is no skew to forgive between the provider and its own store.
    clockTolerance: 0,
    discovery: {
      userinfo_endpoint: `${issuer}/userinfo`,
      ...(setup.hasIntrospection && { introspection_endpoint: `${issuer}/introspection` }),
    },
    renderError: (ctx, out) => {
      ctx.type = 'html'
      const pages = setup.pages(ctx)
      ctx.body = ctx.status >= 500 ? pages.outage() : pages.refused(out.error, out.error_description)
    },
    // Google's linking says by it in which language the person reads.
    extraParams: ['user_locale'],
    ...aboutClients(),
    ...aboutBrowsers(setup),
    ...aboutGrants(setup),
    ...aboutTokens(),
    features: features(setup),
  }
}

function aboutClients(): Configuration {
  return {
    // Without this an EC-only key set makes every client invalid.
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    extraClientMetadata: { properties: ['assistant', 'secrets', 'tenant'] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    clientBasedCORS: (_ctx, origin, client) => isPageOf(client, origin),
    responseTypes: ['code'],
    // The assistants send it only where their console is told so.
    pkce: { required: (_ctx, client) => client['assistant'] === 'other' || isConsole(client) },
  }
}

function aboutBrowsers({ issuer, audience, cookieKeys }: ConfigurationSetup): Configuration {
  const { path: cookiePath, ...cookie } = cookieKind(issuer, 'transom_session').rules
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  return {
    cookies: {
      keys: [...cookieKeys],
      names: providerCookies(issuer),
      long: { ...cookie, signed: true, path: cookiePath },
      // The provider gives these a path of their own, for each request one.
      short: { ...cookie, signed: true },
    },
    interactions: {
      policy: policy(audience),
      url: (_ctx, interaction) => `${path}/interaction/${interaction.uid}`,
    },
  }
}

/** What a person agrees to, and whose it is. */
function aboutGrants({ audience, users, sessions }: ConfigurationSetup): Configuration {
  return {
    // The API's own scopes belong to its resource server below; listed here too, consent would ask for them twice.
    scopes: ['openid'],
    claims: { openid: ['sub'] },
    findAccount: async (_ctx, sub) => {
      const user = await users.findByAccount(sub)
      return user && { user, accountId: user.accountId, claims: () => ({ sub: user.accountId }) }
    },
    // Each link is agreed to on our page and gets a grant of its own, so that unlinking one leaves the others alone.
    loadExistingGrant: async (ctx) => {
      if (isConsole(ctx.oidc.client)) return grantToConsole(ctx, audience, sessions)
      const grantId = ctx.oidc.result?.consent?.grantId
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId)
    },
    revokeGrantPolicy: () => true,
  }
}

function aboutTokens(): Configuration {
  return {
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    // Alexa and Google refresh in parallel and lose answers; a rotated token would cost them the link.
    rotateRefreshToken: (ctx) => ctx.oidc.client?.['assistant'] === 'other' || isConsole(ctx.oidc.client),
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
  }
}

function features({ audience, signingKeys }: ConfigurationSetup): NonNullable<Configuration['features']> {
  return {
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
  }
}

export function isConsole(client: KoaContextWithOIDC['oidc']['client']): boolean {
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

/** The rules of an access token that says nothing by itself: its scope, whom it is for, how long it lives. */
export function opaqueTokens(audience: string) {
  return { scope: accessScope, audience, accessTokenTTL: hour, accessTokenFormat: 'opaque' } as const
}
