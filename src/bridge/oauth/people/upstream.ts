/** Login by another OpenID Connect provider (Cognito, Auth0, Keycloak, Google, …); linking stays ours. */
import { hash, randomBytes } from 'node:crypto'
import * as oauth from 'oauth4webapi'
import { boundedFetch } from 'transom-core/fetch'
import type { Clock, Log, Store } from 'transom-core/ports'
import type { User, Users } from './users.ts'

export interface UpstreamOptions {
  /** As the provider's metadata spell it. */
  readonly issuer: string
  readonly clientId: string
  /** Without one the client is public; PKCE is used in any case. */
  readonly clientSecret?: string
  /** What its button says: "Continue with Example". */
  readonly name: string
  /** Default `openid profile email`. */
  readonly scope?: string
  /** Plain http to the provider, for development and tests on one machine. */
  readonly allowHttp?: boolean
}

export interface Upstream {
  readonly name: string
  /** Where to send the browser. It comes back to `returnTo` (a path of ours) with a ticket for whoever holds `browser`. */
  begin(way: {
    readonly returnTo: string
    readonly browser: string
    readonly tenant?: string
    /** The person is to sign in there again, also when still signed in. Not every provider heeds it. */
    readonly isAgain?: boolean
  }): Promise<string>
  /** The provider's answer at our callback. `undefined` when we sent nobody, or long ago. */
  complete(callback: URL): Promise<{ readonly returnTo: string; readonly ticket?: string } | undefined>
  /** Who signed in; once, and only in the browser that began. */
  redeem(ticket: string, browser: string): Promise<User | undefined>
}

interface Way {
  readonly returnTo: string
  /** A hash of what only the browser that began knows. */
  readonly browser: string
  readonly tenant?: string
}
interface Pending extends Way {
  readonly verifier: string
  readonly nonce: string
}

const pendingMs = 10 * 60_000
const ticketMs = 60_000
/** The provider's metadata name where its tokens and keys are; whatever they name gets no more than this. */
const ask = boundedFetch({ ms: 5_000, maxBytes: 256 * 1024 })
const fetchBounded = (
  url: string,
  { body, ...init }: oauth.CustomFetchOptions<'GET' | 'POST', URLSearchParams | undefined>,
) => ask(url, { ...init, ...(body !== undefined && { body }) })
const metadataMs = 3_600_000

interface UpstreamDeps {
  readonly redirectUri: string
  readonly store: Store
  readonly users: Users
  readonly clock: Clock
  readonly log: Log
}

export function createUpstream(options: UpstreamOptions, deps: UpstreamDeps): Upstream {
  const { clock, log, users, redirectUri } = deps
  const pendings = deps.store.collection<Pending>('oauth-upstream')
  const tickets = deps.store.collection<{ accountId: string; browser: string }>('oauth-upstream-ticket')
  const provider = createRelyingParty(options, redirectUri, clock)

  return {
    name: options.name,
    async begin({ returnTo, browser, tenant, isAgain = false }) {
      const secrets = {
        state: oauth.generateRandomState(),
        nonce: oauth.generateRandomNonce(),
        verifier: oauth.generateRandomCodeVerifier(),
      }
      const url = await provider.authorizationUrl(secrets, isAgain)
      const { state, ...kept } = secrets
      const pending = { returnTo, browser: digest(browser), ...kept, ...(tenant !== undefined && { tenant }) }
      await pendings.put(digest(state), pending, { expiresAt: clock() + pendingMs })
      return url
    },
    async complete(callback) {
      const state = callback.searchParams.get('state') ?? ''
      const pending = (await pendings.take(digest(state)))?.value
      if (pending === undefined) return undefined
      const { returnTo, browser, tenant } = pending
      try {
        const user = await userOf(await provider.claims(callback, { state, ...pending }), users, tenant)
        const ticket = randomBytes(24).toString('base64url')
        const record = { accountId: user.accountId, browser }
        await tickets.put(digest(ticket), record, { group: user.accountId, expiresAt: clock() + ticketMs })
        return { returnTo, ticket }
      } catch (error) {
        log('warn', 'oauth.upstream-refused', { error: reasonOf(error) })
        return { returnTo }
      }
    },
    async redeem(ticket, browser) {
      const found = (await tickets.take(digest(ticket)))?.value
      return found?.browser === digest(browser) ? users.findByAccount(found.accountId) : undefined
    },
  }
}

