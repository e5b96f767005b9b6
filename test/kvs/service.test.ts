/** The client against the embedded signaling service: a master and the bridge, both as they are in a running house. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { openKvs, type Kvs, type KvsAccess } from '../../src/kvs/access.ts'
import { openChannel, type ChannelConnection } from '../../src/kvs/channel.ts'
import type { ChannelMessage } from '../../src/kvs/message.ts'
import { fetchIceServers, findChannel } from '../../src/kvs/resources.ts'
import { createLocalSignaling } from '../../src/kvs/local-signaling.ts'
import { createKvsSignaling } from '../../src/kvs/signaling.ts'
import type { CameraMessage, Log } from '../../src/core/ports.ts'
import { startSignalingService, type SignalingService } from '../../src/signaling/service.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { noRates } from '../signaling/running-service.ts'
import { all } from './all.ts'
import { until } from '../until.ts'

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
let access: KvsAccess
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
  access = { region, credentials: mine, endpoint, ca }
})

afterEach(async () => {
  life.abort()
  camera.close()
  await signaling.close()
  await until(() => service.openSockets() === 0)
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

describe.each([
  ['over the network', () => createKvsSignaling(access, { clock: Date.now, log: quiet })],
  ['in its process', () => createLocalSignaling(service.local, { log: quiet })],
])('by the embedded service, %s', (_way, open) => {
  beforeEach(() => {
    signaling = open()
  })

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
    let offers = 0
    await startMaster(({ kind }) => {
      if (kind === 'offer') offers += 1
    })
    const viewers = Array.from({ length: 10 }, (_, n) =>
      all(signaling.offer({ channelName: 'door', road: 'viewer' }, `v${n}`, offerSdp, life.signal)),
    )
    await until(() => offers === 10)
    await expect(call('viewer', 'v10')).rejects.toMatchObject({ code: 'camera_busy' })
    life.abort()
    expect(await Promise.all(viewers)).toEqual(viewers.map(() => []))
  })

  test('many calls one after the other leave nothing open', async () => {
    await answering()
    for (let n = 0; n < 30; n += 1) {
      expect(await call('viewer', `again-${n}`)).toHaveLength(3)
    }
    await until(() => service.openSockets() === 1)
  })

  test('a master that comes late still gets the offer', async () => {
    const pending = call('viewer', 'early')
    await new Promise((resolve) => setImmediate(resolve))
    await answering()
    expect(await pending).toHaveLength(3)
  })

  test('who hangs up hears nothing more, and closing hangs up on all', async () => {
    await startMaster(() => {})
    const hangUp = new AbortController()
    const [one, two] = [
      all(signaling.offer({ channelName: 'door', road: 'viewer' }, 'one', offerSdp, hangUp.signal)),
      all(signaling.offer({ channelName: 'door', road: 'viewer' }, 'two', offerSdp, life.signal)),
    ]
    hangUp.abort()
    expect(await one).toEqual([])
    await signaling.close()
    expect(await two).toEqual([])
    expect(await all(signaling.offer({ channelName: 'door', road: 'viewer' }, 'late', offerSdp, life.signal))).toEqual(
      [],
    )
  })

  test('an offer that is too long is refused before anybody is asked', async () => {
    const long = signaling.offer({ channelName: 'door', road: 'viewer' }, 'v', 'v='.padEnd(10_000, 'x'), life.signal)
    await expect(all(long)).rejects.toMatchObject({ code: 'offer_too_large' })
  })

  test('a channel that is removed ends its calls', async () => {
    await service.ensureChannel('shed')
    const { endpoint, ca = '' } = service
    const credentials = await service.createCredentials({ kind: 'camera', channelName: 'shed' })
    const other = openKvs({ region, credentials, endpoint, ca })
    const channel = await findChannel(other, 'shed', 'MASTER', life.signal)
    const master = await openChannel(other, channel, { role: 'MASTER' }, life.signal)
    const pending = all(signaling.offer({ channelName: 'shed', road: 'viewer' }, 'v', offerSdp, life.signal))
    await master.messages[Symbol.asyncIterator]().next()
    await service.removeChannel('shed')
    expect(await pending).toEqual([])
    other.close()
    const again = signaling.offer({ channelName: 'shed', road: 'viewer' }, 'w', offerSdp, life.signal)
    await expect(all(again)).rejects.toMatchObject({ code: 'signaling_failed' })
  })
})

test('in its process the same rates hold, and are the bridge’s own', async () => {
  const rates = { ...noRates, channelConnect: { perSecond: 0.001, burst: 2 } }
  const strict = await startSignalingService({
    store,
    certificateDir: directory,
    host: '127.0.0.1',
    port: 0,
    region,
    iceServers: [],
    clock: Date.now,
    log: quiet,
    limits: { rates },
  })
  const local = createLocalSignaling(strict.local, { log: quiet })
  const ask = async (viewerId: string) => {
    const hangUp = new AbortController()
    const got = all(local.offer({ channelName: 'door', road: 'viewer' }, viewerId, offerSdp, hangUp.signal))
    got.catch(() => {})
    await new Promise((resolve) => setImmediate(resolve))
    hangUp.abort()
    return got
  }
  try {
    expect([await ask('one'), await ask('two')]).toEqual([[], []])
    await expect(ask('three')).rejects.toMatchObject({ code: 'rate_limited' })
  } finally {
    await local.close()
    await strict.close()
  }
})
