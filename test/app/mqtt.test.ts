/** Camera events by MQTT, with a real broker in this process. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Aedes } from 'aedes'
import { connectAsync } from 'mqtt'
import { expect, test } from '@jest/globals'
import { startMqtt } from '../../src/app/mqtt.ts'
import type { CameraNews } from '../../src/ports.ts'
import { createJournal, frontDoor } from '../alexa/world.ts'

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

async function intake(url: string, receive: (news: CameraNews) => Promise<void>) {
  const { lines, log } = createJournal()
  const mqtt = await startMqtt({
    url,
    topic: 'transom',
    find: async (id) => (id === frontDoor.id ? frontDoor : undefined),
    receive: (_camera, news) => receive(news),
    clock: () => 1_000,
    log,
  })
  return { lines, close: mqtt.close, [Symbol.asyncDispose]: mqtt.close }
}

async function until(isSo: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 5_000
  while (!isSo()) {
    if (Date.now() > giveUpAt) throw new Error('it never came to that')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
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
    'mqtt.unknown_camera',
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
  expect(mqtt.lines.map(({ event }) => event)).toContain('mqtt.not_taken')
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
  await expect(intake('mqtt://127.0.0.1:1', async () => {})).rejects.toThrow(/ECONNREFUSED|connect/)
})
