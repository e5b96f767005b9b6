/** Account linking as a person and an assistant do it, request by request through API Gateway's events. */
import { formsOf, type Page } from '../../src/simulator/browser.ts'
import { clients, publicUrl, type Reply } from '../../test/fleet/fleet.ts'
import { password, type Home, type Service } from './home.ts'

type Assistant = 'alexa' | 'google'

interface Sent {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query?: string
  readonly form?: Readonly<Record<string, string>>
  readonly cookies?: readonly string[]
}

/** From the assistant's app to its first tokens: resolves with the refresh token. */
export async function link(service: Service, home: Home, assistant: Assistant): Promise<string> {
  const client = clients.find((each) => each.assistant === assistant)!
  const redirectUri = client.redirectUris[0]
  const query = {
    client_id: client.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'camera',
    state: 'state',
  }
  const end = await walk(service, home, `${publicUrl}/oauth/auth?${new URLSearchParams(query).toString()}`, redirectUri)
  const code = end.searchParams.get('code') ?? ''
  return tokens(service, home, assistant, { grant_type: 'authorization_code', code, redirect_uri: redirectUri })
}

/** As an assistant does when an access token is over; resolves with the refresh token to use next. */
export const refresh = async (service: Service, home: Home, assistant: Assistant, token: string): Promise<string> =>
  tokens(service, home, assistant, { grant_type: 'refresh_token', refresh_token: token })

async function tokens(service: Service, home: Home, assistant: Assistant, grant: Readonly<Record<string, string>>) {
  const { clientId, clientSecret } = clients.find((each) => each.assistant === assistant)!
  const form = { ...grant, client_id: clientId, client_secret: clientSecret }
  const reply = await send(service, home, { method: 'POST', path: '/oauth/token', form })
  const token = /"refresh_token":"([^"]+)"/.exec(bodyOf(reply))?.[1] ?? grant['refresh_token']
  if (reply.statusCode !== 200 || token === undefined) throw new Error(`no tokens: ${bodyOf(reply).slice(-300)}`)
  return token
}

/** Through the pages, up to the redirect back to the assistant. */
async function walk(service: Service, home: Home, from: string, until: string): Promise<URL> {
  const jar = new Map<string, string>()
  let next: Sent & { readonly url: URL } = sentTo(from)
  for (let hops = 0; hops < 20; hops += 1) {
    const cookies = [...jar].map(([name, value]) => `${name}=${value}`)
    const reply = await send(service, home, { ...next, cookies })
    for (const line of reply.cookies ?? []) keep(jar, line)
    const location = reply.headers?.['location']
    if (location === undefined) next = submitted({ url: next.url.href, html: bodyOf(reply) }, home)
    else if (location.startsWith(until)) return new URL(location)
    else next = sentTo(new URL(location, next.url).href)
  }
  throw new Error(`the pages do not lead back to ${until}`)
}

function sentTo(address: string) {
  const url = new URL(address)
  return { method: 'GET', path: url.pathname, query: url.search.slice(1), url } as const
}

/** The form of the page, filled in. */
function submitted(page: Page, home: Home) {
  const forms = formsOf(page)
  const form = forms.find(({ fields }) => fields.some(({ meaning }) => meaning === 'password')) ?? forms[0]
  if (form === undefined) throw new Error(`no form at ${page.url}: ${page.html.slice(0, 200)}`)
  const meant = { login: home.login, password }
  const filled = form.fields.map(({ name, value, meaning }) => [name, meaning === 'other' ? value : meant[meaning]])
  const url = new URL(form.action)
  return {
    method: 'POST',
    path: url.pathname,
    query: url.search.slice(1),
    form: Object.fromEntries(filled),
    url,
  } as const
}

function keep(jar: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';')
  const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
  const expires = attributes.find((each) => /^\s*expires=/i.test(each))?.split('=')[1]
  if (expires !== undefined && Date.parse(expires) <= Date.now()) jar.delete(name)
  else jar.set(name, value)
}

const bodyOf = ({ body = '', isBase64Encoded }: Reply): string =>
  isBase64Encoded === true ? Buffer.from(body, 'base64').toString() : body

async function send(service: Service, home: Home, { method, path, query = '', form, cookies }: Sent): Promise<Reply> {
  return service.invoke('http', {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    ...(cookies !== undefined && cookies.length > 0 && { cookies }),
    headers: {
      host: new URL(publicUrl).host,
      accept: 'text/html',
      ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      // A browser posts from our page, an assistant from nowhere.
      ...(form !== undefined && cookies !== undefined && { origin: publicUrl }),
    },
    requestContext: { http: { method, path, sourceIp: home.address, protocol: 'HTTP/1.1' } },
    ...(form !== undefined && { body: new URLSearchParams(form).toString() }),
    isBase64Encoded: false,
  })
}
