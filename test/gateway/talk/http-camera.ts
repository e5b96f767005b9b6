/** The loudspeakers of cameras behind their HTTP APIs, as strict as their manuals: anything else than these is refused. */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Brand } from '../../../src/gateway/talk/speaker.ts'
import { isRight, nonce } from '../rtsp/camera.ts'

export const login = { user: 'admin', password: 'pa55' }

export interface HttpCamera {
  readonly port: number
  /** `METHOD path` of the requests that were accepted, or `refused 4xx`. */
  readonly seen: string[]
  /** The sound that came. */
  readonly played: () => Buffer
  /** Connections that are open. */
  readonly connections: () => number
  close(): Promise<void>
}

interface Request {
  readonly line: string
  readonly method: string
  readonly headers: ReadonlyMap<string, string>
}

/** Method, path and type of the request that takes the sound. */
const streams: Readonly<Record<Brand, readonly [line: string, type: string]>> = {
  axis: ['POST /axis-cgi/audio/transmit.cgi', 'audio/basic'],
  dahua: ['POST /cgi-bin/audio.cgi?action=postAudio&httptype=singlepart&channel=1', 'Audio/G.711A'],
  doorbird: ['POST /bha-api/audio-transmit.cgi', 'audio/basic'],
  hikvision: ['PUT /ISAPI/System/TwoWayAudio/channels/1/audioData', 'application/binary'],
}
const channels =
  '<?xml version="1.0"?><TwoWayAudioChannelList><TwoWayAudioChannel><id>1</id><enabled>true</enabled><audioCompressionType>G.711ulaw</audioCompressionType></TwoWayAudioChannel></TwoWayAudioChannelList>'

export interface HttpHabits {
  readonly brand: Brand
  /** `none`: no password is asked for. */
  readonly auth?: 'digest' | 'basic' | 'none'
  /** The status of the request that takes the sound. */
  readonly status?: number
}

export async function createHttpCamera({ brand, auth = 'digest', status = 200 }: HttpHabits): Promise<HttpCamera> {
  const seen: string[] = []
  const played: Buffer[] = []
  const sockets = new Set<Socket>()
  let isOpen = brand !== 'hikvision'
  const [line, type] = streams[brand]

  /** The status of a reply and its body; 0: the sound follows as the body of this request. */
  function judge(request: Request): [status: number, body?: string] {
    const { headers, method } = request
    const authorization = headers.get('authorization')
    if (auth !== 'none' && !isRight(authorization, method, login)) return [401]
    if (authorization?.startsWith('Digest') && auth === 'basic') return [401]
    if (brand === 'hikvision') {
      if (request.line === 'GET /ISAPI/System/TwoWayAudio/channels') return [200, channels]
      if (request.line === 'PUT /ISAPI/System/TwoWayAudio/channels/1/open') {
        if (isOpen) return [403]
        isOpen = true
        return [200, '<TwoWayAudioSession><sessionId>9</sessionId></TwoWayAudioSession>']
      }
      if (request.line === 'PUT /ISAPI/System/TwoWayAudio/channels/1/close') {
        isOpen = false
        return [200]
      }
    }
    if (request.line !== line) return [404]
    if (headers.get('content-type') !== type) return [415]
    if (!isOpen) return [403]
    if (status !== 200) return [status]
    const length = Number(headers.get('content-length'))
    if (brand === 'hikvision') return length === 0 ? [200] : [400]
    // A probe without a body ends at once; sound is announced as long as it may become.
    return length === 0 ? [200] : length > 1_000_000 ? [0] : [400]
  }

  const server = createServer((socket) => {
    let text = ''
    let takesSound = false
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      if (takesSound) return void played.push(chunk)
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      const [first = '', ...rest] = text.slice(0, end).split('\r\n')
      const headers = new Map(
        rest.map((each) => [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 1).trim()]),
      )
      const [method = '', path = ''] = first.split(' ')
      const request = { line: `${method} ${path}`, method, headers }
      const [answer, body = ''] = first.endsWith(' HTTP/1.1') && headers.has('host') ? judge(request) : [400]
      seen.push(answer >= 400 ? `refused ${answer}` : request.line)
      text = text.slice(end + 4)
      takesSound = answer === 0 || (answer === 200 && request.line === line)
      if (takesSound && text !== '') played.push(Buffer.from(text, 'latin1'))
      if (answer === 0) return
      const challenge =
        auth === 'basic' ? 'Basic realm="cam"' : `Digest realm="cam", qop="auth", nonce="${nonce}", algorithm=MD5`
      const lines = answer === 401 ? [`WWW-Authenticate: ${challenge}`] : []
      socket.write([`HTTP/1.1 ${answer} X`, ...lines, `Content-Length: ${body.length}`, '', body].join('\r\n'))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    played: () => Buffer.concat(played),
    connections: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
