/** One ONVIF device over HTTP: SOAP 1.2 requests with its user's password, by WS-UsernameToken and, where it asks, HTTP Digest. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { SourceError } from '../media.ts'
import { answerChallenges, isStale, whyUnmet, type Authorize, type Login } from '../rtsp/authorization.ts'
import type { Trust } from '../trust.ts'
import { askCamera, type HttpInit, type HttpReply } from './http.ts'
import { escapeXml, find, parseXml, textAt, type Element } from './xml.ts'

const replyMs = 8_000
/** Profiles of a recorder with many channels. */
const maxBytes = 4 * 1_024 * 1_024

export interface SoapRequest {
  /** Where: absolute. */
  readonly url: string
  /** `http://www.onvif.org/ver10/device/wsdl/GetServices`, … */
  readonly action: string
  /** The content of the body, with its own namespaces. */
  readonly body: string
  /** Further headers: those of WS-Addressing. */
  readonly headers?: string
  /** It is asked without the password first: by ONVIF Core section 5.9.4.2 everybody may. */
  readonly isOpen?: boolean
  /** How long the answer may take, milliseconds; default 8,000. */
  readonly ms?: number
}

export interface Soap {
  /** Scheme, host and port: safe to show. */
  readonly label: string
  /** Sends a request and returns the first element of the answer's body. Throws `SourceError`. */
  call(request: SoapRequest, signal: AbortSignal): Promise<Element>
  /** Gets something else of the device, such as a still picture, by HTTP. Throws `SourceError`. */
  get(url: string, signal: AbortSignal): Promise<Buffer>
  /** How much the device's clock is ahead of ours, milliseconds. */
  setSkew(ms: number): void
  /** What the device's clock says now, epoch milliseconds. */
  now(): number
}

const wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
const wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'
const profile = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0'
const encoding = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary'

/**
 * `origin`: `http://host:port` or `https://host:port`. Nothing is sent to another machine, and no redirect is followed; `trust`
 * says where the machine may be, and which certificate it may show.
 */
