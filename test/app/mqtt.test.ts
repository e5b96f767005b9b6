/** Camera events by MQTT, with a real broker in this process. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Aedes } from 'aedes'
import { connectAsync } from 'mqtt'
import { afterAll, expect, test } from '@jest/globals'
import { BridgeError } from '../../src/core/errors.ts'
import { createRivalry, startMqtt } from '../../src/transom/mqtt.ts'
import type { CameraNews } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createJournal, frontDoor } from '../alexa/world.ts'
import { until } from '../until.ts'

const store = createSqliteStore(':memory:', () => 1_000)
afterAll(() => store.close())

async function startBroker() {
  const aedes = await Aedes.createBroker()
  const server = createServer((socket) => aedes.handle(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const acknowledged: number[] = []
  aedes.on('ack', (packet) => void acknowledged.push(packet?.messageId ?? 0))
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  const publisher = await connectAsync(url)
  return {
    url,
    acknowledged,
    publish: (topic: string, payload: string, retain = false) =>
      publisher.publishAsync(topic, payload, { qos: 1, retain }),
    async [Symbol.asyncDispose]() {
      await publisher.endAsync(true)
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
      server.close()
    },
  }
}

async function intake(url: string, receive: (news: CameraNews) => Promise<void>, clientId = 'transom-of-the-tests') {
  const { lines, log } = createJournal()
  const mqtt = await startMqtt({
    url,
    topic: 'transom',
    clientId,
    reconnectMs: 50,
    find: async (id) => (id === frontDoor.id ? frontDoor : undefined),
    receive: (_camera, news) => receive(news),
    pauseRecording: async () => undefined,
    store,
    clock: () => 1_000,
    log,
  })
  return { lines, close: mqtt.close, [Symbol.asyncDispose]: mqtt.close }
}

test('what automations write becomes news of the camera', async () => {
  await using broker = await startBroker()
  const heard: CameraNews[] = []
  await using _mqtt = await intake(broker.url, async (news) => void heard.push(news))
  await broker.publish('transom/front-door/event', '{"kind":"press"}')
  await broker.publish('transom/front-door/event', '{"kind":"motion","isDetected":true,"eventId":"m1","at":500}')
  await broker.publish('transom/front-door/event', '{"kind":"battery","level":42.5}')
  await until(() => heard.length === 3)
  expect(heard).toEqual([
    { kind: 'press', eventId: expect.stringMatching(/^[\w-]{36}$/), at: 1_000 },
    { kind: 'motion', isDetected: true, eventId: 'm1', at: 500 },
    { kind: 'battery', level: 42.5, at: 1_000 },
  ])
})

test('what cannot be taken is logged and does not stop the rest', async () => {
  await using broker = await startBroker()
  const heard: CameraNews[] = []
  await using mqtt = await intake(broker.url, async (news) => void heard.push(news))
  await broker.publish('transom/front-door/event', 'not JSON')
  await broker.publish('transom/front-door/event', '{"kind":"viewer"}')
  await broker.publish('transom/back-door/event', '{"kind":"press"}')
  await broker.publish('transom/front-door/event', '{"kind":"press"}')
  await until(() => heard.length === 1)
  expect(mqtt.lines.filter(({ level }) => level === 'warn').map(({ event }) => event)).toEqual([
    'mqtt.malformed',
    'mqtt.malformed',
    'mqtt.unknown-camera',
  ])
})

test('a message that was retained is not news', async () => {
  await using broker = await startBroker()
  await broker.publish('transom/front-door/event', '{"kind":"press"}', true)
  const heard: CameraNews[] = []
  await using mqtt = await intake(broker.url, async (news) => void heard.push(news))
  await until(() => mqtt.lines.some(({ event }) => event === 'mqtt.ignored'))
  expect(heard).toEqual([])
})

test('a message is acknowledged when it is durable, not before, and comes again when it was not taken', async () => {
  await using broker = await startBroker()
  const durable = Promise.withResolvers<void>()
  let asked = 0
  await using mqtt = await intake(broker.url, () => {
    asked += 1
    return asked === 1 ? durable.promise : Promise.resolve()
  })
  const { acknowledged } = broker
  await broker.publish('transom/front-door/event', '{"kind":"press","eventId":"one"}')
  await until(() => asked === 1)
  expect(acknowledged).toEqual([])
  durable.reject(new Error('disk full'))
  await until(() => asked === 2 && acknowledged.length === 1)
  expect(mqtt.lines.map(({ event }) => event)).toContain('mqtt.not-taken')
})

/** A broker that sends one press, the same again as if it had not heard our word for it, and another of the same number. */
async function startForgetfulBroker() {
  const topic = Buffer.from('\0\u0018transom/front-door/event')
  const publish = (dup: boolean) => {
    const body = Buffer.concat([topic, Buffer.from([0, 7]), Buffer.from('{"kind":"press"}')])
    return Buffer.concat([Buffer.from([dup ? 0x3a : 0x32, body.length]), body])
  }
  const presses = [publish(false), publish(true), publish(false)]
  // By the packet's first byte (MQTT 3.1.1, 2.2): CONNECT, SUBSCRIBE, PUBACK.
  const replies: Readonly<Record<number, (packet: Buffer) => Buffer>> = {
    0x10: () => Buffer.from([0x20, 2, 0, 0]),
    0x82: (packet) => Buffer.concat([Buffer.from([0x90, 4, packet[2]!, packet[3]!, 1, 1]), presses.shift()!]),
    0x40: () => presses.shift() ?? Buffer.alloc(0),
  }
  const server = createServer((socket) => {
    socket.on('data', (packet) => socket.write(replies[packet[0]!]?.(packet) ?? Buffer.alloc(0)))
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

test('a message that comes again is the same event, though nobody gave it a name', async () => {
  await using broker = await startForgetfulBroker()
  const heard: CameraNews[] = []
  await using _mqtt = await intake(broker.url, async (news) => void heard.push(news))
  await until(() => heard.length === 3)
  const [first, again, other] = heard.map((news) => 'eventId' in news && news.eventId)
  expect(again).toBe(first)
  expect(other).not.toBe(first)
})

test('what arrives while we are away waits for us', async () => {
  await using broker = await startBroker()
  const first = await intake(broker.url, async () => {})
  await first.close()
  await first.close()
  await broker.publish('transom/front-door/event', '{"kind":"press","eventId":"missed"}')
  const heard: CameraNews[] = []
  await using _second = await intake(broker.url, async (news) => void heard.push(news))
  await until(() => heard.length === 1)
  expect(heard).toMatchObject([{ eventId: 'missed' }])
})

test('a broker that is not there says so at the start', async () => {
  const start = intake('mqtt://user:secret@127.0.0.1:1', async () => {})
  await expect(start).rejects.toThrow(/^TRANSOM_MQTT_URL: 127\.0\.0\.1:1: .*(ECONNREFUSED|connect)/)
  await expect(start).rejects.not.toThrow('secret')
})

test('two bridges of two data directories are both connected', async () => {
  await using broker = await startBroker()
  const heard: string[] = []
  await using one = await intake(broker.url, async () => void heard.push('one'), 'transom-one')
  await using two = await intake(broker.url, async () => void heard.push('two'), 'transom-two')
  await broker.publish('transom/front-door/event', '{"kind":"press"}')
  await until(() => heard.length === 2)
  expect(heard.sort()).toEqual(['one', 'two'])
  expect([...one.lines, ...two.lines].map(({ event }) => event)).not.toContain('mqtt.disconnected')
})

test('a client that is pushed out again and again has a rival; one whose network comes and goes has not', () => {
  const pushed = createRivalry(0)
  expect(pushed.closed(900)).toBe(false)
  pushed.connected(1_900)
  expect(pushed.closed(2_800)).toBe(false)
  // An attempt that failed is neither short nor long.
  expect(pushed.closed(3_800)).toBe(false)
  pushed.connected(4_800)
  expect(pushed.closed(5_000)).toBe(true)
  pushed.connected(35_000)
  expect(pushed.closed(36_000)).toBe(true)
  pushed.connected(66_000)
  expect(pushed.closed(72_000)).toBe(false)

  const weak = createRivalry(0)
  const verdicts = [1, 2, 3, 4, 5].map((round) => {
    weak.connected(round * 60_000)
    return weak.closed(round * 60_000 + (round % 2 ? 6_000 : 1_000))
  })
  expect(verdicts).toEqual(Array(5).fill(false))
})

test('of two bridges with one client id, both say so and stop pushing each other out each second', async () => {
  await using broker = await startBroker()
  await using one = await intake(broker.url, async () => {})
  await using two = await intake(broker.url, async () => {})
  const contested = () => [...one.lines, ...two.lines].filter(({ event }) => event === 'mqtt.contested')
  await until(() => contested().length >= 1)
  expect(contested()[0]).toMatchObject({ level: 'error', fields: { clientId: 'transom-of-the-tests' } })
})

test('what comes too often is ignored, and not asked for again', async () => {
  await using broker = await startBroker()
  let asked = 0
  await using mqtt = await intake(broker.url, async () => {
    asked += 1
    throw new BridgeError('rate_limited', 'too many events')
  })
  await broker.publish('transom/front-door/event', '{"kind":"press"}')
  await until(() => broker.acknowledged.length === 1)
  expect(asked).toBe(1)
  expect(mqtt.lines.map(({ event }) => event)).toEqual(['mqtt.subscribed', 'mqtt.ignored'])
})
