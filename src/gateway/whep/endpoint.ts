/** The HTTP of WHEP (draft-ietf-wish-whep-04): an offer or a counter-offer, the answer to it, and the end of the session. */
import type { IncomingMessage } from 'node:http'
import type { SourceFault } from 'transom-core/errors'
import type { IceServer } from 'transom-core/ports'
import { SourceError } from '../media.ts'
import { askCamera, type HttpInit, type HttpReply } from '../onvif/http.ts'
import type { CameraAddress } from '../rtsp/address.ts'
import { answerChallenges, whyUnmet, type Authorize } from '../rtsp/authorization.ts'
import type { Trust } from '../trust.ts'

/** A server answers when it has gathered all of its candidates, and its camera may be asleep. */
const replyMs = 8_000
const farewellMs = 2_000
const maxSdp = 262_144
const maxRedirects = 3
const maxIceServers = 16

/** What a server says to our offer. */
export interface Description {
  /** `offer`: it made one of its own instead of an answer, and waits for ours. */
  readonly type: 'answer' | 'offer'
  readonly sdp: string
}

/** One session at a WHEP endpoint. All but `end` throw `SourceError`. */
export interface Endpoint {
  /** Scheme, host and port. */
  readonly label: string
  /** Asks for the ICE servers, without a session; also tells whether the server is there at all. */
  ask(signal: AbortSignal): Promise<void>
  /** Those that the endpoint named so far. */
  iceServers(): readonly IceServer[]
  offer(sdp: string, signal: AbortSignal): Promise<Description>
  /** Answers its offer. */
  answer(sdp: string, signal: AbortSignal): Promise<void>
  /** Gets JSON at a path of the same server; `undefined` for what is none. */
  get(path: string, signal: AbortSignal): Promise<unknown>
  /** Deletes the session, if there is one. Never rejects; may be called again. */
  end(): Promise<void>
}

