/**
 * The signaling service against a bare `ws` relay of the same messages, in the same run: messages per second, their delay,
 * memory of an idle master, connects per second. Run with `npm run bench:signaling [-- --masters 10000] [--rounds 5] [--tls]`.
 * Each server runs in a process of its own; rounds take turns, so that both see the same machine.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createPlain } from 'node:http'
import { createServer as createTls } from 'node:https'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { WebSocket, WebSocketServer } from 'ws'
import { loadIdentity } from '../src/signaling/certificates.ts'
import { startSignalingService } from '../src/signaling/service.ts'
import { createSqliteStore } from '../src/core/store/sqlite.ts'

type Kind = 'transom' | 'bare'

/** What a server tells its parent when it runs. */
interface Ready {
  readonly url: string
  readonly ca: string | undefined
  readonly key?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly arns: readonly string[]
}

interface Usage {
  readonly rss: number
  readonly heap: number
  readonly cpuMs: number
}

const region = 'bench'
const pairs = 20
const inFlight = 16

// ── the servers ──────────────────────────────────────────────────────────────────────────────────────────────────────

async function serve(kind: Kind, tls: boolean, channels: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-signaling-'))
  const ready =
    kind === 'transom' ? await serveTransom(directory, tls, channels) : await serveBare(directory, tls, channels)
  process.on('disconnect', () => {
    rmSync(directory, { recursive: true, force: true })
    process.exit(0)
  })
  process.on('message', () => {
    globalThis.gc?.()
    const { rss, heapUsed } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    process.send?.({ rss, heap: heapUsed, cpuMs: (user + system) / 1_000 } satisfies Usage)
  })
  process.send?.(ready)
}

async function serveTransom(directory: string, tls: boolean, channels: number): Promise<Ready> {
  const any = { perSecond: 1e9, burst: 1e9 }
  const service = await startSignalingService({
    store: createSqliteStore(':memory:', Date.now),
    certificateDir: directory,
    host: '127.0.0.1',
    port: 0,
    region,
    iceServers: [],
    clock: Date.now,
    log: () => {},
    tls: { kind: tls ? 'own' : 'none' },
    limits: {
      channels,
      strangers: 20_000,
      rates: {
        accountWrite: any,
        accountRead: any,
        channelCall: any,
        channelConnect: any,
        keyCall: any,
        wrongKey: any,
        socketDescription: any,
        socketCandidate: any,
      },
    },
  })
  const key = await service.createCredentials({ kind: 'application' })
  const arns: string[] = []
  for (let index = 0; index < channels; index += 1) arns.push(await service.ensureChannel(`c${index}`))
  return { url: service.localEndpoint.replace('http', 'ws'), ca: service.ca, key, arns }
}

