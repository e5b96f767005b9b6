/**
 * The cookies of these pages. Where they are reached by https, their names begin with `__Host-` (RFC 6265bis section 4.1.3.2):
 * a browser takes such a cookie from this host alone, over https, for all paths. No other host of the domain can plant one.
 */
import type { Request } from 'express'
import type { Provider } from 'oidc-provider'

/** What a browser knows a cookie by, and how it keeps it. */
export interface CookieKind {
  readonly name: string
  readonly rules: {
    readonly httpOnly: true
    readonly sameSite: 'lax' | 'strict'
    readonly secure: boolean
    readonly path: string
  }
  /** Its value in this request, if it fits `shape`. */
  read(req: Request, shape?: RegExp): string | undefined
}

/** A cookie for the pages at `path` below the issuer; with its prefix it is sent to all of them. */
export function cookieKind(
  issuer: string,
  plainName: string,
  path = '',
  sameSite: 'lax' | 'strict' = 'lax',
): CookieKind {
  const { isSecure, prefix } = placeOf(issuer)
  const name = `${prefix}${plainName}`
  const below = `${new URL(issuer).pathname.replace(/\/$/, '')}${path}`
  return {
    name,
    rules: { httpOnly: true, sameSite, secure: isSecure, path: isSecure || below === '' ? '/' : below },
    read(req, shape = /^[\w-]{32}$/) {
      const found = (req.headers.cookie ?? '').split('; ').find((pair) => pair.startsWith(`${name}=`))
      const value = found?.slice(name.length + 1)
      return value !== undefined && shape.test(value) ? value : undefined
    },
  }
}

/** The names of the provider's own cookies. */
export function providerCookies(issuer: string) {
  const { prefix } = placeOf(issuer)
  return {
    session: `${prefix}transom_session`,
    interaction: `${prefix}transom_interaction`,
    resume: `${prefix}transom_resume`,
  }
}

/**
 * Two of the provider's cookies are told apart by their paths alone, one pair for each request that is under way in a
 * browser. With the prefix there is one path for all, so the request's id becomes a part of the name.
 */
export function nameCookiesByRequest(provider: Provider, issuer: string): void {
  if (!placeOf(issuer).isSecure) return
  const { interaction, resume } = providerCookies(issuer)
  const nameAt = (name: string, path: string): string =>
    name === interaction || name === resume ? `${name}-${requestId.exec(path)?.[1] ?? ''}` : name
  const createContext = provider.createContext.bind(provider)
  provider.createContext = (req, res) => {
    const ctx = createContext(req, res)
    const { cookies } = ctx
    const get = cookies.get.bind(cookies)
    const set = cookies.set.bind(cookies)
    // Koa knows only what the routers before it have left of the path.
    const path = 'originalUrl' in req ? String(req.originalUrl) : ctx.originalUrl
    cookies.get = (name, options) => get(nameAt(name, path), options)
    cookies.set = (name, value, options) => {
      const own = nameAt(name, options?.path ?? '')
      set(own, value, own === name ? options : { ...options, path: '/' })
      return cookies
    }
    return ctx
  }
}

/** In `/interaction/<id>/login`, `/auth/<id>`. */
const requestId = /\/(?:interaction|auth)\/([\w-]+)/

function placeOf(issuer: string): { readonly isSecure: boolean; readonly prefix: '' | '__Host-' } {
  const isSecure = new URL(issuer).protocol === 'https:'
  return { isSecure, prefix: isSecure ? '__Host-' : '' }
}
