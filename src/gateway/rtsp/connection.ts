/** One control connection to a camera: requests and their replies in order, interleaved packets, and one reason for its end. */
import { SourceError } from '../media.ts'
import { openSocket, socketError } from '../socket.ts'
import type { Trust } from '../trust.ts'
import type { CameraAddress } from './address.ts'
import { answerChallenges, isStale, whyUnmet, type Authorize } from './authorization.ts'
import { createParser, writePacket, writeRequest, type Headers, type Received } from './message.ts'

const replyMs = 6_000
/** A camera that takes nothing any more is not written to without end. */
const maxUnsent = 1_048_576
/** What nobody asked for: a camera has few such words, and one that never stops is cut off. */
const mostUnasked = 100
const unaskedMs = 10_000

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
}

export interface Connection {
  /** Sends a request and returns its reply, whatever its status but 401. Throws `SourceError`. */
  request(method: string, url: string, headers?: Readonly<Record<string, string>>): Promise<Reply>
  /** Sends an interleaved packet; false when it is dropped, since the camera takes none. */
  send(channel: number, data: Buffer): boolean
  /** Told of interleaved packets from now on. */
  onPacket(listener: (channel: number, data: Buffer) => void): void
  /** Resolves with the reason when the connection has ended; never rejects. */
  readonly ended: Promise<SourceError>
  isOpen(): boolean
  /** The IP address at which the camera is: what its name leads to later is not asked. */
  readonly remoteAddress: string
  /** Lets go at once, for this reason if there is one; may be called again. */
  close(reason?: SourceError): void
}

type Waiting = { readonly sequence: string; readonly resolve: (reply: Reply) => void }

/** Connects; aborting the signal closes. Throws `SourceError`. */
export async function openConnection(address: CameraAddress, trust: Trust, signal: AbortSignal): Promise<Connection> {
  const socket = await openSocket(address, trust, signal)
  const remoteAddress = socket.remoteAddress ?? ''
  const parse = createParser()
  const { promise: ended, resolve: end } = Promise.withResolvers<SourceError>()
  const failed = ended.then((error) => Promise.reject(error))
  failed.catch(() => undefined)
  let waiting: Waiting | undefined
  let listener: ((channel: number, data: Buffer) => void) | undefined
  let sequence = 0
  const countUnasked = createUnaskedCount(address)
  let isOpen = true
  let queue: Promise<unknown> = Promise.resolve()

  const close = (reason: SourceError) => {
    isOpen = false
    end(reason)
    socket.destroy()
    signal.removeEventListener('abort', onAbort)
  }
  const onAbort = () => close(new SourceError('source_stopped', 'the connection was closed here'))
  signal.addEventListener('abort', onAbort, { once: true })
  socket.setNoDelay(true)
  socket.on('error', (error) => close(socketError(error, address)))
  socket.on('close', () => close(new SourceError('source_stopped', `${address.label} closed the connection`)))
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const item of parse(chunk)) receive(item)
    } catch (error) {
      close(error instanceof SourceError ? error : new SourceError('source_garbled', String(error)))
    }
  })

  function receive(item: Received): void {
    if (item.kind === 'packet') return listener?.(item.channel, item.data)
    const number = item.headers.get('cseq')?.[0] ?? ''
    // Without a CSeq it is taken for the reply that is waited for; with another it is one that came too late.
    const isReply = item.kind === 'response' && waiting && (number === '' || number === waiting.sequence)
    if (isReply) return waiting?.resolve(item)
    countUnasked()
    if (item.kind === 'request') {
      // Some cameras ask whether we are there (OPTIONS, GET_PARAMETER); we do nothing else.
      const isKnown = item.method === 'OPTIONS' || item.method === 'GET_PARAMETER'
      if (socket.writableLength < maxUnsent && /^\d{1,10}$/.test(number))
        socket.write(`RTSP/1.0 ${isKnown ? '200 OK' : '501 Not Implemented'}\r\nCSeq: ${number}\r\n\r\n`)
    }
  }

  const exchange: Exchange = async (method, url, headers) => {
    if (!isOpen) throw await ended
    sequence += 1
    const { promise, resolve } = Promise.withResolvers<Reply>()
    waiting = { sequence: String(sequence), resolve }
    socket.write(writeRequest(method, url, { CSeq: String(sequence), 'User-Agent': 'Transom', ...headers }))
    const late = setTimeout(
      () =>
        close(new SourceError('source_unreachable', `${address.label} did not answer ${method} within ${replyMs} ms`)),
      replyMs,
    )
    try {
      return await Promise.race([promise, failed])
    } finally {
      clearTimeout(late)
      waiting = undefined
    }
  }

  const authorized = createAuthorized(exchange, address)
  return {
    request(method, url, headers = {}) {
      // One at a time: RTSP allows more, cameras do not.
      const reply = queue.then(() => authorized(method, url, headers))
      queue = reply.catch(() => undefined)
      return reply
    },
    send(channel, data) {
      if (!isOpen || socket.writableLength > maxUnsent) return false
      socket.write(writePacket(channel, data))
      return true
    },
    onPacket(next) {
      listener = next
    },
    ended,
    isOpen: () => isOpen,
    remoteAddress,
    close: (reason = new SourceError('source_stopped', 'the connection was closed here')) => close(reason),
  }
}

/** Throws `SourceError` when there were too many of late. */
function createUnaskedCount({ label }: CameraAddress): () => void {
  let count = 0
  let sinceAt = performance.now()
  return () => {
    if (performance.now() - sinceAt > unaskedMs) {
      count = 0
      sinceAt = performance.now()
    }
    count += 1
    if (count > mostUnasked)
      throw new SourceError('source_garbled', `${label} sends messages that nobody asked for, without end`)
  }
}

/** Sends one request and returns its reply. */
type Exchange = (method: string, url: string, headers: Readonly<Record<string, string>>) => Promise<Reply>

/**
 * Adds what the camera's challenges ask for. A refused password is tried once: cameras lock accounts. One that was accepted is
 * the right one: many cameras change the nonce and do not say that the one before is stale.
 */
function createAuthorized(exchange: Exchange, { login, label }: CameraAddress): Exchange {
  let authorize: Authorize | undefined
  let isRight = false
  const refused = (words: string) => new SourceError('source_password', `${label} ${words}`)
  return async (method, url, headers) => {
    for (let attempt = 0; ; attempt += 1) {
      const hadAuthorized = authorize !== undefined
      const credentials = authorize && { Authorization: authorize(method, url) }
      const reply = await exchange(method, url, { ...credentials, ...headers })
      if (reply.status === 403) throw refused('forbids this user to look (403)')
      if (reply.status !== 401) {
        isRight ||= hadAuthorized
        return reply
      }
      const challenges = reply.headers.get('www-authenticate') ?? []
      if (!login) throw refused('asks for a user and a password')
      const mayTry = !hadAuthorized || isStale(challenges) || (isRight && attempt === 0)
      if (attempt > 1 || !mayTry) throw refused('refuses the user name or the password')
      authorize = answerChallenges(challenges, login)
      if (!authorize) throw refused(whyUnmet(challenges))
    }
  }
}
