/**
 * Google's two doors over HTTP against bare Express with the same JSON in the same run, and how long a display waits for
 * its answer when the camera trickles and is far away. Run with `npm run bench:google [-- SECONDS]`.
 */
import { createServer, type RequestListener } from 'node:http'
import { Agent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import express from 'express'
import { createBroker } from '../src/broker/broker.ts'
import { createFulfillment } from '../src/google/fulfillment.ts'
import { createGoogleLinks } from '../src/google/links.ts'
import { createStatesOf } from '../src/google/reports.ts'
import { createSignalingDoor } from '../src/google/signaling.ts'
import { accountId, cameraId, type Camera, type CameraMessage, type Signaling } from '../src/ports.ts'
import { createSqliteStore } from '../src/store/sqlite.ts'
import {
  chromiumAnswer,
  chromiumOffer,
  hostCandidate,
  reflexiveCandidate,
  relayCandidate,
} from '../test/broker/fixtures.ts'

const seconds = Number(process.argv[2] ?? 3)
const account = accountId('ada')
const camera: Camera = {
  id: cameraId('front-door'),
  accountId: account,
  name: 'Front door',
  kind: 'doorbell',
  channel: { channelName: 'front-door', road: 'viewer' },
  manufacturer: 'Transom',
  model: 'Bench',
  hasSpeaker: true,
}

const clock = Date.now
const log = () => {}
const stateOf = async () => ({})

/**
 * A camera behind `roundTripMs`: with a line opened ahead the offer and its answer are one round trip; without it the
 * connection (TCP, TLS, upgrade) costs three more before the offer leaves. Then it trickles three candidates, 20 ms apart.
 */
function openHouse(roundTripMs: number) {
  const store = createSqliteStore(':memory:', clock)
  const lines = new Set<string>()
  const signaling: Signaling = {
    async *offer(_channel, viewerId): AsyncGenerator<CameraMessage> {
      if (roundTripMs > 0) await wait(roundTripMs * (lines.delete(viewerId) ? 1 : 4))
      yield { kind: 'answer', sdp: chromiumAnswer }
      for (const candidate of [hostCandidate, reflexiveCandidate, relayCandidate]) {
        if (roundTripMs > 0) await wait(20)
        yield { kind: 'candidate', candidate, sdpMid: '0' }
      }
      yield { kind: 'end-of-candidates' }
    },
    iceServers: async () => [{ urls: ['turn:192.0.2.1:443?transport=udp'], username: 'u', credential: 'p' }],
    warm: (_channel, viewerId) => {
      if (viewerId !== undefined) lines.add(viewerId)
    },
  }
  const budgets = { settleCapMs: 1500, quietMs: 200, replyMs: 100, absentMs: 3000, lifetimeMs: 600_000 }
  const broker = createBroker({ signaling, presence: () => undefined, store, budgets, clock, log })
  const cameras = { list: async () => [camera], find: async () => camera }
  const base = { cameras, broker, store, clock, log }
  const fulfillment = createFulfillment({
    ...base,
    stateOf,
    links: createGoogleLinks(base),
    statesOf: createStatesOf(broker, stateOf),
    verifyToken: async () => ({ accountId: account, clientId: 'google', scopes: ['camera'] }),
    clientId: 'google',
    signalingUrl: 'https://bridge.example/google/signaling',
    canNotify: true,
    willReportState: true,
    unlink: async () => {},
  })
  const door = createSignalingDoor({ ...base, talkBack: true })
  return { fulfillment, door, forgetLines: () => lines.clear(), store }
}

const show = {
  requestId: '6894439706274654512',
  inputs: [
    {
      intent: 'action.devices.EXECUTE',
      payload: {
        commands: [
          {
            devices: [{ id: camera.id }],
            execution: [
              {
                command: 'action.devices.commands.GetCameraStream',
                params: { StreamToChromecast: true, SupportedStreamProtocols: ['webrtc'] },
              },
            ],
          },
        ],
      },
    },
  ],
}
const offer = JSON.stringify({ action: 'offer', deviceId: camera.id, sdp: chromiumOffer })

const house = openHouse(0)
const app = express()
app.post('/fulfillment', express.json({ limit: '256kb' }), async (request, response) => {
  const { status, body } = await house.fulfillment(request.body, request.headers)
  response.status(status).json(body)
})
app.post('/signaling', express.text({ limit: '64kb', type: () => true }), async (request, response) => {
  const { method, headers } = request
  const reply = await house.door({ method, headers, body: String(request.body) })
  response.status(reply.status).set(reply.headers).end(reply.body)
})
/** The same size of JSON in and out, and nothing between. */
const executed = JSON.stringify((await house.fulfillment(show, { authorization: 'Bearer x' })).body)
app.post(
  '/bare/fulfillment',
  express.json({ limit: '256kb' }),
  (_request, response) => void response.json(JSON.parse(executed)),
)
app.post('/bare/signaling', express.text({ limit: '64kb', type: () => true }), (request, response) => {
  const { sdp } = JSON.parse(String(request.body)) as { sdp: string }
  response.json({ action: 'answer', sdp })
})

const server = createServer(app as RequestListener)
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
const agent = new Agent({ keepAlive: true, maxSockets: 32 })

function post(path: string, body: string, token: string): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const sent = request({ port, path, method: 'POST', headers, agent }, (response) => {
    let text = ''
    response.on('data', (chunk: Buffer) => (text += chunk.toString()))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
  })
  sent.on('error', reject)
  sent.end(body)
  return promise
}