/** `address` is one of WHEP; `known`: its ICE servers as it named them before. Its user and password go to its host and port alone; the user `bearer` has a token (RFC 6750). */
export function openEndpoint(address: CameraAddress, trust: Trust, known: readonly IceServer[] = []): Endpoint {
  const { label, login } = address
  const given = new URL(address.url.replace(/^whep/, 'http'))
  let authorize: Authorize | undefined = login?.user === 'bearer' ? () => `Bearer ${login.password}` : undefined
  let session: URL | undefined
  let iceServers = known

  const refused = (words: string) => new SourceError('source_password', `${label} ${words}`)
  const isOurs = ({ origin }: URL): boolean => origin === given.origin

  async function request(url: URL, init: HttpInit, signal: AbortSignal, ms = replyMs): Promise<HttpReply> {
    const credentials = authorize && isOurs(url) && { authorization: authorize(init.method, url.pathname + url.search) }
    const headers = { ...init.headers, ...credentials }
    const reply = await askCamera(url.href, { ...init, headers }, { ms, maxBytes: maxSdp, trust }, signal)
    const named = iceServersOf(reply.headers)
    if (named.length > 0) iceServers = named.slice(0, maxIceServers)
    return reply
  }
  /** As above; a refused password is tried once: servers lock accounts. */
  async function authorized(url: URL, init: HttpInit, signal: AbortSignal): Promise<HttpReply> {
    const had = authorize
    const reply = await request(url, init, signal)
    if (reply.status === 403) throw refused('forbids this user to look (403)')
    if (reply.status !== 401) return reply
    if (!login) throw refused('asks for a user and a password, or for a token (the user `bearer`)')
    const challenge = reply.headers['www-authenticate']
    // A Digest may have grown stale; a token, or Basic, is what it is.
    if (had !== undefined && !/stale\s*=\s*"?true/i.test(challenge ?? ''))
      throw refused('refuses the user name or the password')
    if (!isOurs(url)) throw refused('sends on to a server that asks for a password of its own')
    authorize = answerChallenges([challenge ?? ''], login)
    if (!authorize) throw refused(whyUnmet([challenge ?? '']))
    const again = await request(url, init, signal)
    if (again.status === 401 || again.status === 403) throw refused('refuses the user name or the password')
    return again
  }
  /** POSTs on to where it is redirected (section 4.6), as a POST whatever the status is. */
  async function post(body: string, signal: AbortSignal): Promise<{ readonly url: URL; readonly reply: HttpReply }> {
    let url = given
    for (let redirects = 0; ; redirects += 1) {
      const reply = await authorized(url, { method: 'POST', headers: sdpType, body }, signal)
      if (![301, 302, 307, 308].includes(reply.status)) return { url, reply }
      if (redirects >= maxRedirects) throw new SourceError('source_garbled', `${label} redirects without end`)
      const next = URL.parse(reply.headers.location ?? '', url.href)
      if (next === null || !/^https?:$/.test(next.protocol) || next.username !== '')
        throw new SourceError('source_garbled', `${label} redirects to no address of WHEP`)
      if (url.protocol === 'https:' && next.protocol !== 'https:')
        throw new SourceError('source_garbled', `${label} redirects to a connection without TLS`)
      url = next
    }
  }

  return {
    label,
    async ask(signal) {
      // The path of the endpoint may refuse the method; whoever answers at all is there.
      await request(given, { method: 'OPTIONS' }, signal)
    },
    iceServers: () => iceServers,
    async offer(sdp, signal) {
      const { url, reply } = await post(sdp, signal)
      const said = reply.body.toString('utf8')
      const isSdp = /^\s*v=0\r?\n/.test(said)
      // From now on there is something to end, whatever becomes of what it said.
      const { location } = reply.headers
      if (location !== undefined && (reply.status < 300 || reply.status === 406))
        session = URL.parse(location, url.href) ?? undefined
      if (reply.status === 406 && isSdp && session !== undefined) return { type: 'offer', sdp: said }
      // go2rtc has said 200 in some versions.
      if (reply.status !== 200 && reply.status !== 201) throw faultOfStatus(reply.status, label)
      if (!isSdp) throw new SourceError('source_garbled', `${label} answers the offer with something that is no SDP`)
      return { type: 'answer', sdp: said }
    },
    async answer(sdp, signal) {
      if (session === undefined) return
      const { status } = await authorized(session, { method: 'PATCH', headers: sdpType, body: sdp }, signal)
      if (status < 200 || status >= 300) throw faultOfStatus(status, label)
    },
    async get(path, signal) {
      const { status, body } = await authorized(new URL(path, given), { method: 'GET' }, signal)
      try {
        return status === 200 ? JSON.parse(body.toString('utf8')) : undefined
      } catch {
        return undefined
      }
    },
    async end() {
      const ended = session
      session = undefined
      // A server that is gone has ended it already; the others notice that nobody is there any more.
      if (ended) await request(ended, { method: 'DELETE' }, never, farewellMs).catch(() => undefined)
    },
  }
}

const never = new AbortController().signal
const sdpType = { 'content-type': 'application/sdp', accept: 'application/sdp' }

const statuses: Readonly<Record<number, readonly [SourceFault, string]>> = {
  404: ['source_not_found', 'has no such stream'],
  406: ['source_codec', 'has none of the codecs that are known here'],
  409: ['source_stopped', 'has no camera that sends to it at the moment'],
  503: ['source_busy', 'is busy'],
}

function faultOfStatus(status: number, label: string): SourceError {
  const [code, words] = statuses[status] ?? (['source_garbled', 'answers the offer with an error'] as const)
  return new SourceError(code, `${label} ${words} (${status})`)
}

// Neither takes the square of what it reads: a name is tried from its beginning alone, and no address goes on over a `<`.
const linkForm = /<([^<>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]+))*)/g
const parameterForm = /(?<![\w-])([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]+))/g

/** `Link: <turn:host>; rel="ice-server"; username="…"; credential="…"; credential-type="password"` (RFC 9725 section 4.6). */
function iceServersOf({ link = '' }: IncomingMessage['headers']): IceServer[] {
  return [...String(link).matchAll(linkForm)].flatMap(([, url = '', text = '']) => {
    const parameters = new Map(
      [...text.matchAll(parameterForm)].map(([, name = '', quoted, bare]) => [
        name.toLowerCase(),
        quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '',
      ]),
    )
    if (parameters.get('rel') !== 'ice-server' || !/^(stun|turn)s?:/i.test(url)) return []
    const [username, credential] = [parameters.get('username'), parameters.get('credential')]
    return [
      { urls: [url], ...(username !== undefined && { username }), ...(credential !== undefined && { credential }) },
    ]
  })
}