/** Knows only that two sockets belong together: whoever comes second to a channel gets what the first one sends. */
async function serveBare(directory: string, tls: boolean, channels: number): Promise<Ready> {
  const identity = tls ? await loadIdentity(directory, ['127.0.0.1'], Date.now, () => {}) : undefined
  const server = identity ? createTls({ key: identity.key, cert: identity.cert }) : createPlain()
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  const waiting = new Map<string, WebSocket>()
  const peers = new Map<WebSocket, WebSocket>()
  sockets.on('connection', (socket, request) => {
    const arn = new URL(request.url ?? '', 'ws://x').searchParams.get('X-Amz-ChannelARN') ?? ''
    const first = waiting.get(arn)
    if (first === undefined) waiting.set(arn, socket)
    else {
      peers.set(first, socket)
      peers.set(socket, first)
    }
    socket.on('message', (data, isBinary) => peers.get(socket)?.send(data, { binary: isBinary }))
    socket.on('close', () => {
      peers.delete(socket)
      if (waiting.get(arn) === socket) waiting.delete(arn)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const arns = Array.from(
    { length: channels },
    (_, index) => `arn:aws:kinesisvideo:bench:000000000000:channel/c${index}/1`,
  )
  return { url: `${tls ? 'wss' : 'ws'}://127.0.0.1:${port}`, ca: identity?.ca, arns }
}

// ── the clients ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface Server extends Ready {
  readonly kind: Kind
  usage(): Promise<Usage>
  stop(): Promise<void>
}

async function start(kind: Kind, tls: boolean, channels: number): Promise<Server> {
  const child: ChildProcess = fork(import.meta.filename, ['serve', kind, tls ? 'tls' : 'plain', `${channels}`], {
    execArgv: ['--expose-gc', '--no-warnings'],
  })
  const [ready] = (await once(child, 'message')) as [Ready]
  return {
    ...ready,
    kind,
    async usage() {
      child.send('usage')
      return ((await once(child, 'message')) as [Usage])[0]
    },
    async stop() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Signed like the JavaScript SDK does; the bare server gets the same URL, and does not look at most of it. */
function urlOf({ url, key, arns }: Server, channel: number, clientId?: string): string {
  const { host } = new URL(url)
  const at = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = [at.slice(0, 8), region, 'kinesisvideo', 'aws4_request']
  const query = Object.entries({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-ChannelARN': arns[channel] ?? '',
    ...(clientId !== undefined && { 'X-Amz-ClientId': clientId }),
    'X-Amz-Credential': `${key?.accessKeyId ?? 'none'}/${scope.join('/')}`,
    'X-Amz-Date': at,
    'X-Amz-Expires': '299',
    'X-Amz-SignedHeaders': 'host',
  })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
  const canonical = ['GET', '/', query, `host:${host}\n`, 'host', sha256('')].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', at, scope.join('/'), sha256(canonical)].join('\n')
  const signature = [...scope, toSign].reduce<string | Buffer>(
    (by, part) => createHmac('sha256', by).update(part).digest(),
    `AWS4${key?.secretAccessKey ?? ''}`,
  )
  return `${url}/?${query}&X-Amz-Signature=${(signature as Buffer).toString('hex')}`
}

async function connect(server: Server, channel: number, clientId?: string): Promise<WebSocket> {
  const socket = new WebSocket(urlOf(server, channel, clientId), {
    perMessageDeflate: false,
    ...(server.ca && { ca: server.ca }),
  })
  await once(socket, 'open')
  return socket
}

const frame = (action: string, messagePayload: string) =>
  JSON.stringify({ action, messagePayload, recipientClientId: 'viewer' })

/** What a call consists of: one description for every four candidates. */
function messages(): readonly string[] {
  const candidate = 'A'.repeat(300)
  const description = 'A'.repeat(5_000)
  return [frame('SDP_OFFER', description), ...Array<string>(4).fill(frame('ICE_CANDIDATE', candidate))]
}

/** As many messages as go through in `ms`, in both directions between all pairs. */
async function relay(server: Server, ms: number): Promise<{ perSecond: number; cpuUs: number }> {
  const frames = messages()
  const sockets: WebSocket[] = []
  let received = 0
  let isOver = false
  for (let channel = 0; channel < pairs; channel += 1) {
    const both = [await connect(server, channel), await connect(server, channel, 'viewer')] as const
    sockets.push(...both)
    for (const socket of both) {
      let next = 0
      socket.on('message', () => {
        received += 1
        if (!isOver) socket.send(frames[(next += 1) % frames.length] ?? '')
      })
    }
  }
  for (const socket of sockets)
    for (let sent = 0; sent < inFlight; sent += 1) socket.send(frames[sent % frames.length] ?? '')
  await sleep(ms / 4)
  const [before, cpuBefore, startedAt] = [received, (await server.usage()).cpuMs, performance.now()]
  await sleep(ms)
  const [count, elapsed] = [received - before, performance.now() - startedAt]
  const cpuMs = (await server.usage()).cpuMs - cpuBefore
  isOver = true
  await sleep(100)
  for (const socket of sockets) socket.terminate()
  await sleep(200)
  return { perSecond: (count / elapsed) * 1_000, cpuUs: (cpuMs * 1_000) / count }
}

/** Delay of single messages at a rate far from the limit, in milliseconds. */
async function delay(server: Server, perSecond: number, ms: number): Promise<{ p50: number; p99: number }> {
  const frames = messages()
  const delays: number[] = []
  const sockets: WebSocket[] = []
  const send: (() => void)[] = []
  for (let channel = 0; channel < pairs; channel += 1) {
    const [master, viewer] = [await connect(server, channel), await connect(server, channel, 'viewer')]
    sockets.push(master, viewer)
    const sentAt: number[] = []
    let next = 0
    // Messages of one connection arrive in order.
    master.on('message', () => delays.push(performance.now() - (sentAt.shift() ?? 0)))
    send.push(() => {
      sentAt.push(performance.now())
      viewer.send(frames[(next += 1) % frames.length] ?? '')
    })
  }
  const startedAt = performance.now()
  for (let sent = 0; performance.now() - startedAt < ms;) {
    while (sent < ((performance.now() - startedAt) / 1_000) * perSecond) send[(sent += 1) % send.length]?.()
    await sleep(1)
  }
  await sleep(200)
  for (const socket of sockets) socket.terminate()
  await sleep(200)
  // The first tenth warms up.
  const sorted = delays.slice(delays.length / 10).sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? NaN
  return { p50: at(0.5), p99: at(0.99) }
}

/** Connects masters, so many at a time, and leaves them idle. */
async function idle(server: Server, masters: number): Promise<{ perSecond: number; kB: number; heapKB: number }> {
  const before = await server.usage()
  const sockets: WebSocket[] = []
  const startedAt = performance.now()
  let next = 0
  const worker = async () => {
    while (next < masters) sockets.push(await connect(server, (next += 1) - 1))
  }
  await Promise.all(Array.from({ length: 50 }, worker))
  const perSecond = (masters / (performance.now() - startedAt)) * 1_000
  // A ping or two, and what the connecting left behind is gone.
  await sleep(25_000)
  await server.usage()
  const after = await server.usage()
  const gone = sockets.filter(({ readyState }) => readyState !== WebSocket.OPEN).length
  if (gone > 0) throw new Error(`${gone} of ${masters} masters were lost`)
  for (const socket of sockets) socket.terminate()
  return {
    perSecond,
    kB: (after.rss - before.rss) / masters / 1_024,
    heapKB: (after.heap - before.heap) / masters / 1_024,
  }
}

// ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────────

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      masters: { type: 'string', default: '10000' },
      rounds: { type: 'string', default: '5' },
      tls: { type: 'boolean', default: false },
    },
  })
  const { tls } = values
  const kinds = ['bare', 'transom'] as const
  console.log(
    `${tls ? 'TLS' : 'plain'}, Node ${process.version}, ${pairs} pairs, ${inFlight} messages in flight each\n`,
  )

  const servers = { bare: await start('bare', tls, pairs), transom: await start('transom', tls, pairs) }
  const rounds = { bare: [] as number[], transom: [] as number[] }
  const costs = { bare: [] as number[], transom: [] as number[] }
  const p50 = { bare: [] as number[], transom: [] as number[] }
  const p99 = { bare: [] as number[], transom: [] as number[] }
  for (const kind of kinds) await relay(servers[kind], 1_000)
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const kind of kinds) {
      const { perSecond, cpuUs } = await relay(servers[kind], 2_000)
      rounds[kind].push(perSecond)
      costs[kind].push(cpuUs)
      const late = await delay(servers[kind], 2_000, 2_000)
      p50[kind].push(late.p50)
      p99[kind].push(late.p99)
    }
  }
  for (const kind of kinds) await servers[kind].stop()
  report('messages a second', rounds, 0)
  report('CPU of the server, µs a message', costs, 1)
  report('delay at 2000 a second, p50 ms', p50, 2)
  report('delay at 2000 a second, p99 ms', p99, 2)

  const masters = Number(values.masters)
  if (masters === 0) return
  const connects = { bare: [] as number[], transom: [] as number[] }
  const memory = { bare: [] as number[], transom: [] as number[] }
  const heap = { bare: [] as number[], transom: [] as number[] }
  for (const kind of kinds) {
    const server = await start(kind, tls, masters)
    const { perSecond, kB, heapKB } = await idle(server, masters)
    connects[kind].push(perSecond)
    memory[kind].push(kB)
    heap[kind].push(heapKB)
    await server.stop()
  }
  console.log(`\n${masters} idle masters`)
  report('connects a second', connects, 0)
  report('RSS, kB a master', memory, 1)
  report('JS heap, kB a master', heap, 1)
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

function report(what: string, { bare, transom }: Record<Kind, readonly number[]>, digits: number): void {
  const [theirs, ours] = [median(bare), median(transom)]
  const column = (value: number) => value.toFixed(digits).padStart(9)
  console.log(
    `${what.padEnd(34)} bare ${column(theirs)}   transom ${column(ours)}   ratio ${(ours / theirs).toFixed(2)}`,
  )
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

// Last: what stands above must be defined.
if (process.argv[2] === 'serve')
  await serve(process.argv[3] as Kind, process.argv[4] === 'tls', Number(process.argv[5]))
else await main()
