/** Home Assistant and Frigate at a real broker: cameras appear by themselves, say what happens, go away, and can be rung. */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { connectAsync } from 'mqtt'
import { afterAll, expect, test } from '@jest/globals'
import { cameraId, type Camera, type CameraNews } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createFrigate } from '../../src/transom/frigate.ts'
import { createHomeAssistant } from '../../src/transom/home-assistant.ts'
import { startMqtt } from '../../src/transom/mqtt.ts'
import { createJournal, frontDoor } from '../alexa/world.ts'
import { until } from '../until.ts'

const now = 1_000_000
const store = createSqliteStore(':memory:', () => now)
afterAll(() => store.close())
const bell: Camera = { ...frontDoor, hasMotion: true, detects: ['person'], room: 'Porch', record: 'events' }
const yard: Camera = { ...frontDoor, id: cameraId('yard.1'), kind: 'camera', name: 'Yard' }
const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xd9])

async function open() {
  const aedes = await Aedes.createBroker()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    aedes.handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`
  const home = await connectAsync(url)
  const seen = new Map<string, Buffer>()
  const log: string[] = []
  const statuses: string[] = []
  home.on('message', (topic, payload) => {
    seen.set(topic, payload)
    log.push(topic)
    if (topic === 'transom/status') statuses.push(payload.toString())
  })
  await home.subscribeAsync(['homeassistant/#', 'transom/#'], { qos: 1 })
  const received: string[] = []
  const paused = new Set<string>()
  const mqtt = await startMqtt({
    url,
    topic: 'transom',
    clientId: 'transom-of-the-tests',
    reconnectMs: 50,
    find: async (id) => [bell, yard].find((camera) => camera.id === id),
    receive: async (camera, news: CameraNews) => void received.push(`${camera.id} ${news.kind}`),
    async pauseRecording(camera, isPaused) {
      if (isPaused) paused.add(camera.id)
      else paused.delete(camera.id)
      mqtt.tell(camera, { kind: 'changed', at: now })
    },
    frigate: {
      topic: 'frigate',
      reader: createFrigate({ cameras: async () => [{ ...bell, frigate: { camera: 'porch' } }], clock: () => now }),
    },
    homeAssistant: {
      prefix: 'homeassistant',
      make: (publish) =>
        createHomeAssistant({
          prefix: 'homeassistant',
          topic: 'transom',
          publish,
          cameras: async () => [bell, yard],
          isOnline: ({ id }) => id === bell.id,
          isPaused: ({ id }) => paused.has(id),
          stillOf: async ({ id }) => (id === bell.id ? jpeg : undefined),
          clock: () => now,
        }),
    },
    store,
    clock: () => now,
    log: createJournal().log,
  })
  return {
    mqtt,
    home,
    seen,
    log,
    received,
    text: (topic: string) => seen.get(topic)?.toString(),
    statuses,
    /** The bridge's connection, which is the second one. */
    cut: () => [...sockets][1]?.destroy(),
    async [Symbol.asyncDispose]() {
      await mqtt.close()
      await home.endAsync(true)
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
      server.close()
    },
  }
}

const bellTopic = `homeassistant/device/transom_${frontDoor.id}/config`

test('each camera is a device with what it has, and its state', async () => {
  await using house = await open()
  await until(() => house.seen.has('transom/yard.1/online'))
  const config = JSON.parse(house.text(bellTopic) ?? '') as Record<string, Record<string, object>>
  expect(config).toMatchObject({
    device: { identifiers: [`transom_${frontDoor.id}`], name: bell.name, suggested_area: 'Porch' },
    origin: { name: 'Transom' },
    availability: [{ topic: 'transom/status' }],
  })
  expect(Object.keys(config['components'] ?? {})).toEqual([
    'press',
    'press_trigger',
    'ring',
    'motion',
    'person',
    'recording',
    'online',
    'still',
  ])
  expect(config['components']?.['press']).toMatchObject({
    platform: 'event',
    device_class: 'doorbell',
    event_types: ['press'],
    state_topic: `transom/${bell.id}/press`,
  })
  const yardTopic = [...house.seen.keys()].find((topic) =>
    /^homeassistant\/device\/transom_yard_1_[0-9a-f]{8}\/config$/.test(topic),
  )
  const { components } = JSON.parse(house.text(yardTopic ?? '') ?? '') as { components: object }
  expect(Object.keys(components)).toEqual(['online', 'still'])
  expect([
    house.text('transom/status'),
    house.text(`transom/${bell.id}/online`),
    house.text('transom/yard.1/online'),
  ]).toEqual(['online', 'ON', 'OFF'])
  expect(house.seen.get(`transom/${bell.id}/still`)).toEqual(jpeg)
})

test('recording is a switch where there is some, and pauses', async () => {
  await using house = await open()
  const topic = `transom/${bell.id}/recording`
  await until(() => house.text(topic) === 'ON')
  for (const word of ['OFF', 'ON']) {
    await house.home.publishAsync(`${topic}/set`, word, { qos: 1 })
    await until(() => house.text(topic) === word)
  }
  // What is no word of a switch, and a camera that records nothing, change nothing; a press that comes after them is taken.
  for (const [id, word] of [
    [bell.id, 'off'],
    ['yard.1', 'OFF'],
    ['nowhere', 'OFF'],
  ])
    await house.home.publishAsync(`transom/${id}/recording/set`, word ?? '', { qos: 1 })
  await house.home.publishAsync(`transom/${bell.id}/event`, '{"kind":"press"}', { qos: 1 })
  await until(() => house.received.length > 0)
  expect([house.text(topic), house.text('transom/yard.1/recording')]).toEqual(['ON', ''])
})

test('what happens is told, what is long past is not, and a camera that is removed takes everything with it', async () => {
  await using house = await open()
  await until(() => house.seen.has('transom/yard.1/online'))
  const { tell } = house.mqtt
  tell(bell, { kind: 'press', eventId: 'old', at: now - 60_000 })
  tell(bell, { kind: 'press', eventId: 'p', at: now })
  tell(bell, { kind: 'person', eventId: 'q', at: now })
  tell(bell, { kind: 'motion', isDetected: true, eventId: 'm', at: now })
  tell(bell, { kind: 'online', isOnline: false, at: now })
  await until(() => house.text(`transom/${bell.id}/online`) === 'OFF')
  expect(house.log.filter((topic) => topic === `transom/${bell.id}/press`)).toHaveLength(1)
  expect(JSON.parse(house.text(`transom/${bell.id}/press`) ?? '')).toEqual({ event_type: 'press' })
  expect(JSON.parse(house.text(`transom/${bell.id}/person`) ?? '')).toEqual({ event_type: 'person' })
  expect(house.text(`transom/${bell.id}/motion`)).toBe('ON')
  tell(bell, { kind: 'removed', at: now })
  await until(() => house.text(`transom/${bell.id}/still`) === '')
  expect([house.text(bellTopic), house.text(`transom/${bell.id}/online`)]).toEqual(['', ''])
})

test('all is said again when Home Assistant has started, and when the bridge is back that was cut off, as its will says', async () => {
  await using house = await open()
  await until(() => house.seen.has('transom/yard.1/online'))
  house.seen.clear()
  await house.home.publishAsync('homeassistant/status', 'online', { qos: 1 })
  await until(() => house.seen.has(bellTopic) && house.seen.has('transom/yard.1/online'))
  house.seen.clear()
  house.statuses.length = 0
  house.cut()
  await until(() => house.text('transom/status') === 'online' && house.seen.has('transom/yard.1/online'))
  expect(house.statuses).toEqual(['offline', 'online'])
})

test('the bridge is unavailable when it ends', async () => {
  const house = await open()
  await until(() => house.seen.has('transom/yard.1/online'))
  await house.mqtt.close()
  await until(() => house.text('transom/status') === 'offline')
  await house[Symbol.asyncDispose]()
})

test('its Ring button, and Frigate’s messages, are news like any other; a retained one is none', async () => {
  await using house = await open()
  await until(() => house.seen.has(bellTopic))
  const { components } = JSON.parse(house.text(bellTopic) ?? '') as {
    components: { ring: { command_topic: string; payload_press: string } }
  }
  const { command_topic: topic, payload_press: press } = components.ring
  await house.home.publishAsync(topic, press, { qos: 1 })
  const seen = { id: '1.5-a', camera: 'porch', label: 'person', entered_zones: [] }
  await house.home.publishAsync('frigate/events', JSON.stringify({ type: 'new', after: seen }))
  await house.home.publishAsync('frigate/events', JSON.stringify({ type: 'end', after: seen }))
  await house.home.publishAsync('frigate/reviews', 'no JSON')
  await until(() => house.received.length >= 4)
  expect(house.received).toEqual([`${bell.id} press`, `${bell.id} person`, `${bell.id} motion`, `${bell.id} motion`])
})
