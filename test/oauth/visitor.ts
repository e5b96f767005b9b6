/** A person's browser, as far as the pages need one: cookies with paths, redirects step by step, forms. */
import { ada, type House } from './house.ts'
import type { OAuthClient } from '../../src/bridge/oauth/client.ts'

export interface Answer {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export interface Form {
  readonly action: string
  readonly fields: Record<string, string>
}

export interface Visitor {
  readonly cookies: readonly { name: string; value: string; path: string; line: string }[]
  /** Follows redirects as long as they stay with the server; a redirect that leaves is the answer. */
  get(url: string, headers?: Record<string, string>): Promise<Answer>
  post(url: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Answer>
}

/** `brought`: cookies that the browser has from elsewhere. */
export function createVisitor(brought: Visitor['cookies'] = []): Visitor {
  let cookies = [...brought]

  const send = async (url: string, headers: Record<string, string>, post?: Record<string, string>): Promise<Answer> => {
    const { pathname, origin } = new URL(url)
    const fitting = cookies.filter(({ path }) => pathname === path || pathname.startsWith(`${path}/`) || path === '/')
    const cookie = fitting.map(({ name, value }) => `${name}=${value}`).join('; ')
    const request = post === undefined ? {} : { method: 'POST', body: new URLSearchParams(post) }
    const response = await fetch(url, {
      ...request,
      redirect: 'manual',
      headers: { accept: 'text/html', ...headers, cookie },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      const path = /; ?path=([^;]*)/i.exec(line)?.[1] ?? '/'
      cookies = cookies.filter((kept) => kept.name !== name || kept.path !== path)
      if (!/expires=Thu, 01 Jan 1970/i.test(line)) cookies.push({ name, value, path, line })
    }
    const text = await response.text()
    const location = response.headers.get('location')
    const next = location === null ? undefined : new URL(location, url)
    if (next?.origin === origin) return send(next.href, {})
    return { url, status: response.status, headers: response.headers, text }
  }

  return {
    get cookies() {
      return cookies
    },
    get: (url, headers = {}) => send(url, headers),
    post: (url, fields, headers = {}) => send(url, headers, fields),
  }
}

export function authorizationUrl(
  house: Pick<House, 'issuer'>,
  client: OAuthClient,
  more: Record<string, string> = {},
): string {
  const query = new URLSearchParams({
    client_id: client.clientId,
    response_type: 'code',
    state: 'opaque-state',
    redirect_uri: client.redirectUris[0] ?? '',
    ...more,
  })
  return `${house.issuer}/auth?${query.toString()}`
}

/** The forms of a page with their fields as the page fills them in. */
export function formsOf(answer: Answer): readonly Form[] {
  return [...answer.text.matchAll(/<form method="post" action="([^"]+)">([\s\S]*?)<\/form>/g)].map(
    ([, action = '', inner = '']) => ({
      action: new URL(action, answer.url).href,
      fields: Object.fromEntries(
        [...inner.matchAll(/<input([^>]*)>/g)].map(([, tag = '']) => [
          /name="([^"]*)"/.exec(tag)?.[1] ?? '',
          /value="([^"]*)"/.exec(tag)?.[1] ?? '',
        ]),
      ),
    }),
  )
}

export function formOf(answer: Answer, ending: string): Form {
  const form = formsOf(answer).find(({ action }) => new URL(action).pathname.endsWith(ending))
  if (form === undefined) throw new Error(`no form ${ending} on: ${answer.status} ${answer.text.slice(-600)}`)
  return form
}

export async function signIn(visitor: Visitor, page: Answer, as = ada): Promise<Answer> {
  const form = formOf(page, '/login')
  return visitor.post(form.action, { ...form.fields, login: as.login, password: as.password })
}

export async function agree(visitor: Visitor, page: Answer): Promise<Answer> {
  const form = formOf(page, '/agree')
  return visitor.post(form.action, form.fields)
}

/** Signs in and agrees; where the server sends the browser then. */
export async function authorize(
  house: Pick<House, 'issuer'>,
  client: OAuthClient,
  more: Record<string, string> = {},
): Promise<URL> {
  const visitor = createVisitor()
  const consent = await signIn(visitor, await visitor.get(authorizationUrl(house, client, more)))
  const done = await agree(visitor, consent)
  return new URL(done.headers.get('location') ?? 'about:blank')
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly scope: string
}

export interface TokenAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Partial<Tokens> & { error?: string }
}

/** A token request as the client's cloud sends it: Alexa with HTTP Basic, Google with the secret in the body. */
export async function requestTokens(
  house: Pick<House, 'issuer'>,
  client: OAuthClient,
  fields: Record<string, string>,
  path = '/token',
): Promise<TokenAnswer> {
  const { clientId, clientSecret, assistant } = client
  const isBasic = assistant === 'alexa'
  const body = new URLSearchParams({
    ...fields,
    ...(isBasic ? {} : { client_id: clientId, client_secret: clientSecret }),
  })
  const headers: Record<string, string> = isBasic
    ? { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` }
    : {}
  const response = await fetch(`${house.issuer}${path}`, { method: 'POST', body, headers })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
}

export function codeFields(code: string | null, redirectUri: string): Record<string, string> {
  return { grant_type: 'authorization_code', code: code ?? '', redirect_uri: redirectUri }
}

export function refresh(house: Pick<House, 'issuer'>, client: OAuthClient, token: string): Promise<TokenAnswer> {
  return requestTokens(house, client, { grant_type: 'refresh_token', refresh_token: token })
}

/** Links from the first page to the tokens. */
export async function link(house: Pick<House, 'issuer'>, client: OAuthClient): Promise<Tokens> {
  const back = await authorize(house, client)
  const answer = await requestTokens(
    house,
    client,
    codeFields(back.searchParams.get('code'), client.redirectUris[0] ?? ''),
  )
  const { access_token, refresh_token, token_type, expires_in, scope } = answer.body
  if (!access_token || !refresh_token || !token_type || !expires_in) throw new Error(JSON.stringify(answer.body))
  return { access_token, refresh_token, token_type, expires_in, scope: scope ?? '' }
}
