/** A network camera on loopback, for tests: an RTSP server as strict as real ones, whose habits can be chosen. */
import { createHash } from 'node:crypto'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { createParser, writePacket as writeFrame, type Received } from '../../../src/gateway/rtsp/message.ts'
import { readPacket, writePacket, type Packet } from '../../../src/gateway/rtsp/rtp.ts'

export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface Habits {
  readonly login?: { readonly user: string; readonly password: string }
  /** The challenges, with `NONCE` where the nonce goes. */
  readonly challenges?: readonly string[]
  /** A nonce is good for one request, and nobody is told that the last one is stale. */
  readonly changesNonce?: true
  /** Media sections; `H264` is replaced by a proper one. */
  readonly sdp?: string
  readonly transport?: 'tcp' | 'udp'
  /** It speaks rtsps with this certificate. */
  readonly tls?: Certificate
  /** The status of DESCRIBE with `Require`; without it the back channel is described. */
  readonly onRequire?: number
  readonly statuses?: Readonly<Record<string, number>>
  readonly redirect?: string
  /** Where it listens, default 127.0.0.1. */
  readonly host?: string
  readonly timeoutS?: number
  /** What is written, or done, instead of a reply to DESCRIBE. */
  readonly hostile?: Buffer | ((socket: Socket) => void)
  /** Nothing is sent by itself after PLAY. */
  readonly quiet?: boolean
}

export interface FakeCamera {
  readonly port: number
  readonly requests: {
    readonly method: string
    readonly url: string
    readonly headers: ReadonlyMap<string, readonly string[]>
  }[]
  /** RTP that came for the back channel. */
  readonly played: Packet[]
  readonly reports: Buffer[]
  readonly connections: () => number
  /** Sends one packet of the track (0: the first one set up) to everybody who plays. */
  send(
    track: number,
    packet: {
      payload: Buffer
      timestamp: number
      marker?: boolean
      sequenceNumber?: number
      payloadType?: number
      ssrc?: number
    },
  ): void
  sendRtcp(track: number, data: Buffer): void
  /** Writes this to everybody who plays, besides all packets. */
  write(text: string): void
  /** The next connections see another certificate. */
  changeCertificate(tls: Certificate): void
  /** Cuts all connections; further ones are welcome. */
  cut(): void
  /** Cuts all connections, and refuses further ones from now on. */
  unplug(): Promise<void>
  close(): Promise<void>
}

/** Baseline 3.1, 320 by 240: an SPS, a PPS, and slices that are no pictures but look like them. */
export const sps = Buffer.from('6742c01fda0283f420000003002000000791e30654', 'hex')
export const pps = Buffer.from('68ce3c80', 'hex')
export const idr = Buffer.from(`6588${'ab'.repeat(40)}`, 'hex')
export const slice = Buffer.from(`419a${'cd'.repeat(20)}`, 'hex')
export const h264 = `m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets=${sps.toString('base64')},${pps.toString('base64')}\r\na=control:trackID=0\r\n`
export const pcma = 'm=audio 0 RTP/AVP 8\r\na=control:trackID=1\r\na=recvonly\r\n'
export const backChannel = 'm=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:trackID=2\r\na=sendonly\r\n'

export const nonce = 'dcd98b7102dd2f0e'