/** What ties a provider's answer to the request that we sent: none of it is used twice. */
interface Secrets {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** Our side of OpenID Connect with the provider, whose metadata it reads again every hour. */
function createRelyingParty(options: UpstreamOptions, redirectUri: string, clock: Clock) {
  const { clientId, clientSecret } = options
  const client: oauth.Client = { client_id: clientId }
  const authentication = clientSecret === undefined ? oauth.None() : oauth.ClientSecretBasic(clientSecret)
  const http = () => ({
    [oauth.customFetch]: fetchBounded,
    ...(options.allowHttp === true && { [oauth.allowInsecureRequests]: true }),
  })
  let metadata: { readonly server: oauth.AuthorizationServer; readonly until: number } | undefined

  async function discovered(): Promise<oauth.AuthorizationServer> {
    if (metadata !== undefined && metadata.until > clock()) return metadata.server
    const issuer = new URL(options.issuer)
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http()))
    metadata = { server, until: clock() + metadataMs }
    return server
  }

  return {
    async authorizationUrl({ state, nonce, verifier }: Secrets, isAgain: boolean): Promise<string> {
      const server = await discovered()
      if (server.authorization_endpoint === undefined)
        throw new Error('the identity provider has no authorization endpoint')
      const url = new URL(server.authorization_endpoint)
      for (const [name, value] of Object.entries({
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: options.scope ?? 'openid profile email',
        state,
        nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        // As `prompt=login` (OpenID Connect Core section 3.1.2.1), which Google refuses.
        ...(isAgain && { max_age: '0' }),
      })) {
        url.searchParams.set(name, value)
      }
      return url.href
    },
    /** Checks the answer's state and issuer, redeems the code with PKCE, and checks the ID token's signature, nonce and audience. */
    async claims(callback: URL, { state, nonce, verifier }: Secrets): Promise<oauth.IDToken> {
      const server = await discovered()
      const parameters = oauth.validateAuthResponse(server, client, callback, state)
      const reply = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        authentication,
        parameters,
        redirectUri,
        verifier,
        http(),
      )
      const tokens = await oauth.processAuthorizationCodeResponse(server, client, reply, {
        expectedNonce: nonce,
        requireIdToken: true,
      })
      // The token came from the provider itself over TLS; its signature is checked all the same.
      await oauth.validateApplicationLevelSignature(server, reply, http())
      const claims = oauth.getValidatedIdTokenClaims(tokens)
      if (claims === undefined) throw new Error('the identity provider gave no ID token')
      return claims
    },
  }
}

/** Our account of the person that the provider speaks of, made when there is none yet. */
async function userOf(claims: oauth.IDToken, users: Users, tenant: string | undefined): Promise<User> {
  const said = (name: string): string | undefined => {
    const value = claims[name]
    return typeof value === 'string' && value.trim() !== '' ? value : undefined
  }
  const login = said('email') ?? said('preferred_username') ?? claims.sub
  const described = { login, name: said('name') ?? login, ...(tenant !== undefined && { tenant }) }
  const user = await users.ofIdentity({ issuer: claims.iss, subject: claims.sub }, described)
  if (user.tenant !== tenant) throw new Error('this person belongs to another tenant')
  return user
}

function digest(secret: string): string {
  return hash('sha256', secret, 'base64url')
}

/** What the library says; a token in a `cause` is not repeated. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'error' in error ? `${String(error.error)}: ` : ''
  return `${code}${error instanceof Error ? error.message : String(error)}`
}
