/** Cameras that misbehave on a real channel: the broker, the KVS client and the signaling service, with sockets between them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { createBroker, type Broker } from '../../src/bridge/broker/broker.ts'
import { BridgeError } from '../../src/core/errors.ts'
import { openKvs, type Kvs, type KvsAccess } from '../../src/kvs/access.ts'
import { openChannel, type ChannelConnection } from '../../src/kvs/channel.ts'
import { findChannel } from '../../src/kvs/resources.ts'
import { createKvsSignaling } from '../../src/kvs/signaling.ts'
import { accountId, cameraId, type Camera, type Log, type Store } from '../../src/core/ports.ts'
import { startSignalingService, type SignalingService } from '../../src/signaling/service.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { budgets, cSdkAnswer, echoOffer, echoRules, hostCandidate } from '../broker/fixtures.ts'
import { until } from '../until.ts'

const channelName = 'front-door'
const directory = mkdtempSync(join(tmpdir(), 'transom-bad-'))
const silentMs = 1_000
const camera: Camera = {
  id: cameraId(channelName),
  accountId: accountId('a'),
  name: 'Front Door',
  kind: 'doorbell',
  channel: { channelName, road: 'viewer' },
  manufacturer: 'T',
  model: 'T',
  hasSpeaker: true,
}

const log: Log = () => {}

let store: Store
let service: SignalingService
let access: KvsAccess
let cameraKvs: Kvs
let signaling: ReturnType<typeof createKvsSignaling>
let broker: Broker
let master: ChannelConnection | undefined
let attempt = 0

beforeAll(async () => {
  const clock = Date.now
  store = createSqliteStore(':memory:', clock)
  service = await startSignalingService({
    store,
    certificateDir: directory,
    host: '127.0.0.1',
    port: 0,
    region: 'local',
    iceServers: [],
    clock,
    log,
    // A camera that is gone is said to be gone at once: the budget here is short.
    limits: { offlineDelayMs: 20, flappingDelayMs: 20 },
  })
  await service.ensureChannel(channelName)
  const credentials = await service.createCredentials({ kind: 'application' })
  access = { region: 'local', endpoint: service.endpoint, ca: service.ca ?? '', credentials }
  cameraKvs = openKvs(access)
  signaling = createKvsSignaling(access, { clock, log })
  const presence = (): ReturnType<SignalingService['presence']> => service.presence(channelName)
  broker = createBroker({ signaling, presence, store, budgets: { ...budgets, settleCapMs: 300 }, clock, log })
})
afterEach(() => {
  master?.close()
  master = undefined
})
afterAll(async () => {
  await broker.close()
  await signaling.close()
  cameraKvs.close()
  await service.close()
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

/** A master that does this with each offer. */
async function connect(onOffer: (channel: ChannelConnection, viewerId: string) => void): Promise<void> {
  const lasting = new AbortController().signal
  const channel = await findChannel(cameraKvs, channelName, 'MASTER', lasting)
  const connection = await openChannel(cameraKvs, channel, { role: 'MASTER' }, lasting)
  master = connection
  void (async () => {
    for await (const message of connection.messages) {
      if (message.kind === 'offer') onOffer(connection, message.senderClientId ?? '')
    }
  })()
}

/** `budgetMs`: how long a camera that stays silent is waited for. All others are told of before, however slow the machine. */
async function outcome(budgetMs = 60_000): Promise<string> {
  const receivedAt = Date.now()
  const request = {
    assistant: 'alexa',
    accountId: camera.accountId,
    camera,
    offer: echoOffer,
    rules: echoRules,
  } as const
  try {
    await broker.negotiate({ ...request, reference: `call-${++attempt}`, receivedAt, answerBy: receivedAt + budgetMs })
    return 'answered'
  } catch (thrown) {
    return thrown instanceof BridgeError ? thrown.code : String(thrown)
  }
}

const answer = { kind: 'answer', sdp: cSdkAnswer } as const

test.each<[name: string, outcome: string, onOffer: (channel: ChannelConnection, viewerId: string) => void]>([
  [
    'one that answers and trickles',
    'answered',
    (channel, viewer) => {
      channel.send(answer, viewer)
      channel.send({ kind: 'candidate', candidate: hostCandidate, sdpMid: '0', sdpMLineIndex: 0 }, viewer)
    },
  ],
  [
    'one that answers twice',
    'answered',
    (channel, viewer) => {
      channel.send(answer, viewer)
      channel.send({ ...answer, sdp: cSdkAnswer.replaceAll('aBcD', 'evil') }, viewer)
    },
  ],
  ['one that stays silent', 'camera_silent', () => {}],
  [
    'one that sends an answer that is none',
    'camera_garbled',
    (channel, viewer) => channel.send({ ...answer, sdp: 'nonsense' }, viewer),
  ],
  ['one that hangs up when it is asked', 'camera_hung_up', (channel) => channel.close()],
])('%s: %s, and nothing stays open', async (_, expected, onOffer) => {
  await connect(onOffer)
  expect(await outcome(expected === 'camera_silent' ? silentMs : undefined)).toBe(expected)
  await until(() => broker.running() === 0 && service.openSockets() === (expected === 'camera_hung_up' ? 0 : 1))
  const [view] = await broker.recent(camera.accountId)
  expect(view?.cause?.code).toBe(expected === 'answered' ? undefined : expected)
})

test('one that answers too late was silent, and its late answer changes nothing', async () => {
  const late: (() => void)[] = []
  await connect((channel, viewer) => late.push(() => channel.send(answer, viewer)))
  expect(await outcome(silentMs)).toBe('camera_silent')
  const before = await broker.recent(camera.accountId)
  for (const send of late) send()
  await until(() => service.openSockets() === 1)
  expect(await broker.recent(camera.accountId)).toEqual(before)
})