export async function createFakeCamera(habits: Habits = {}): Promise<FakeCamera> {
  const requests: FakeCamera['requests'] = []
  const played: Packet[] = []
  const reports: Buffer[] = []
  const sockets = new Set<Socket>()
  const [udp, udpRtcp] = await bindPair()
  udpRtcp.on('message', (data) => reports.push(data))
  const players = new Set<{
    readonly socket: Socket
    readonly tracks: readonly { channel: number; udpPort: number }[]
  }>()
  const sequence: number[] = []
  let current = nonce
  const isUdp = habits.transport === 'udp'

  function sendTo(track: number, data: Buffer, isRtcp: boolean): void {
    for (const { socket, tracks } of players) {
      const way = tracks[track]
      if (!way) continue
      if (isUdp) udp.send(data, way.udpPort + (isRtcp ? 1 : 0), '127.0.0.1')
      else socket.write(writeFrame(way.channel + (isRtcp ? 1 : 0), data))
    }
  }

  const tlsServer = habits.tls && createTlsServer(habits.tls)
  const server = tlsServer ?? createTcpServer()
  server.on(tlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket)
    const tracks: { channel: number; udpPort: number; isBack: boolean }[] = []
    const player = { socket, tracks }
    const parse = createParser()
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      players.delete(player)
    })
    socket.on('data', (chunk: Buffer) => {
      for (const item of parse(chunk)) {
        if (item.kind === 'request') answer(item)
        else if (item.kind === 'packet') {
          const back = tracks.find(({ channel, isBack }) => isBack && channel === item.channel)
          const packet = back && readPacket(item.data)
          if (packet) played.push({ ...packet, payload: Buffer.from(packet.payload) })
          else reports.push(Buffer.from(item.data))
        }
      }
    })

    function answer({ method, url: target, headers }: Extract<Received, { kind: 'request' }>): void {
      requests.push({ method, url: target, headers })
      const reply = (status: number, lines: readonly string[] = [], body = '') => {
        const all = [
          `CSeq: ${headers.get('cseq')?.[0]}`,
          ...lines,
          ...(body === '' ? [] : [`Content-Length: ${body.length}`]),
        ]
        socket.write(`RTSP/1.0 ${status} X\r\n${all.join('\r\n')}\r\n\r\n${body}`)
      }
      const { login, challenges = ['Digest realm="cam", nonce="NONCE"'] } = habits
      if (login && !isRight(headers.get('authorization')?.[0], method, login, current))
        return reply(
          401,
          challenges.map((each) => `WWW-Authenticate: ${each.replace('NONCE', current)}`),
        )
      if (habits.changesNonce) current = createHash('md5').update(current).digest('hex')
      const status = habits.statuses?.[method]
      if (status !== undefined) return reply(status)
      if (method === 'DESCRIBE') {
        if (typeof habits.hostile === 'function') return habits.hostile(socket)
        if (habits.hostile) return void socket.write(habits.hostile)
        if (habits.redirect !== undefined) return reply(302, [`Location: ${habits.redirect}`])
        const wantsBack = headers.has('require')
        if (wantsBack && habits.onRequire !== undefined) return reply(habits.onRequire)
        return reply(
          200,
          ['Content-Type: application/sdp', `Content-Base: ${target}/`],
          `v=0\r\ns=x\r\n${habits.sdp ?? h264}`,
        )
      }
      if (method === 'SETUP') {
        const transport = headers.get('transport')?.[0] ?? ''
        const isBack = (habits.sdp ?? '').includes('sendonly') && target.endsWith('trackID=2')
        if (isUdp === transport.includes('TCP')) return reply(461)
        const number = Number(/(?:interleaved|client_port)=(\d+)/.exec(transport)?.[1])
        tracks.push({ channel: number, udpPort: number, isBack })
        const chosen = isUdp ? `${transport};server_port=${udp.address().port}-${udp.address().port + 1}` : transport
        return reply(200, [`Transport: ${chosen}`, `Session: 7;timeout=${habits.timeoutS ?? 60}`])
      }
      if (method === 'PLAY') {
        players.add(player)
        reply(200, ['Session: 7'])
        if (habits.quiet !== true)
          for (const [index, nal] of [sps, pps, idr].entries())
            camera.send(0, { payload: nal, timestamp: 0, marker: index === 2 })
        return
      }
      if (method === 'TEARDOWN') players.delete(player)
      reply(200)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, habits.host ?? '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  const camera: FakeCamera = {
    port,
    requests,
    played,
    reports,
    connections: () => sockets.size,
    send(
      track,
      { payload, timestamp, marker = false, sequenceNumber, payloadType = track === 0 ? 96 : 8, ssrc = 7 + track },
    ) {
      const number = sequenceNumber ?? sequence[track] ?? 0
      sequence[track] = (number + 1) & 0xffff
      sendTo(track, writePacket({ payloadType, marker, sequenceNumber: number, timestamp, ssrc }, payload), false)
    },
    write(text) {
      for (const { socket } of players) socket.write(text)
    },
    sendRtcp: (track, data) => sendTo(track, data, true),
    changeCertificate: (tls) => tlsServer?.setSecureContext(tls),
    cut() {
      for (const socket of sockets) socket.destroy()
    },
    async unplug() {
      camera.cut()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => (server.listening ? server.close(() => resolve()) : resolve()))
      udp.close()
      udpRtcp.close()
    },
  }
  return camera
}

/** An even port and the next one: RTP and RTCP. */
async function bindPair(): Promise<[UdpSocket, UdpSocket]> {
  for (;;) {
    const rtp = await bind(0)
    const { port = 1 } = rtp?.address() ?? {}
    const rtcp = port % 2 === 0 ? await bind(port + 1) : undefined
    if (rtp && rtcp) return [rtp, rtcp]
    rtp?.close()
  }
}

function bind(port: number): Promise<UdpSocket | undefined> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    socket.once('error', () => {
      socket.close()
      resolve(undefined)
    })
    socket.bind(port, '127.0.0.1', () => resolve(socket))
  })
}

/** Checked as a camera does: by the algorithm and the qop that the answer itself names. */
export function isRight(
  authorization: string | undefined,
  method: string,
  login: { user: string; password: string },
  current = nonce,
): boolean {
  if (authorization === undefined) return false
  if (authorization.startsWith('Basic '))
    return Buffer.from(authorization.slice(6), 'base64').toString() === `${login.user}:${login.password}`
  const said = new Map(
    [...authorization.matchAll(/(\w+)=(?:"([^"]*)"|([^,\s]+))/g)].map(([, name, quoted, bare]) => [
      name,
      quoted ?? bare,
    ]),
  )
  const algorithm = said.get('algorithm') ?? 'MD5'
  const hashName = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' }[algorithm.replace(/-sess$/, '')]
  if (hashName === undefined) return false
  const hash = (...parts: unknown[]) => createHash(hashName).update(parts.join(':')).digest('hex')
  const password = hash(login.user, said.get('realm'), login.password)
  const secret = algorithm.endsWith('-sess') ? hash(password, current, said.get('cnonce')) : password
  const request = hash(method, said.get('uri'))
  const qop = said.get('qop')
  const wanted =
    qop === undefined
      ? hash(secret, current, request)
      : hash(secret, current, said.get('nc'), said.get('cnonce'), qop, request)
  return said.get('nonce') === current && said.get('username') === login.user && said.get('response') === wanted
}
