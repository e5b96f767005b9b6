/** Account linking: an OAuth 2.0 authorization server for Alexa and Google, as one Express handler. */
import { hash } from 'node:crypto'
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express'
import type { JWK } from 'jose'
import { errors, type Provider } from 'oidc-provider'
import type { AccountId, Clock, Log, Store, VerifyToken } from '../ports.ts'
import { createAdapterFactory, grantsOf } from './adapter.ts'
import { createAttempts } from './attempts.ts'
import { checkClients, type OAuthClient } from './client.ts'
import { createInteraction } from './interaction.ts'
import { type Brand, createPages, type Pages } from './pages.ts'
import { createProvider, defaultScope } from './provider.ts'
import { securityHeaders } from './style.ts'
import { createTokenVerifier } from './tokens.ts'
import { createUsers, type Users } from './users.ts'

export interface OAuthOptions {
  /** The public URL that the handler is mounted at, without a slash at its end: `https://bridge.example/oauth`. */
  readonly issuer: string
  readonly store: Store
  readonly clients: readonly OAuthClient[]
  /** Private keys on P-256; the first signs, all of them verify. */
  readonly signingKeys: readonly JWK[]
  /** Secrets that sign cookies and forms; the first signs, all of them are accepted for cookies. */
  readonly cookieKeys: readonly string[]
  readonly clock: Clock
  readonly log: Log
  /** True when exactly one trusted proxy stands in front; its X-Forwarded-For then names the visitor. */
  readonly behindProxy?: boolean
  readonly brand?: Brand
}

export interface OAuth {
  /** Mounted at the issuer's path: `app.use('/oauth', oauth.handler)`. Answers whatever comes below it. */
  readonly handler: RequestHandler
  readonly verifyToken: VerifyToken
  readonly users: Users
  /** Ends every link of this account with this client; its tokens stop within a minute, here at once. */
  unlink(accountId: AccountId, clientId: string): Promise<void>
}

/**
 * Links never expire, and nobody tells us when one is made anew. So many of one account at one assistant may live side by
 * side, a household's and those of a link that was just renewed; beyond that the oldest ends.
 */
const mostLinks = 10

/** Throws when the options could not make a safe server (client, key, or issuer). */
export function createOAuth(options: OAuthOptions): OAuth {
  const { issuer, store, clock, log, cookieKeys } = options
  checkClients(options.clients)
  const [csrfKey] = cookieKeys
  if (csrfKey === undefined) throw new Error('account linking needs a cookie key')
  if (issuer.endsWith('/')) throw new Error('the issuer must not end in a slash')

  const audience = new URL(issuer).origin
  const signingKeys = options.signingKeys.map(withKeyId)
  const pages = createPages(options.brand ?? { name: 'Transom' })
  const users = createUsers(store, clock)
  const provider = createProvider({ ...options, audience, signingKeys, users, pages, onLinked: endSurplus })
  const rules = { issuer, audience, keys: signingKeys.map(publicPart) }
  const tokens = createTokenVerifier(provider, rules, clock)
  provider.on('grant.revoked', (_ctx, grantId) => tokens.forget(grantId))

  const attempts = createAttempts(clock)
  const interaction = createInteraction({ provider, users, attempts, pages, csrfKey, log })
  const adapterOf = createAdapterFactory(store, clock)
  return {
    handler: mount({ issuer, provider, interaction, pages, log, behindProxy: options.behindProxy ?? false }),
    verifyToken: tokens.verify,
    users,
    unlink: async (accountId, clientId) => endGrants(accountId, clientId, await grantsOf(store, accountId, clientId)),
  }

  async function endGrants(accountId: string, clientId: string, grantIds: readonly string[]): Promise<void> {
    for (const grantId of grantIds) {
      // The grant goes first: without it no token of it is worth anything, should a later step fail.
      await adapterOf('Grant').destroy(grantId)
      tokens.forget(grantId)
      await Promise.all(
        ['RefreshToken', 'AccessToken', 'AuthorizationCode'].map((kind) => adapterOf(kind).revokeByGrantId(grantId)),
      )
      log('info', 'oauth.unlinked', { accountId, clientId, grantId })
    }
  }

  async function endSurplus({
    accountId,
    clientId,
    grantId,
  }: {
    accountId: string
    clientId: string
    grantId: string
  }): Promise<void> {
    try {
      const others = (await grantsOf(store, accountId, clientId)).filter((id) => id !== grantId)
      await endGrants(accountId, clientId, others.slice(mostLinks - 1))
    } catch (error) {
      log('error', 'oauth.surplus-links-kept', { accountId, clientId, error })
    }
  }
}

interface Mounted {
  readonly issuer: string
  readonly provider: Provider
  readonly interaction: RequestHandler
  readonly pages: Pages
  readonly log: Log
  readonly behindProxy: boolean
}

function mount({ issuer, provider, interaction, pages, log, behindProxy }: Mounted): RequestHandler {
  const { protocol, host } = new URL(issuer)
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('trust proxy', behindProxy ? 1 : false)
  app.use((req, res, next) => {
    // The issuer says how the world reaches us; a Host header or a forgetful proxy does not get to bend our links.
    req.headers['x-forwarded-proto'] = protocol.slice(0, -1)
    req.headers['x-forwarded-host'] = host
    res.set(securityHeaders)
    next()
  })
  app.get('/auth', (req, _res, next) => {
    req.url = withDefaultScope(req.url)
    next()
  })
  app.use('/interaction', interaction)
  app.use(provider.callback())

  // Express knows an error handler by its four parameters.
  app.use((error: unknown, req: Request, res: Response, _next: NextFunction) => {
    if (res.headersSent) {
      res.destroy()
      return
    }
    const status = statusOf(error)
    if (status < 500) log('warn', 'oauth.refused', { path: req.path, status, reason: String(error) })
    else log('error', 'oauth.outage', { path: req.path, error: error instanceof Error ? error.stack : String(error) })
    if (status >= 500) res.set('retry-after', '5')
    res.status(status).send(status < 500 ? pages.expired() : pages.outage())
  })
  return app
}

/** 4xx only for what the visitor sent (a stale page, a body too large); everything else is ours and passes. */
function statusOf(error: unknown): number {
  if (error instanceof errors.SessionNotFound) return 400
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500
  return status >= 400 && status < 500 ? status : 503
}

/**
 * RFC 6749 section 3.3 lets the server choose when the client names no scope; oidc-provider would deny access instead.
 * Works on the raw text, so that `state` comes back as it was sent.
 */
function withDefaultScope(url: string): string {
  const [path = '', query = ''] = url.split(/\?(.*)/s)
  const parameters = query.split('&').filter((part) => part !== '' && part !== 'scope' && part !== 'scope=')
  const isNamed = parameters.some((part) => part.startsWith('scope='))
  return `${path}?${[...parameters, ...(isNamed ? [] : [`scope=${defaultScope}`])].join('&')}`
}

/** The key with its RFC 7638 thumbprint as id, so that every process names it alike. Throws on any other kind of key. */
function withKeyId(key: JWK): JWK & { kid: string } {
  const { crv, kty, x, y, d } = key
  if (kty !== 'EC' || crv !== 'P-256' || !x || !y || !d) throw new Error('signing keys must be private P-256 keys')
  return { crv, kty, x, y, d, kid: hash('sha256', JSON.stringify({ crv, kty, x, y }), 'base64url') }
}

function publicPart({ d: _d, ...key }: JWK & { kid: string }): JWK {
  return { ...key, alg: 'ES256' }
}
