/** Alexa's doors in directives per second, round trips per directive, and a press among a thousand motion events per second. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, Agent, request, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { createAlexaHandler } from '../src/bridge/alexa/handler.ts'
import { createCameras } from '../src/bridge/cameras/cameras.ts'
import { cameraId, type Camera } from '../src/core/ports.ts'
import { createSqliteStore } from '../src/core/store/sqlite.ts'
import { directives } from '../src/core/wire/alexa.ts'
import * as directive from '../test/alexa/directives.ts'
import { anna, answerSdp, frontDoor, garden } from '../test/alexa/world.ts'
import { openHouse } from '../test/app/house.ts'
import { wrapped } from '../test/store/wrapped.ts'

const seconds = Number(process.env['TRANSOM_BENCH_SECONDS'] ?? 3)

// ── Directives ───────────────────────────────────────────────────────────────────────────────────────────────────────

let reads = 0
const sqlite = createSqliteStore(':memory:', Date.now)
const counted = <Args extends unknown[], R>(verb: (...args: Args) => R) => {
  return (...args: Args): R => {
    reads += 1
    return verb(...args)
  }
}
const counting = wrapped(sqlite, (_kind, inner) => ({
  get: counted(inner.get),
  put: counted(inner.put),
  take: counted(inner.take),
  remove: counted(inner.remove),
  list: counted(inner.list),
}))
const cameras = createCameras(counting)
await cameras.put(frontDoor, 'key')
const states = counting.collection<object>('camera-state')
const handle = createAlexaHandler({
  // Access tokens are self-contained: no round trip.
  authorize: async () => ({ accountId: anna, clientId: 'alexa', scopes: ['camera'] }),
  cameras,
  broker: { negotiate: async () => answerSdp, connected: async () => {}, end: async () => {}, isOnline: () => true },
  grants: { accept: async () => {}, forget: async () => {} },
  stateOf: async ({ id }) => (await states.get(id))?.value ?? {},
  snapshotUrl: () => 'https://bridge.example/picture',
  canSendEvents: true,
  warn: async () => {},
  clock: Date.now,
  log: () => {},
})

const samples = {
  Discover: directive.discover(),
  ReportState: directive.reportState(),
  InitiateSessionWithOffer: directive.initiateSession(),
  SessionDisconnected: directive.sessionDisconnected(),
}
console.log('round trips to the store per directive, before the broker:')
for (const [name, message] of Object.entries(samples)) {
  reads = 0
  await handle(message)
  console.log(`  ${name.padEnd(26)} ${reads}`)
}

const offer = directive.initiateSession()
const schema = directives['Alexa.RTCSessionController/InitiateSessionWithOffer']
const text = JSON.stringify(offer)

async function perSecond(work: () => Promise<unknown>, lanes: number): Promise<number> {
  const run = async (until: number): Promise<number> => {
    let count = 0
    while (performance.now() < until) {
      await work()
      count += 1
    }
    return count
  }
  await run(performance.now() + 500)
  const from = performance.now()
  const counts = await Promise.all(Array.from({ length: lanes }, () => run(from + seconds * 1000)))
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - from) / 1000)
}

async function overHttp(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const post = () =>
    new Promise<void>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
      const sent = request({ port, host: '127.0.0.1', method: 'POST', path: '/alexa', agent, headers }, (response) => {
        response.resume().on('end', resolve)
      })
      sent.on('error', reject).end(text)
    })
  const rate = await perSecond(post, 16)
  agent.destroy()
  server.close()
  return rate
}

const bare = express()
bare.disable('x-powered-by')
bare.disable('etag')
bare.post('/alexa', express.text({ limit: '256kb', type: () => true }), (message, response) => {
  response.json({ offer: schema.parse(JSON.parse(message.body as string)).directive.payload.offer.value.length })
})
const ours = express()
ours.disable('x-powered-by')
ours.disable('etag')
ours.post('/alexa', express.text({ limit: '256kb', type: () => true }), async (message, response) => {
  response.json(await handle(JSON.parse(message.body as string)))
})

const lambda = await perSecond(() => handle(JSON.parse(text)), 1)
const rounds = [] as { bare: number; ours: number }[]
// In turn, so that a busy moment of the machine meets both.
for (let round = 0; round < 3; round++) rounds.push({ bare: await overHttp(bare), ours: await overHttp(ours) })
const middle = (values: number[]) => values.sort((a, b) => a - b)[1]!
const [bareRate, ourRate] = [middle(rounds.map((each) => each.bare)), middle(rounds.map((each) => each.ours))]
console.log('\noffers per second (16 connections; the camera answers at once):')
console.log(`  Lambda's function          ${lambda.toFixed(0)}`)
console.log(`  over HTTP                  ${ourRate.toFixed(0)}`)
console.log(`  bare Express, same schema  ${bareRate.toFixed(0)}`)
console.log(`  ratio                      ${(ourRate / bareRate).toFixed(2)} of bare Express`)

// ── A press in the crowd ─────────────────────────────────────────────────────────────────────────────────────────────

async function pressLatency(
  motionsPerSecond: number,
): Promise<{ p50: number; p95: number; max: number; motions: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'transom-bench-'))
  const house = await openHouse({ storePath: join(folder, 'bench.db') })
  await house.alexa.entry(directive.acceptGrant())
  const crowd: Camera[] = Array.from({ length: 100 }, (_, index) => ({ ...garden, id: cameraId(`c${index}`) }))
  for (const camera of crowd) await house.cameras.put(camera, 'key')
  await house.outbox.settled()

  let motions = 0
  let isDetected = false
  const open = new Set<Promise<void>>()
  const receive = (camera: Camera) => {
    const at = Date.now()
    const told = house.events
      .receive(camera, { kind: 'motion', eventId: `m${motions++}`, isDetected, at })
      .finally(() => open.delete(told))
    open.add(told)
  }
  const from = performance.now()
  const crowdTimer = setInterval(() => {
    isDetected = !isDetected
    const due = ((performance.now() - from) / 1000) * motionsPerSecond
    for (let next = motions; next < due; next++) receive(crowd[next % crowd.length]!)
  }, 5)
  const taken: number[] = []
  for (let index = 0; index < seconds * 10; index++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const before = house.amazon.events.length
    const at = performance.now()
    await house.tell({ kind: 'press', eventId: `p${index}`, at: Date.now() })
    const isPress = (event: (typeof house.amazon.events)[number]) => event.event.header.name === 'DoorbellPress'
    while (!house.amazon.events.slice(before).some(isPress)) await new Promise((resolve) => setImmediate(resolve))
    taken.push(performance.now() - at)
  }
  clearInterval(crowdTimer)
  await Promise.all(open)
  await house[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
  taken.sort((a, b) => a - b)
  const at = (share: number) => taken[Math.min(taken.length - 1, Math.floor(share * taken.length))]!
  return { p50: at(0.5), p95: at(0.95), max: at(1), motions }
}

console.log('\nfrom POST of the press to the event at the gateway (SQLite on disk, gateway in the same process):')
const [quiet, crowded] = [await pressLatency(0), await pressLatency(1_000)]
for (const [name, { p50, p95, max, motions }] of [
  ['alone', quiet],
  ['among motion', crowded],
] as const) {
  const rate =
    motions === 0 ? '' : `, ${(motions / (seconds * 10 * 0.1)).toFixed(0)} motion events per second of the run`
  console.log(`  ${name.padEnd(13)} p50 ${p50.toFixed(1)}  p95 ${p95.toFixed(1)}  max ${max.toFixed(1)} ms${rate}`)
}
console.log(`  ratio         ${(crowded.p95 / quiet.p95).toFixed(1)} at p95`)
await sqlite.close()
