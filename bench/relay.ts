/**
 * What it costs to forward a camera's packets to 2, 8 and 24 viewers, and how long they take: the gateway beside werift as it is
 * published, libdatachannel (from Node), Janus and pion. The last two where Debian's packages of them are installed. Each engine
 * is a process of its own; they take turns, one stream of 2.2 Mbit/s to each.
 */
import { fork } from 'node:child_process'
import { copyFileSync, existsSync } from 'node:fs'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { cpuMsOf, memoryOf, openJanus, openNode, openPion, type Engine } from './relays/engines.ts'
import type { Ask, Reply } from './relays/viewers.ts'

const measureMs = Number(process.env['TRANSOM_BENCH_SECONDS'] ?? 5) * 1_000
const counts = [2, 8, 24]
/** A camera of 25 pictures a second, ten packets each. */
const pictureMs = 40
const packetsPerPicture = 10
/** New viewers in the last round: 2.5 a second. */
const joinMs = 400

interface Figures {
  readonly packetUs: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const published = join(import.meta.dirname, '..', 'node_modules', 'werift', 'lib', 'published.mjs')
const werift = join(published, '..', 'index.mjs')
copyFileSync(existsSync(`${werift}.orig`) ? `${werift}.orig` : werift, published)

const viewers = fork(join(import.meta.dirname, 'relays', 'viewers.ts'))
const ask = async (word: Ask): Promise<Reply> => {
  viewers.send(word)
  return (await once(viewers, 'message'))[0] as Reply
}
const port = 8_180
const engines: Engine[] = []
const end = () => {
  for (const engine of engines) engine.close()
  if (viewers.connected) viewers.disconnect()
}
process.on('exit', end)
process.on('SIGTERM', () => process.exit(143))
for (const open of [
  () => openNode('transom', 'transom', port),
  () => openNode('werift as published', published, port + 1),
  () => openNode('libdatachannel', 'libdatachannel', port + 2),
  () => openJanus(port + 3),
  () => openPion(port + 4),
]) {
  const engine = await open()
  if (engine) engines.push(engine)
}
console.log(`Node ${process.version}, ${engines.map(({ name }) => name).join(', ')}`)

let connected = 0
const memory = new Map<string, number[]>()
for (const count of counts) {
  for (; connected < count; connected += 1) for (const engine of engines) await engine.connect(ask)
  await wait(1_000)
  const figures = new Map<string, Figures>()
  for (const engine of engines) figures.set(engine.name, await measure(engine))
  print(`${count} viewers`, figures)
  for (const engine of engines) {
    await engine.collect()
    memory.set(engine.name, [...(memory.get(engine.name) ?? []), memoryOf(engine)])
  }
}
const joined = new Map<string, Figures>()
for (const engine of engines) joined.set(engine.name, await measure(engine, true))
print('24 viewers and 2.5 more a second', joined)
for (const [name, [first = 0, , last = 0]] of memory) {
  console.log(`${name.padEnd(20)} ${((last - first) / 22).toFixed(2)} MB a viewer, ${last.toFixed(0)} MB with 24`)
}
end()

/** Sends for a while to one engine, and looks at it and at what its viewers get. */
async function measure(engine: Engine, withJoins = false): Promise<Figures> {
  const socket = createSocket('udp4')
  const target = port + ['transom', 'werift as published', 'libdatachannel', 'Janus', 'pion'].indexOf(engine.name)
  const packet = Buffer.alloc(12 + 1_100)
  packet[0] = 0x80
  packet[12] = 0x61
  packet.writeUInt32BE(7, 8)
  let number = 0
  const picture = () => {
    for (let index = 0; index < packetsPerPicture; index += 1) {
      packet[1] = 96 | (index === packetsPerPicture - 1 ? 0x80 : 0)
      packet.writeUInt16BE(number & 0xffff, 2)
      packet.writeUInt32BE(Math.floor(number / packetsPerPicture) * 3_600, 4)
      packet.writeBigUInt64BE(process.hrtime.bigint(), 13)
      socket.send(Buffer.from(packet), target, '127.0.0.1')
      number += 1
    }
  }
  const ticking = setInterval(picture, pictureMs)
  await wait(500)
  await ask({ do: 'read' })
  const before = cpuMsOf(engine)
  const until = performance.now() + measureMs
  while (performance.now() < until) {
    await wait(withJoins ? joinMs : measureMs)
    if (withJoins) await engine.connect(ask)
  }
  const spentMs = cpuMsOf(engine) - before
  const { packets = 0, delaysMs = [] } = await ask({ do: 'read' })
  clearInterval(ticking)
  socket.close()
  const sorted = delaysMs.toSorted((one, other) => one - other)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { packetUs: (spentMs * 1_000) / packets, p50: at(0.5), p99: at(0.99), max: at(1) }
}

function print(what: string, figures: ReadonlyMap<string, Figures>): void {
  const own = figures.get('transom')?.packetUs ?? Number.NaN
  for (const [name, { packetUs, p50, p99, max }] of figures) {
    const ratio = name === 'transom' ? '' : ` (transom ${(own / packetUs).toFixed(2)} of it)`
    const delay = `delay p50 ${p50.toFixed(2)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(0)} ms`
    console.log(`${what}, ${name.padEnd(20)} ${packetUs.toFixed(1)} µs a packet${ratio}; ${delay}`)
  }
}
