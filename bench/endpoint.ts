/**
 * The gateway's peer connection, beside werift as it is published and libdatachannel: from an offer to a connection, and the CPU
 * of handshakes and packets. Each engine runs in a process of its own, and rounds take turns.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { openLibdatachannel, openWerift } from './peers.ts'

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
  const engines = { patched, published, libdatachannel: 'libdatachannel' }
  const running = Object.entries(engines).map(([name, path]) => ({
    name,
    child: fork(import.meta.filename, [path]),
    results: new Array<Result>(),
  }))
  const until = performance.now() + seconds * 1_000
  do {
    for (const { child, results } of running) results.push(await round(child))
  } while (performance.now() < until)
  for (const { child } of running) child.disconnect()

  console.log(`Node ${process.version}, rounds: ${running[0]?.results.length}`)
  const row = (what: string, unit: string, share: number, of: (result: Result) => readonly number[]) => {
    const [ours = Number.NaN, ...others] = running.map(({ results }) => quantile(results.flatMap(of), share))
    const beside = others.map(
      (value, index) => `${running[index + 1]?.name} ${value.toFixed(1)} (${(ours / value).toFixed(2)})`,
    )
    console.log(`${what.padEnd(34)} ${ours.toFixed(1)} ${unit}; ${beside.join(', ')}`)
  }
  row('offer to connected, p50', 'ms', 0.5, ({ connectMs }) => connectMs)
  row('offer to connected, p95', 'ms', 0.95, ({ connectMs }) => connectMs)
  row('CPU of a connection, both ends', 'ms', 0.5, ({ handshakeCpuMs }) => [handshakeCpuMs])
  row('CPU of a packet', 'µs', 0.5, ({ packetUs }) => [packetUs])
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

async function measure(name: string): Promise<Result> {
  const connect = await (name === 'libdatachannel' ? openLibdatachannel() : openWerift(name))
  const connectMs: number[] = []
  const before = process.cpuUsage()
  for (let index = 0; index < 10; index += 1) {
    const pair = await connect()
    connectMs.push(pair.ms)
    await pair.close()
  }
  const handshakes = process.cpuUsage(before)

  const pair = await connect()
  const count = 5_000
  const start = process.cpuUsage()
  await pair.send(count)
  const packets = process.cpuUsage(start)
  await pair.close()
  return {
    connectMs,
    handshakeCpuMs: (handshakes.user + handshakes.system) / 1_000 / connectMs.length,
    packetUs: (packets.user + packets.system) / count,
  }
}
