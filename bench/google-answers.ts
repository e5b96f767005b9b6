/**
 * How long a display waits for its answer when the camera is far away and trickles: the real bridge, the real signaling
 * service, a camera on a WebSocket of its own, and between them a proxy that holds every byte back for half a round trip.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import express from 'express'
import { openKvs } from '../src/kvs/access.ts'
import { openChannel } from '../src/kvs/channel.ts'
import { findChannel } from '../src/kvs/resources.ts'
import { createKvsSignaling } from '../src/kvs/signaling.ts'
import type { Signaling } from '../src/core/ports.ts'
import { defaultLimits } from '../src/signaling/limits.ts'
import { startSignalingService } from '../src/signaling/service.ts'
import { createSqliteStore } from '../src/core/store/sqlite.ts'
import {
  chromiumAnswer,
  chromiumOffer,
  hostCandidate,
  reflexiveCandidate,
  relayCandidate,
} from '../test/broker/fixtures.ts'
import { camera, openDoors, serve, show, tokenOf } from './google-doors.ts'

/** Where the round trip lies, and when the bridge opens its line. */
export type Setup =
  /** Between camera and signaling service, as with AWS's in the bridge's own region. */
  | 'camera far'
  /** Also between the service and the bridge; the line to it is opened at EXECUTE, or only by the POST. */
  | 'bridge far too, opened at EXECUTE'
  | 'bridge far too, opened at the POST'
export const setups: readonly Setup[] = [
  'camera far',
  'bridge far too, opened at EXECUTE',
  'bridge far too, opened at the POST',
]

const { channelName } = camera.channel
const offer = JSON.stringify({ action: 'offer', deviceId: camera.id, sdp: chromiumOffer })
const clock = Date.now
const log = () => {}
const often = { perSecond: 1000, burst: 1000 }

/** Milliseconds from the POST to its answer, of so many displays one after the other, in order of size. */
export async function answerTimes(setup: Setup, roundTripMs: number, displays: number): Promise<readonly number[]> {
  const dir = mkdtempSync(join(tmpdir(), 'transom-bench-'))
  const store = createSqliteStore(':memory:', clock)
  const proxy = await startProxy(roundTripMs / 2)
  const service = await startSignalingService({
    store,
    certificateDir: dir,
    host: '127.0.0.1',
    port: 0,
    advertisedUrl: `https://127.0.0.1:${proxy.port}`,
    region: 'bench',
    // So that there are relay candidates to wait for.
    iceServers: [{ urls: ['turn:192.0.2.1:443?transport=udp'], username: 'u', credential: 'p' }],
    limits: { rates: { ...defaultLimits.rates, channelCall: often, channelConnect: often, accountRead: often } },
    clock,
    log,
  })
  proxy.leadTo(Number(new URL(service.localEndpoint).port))
  await service.ensureChannel(channelName)
  const trust = { region: 'bench', ...(service.ca !== undefined && { ca: service.ca }) }
  const [application, master] = await Promise.all([
    service.createCredentials({ kind: 'application' }),
    service.createCredentials({ kind: 'camera', channelName }),
  ])
  const life = new AbortController()
  const kvs = openKvs({ ...trust, endpoint: service.endpoint, credentials: master })
  await startCamera(kvs, life.signal)
  const endpoint = setup === 'camera far' ? service.localEndpoint : service.endpoint
  const signaling = createKvsSignaling({ ...trust, endpoint, credentials: application }, { clock, log })
  const app = express()
  openDoors(app, setup === 'bridge far too, opened at the POST' ? unprepared(signaling) : signaling)
  const agent = new Agent({ keepAlive: true })
  const { post, close } = await serve(app, agent)
  try {
    const times: number[] = []
    // The first one pays for what is fetched once: addresses and ICE servers.
    for (let display = 0; display <= displays; display += 1) {
      const token = tokenOf((await post('/fulfillment', show, 'x')).text)
      // A display makes its offer in the meantime.
      await wait(Math.max(100, roundTripMs * 5))
      const startedAt = performance.now()
      const { status, text } = await post('/signaling', offer, token)
      if (status !== 200) throw new Error(`${setup}, ${roundTripMs} ms: status ${status} ${text.slice(0, 200)}`)
      if (display > 0) times.push(performance.now() - startedAt)
      if (!text.includes('typ relay')) throw new Error('the answer left before the last candidate')
      await post('/signaling', JSON.stringify({ action: 'end' }), token)
    }
    return times.sort((one, other) => one - other)
  } finally {
    life.abort()
    close()
    agent.destroy()
    await signaling.close()
    kvs.close()
    await service.close()
    proxy.close()
    await store.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** A master that answers at once and then trickles three candidates, 20 ms apart; as the C SDK it never says that it is done. */
async function startCamera(kvs: ReturnType<typeof openKvs>, signal: AbortSignal): Promise<void> {
  const channel = await findChannel(kvs, channelName, 'MASTER', signal)
  const connection = await openChannel(kvs, channel, { role: 'MASTER' }, signal)
  const answer = async (viewer: string | undefined) => {
    connection.send({ kind: 'answer', sdp: chromiumAnswer }, viewer)
    for (const candidate of [hostCandidate, reflexiveCandidate, relayCandidate]) {
      await wait(20)
      connection.send({ kind: 'candidate', candidate, sdpMid: '0' }, viewer)
    }
  }
  void (async () => {
    for await (const message of connection.messages) if (message.kind === 'offer') void answer(message.senderClientId)
  })()
}

/** The same without opening a line ahead. */
function unprepared(signaling: Signaling): Signaling {
  return { ...signaling, warm: (channel) => signaling.warm(channel) }
}

/** Passes connections on, each byte so much later, in order. */
async function startProxy(delayMs: number) {
  let target = 0
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.setNoDelay(true)
      from.on('data', (chunk) => setTimeout(() => to.write(chunk), delayMs))
      from.on('close', () => {
        sockets.delete(from)
        setTimeout(() => to.destroy(), delayMs)
      })
      from.on('error', () => from.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (port: number) => void (target = port),
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
