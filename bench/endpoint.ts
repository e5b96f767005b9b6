/**
 * The gateway's peer connection, beside werift as it is published: from an offer to a connection, and the CPU of handshakes and
 * packets. Each engine runs in a process of its own, and rounds take turns.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import type * as Werift from 'werift'

const seconds = Number(process.env['TRANSOM_BENCH_SECONDS'] ?? 20)
const [engine] = process.argv.slice(2)
const patched = join(import.meta.dirname, '..', 'node_modules', 'werift', 'lib', 'index.mjs')

interface Result {
  readonly connectMs: readonly number[]
  /** Both ends of a connection, from the offer to the close. */
  readonly handshakeCpuMs: number
  /** Sealing and sending, for each packet of 1,100 bytes. */
  readonly packetUs: number
}

if (engine === undefined) await compare()
else process.on('message', () => void measure(engine).then((result) => process.send?.(result)))

async function compare(): Promise<void> {
  // As it is published, beside the patched one, from where its dependencies are found.
  const published = join(patched, '..', 'published.mjs')
  copyFileSync(existsSync(`${patched}.orig`) ? `${patched}.orig` : patched, published)
  const engines = { patched, published }
  const running = Object.entries(engines).map(([name, path]) => ({ name, child: fork(import.meta.filename, [path]) }))
  const results = new Map<string, Result[]>(running.map(({ name }) => [name, []]))
  const until = performance.now() + seconds * 1_000
  do {
    for (const { name, child } of running) results.get(name)?.push(await round(child))
  } while (performance.now() < until)
  for (const { child } of running) child.disconnect()

  console.log(`Node ${process.version}, rounds: ${results.get('patched')?.length}`)
  const row = (what: string, of: (results: readonly Result[]) => number, unit: string) => {
    const [ours, theirs] = ['patched', 'published'].map((name) => of(results.get(name) ?? []))
    const ratio = ours !== undefined && theirs ? (ours / theirs).toFixed(2) : '-'
    console.log(`${what.padEnd(34)} ${ours?.toFixed(1)} ${unit} beside ${theirs?.toFixed(1)} ${unit}: ${ratio}`)
  }
  row(
    'offer to connected, p50',
    (all) =>
      quantile(
        all.flatMap(({ connectMs }) => connectMs),
        0.5,
      ),
    'ms',
  )
  row(
    'offer to connected, p95',
    (all) =>
      quantile(
        all.flatMap(({ connectMs }) => connectMs),
        0.95,
      ),
    'ms',
  )
  row(
    'CPU of a connection, both ends',
    (all) =>
      quantile(
        all.map(({ handshakeCpuMs }) => handshakeCpuMs),
        0.5,
      ),
    'ms',
  )
  row(
    'CPU of a packet',
    (all) =>
      quantile(
        all.map(({ packetUs }) => packetUs),
        0.5,
      ),
    'µs',
  )
}

function round(child: ChildProcess): Promise<Result> {
  return new Promise((resolve, reject) => {
    child.once('message', (result) => resolve(result as Result))
    child.once('exit', () => reject(new Error('a round ended early')))
    child.send('go')
  })
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? Number.NaN
}

async function measure(path: string): Promise<Result> {
  const { RTCPeerConnection, RtpHeader, useH264, useOPUS }: typeof Werift = await import(path)
  const options = () => ({
    codecs: { video: [useH264()], audio: [useOPUS()] },
    bundlePolicy: 'max-bundle' as const,
    // A server of nobody, or the published one asks a public one.
    iceServers: [{ urls: 'stun:127.0.0.1:9' }],
    iceUseIpv6: false,
    iceStunGatherTimeout: 0.001,
  })
  const connect = async () => {
    const [display, camera] = [new RTCPeerConnection(options()), new RTCPeerConnection(options())]
    display.addTransceiver('video', { direction: 'recvonly' })
    await display.setLocalDescription(await display.createOffer())
    const startedAt = performance.now()
    await camera.setRemoteDescription(display.localDescription ?? { type: 'offer', sdp: '' })
    await camera.setLocalDescription(await camera.createAnswer())
    await display.setRemoteDescription(camera.localDescription ?? { type: 'answer', sdp: '' })
    await camera.connectionStateChange.watch((state) => state === 'connected', 10_000)
    return { ms: performance.now() - startedAt, display, camera }
  }
  const connectMs: number[] = []
  const before = process.cpuUsage()
  for (let index = 0; index < 10; index += 1) {
    const { ms, display, camera } = await connect()
    connectMs.push(ms)
    await Promise.all([display.close(), camera.close()])
  }
  const handshakes = process.cpuUsage(before)

  const { display, camera } = await connect()
  const [dtls] = camera.dtlsTransports
  const payload = Buffer.alloc(1_100)
  const count = 5_000
  // What arrives is somebody else's work.
  display.iceTransports[0]?.connection.onData.allUnsubscribe()
  const start = process.cpuUsage()
  for (let index = 0; index < count; index += 1) {
    await dtls?.sendRtp(payload, new RtpHeader({ sequenceNumber: index, timestamp: index, ssrc: 7, payloadType: 96 }))
  }
  const packets = process.cpuUsage(start)
  await Promise.all([display.close(), camera.close()])
  return {
    connectMs,
    handshakeCpuMs: (handshakes.user + handshakes.system) / 1_000 / connectMs.length,
    packetUs: (packets.user + packets.system) / count,
  }
}
