/** A camera's loudspeaker behind an HTTP API: one long request whose body is the sound, or raw sound behind a short one. */
import { connect, type Socket } from 'node:net'
import { encodeG711, type Law } from '../g711.ts'
import { SourceError } from '../media.ts'
import { answerChallenges, whyUnmet, type Login } from '../rtsp/authorization.ts'
import { reachOf } from '../reach.ts'
import type { Trust } from '../trust.ts'
import type { Line } from './speaker.ts'

const connectMs = 3_000
const replyMs = 3_000
const mostHead = 16_384
/** A camera that takes nothing any more is not written to without end: two seconds of G.711. */
const maxUnsent = 16_000

export interface HttpPlace {
  readonly host: string
  readonly port: number
  readonly login?: Login
  /** Safe to log. */
  readonly label: string
  /** Where the camera may be. */
  readonly trust: Trust
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface HttpReply {
  readonly status: number
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: string
}

/** The headers that meet the camera's challenge. */
export type Credentials = (method: string, path: string) => Readonly<Record<string, string>>

/** Sends a request without a body, to learn which credentials it wants; they are not used yet. Throws `SourceError`. */
export async function meet(
  place: HttpPlace,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<{ readonly reply: HttpReply | undefined; readonly credentials: Credentials }> {
  const reply = await exchange(place, request, {}, signal)
  if (reply.status !== 401 || !place.login) return { reply: check(place, reply), credentials: () => ({}) }
  const challenges = reply.headers.get('www-authenticate') ?? []
  const authorize = answerChallenges(challenges, place.login)
  if (!authorize) throw new SourceError('source_password', `${place.label} ${whyUnmet(challenges)}`)
  return { reply: undefined, credentials: (method, path) => ({ Authorization: authorize(method, path) }) }
}

/** Sends a request without a body and reads its whole reply; a challenge is answered once. Throws `SourceError`. */
export async function ask(
  place: HttpPlace,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<{ readonly reply: HttpReply; readonly credentials: Credentials }> {
  const { reply, credentials } = await meet(place, request, signal)
  if (reply) return { reply, credentials }
  const answer = await exchange(place, request, credentials(request.method, request.path), signal)
  return { reply: check(place, answer), credentials }
}

function check({ label }: HttpPlace, reply: HttpReply): HttpReply {
  if (reply.status === 401 || reply.status === 403)
    throw new SourceError('source_password', `${label} refuses the user name or the password for its loudspeaker`)
  if (reply.status === 404) throw new SourceError('source_not_found', `${label} has no such loudspeaker (404)`)
  if (reply.status === 503) throw new SourceError('source_busy', `somebody speaks through ${label} already (503)`)
  if (reply.status >= 400)
    throw new SourceError('source_garbled', `${label} answers for its loudspeaker with an error (${reply.status})`)
  return reply
}

async function exchange(
  place: HttpPlace,
  request: HttpRequest,
  extra: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HttpReply> {
  const socket = await open(place, signal)
  try {
    socket.write(writeHead(place, request, { ...extra, 'Content-Length': '0', Connection: 'close' }))
    return await readReply(socket, place)
  } finally {
    socket.destroy()
  }
}

function writeHead({ host, port }: HttpPlace, request: HttpRequest, extra: Readonly<Record<string, string>>): string {
  const name = host.includes(':') ? `[${host}]` : host
  const headers = {
    Host: port === 80 ? name : `${name}:${port}`,
    'User-Agent': 'Transom',
    ...request.headers,
    ...extra,
  }
  const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}\r\n`)
  return `${request.method} ${request.path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

async function open({ host, port, label, trust }: HttpPlace, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ ...reachOf(host, label, trust), port, noDelay: true, signal })
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => socket.destroy(new Error('it does not answer')), connectMs)
    socket.once('error', (cause) => {
      clearTimeout(late)
      const isOurs = cause instanceof SourceError
      reject(isOurs ? cause : new SourceError('source_unreachable', `no way to the loudspeaker of ${label}`, { cause }))
    })
    socket.once('connect', () => {
      clearTimeout(late)
      resolve(socket)
    })
  })
}

/** Until the end of its head, or of its body: by its length, or by the end of the connection. Throws `SourceError`. */
function readReply(socket: Socket, { label }: HttpPlace, until: 'head' | 'body' = 'body'): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    let text = ''
    const fail = (why: string) => {
      clearTimeout(late)
      reject(new SourceError('source_garbled', `the loudspeaker of ${label} ${why}`))
    }
    const late = setTimeout(() => fail('does not answer'), replyMs)
    const finish = (isOver: boolean) => {
      const reply = parseReply(text, isOver || until === 'head')
      if (reply) {
        clearTimeout(late)
        resolve(reply)
      } else if (isOver) fail('ended before its answer')
      else if (text.length > mostHead) fail('sends an answer that does not end')
    }
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      finish(false)
    })
    socket.on('error', () => finish(true))
    socket.on('close', () => finish(true))
  })
}

function parseReply(text: string, isOver: boolean): HttpReply | undefined {
  const end = text.indexOf('\r\n\r\n')
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1])
  if (end < 0 || !Number.isInteger(status)) return undefined
  const headers = new Map<string, string[]>()
  for (const line of text.slice(0, end).split('\r\n').slice(1)) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim().toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()])
  }
  const length = Number(headers.get('content-length')?.[0] ?? Number.NaN)
  const body = text.slice(end + 4)
  return isOver || body.length >= length ? { status, headers, body: body.slice(0, length || undefined) } : undefined
}

export interface Stream {
  readonly place: HttpPlace
  readonly request: HttpRequest
  readonly credentials: Credentials
  readonly law: Law
  /** The camera answers first, and the sound follows on the connection; otherwise the sound is the body of the request. */
  readonly answersFirst: boolean
  /** What is said after the last word. */
  readonly goodbye?: () => Promise<unknown>
}

/** Opens the connection that takes the sound. Throws `SourceError`. */
export async function openHttpLine(stream: Stream, signal: AbortSignal): Promise<Line> {
  const { place, request, credentials, law, answersFirst } = stream
  const socket = await open(place, signal)
  const { promise: ended, resolve: end } = Promise.withResolvers<SourceError>()
  const stop = (why: string) => end(new SourceError('source_stopped', `${place.label} ${why}`))
  socket.on('error', () => stop('closed the way to its loudspeaker'))
  socket.on('close', () => stop('closed the way to its loudspeaker'))
  // No camera is sent so much: it ends when nobody talks any more.
  const length = answersFirst ? '0' : '9999999'
  const extra = { 'Content-Length': length, Connection: 'Keep-Alive', 'Cache-Control': 'no-cache' }
  socket.write(writeHead(place, request, { ...credentials(request.method, request.path), ...extra }))
  const answered = readReply(socket, place, 'head').then((reply) => check(place, reply))
  if (answersFirst) {
    await answered.catch((error: unknown) => {
      socket.destroy()
      throw error
    })
  } else {
    // An answer before the end of the request is a refusal.
    answered.then(
      () => stop('ended the talk'),
      (error: unknown) => {
        if (error instanceof SourceError && error.code !== 'source_garbled') end(error)
      },
    )
  }
  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    socket.end()
    socket.destroySoon()
    await stream.goodbye?.().catch(() => undefined)
  }
  return {
    play(samples) {
      if (closing || socket.destroyed || socket.writableLength > maxUnsent) return false
      socket.write(encodeG711(law, samples))
      return true
    },
    ended,
    close: () => (closing ??= close()),
  }
}
