/** What go2rtc, or Frigate with it inside, gives on by RTSP: its streams, by its HTTP API. */
import * as z from 'zod'
import type { Restreams } from 'transom-core/wire/source'
import { SourceError } from './media.ts'
import { askCamera, type HttpInit, type HttpReply } from './onvif/http.ts'
import { answerChallenges, whyUnmet, type Login } from './rtsp/authorization.ts'
import { createTrust, type Trust } from './trust.ts'

const ms = 8_000
const maxBytes = 4 * 1_024 * 1_024
const maxStreams = 256
const usualPort = '8554'

/** `GET /api/streams` of go2rtc, `GET /api/go2rtc/streams` of Frigate: by name. Addresses in it hold passwords of cameras. */
const streams = z.record(z.string().min(1).max(256), z.looseObject({ producers: z.unknown() }))
/** `GET /api` of go2rtc. */
const settings = z.object({ rtsp: z.object({ listen: z.string() }) })

/**
 * Lists the streams behind a base URL (`http://nas:1984` of go2rtc, `http://nas:5000` of Frigate), each with the address at
 * which it is given on. Throws `SourceError`.
 */
export async function listRestreams(
  base: string,
  login: Login | undefined,
  signal: AbortSignal,
  trust: Trust = createTrust(),
): Promise<Restreams> {
  const url = readBase(base)
  const ask = createAsker(url, login, trust, signal)
  const own = streams.safeParse(await ask('api/streams'))
  const found = own.success ? own : streams.safeParse(await ask('api/go2rtc/streams'))
  if (!found.success)
    throw new SourceError('source_garbled', `${url.origin} is neither go2rtc nor Frigate: give its base URL`)
  const known = own.success ? settings.safeParse(await ask('api')) : undefined
  const port = /:(\d{1,5})$/.exec(known?.data?.rtsp.listen ?? '')?.[1] ?? usualPort
  const place = `rtsp://${url.hostname}:${port}`
  const names = Object.keys(found.data).slice(0, maxStreams)
  return { streams: names.map((name) => ({ name, address: `${place}/${encodeURIComponent(name)}` })) }
}

function readBase(base: string): URL {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(base) ? base : `http://${base}`)
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.hostname === '' ||
    url.username !== '' ||
    url.password !== ''
  )
    throw new SourceError(
      'source_invalid',
      'this is no base URL: give http://host:1984 of go2rtc, http://host:5000 of Frigate',
    )
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  url.search = url.hash = ''
  return url
}

/** Gives the JSON at a path below the base; `undefined` for what is none. Signs in once where it must. */
function createAsker(base: URL, login: Login | undefined, trust: Trust, signal: AbortSignal) {
  const label = base.origin
  let credentials: Readonly<Record<string, string>> = {}

  function request(path: string, { headers, ...init }: HttpInit = { method: 'GET' }): Promise<HttpReply> {
    const all = { accept: 'application/json', ...credentials, ...headers }
    return askCamera(new URL(path, base).href, { ...init, headers: all }, { ms, maxBytes, trust }, signal)
  }

  /** go2rtc by HTTP authentication, Frigate by a cookie. */
  async function signIn(refusal: HttpReply, path: string): Promise<boolean> {
    if (login === undefined) throw new SourceError('source_password', `${label} asks for a user and a password`)
    const challenge = refusal.headers['www-authenticate']
    if (challenge !== undefined) {
      const authorize = answerChallenges([challenge], login)
      if (!authorize) throw new SourceError('source_password', `${label} ${whyUnmet([challenge])}`)
      credentials = { authorization: authorize('GET', new URL(path, base).pathname) }
      return true
    }
    const { status, headers } = await request('api/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(login),
    })
    const cookies = headers['set-cookie'] ?? []
    credentials = { cookie: cookies.map((one) => one.split(';')[0] ?? '').join('; ') }
    return status === 200 && cookies.length > 0
  }

  return async (path: string): Promise<unknown> => {
    let reply = await request(path)
    if (reply.status === 401 && (await signIn(reply, path))) reply = await request(path)
    if (reply.status >= 300 && reply.status < 400)
      throw new SourceError('source_garbled', `${label} redirects, which is not followed`)
    if (reply.status === 401 || reply.status === 403)
      throw new SourceError('source_password', `${label} refuses the user name or the password`)
    return reply.status === 200 ? parse(reply.body.toString('utf8')) : undefined
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