/** Requests per second of sixteen clients that each wait for their reply. */
async function perSecond(once: () => Promise<{ status: number }>): Promise<number> {
  for (let index = 0; index < 200; index += 1) await once()
  const until = performance.now() + seconds * 1000
  let done = 0
  const client = async () => {
    while (performance.now() < until) {
      const { status } = await once()
      if (status !== 200) throw new Error(`status ${status}`)
      done += 1
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: 16 }, client))
  return Math.round((done * 1000) / (performance.now() - startedAt))
}

const tokenOf = (text: string) => /"cameraStreamAuthToken":"([^"]+)"/.exec(text)?.[1] ?? ''
const text = JSON.stringify(show)
// Each POST is the first of its own stream: a repeat would be answered from memory.
const tokens: string[] = []
const nextToken = async () => tokens.pop() ?? tokenOf((await post('/fulfillment', text, 'x')).text)

const bareExecute = await perSecond(() => post('/bare/fulfillment', text, 'x'))
const execute = await perSecond(async () => {
  const reply = await post('/fulfillment', text, 'x')
  if (tokens.length < 100_000) tokens.push(tokenOf(reply.text))
  return reply
})
const barePost = await perSecond(() => post('/bare/signaling', offer, 'x'))
const posts = await perSecond(async () => post('/signaling', offer, await nextToken()))
server.close()
agent.destroy()

console.log('requests per second, sixteen clients')
console.table({
  EXECUTE: { transom: execute, 'bare Express': bareExecute, ratio: Math.round((100 * execute) / bareExecute) / 100 },
  'signaling POST': { transom: posts, 'bare Express': barePost, ratio: Math.round((100 * posts) / barePost) / 100 },
})

/** Milliseconds from the POST to its answer, of fifty displays one after the other. */
async function answerTimes(roundTripMs: number, isWarm: boolean): Promise<readonly number[]> {
  const { fulfillment, door, forgetLines, store } = openHouse(roundTripMs)
  const times: number[] = []
  for (let index = 0; index < 50; index += 1) {
    const { body } = await fulfillment(show, { authorization: 'Bearer x' })
    if (!isWarm) forgetLines()
    const startedAt = performance.now()
    const headers = { authorization: `Bearer ${tokenOf(JSON.stringify(body))}` }
    const { status } = await door({ method: 'POST', headers, body: offer })
    if (status !== 200) throw new Error(`status ${status}`)
    times.push(performance.now() - startedAt)
  }
  await store.close()
  return times.sort((one, other) => one - other)
}

const at = (times: readonly number[], share: number) => Math.round(times[Math.ceil(share * times.length) - 1] ?? 0)
const rows: Record<string, Record<string, number>> = {}
for (const roundTripMs of [0, 50, 150]) {
  for (const isWarm of [true, false]) {
    const times = await answerTimes(roundTripMs, isWarm)
    rows[`${roundTripMs} ms, ${isWarm ? 'opened at EXECUTE' : 'opened at the POST'}`] = {
      p50: at(times, 0.5),
      p99: at(times, 0.99),
    }
  }
}
console.log('milliseconds from POST to answer, trickling camera, by its round trip')
console.table(rows)
