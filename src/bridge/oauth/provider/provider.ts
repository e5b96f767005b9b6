/** Sets up oidc-provider for clients such as Alexa and Google, and says in the log what it did. */
import type { EventEmitter } from 'node:events'
import { Provider, type errors, type KoaContextWithOIDC } from 'oidc-provider'
import { accessScope, accountId, type Clock, type Log, type Store } from 'transom-core/ports'
import { createAdapterFactory } from './adapter.ts'
import { nameCookiesByRequest } from '../cookies.ts'
import { isSecretOf, type Clients, type Registration } from './clients.ts'
import { configuration, hour, isConsole, opaqueTokens, type ConfigurationSetup } from './configuration.ts'
import type { Ended } from './ended.ts'
import { linkLifetime, signedInLifetime } from './lifetimes.ts'
import type { Link } from './links.ts'
import type { Sessions } from './sessions.ts'
import { routeOf } from '../request.ts'
import { addStreamlinedLinking, type StreamlinedOptions } from './streamlined.ts'

export interface ProviderSetup extends ConfigurationSetup {
  /** Called when a link has been made, before the client hears of it. Never rejects. */
  readonly onLinked: (link: Link) => Promise<void>
  /** Called when new tokens were given for a link. */
  readonly onRefreshed: (grantId: string) => void
  /** Called when the provider itself ended a link: the client revoked it, or a code or token was used twice. Never rejects. */
  readonly onRevoked: (link: Link, why: 'revoked' | 'reused') => Promise<void>
  /** Keeps in which browsers who is signed in, and what our own page was given by it. */
  readonly sessions: Pick<Sessions, 'note' | 'noteGrant'>
  readonly clients: Clients
  readonly store: Store
  readonly ended: Pick<Ended, 'noteLink'>
  readonly clock: Clock
  readonly log: Log
  readonly streamlined: StreamlinedOptions | undefined
}

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
  provider.use(showLost(setup))
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
      ctx.body = pages(ctx).outage()
    }
    if (ctx.status < 500) return
    ctx.status = 503
    ctx.set('retry-after', '5')
    if (ctx.path.startsWith('/token') || !ctx.response.is('html')) {
      ctx.body = { error: 'temporarily_unavailable', error_description: 'please try again later' }
    }
  }
}

/** Whoever asks for HTML is a person, and gets a page with ways on. */
function showLost({ pages }: ProviderSetup): Middleware {
  return async (ctx, next) => {
    await next()
    if (ctx.status !== 404 || ctx.body !== undefined || ctx.accepts(['json', 'html']) !== 'html') return
    ctx.type = 'html'
    ctx.body = pages(ctx).lost()
    // Koa takes a body for a success.
    ctx.status = 404
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

/** How a client that asks without showing anything (`prompt=none`) learns that somebody must be shown something (OpenID Connect Core 3.1.2.6). */
const silentNos: ReadonlySet<string> = new Set([
  'login_required',
  'consent_required',
  'interaction_required',
  'account_selection_required',
])
const isSilentNo = ({ oidc }: KoaContextWithOIDC, { error }: errors.OIDCProviderError): boolean =>
  silentNos.has(error) && oidc.params?.['prompt'] === 'none'

function logEvents(provider: Provider, log: Log): void {
  const refused = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) => {
    const clientId = ctx.oidc.client?.clientId
    if (isSilentNo(ctx, error)) return log('info', 'oauth.not-signed-in', { clientId, code: error.error })
    log('warn', 'oauth.refused', {
      route: ctx.oidc.route,
      clientId,
      code: error.error,
      error: error.error_detail ?? error.error_description,
    })
  }
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