export function createSoap(origin: string, login: Login | undefined, trust: Trust): Soap {
  let skewMs = 0
  let authorize: Authorize | undefined
  /** Why its HTTP challenge could not be met. */
  let unmet: string | undefined

  /** WSS UsernameToken Profile 1.0 section 3.1: the digest is of nonce, time and password. */
  function security({ user, password }: Login): string {
    const nonce = randomBytes(16)
    const created = new Date(Date.now() + skewMs).toISOString()
    const digest = createHash('sha1').update(nonce).update(created).update(password).digest('base64')
    return (
      `<wsse:Security s:mustUnderstand="true" xmlns:wsse="${wsse}" xmlns:wsu="${wsu}"><wsse:UsernameToken>` +
      `<wsse:Username>${escapeXml(user)}</wsse:Username>` +
      `<wsse:Password Type="${profile}#PasswordDigest">${digest}</wsse:Password>` +
      `<wsse:Nonce EncodingType="${encoding}">${nonce.toString('base64')}</wsse:Nonce>` +
      `<wsu:Created>${created}</wsu:Created></wsse:UsernameToken></wsse:Security>`
    )
  }

  async function send(url: string, init: HttpInit, ms: number, signal: AbortSignal): Promise<HttpReply> {
    if (new URL(url).origin !== origin && new URL(url).hostname !== new URL(origin).hostname)
      throw new SourceError('source_garbled', `${origin} names an address on another machine`)
    const ask = async () => {
      const { pathname, search } = new URL(url)
      const credentials = authorize && { authorization: authorize(init.method, pathname + search) }
      const headers = { ...init.headers, ...credentials }
      const reply = await askCamera(url, { ...init, headers }, { ms, maxBytes, trust }, signal)
      if (reply.status >= 300 && reply.status < 400)
        throw new SourceError('source_garbled', `${origin} redirects, which is not followed`)
      return reply
    }
    const hadAuthorize = authorize !== undefined
    const reply = await ask()
    const challenges = reply.headers['www-authenticate']
    if (reply.status !== 401 || challenges === undefined || !login) return reply
    if (hadAuthorize && !isStale([challenges])) return reply
    authorize = answerChallenges([challenges], login)
    if (!authorize) unmet = whyUnmet([challenges])
    return authorize ? ask() : reply
  }

  async function ask(request: SoapRequest, withLogin: Login | undefined, signal: AbortSignal): Promise<HttpReply> {
    const { url, action, body, headers = '', ms = replyMs } = request
    const envelope =
      '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" ' +
      'xmlns:a="http://www.w3.org/2005/08/addressing" xmlns:tt="http://www.onvif.org/ver10/schema">' +
      `<s:Header>${withLogin ? security(withLogin) : ''}${headers}</s:Header><s:Body>${body}</s:Body></s:Envelope>`
    const contentType = `application/soap+xml; charset=utf-8; action="${action}"`
    const init: HttpInit = { method: 'POST', headers: { 'content-type': contentType }, body: envelope }
    return send(url, init, ms, signal)
  }

  return {
    label: origin,
    setSkew: (ms) => (skewMs = ms),
    now: () => Date.now() + skewMs,
    async call(request, signal) {
      let reply = await ask(request, request.isOpen === true ? undefined : login, signal)
      if (request.isOpen === true && login && isRefusal(reply.status, textOf(reply)))
        reply = await ask(request, login, signal)
      if (isRefusal(reply.status, textOf(reply))) throw refused(origin, login !== undefined, unmet)
      return readAnswer(reply.status, textOf(reply), origin)
    },
    async get(url, signal) {
      const { status, body } = await send(url, { method: 'GET' }, replyMs, signal)
      if (status === 401 || status === 403) throw refused(origin, login !== undefined, unmet)
      if (status !== 200) throw new SourceError('source_garbled', `${origin} answers ${status} for a still picture`)
      return body
    },
  }
}

/** The WS-Addressing headers of a request to an endpoint that the device named (WS-Addressing 1.0 core, section 3.3). */
export function addressing(action: string, to: string, parameters = ''): string {
  return (
    `<a:Action s:mustUnderstand="1">${action}</a:Action><a:MessageID>urn:uuid:${randomUUID()}</a:MessageID>` +
    `<a:To s:mustUnderstand="1">${escapeXml(to)}</a:To>${parameters}`
  )
}

const textOf = ({ body }: HttpReply): string => new TextDecoder().decode(body)

const isRefusal = (status: number, text: string): boolean =>
  status === 401 || /NotAuthorized|FailedAuthentication/.test(text)

const refused = (label: string, hasLogin: boolean, unmet?: string): SourceError =>
  new SourceError(
    'source_password',
    `${label} ${unmet ?? (hasLogin ? 'refuses the user name or the password' : 'asks for a user and a password')}`,
  )

function readAnswer(status: number, text: string, label: string): Element {
  if (status === 403) throw new SourceError('source_password', `${label} forbids this user to ask (403)`)
  if (status === 404) throw new SourceError('source_not_found', `${label} has no ONVIF service there (404)`)
  const root = text.trim().startsWith('<') ? parseXml(text) : undefined
  const body = root?.name === 'Envelope' ? find(root, 'Body') : undefined
  if (!body) throw new SourceError('source_garbled', `${label} answers with something that is not ONVIF (${status})`)
  const fault = find(body, 'Fault')
  const answer = body.children[0]
  if (!fault && answer) return answer
  const why = textAt(fault, 'Reason', 'Text') ?? textAt(fault, 'faultstring') ?? `status ${status}`
  throw new SourceError(
    'source_garbled',
    `${label} refuses an ONVIF request: ${why.replace(/\s+/g, ' ').slice(0, 100)}`,
  )
}
