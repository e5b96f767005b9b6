/**
 * Google's two doors over HTTP against bare Express with the same JSON in the same run, and how long a display waits for
 * its answer when the camera trickles and is far away. Run with `npm run bench:google [-- SECONDS]`.
 */
import { Agent } from 'node:http'
import express from 'express'
import type { CameraMessage, Signaling } from '../src/core/ports.ts'
import {
  chromiumAnswer,
  chromiumOffer,
  hostCandidate,
  reflexiveCandidate,
  relayCandidate,
} from '../test/broker/fixtures.ts'
import { answerTimes, setups } from './google-answers.ts'
import { camera, openDoors, serve, show, tokenOf } from './google-doors.ts'

const seconds = Number(process.argv[2] ?? 3)
const displays = 50

/** Answers at once: what is measured is the doors, and what the broker does with an answer and its candidates. */
const instant: Signaling = {
  async *offer(): AsyncGenerator<CameraMessage> {
    yield { kind: 'answer', sdp: chromiumAnswer }
    for (const candidate of [hostCandidate, reflexiveCandidate, relayCandidate])
      yield { kind: 'candidate', candidate, sdpMid: '0' }
    yield { kind: 'end-of-candidates' }
  },
  iceServers: async () => [{ urls: ['turn:192.0.2.1:443?transport=udp'], username: 'u', credential: 'p' }],
  warm: () => {},
}
const offer = JSON.stringify({ action: 'offer', deviceId: camera.id, sdp: chromiumOffer })

const app = express()
openDoors(app, instant)
/** The same size of JSON in and out, and nothing between. */
let executed = '{}'
app.post(
  '/bare/fulfillment',
  express.json({ limit: '256kb' }),
  (_request, response) => void response.json(JSON.parse(executed)),
)
app.post('/bare/signaling', express.text({ limit: '64kb', type: () => true }), (request, response) => {
  const { sdp } = JSON.parse(String(request.body)) as { sdp: string }
  response.json({ action: 'answer', sdp })
})
const agent = new Agent({ keepAlive: true, maxSockets: 32 })
const { post, close } = await serve(app, agent)
executed = (await post('/fulfillment', show, 'x')).text

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

// Each POST is the first of its own stream: a repeat would be answered from memory.
const tokens: string[] = []
const nextToken = async () => tokens.pop() ?? tokenOf((await post('/fulfillment', show, 'x')).text)

const bareExecute = await perSecond(() => post('/bare/fulfillment', show, 'x'))
const execute = await perSecond(async () => {
  const reply = await post('/fulfillment', show, 'x')
  if (tokens.length < 100_000) tokens.push(tokenOf(reply.text))
  return reply
})
const barePost = await perSecond(() => post('/bare/signaling', offer, 'x'))
const posts = await perSecond(async () => post('/signaling', offer, await nextToken()))
close()
agent.destroy()

console.log('requests per second, sixteen clients')
console.table({
  EXECUTE: { transom: execute, 'bare Express': bareExecute, ratio: Math.round((100 * execute) / bareExecute) / 100 },
  'signaling POST': { transom: posts, 'bare Express': barePost, ratio: Math.round((100 * posts) / barePost) / 100 },
})

const at = (times: readonly number[], share: number) => Math.round(times[Math.ceil(share * times.length) - 1] ?? 0)
const rows: Record<string, Record<string, number>> = {}
for (const roundTripMs of [0, 50, 150]) {
  // Side by side: they mostly wait.
  const measured = await Promise.all(setups.map((setup) => answerTimes(setup, roundTripMs, displays)))
  for (const [index, times] of measured.entries())
    rows[`${roundTripMs} ms, ${setups[index]}`] = { p50: at(times, 0.5), p99: at(times, 0.99) }
}
console.log(`milliseconds from POST to answer, ${displays} displays, by the round trip`)
console.table(rows)
