/** As much of a web browser as account linking needs: cookies, redirects followed by hand, and forms that are filled in and sent. */

import { CallError } from './causes.ts'
import { send } from './http.ts'

export interface Page {
  readonly url: string
  readonly html: string
}

/** Where a visit ended: on a page, or on a redirect that the caller wanted to see and that was not followed. */
export type Visit = { readonly kind: 'page'; readonly page: Page } | { readonly kind: 'left'; readonly url: string }

export interface Form {
  readonly action: string
  readonly method: 'GET' | 'POST'
  readonly fields: readonly Field[]
}

export interface Field {
  readonly name: string
  readonly value: string
  readonly meaning: 'login' | 'password' | 'other'
}

export interface Browser {
  open(url: string): Promise<Visit>
  submit(page: Page, form: Form): Promise<Visit>
}

const MAX_REDIRECTS = 15

/** A browser with an empty cookie jar. It stops in front of a redirect to an address for which `isExit` is true. */
export function createBrowser(isExit: (url: string) => boolean, signal: AbortSignal): Browser {
  const jar = createCookieJar()

  async function visit(url: string, body?: string, from?: Page): Promise<Visit> {
    let next = url
    let payload = body
    for (let hop = 0; hop < MAX_REDIRECTS; hop += 1) {
      const headers: Record<string, string> = { accept: 'text/html', ...cookieHeader(jar.header(next)) }
      if (payload !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
      if (from !== undefined) Object.assign(headers, { origin: new URL(from.url).origin, referer: from.url })
      const request = payload === undefined ? { headers } : { method: 'POST', headers, body: payload }
      const reply = await send(next, request, signal)
      jar.store(next, reply.headers.getSetCookie())
      const location = reply.headers.get('location')
      if (reply.status < 300 || reply.status > 399 || location === null) {
        if (reply.status !== 200) throw refusedPage(next, reply.status, reply.body)
        return { kind: 'page', page: { url: next, html: reply.body } }
      }
      // 307 and 308 repeat the request with its body; the others turn into a GET (RFC 9110 section 15.4).
      if (reply.status !== 307 && reply.status !== 308) payload = undefined
      next = new URL(location, next).href
      if (isExit(next)) return { kind: 'left', url: next }
    }
    throw new CallError('link_failed', `more than ${MAX_REDIRECTS} redirects from ${url}`)
  }

  return {
    open: (url) => visit(url),
    submit(page, form) {
      const body = new URLSearchParams(form.fields.map(({ name, value }): [string, string] => [name, value])).toString()
      if (form.method === 'POST') return visit(form.action, body, page)
      const url = new URL(form.action)
      url.search = body
      return visit(url.href)
    },
  }
}

/** The forms of a page, each as if its first button that agrees had been pressed. Forms that can only say no are left out. */
export function formsOf(page: Page): readonly Form[] {
  return [...page.html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)].flatMap(([, tag = '', inner = '']) => {
    const attributes = attributesOf(tag)
    const button = buttonsOf(inner).find(
      ({ says }) =>
        !/cancel|deny|decline|reject|abort|refuse|sign.?out|log.?out|switch|different account|not now/i.test(says),
    )
    if (button === undefined) return []
    const fields = [...inner.matchAll(/<input\b([^>]*)>/gi)].flatMap(([, input = '']) => fieldOf(attributesOf(input)))
    if (button.name !== undefined) fields.push({ name: button.name, value: button.value, meaning: 'other' })
    return [
      {
        action: new URL(button.action ?? attributes.get('action') ?? '', page.url).href,
        method: attributes.get('method')?.toUpperCase() === 'POST' ? 'POST' : 'GET',
        fields,
      } as const,
    ]
  })
}

function buttonsOf(html: string) {
  const buttons = [...html.matchAll(/<button\b([^>]*)>(.*?)<\/button>|<input\b([^>]*)>/gis)]
  return buttons.flatMap(([, tag, text = '', input]) => {
    const attributes = attributesOf(tag ?? input ?? '')
    const type = attributes.get('type')?.toLowerCase() ?? (tag === undefined ? 'text' : 'submit')
    if (type !== 'submit') return []
    const name = attributes.get('name')
    const value = attributes.get('value') ?? ''
    return [
      {
        name,
        value,
        action: attributes.get('formaction'),
        says: `${name ?? ''} ${value} ${text.replace(/<[^>]*>/g, ' ')}`,
      },
    ]
  })
}

