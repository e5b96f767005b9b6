/** One RTSP session with a camera: what it describes, the tracks that are set up, played and kept alive, and the goodbye. */
import { SourceError } from '../media.ts'
import type { Trust } from '../trust.ts'
import type { SourceFault } from 'transom-core/errors'
import { readAddress, type CameraAddress } from './address.ts'
import { openConnection, type Connection, type Reply } from './connection.ts'
import { readDescription, type Description, type Track } from './description.ts'
import { openPorts, type Ports } from './udp.ts'

const maxRedirects = 3
const farewellMs = 1_000
const defaultTimeoutS = 60
const longestKeepAliveMs = 25_000
/** ONVIF Streaming Specification section 5.3.1. */
const backChannel = { Require: 'www.onvif.org/ver20/backchannel' }

export interface Listener {
  rtp(track: Track, data: Buffer): void
  rtcp(track: Track, data: Buffer): void
}

/** How packets go to the camera for a track that is set up: RTCP reports, and what its loudspeaker plays. False: dropped. */
export interface Channel {
  sendRtp(data: Buffer): boolean
  sendRtcp(data: Buffer): boolean
}

export interface Client {
  readonly description: Description
  isOpen(): boolean
  /** Asks whether the camera is still there. Throws `SourceError`. */
  ping(): Promise<void>
  /** Sets up these tracks and plays them; resolves when packets may come. Throws `SourceError`. */
  play(tracks: readonly Track[], listener: Listener): Promise<ReadonlyMap<Track, Channel>>
  /** Asks for a key frame, where the way there has a word for it (RTCP PLI, RFC 4585 section 6.3.1); whether one comes nobody says. */
  requestKeyFrame?(): void
  /** Packets that wait for one before them, where a lost one is asked for again; default: as of `createReceiver`. */
  readonly mostWaiting?: number
  /** Resolves with the reason when the session has ended. */
  readonly ended: Promise<SourceError>
  /** Says TEARDOWN where something was set up, and lets go. Never rejects; may be called again. */
  close(): Promise<void>
}

/**
 * Connects and asks what there is, following few redirects; the password goes to the host that it was given for alone.
 * The signal ends the attempt. What was opened is its owner's to close: a connection that is cut says no TEARDOWN, and
 * the camera keeps the session, of which it has few.
 */
