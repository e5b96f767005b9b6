/** The client against the embedded signaling service: a master and the bridge, both as they are in a running house. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { openKvs, type Kvs } from '../../src/kvs/access.ts'
import { openChannel, type ChannelConnection } from '../../src/kvs/channel.ts'
import type { ChannelMessage } from '../../src/kvs/message.ts'
import { fetchIceServers, findChannel } from '../../src/kvs/resources.ts'
import { createKvsSignaling } from '../../src/kvs/signaling.ts'
import type { CameraMessage, Log } from '../../src/ports.ts'
import { startSignalingService, type SignalingService } from '../../src/signaling/service.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { noRates } from '../signaling/running-service.ts'
import { all, eventually } from './patience.ts'

const region = 'eu-west-1'
const offerSdp = 'v=0\r\ns=offer\r\n'
const answer = { kind: 'answer', sdp: 'v=0\r\ns=answer\r\n' } as const
const candidate = {
  kind: 'candidate',
  candidate: 'candidate:0 1 udp 2130706431 192.0.2.2 54289 typ host',
  sdpMid: '0',
  sdpMLineIndex: 0,
} as const
const turn = { urls: ['turn:192.0.2.1:3478?transport=udp'], username: 'u:1=', credential: 'p' }

let directory: string
let store: ReturnType<typeof createSqliteStore>
let service: SignalingService
let camera: Kvs
let signaling: ReturnType<typeof createKvsSignaling>
const quiet: Log = () => {}
let life: AbortController

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kvs-'))
  store = createSqliteStore(join(directory, 'store.db'), Date.now)
  service = await startSignalingService({
    store,
    certificateDir: directory,
    host: '127.0.0.1',
    port: 0,
    region,
    iceServers: [turn],
    clock: Date.now,
    log: quiet,
    limits: { rates: noRates, offlineDelayMs: 0 },
  })
  await service.ensureChannel('door')
})

afterAll(async () => {
  await service.close()
  await store.close()
  await rm(directory, { recursive: true })
})

beforeEach(async () => {
  const { endpoint, ca = '' } = service
  const [mine, theirs] = await Promise.all([
    service.createCredentials({ kind: 'application' }),
    service.createCredentials({ kind: 'camera', channelName: 'door' }),
  ])
  life = new AbortController()
  camera = openKvs({ region, credentials: theirs, endpoint, ca })
  signaling = createKvsSignaling({ region, credentials: mine, endpoint, ca }, { clock: Date.now, log: quiet })
})

afterEach(async () => {
  life.abort()
  camera.close()
  await signaling.close()
  await eventually(() => service.openSockets() === 0)
})

/** A camera master that handles each message so. */
async function startMaster(handle: (message: ChannelMessage, connection: ChannelConnection) => void): Promise<void> {
  const channel = await findChannel(camera, 'door', 'MASTER', life.signal)
  const connection = await openChannel(camera, channel, { role: 'MASTER' }, life.signal)
  void (async () => {
    for await (const message of connection.messages) handle(message, connection)
  })()
}

const answering = () =>
  startMaster((message, connection) => {
    if (message.kind !== 'offer') return
    connection.send(answer, message.senderClientId)
    connection.send(candidate, message.senderClientId)
    connection.send({ kind: 'end-of-candidates' }, message.senderClientId)
  })

/** What comes back until the candidates end; then hangs up. */
async function call(road: 'viewer' | 'alexa-offer', viewerId: string): Promise<CameraMessage[]> {
  const got: CameraMessage[] = []
  const hangUp = new AbortController()
  for await (const message of signaling.offer({ channelName: 'door', road }, viewerId, offerSdp, hangUp.signal)) {
    got.push(message)
    if (message.kind === 'end-of-candidates') hangUp.abort()
  }
  return got
}

describe('over the embedded service', () => {
  test('a camera answers an offer and trickles', async () => {
    await answering()
    expect(await call('viewer', 'display-1')).toEqual([answer, candidate, { kind: 'end-of-candidates' }])
  })

  test('a camera answers an offer on the Alexa road', async () => {
    await answering()
    expect(await call('alexa-offer', 'display-2')).toEqual([answer, { kind: 'end-of-candidates' }])
  })

  test('camera and bridge both learn the ICE servers', async () => {
    const channel = await findChannel(camera, 'door', 'MASTER', life.signal)
    expect((await fetchIceServers(camera, channel, life.signal)).servers).toEqual([turn])
    expect(await signaling.iceServers({ channelName: 'door', road: 'viewer' }, life.signal)).toEqual([turn])
  })

  test('a camera that does not exist is named', async () => {
    await expect(findChannel(camera, 'door2', 'MASTER', life.signal)).rejects.toMatchObject({
      code: 'signaling_failed',
    })
    const offer = signaling.offer({ channelName: 'barn', road: 'viewer' }, 'v', offerSdp, life.signal)
    await expect(all(offer)).rejects.toMatchObject({
      code: 'signaling_failed',
      message: expect.stringContaining('no signaling channel barn'),
    })
  })

  test('the eleventh viewer is told that the camera is busy', async () => {
    await startMaster(() => {})
    const viewers = Array.from({ length: 10 }, (_, n) =>
      all(signaling.offer({ channelName: 'door', road: 'viewer' }, `v${n}`, offerSdp, life.signal)),
    )
    await eventually(() => service.openSockets() === 11)
    await expect(call('viewer', 'v10')).rejects.toMatchObject({ code: 'camera_busy' })
    life.abort()
    expect(await Promise.all(viewers)).toEqual(viewers.map(() => []))
  })

  test('many calls one after the other leave nothing open', async () => {
    await answering()
    for (let n = 0; n < 30; n += 1) {
      expect(await call('viewer', `again-${n}`)).toHaveLength(3)
    }
    await eventually(() => service.openSockets() === 1)
  })

  test('a master that comes late still gets the offer', async () => {
    const pending = call('viewer', 'early')
    await eventually(() => service.openSockets() === 1)
    await answering()
    expect(await pending).toHaveLength(3)
  })
})