function fieldOf(attributes: ReadonlyMap<string, string>): Field[] {
  const name = attributes.get('name')
  const type = attributes.get('type')?.toLowerCase() ?? 'text'
  if (name === undefined || ['submit', 'button', 'image', 'reset', 'file'].includes(type)) return []
  // A person ticks what must be ticked, and leaves the rest as it is.
  const ticked = attributes.has('checked') || attributes.has('required')
  if ((type === 'checkbox' || type === 'radio') && !ticked) return []
  const value = attributes.get('value') ?? (type === 'checkbox' ? 'on' : '')
  if (type === 'password') return [{ name, value, meaning: 'password' }]
  const isLogin = /\b(username|email)\b/i.test(attributes.get('autocomplete') ?? '') || type === 'email'
  return [{ name, value, meaning: isLogin ? 'login' : 'other' }]
}

function attributesOf(tag: string): ReadonlyMap<string, string> {
  const pairs = [...tag.matchAll(/([^\s=/>"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?/g)]
  return new Map(
    pairs.map(([, name = '', double, single, bare]) => [name.toLowerCase(), plain(double ?? single ?? bare ?? '')]),
  )
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

function plain(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return entities[name] ?? whole
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
  })
}

function refusedPage(url: string, status: number, html: string): CallError {
  // What a page wants to say first is in its alert (WAI-ARIA role of that name).
  const [, alert = html] = /<\w+\b[^>]*\brole="alert"[^>]*>(.*?)<\//is.exec(html) ?? []
  const text = plain(alert.replace(/<(style|script|title)\b.*?<\/\1>|<[^>]*>/gis, ' ')).replace(/\s+/g, ' ')
  const { origin, pathname } = new URL(url)
  return new CallError('link_failed', `${origin}${pathname} answered ${status}: ${text.trim().slice(0, 160)}`)
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly host: string
  readonly path: string
  readonly secure: boolean
}

/** Host-only cookies with paths and deletion (RFC 6265), kept as long as the browser. */
function createCookieJar() {
  let cookies: readonly Cookie[] = []
  return {
    store(url: string, lines: readonly string[]): void {
      const { hostname, pathname } = new URL(url)
      for (const line of lines) {
        const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
        const attributes = new Map(
          rest.map((part) => [part.split('=')[0]?.toLowerCase() ?? '', part.split('=').slice(1).join('=')]),
        )
        const split = pair.indexOf('=')
        const given = attributes.get('path') ?? ''
        const path = given.startsWith('/') ? given : pathname.slice(0, Math.max(1, pathname.lastIndexOf('/')))
        const name = pair.slice(0, split)
        cookies = cookies.filter((cookie) => cookie.name !== name || cookie.host !== hostname || cookie.path !== path)
        const gone =
          Number(attributes.get('max-age') ?? 1) <= 0 || Date.parse(attributes.get('expires') ?? '') <= Date.now()
        if (!gone)
          cookies = [
            ...cookies,
            { name, value: pair.slice(split + 1), host: hostname, path, secure: attributes.has('secure') },
          ]
      }
    },
    header(url: string): string | undefined {
      const { hostname, pathname, protocol } = new URL(url)
      const trusted = protocol === 'https:' || isLoopback(hostname)
      const fitting = cookies.filter(({ host, path, secure }) => {
        const below = pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
        return host === hostname && below && (trusted || !secure)
      })
      return fitting.length === 0 ? undefined : fitting.map(({ name, value }) => `${name}=${value}`).join('; ')
    },
  }
}

const cookieHeader = (cookie: string | undefined): Record<string, string> => (cookie === undefined ? {} : { cookie })

/** True for a host that only this machine can be: browsers trust it without TLS. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || hostname.startsWith('127.')
  )
}