export async function openClient(given: CameraAddress, trust: Trust, signal: AbortSignal): Promise<Client> {
  const attempt = new AbortController()
  const onAbort = () => attempt.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await connect(given, trust, attempt.signal)
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function connect(given: CameraAddress, trust: Trust, signal: AbortSignal): Promise<Client> {
  let address = given
  for (let redirects = 0; ; redirects += 1) {
    const connection = await openConnection(address, trust, signal)
    try {
      const { reply, url } = await describe(connection, address)
      if (reply.status < 300 || reply.status >= 400)
        return createClient(connection, address, readReply(reply, url, address))
      address = follow(reply, address, given, redirects)
    } catch (error) {
      connection.close()
      throw error
    }
    connection.close()
  }
}

/** With the back channel, if the camera has one; those that do not know the word answer 551, or whatever comes to them. */
async function describe(connection: Connection, { url }: CameraAddress): Promise<{ reply: Reply; url: string }> {
  const accept = { Accept: 'application/sdp' }
  const withBack = await connection.request('DESCRIBE', url, { ...accept, ...backChannel })
  const isRefused = withBack.status >= 400 && withBack.status !== 404 && withBack.status !== 453
  return { reply: isRefused ? await connection.request('DESCRIBE', url, accept) : withBack, url }
}

function readReply(reply: Reply, url: string, address: CameraAddress): Description {
  check(reply, 'DESCRIBE', address)
  const base = reply.headers.get('content-base')?.[0] ?? reply.headers.get('content-location')?.[0]
  return readDescription(reply.body.toString('utf8'), base && /^rtsps?:\/\//i.test(base) ? base : url)
}

function follow(reply: Reply, from: CameraAddress, given: CameraAddress, redirects: number): CameraAddress {
  if (redirects >= maxRedirects) throw new SourceError('source_garbled', `${given.label} redirects without end`)
  const next = readAddress(reply.headers.get('location')?.[0] ?? '')
  if (from.isTls && !next.isTls)
    throw new SourceError('source_garbled', `${given.label} redirects to a connection without TLS`)
  if (next.protocol !== 'rtsp')
    throw new SourceError('source_garbled', `${given.label} redirects to no address of RTSP`)
  const { login: _theirs, ...target } = next
  const isSame = next.host === given.host && next.port === given.port
  return isSame && given.login ? { ...target, login: given.login } : target
}

function createClient(connection: Connection, address: CameraAddress, description: Description): Client {
  const ports: Ports[] = []
  let closing: Promise<void> | undefined
  let beginning: Promise<unknown> | undefined
  const { ask, accept, sleep, isNamed } = createSession(connection, address, description.url)

  async function setUp(track: Track, index: number, listener: Listener, channels: Map<number, (data: Buffer) => void>) {
    const interleaved = `RTP/AVP/TCP;unicast;interleaved=${index * 2}-${index * 2 + 1}`
    const reply = await ask('SETUP', track.url, { Transport: interleaved, ...requires(track) })
    if (reply.status === 461) return setUpUdp(track, listener)
    check(reply, 'SETUP', address)
    accept(reply)
    const transport = reply.headers.get('transport')?.[0] ?? ''
    const first = Number(/interleaved=(\d{1,3})/.exec(transport)?.[1] ?? index * 2)
    channels.set(first, (data) => listener.rtp(track, data))
    channels.set(first + 1, (data) => listener.rtcp(track, data))
    return {
      sendRtp: (data: Buffer) => connection.send(first, data),
      sendRtcp: (data: Buffer) => connection.send(first + 1, data),
    }
  }

  async function setUpUdp(track: Track, listener: Listener): Promise<Channel> {
    const pair = await openPorts(
      connection.remoteAddress,
      (data) => listener.rtp(track, data),
      (data) => listener.rtcp(track, data),
    )
    ports.push(pair)
    const reply = await ask('SETUP', track.url, {
      Transport: `RTP/AVP;unicast;client_port=${pair.port}-${pair.port + 1}`,
      ...requires(track),
    })
    check(reply, 'SETUP', address)
    accept(reply)
    const transport = reply.headers.get('transport')?.[0] ?? ''
    const [, serverPort] = /server_port=(\d{1,5})/.exec(transport) ?? []
    pair.aim(serverPort === undefined ? undefined : Number(serverPort))
    return { sendRtp: pair.sendRtp, sendRtcp: pair.sendRtcp }
  }

  async function tearDown(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, farewellMs)
    await Promise.race([sayGoodbye(), late])
    clearTimeout(timer)
    sleep()
    connection.close()
    for (const pair of ports) pair.close()
  }

  async function sayGoodbye(): Promise<void> {
    // A session that is just being set up has a name only when the camera has answered.
    await beginning?.catch(() => undefined)
    sleep()
    if (isNamed() && connection.isOpen()) await ask('TEARDOWN', description.url).catch(() => undefined)
  }

  async function begin(tracks: readonly Track[], listener: Listener): Promise<ReadonlyMap<Track, Channel>> {
    const byNumber = new Map<number, (data: Buffer) => void>()
    connection.onPacket((channel, data) => byNumber.get(channel)?.(data))
    const channels = new Map<Track, Channel>()
    for (const [index, track] of tracks.entries()) {
      if (closing) throw new SourceError('source_stopped', 'the session was closed here')
      channels.set(track, await setUp(track, index, listener, byNumber))
    }
    const required = tracks.some(({ isBackChannel }) => isBackChannel) ? backChannel : {}
    // Without a Range (RFC 2326 section 10.5): a server that takes 0 for a place to seek to fails where its camera is live.
    check(await ask('PLAY', description.url, required), 'PLAY', address)
    return channels
  }

  return {
    description,
    isOpen: connection.isOpen,
    async ping() {
      // Any reply is a sign of life.
      await ask('OPTIONS', description.url)
    },
    play(tracks, listener) {
      const begun = begin(tracks, listener)
      beginning = begun
      return begun
    },
    ended: connection.ended,
    close: () => (closing ??= tearDown()),
  }
}

/** The session of one connection: named by the first reply that names it, and kept awake from then on. */
function createSession(connection: Connection, address: CameraAddress, streamUrl: string) {
  let session: string | undefined
  let keepAlive: NodeJS.Timeout | undefined
  let speaksParameters = true

  const ask = (method: string, url: string, headers: Readonly<Record<string, string>> = {}) =>
    connection.request(method, url, { ...(session !== undefined && { Session: session }), ...headers })

  /** Both ways in which cameras are kept awake: some advertise one and count the other. */
  async function stayAwake(): Promise<void> {
    if (speaksParameters) {
      const { status } = await ask('GET_PARAMETER', streamUrl)
      notForgotten(status)
      speaksParameters = status < 400
    }
    notForgotten((await ask('OPTIONS', streamUrl)).status)
  }
  /** A camera that was reset keeps the connection and sends nothing any more: it ends here, and is called again. */
  function notForgotten(status: number): void {
    if (status === 454) connection.close(faultOfStatus(status, 'OPTIONS', address))
  }

  return {
    ask,
    /** Takes its name and how long it lasts from the reply to SETUP. */
    accept(reply: Reply): void {
      const [id = '', ...parameters] = (reply.headers.get('session')?.[0] ?? '').split(';')
      if (id.trim() !== '') session = id.trim()
      const timeout = Number(/timeout\s*=\s*(\d{1,5})/i.exec(parameters.join(';'))?.[1]) || defaultTimeoutS
      const everyMs = Math.min(longestKeepAliveMs, Math.max(1_000, (timeout * 1_000) / 3))
      clearInterval(keepAlive)
      keepAlive = setInterval(() => void stayAwake().catch(() => undefined), everyMs)
    },
    /** It is not kept awake any more. */
    sleep: () => clearInterval(keepAlive),
    isNamed: () => session !== undefined,
  }
}

/** ONVIF wants it in each request that concerns the back channel. */
const requires = ({ isBackChannel }: Track): Readonly<Record<string, string>> => (isBackChannel ? backChannel : {})

const statuses: Readonly<Record<number, readonly [SourceFault, string]>> = {
  404: ['source_not_found', 'has no such stream'],
  453: ['source_busy', 'has no bandwidth left for another session'],
  454: ['source_stopped', 'has forgotten the session'],
  461: ['source_garbled', 'offers its stream neither by TCP nor by UDP'],
  503: ['source_busy', 'is busy'],
}

function check({ status }: Reply, method: string, address: CameraAddress): void {
  if (status < 200 || status >= 300) throw faultOfStatus(status, method, address)
}

function faultOfStatus(status: number, method: string, { label }: CameraAddress): SourceError {
  const [code, words] = statuses[status] ?? (['source_garbled', `answers ${method} with an error`] as const)
  return new SourceError(code, `${label} ${words} (${status})`)
}
