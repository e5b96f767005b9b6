/** The ONVIF side of a camera of the gateway: stills, key frames, and events that are refused, won and lost again. */
import { afterEach, expect, test } from '@jest/globals'
import type { CameraEvent } from '../../../src/core/wire/camera-event.ts'
import { createOnvifCamera } from '../../../src/gateway/onvif/camera.ts'
import { createPatience } from '../../../src/gateway/patience.ts'
import { createTrust } from '../../../src/gateway/trust.ts'
import { createFakeCamera } from '../rtsp/camera.ts'
import { createWorld } from '../world.ts'
import { createFakeOnvif, type FakeOnvif, type OnvifHabits } from './device.ts'
import { until } from '../../until.ts'

const login = { user: 'admin', password: 'pa55' }
const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xd9])
const streams = ['main', 'sub'].map((token) => ({
  token,
  codec: 'H264',
  width: 640,
  height: 360,
  uri: `rtsp://10.9.9.9/${token}?a=1`,
}))
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function fake(habits: OnvifHabits): Promise<FakeOnvif> {
  const device = await createFakeOnvif({ login, streams, ...habits })
  closing.push(() => device.close())
  return device
}

function cameraOf({ port }: FakeOnvif, userInfo = 'admin:pa55', networks?: readonly string[]) {
  const logged: string[] = []
  const camera = createOnvifCamera({
    address: `http://127.0.0.1:${port}/onvif/device_service`,
    source: `rtsp://${userInfo}@127.0.0.1/sub?a=1`,
    isDoorbell: true,
    trust: createTrust({ networks }),
    patience: createPatience(),
    clock: Date.now,
    log: (_level, event, fields) => void logged.push(`${event} ${JSON.stringify(fields)}`),
  })
  return { camera, logged }
}

test.each<'token' | 'digest'>(['token', 'digest'])(
  'its own still is taken, by %s, and its address is asked for once',
  async (challenge) => {
    const device = await fake({ snapshot: jpeg, challenge })
    const { camera } = cameraOf(device)
    expect([await camera.still(), await camera.still()]).toEqual([jpeg, jpeg])
    expect(device.asked.filter((one) => one === 'GetSnapshotUri')).toHaveLength(1)
    expect(device.received.join()).not.toContain(login.password)
  },
)

test.each<[string, OnvifHabits, string, readonly string[] | undefined]>([
  ['it makes none', {}, 'admin:pa55', undefined],
  ['what it sends is none', { snapshot: Buffer.from('<html>') }, 'admin:pa55', undefined],
  ['it is too large', { snapshot: Buffer.concat([jpeg, Buffer.alloc(5_000_000)]) }, 'admin:pa55', undefined],
  ['the password is wrong', { snapshot: jpeg }, 'admin:wrong', undefined],
  ['it is outside of the networks', { snapshot: jpeg }, 'admin:pa55', ['10.0.0.0/8']],
])('there is no still where %s, and the stream has to do', async (_name, habits, userInfo, networks) => {
  const { camera, logged } = cameraOf(await fake(habits), userInfo, networks)
  expect(await camera.still()).toBeUndefined()
  expect(logged.join()).not.toMatch(/pa55|wrong/)
})

test('a wrong password is tried once, however many stills are asked for: cameras lock accounts', async () => {
  const device = await fake({ snapshot: jpeg })
  const { camera } = cameraOf(device, 'admin:wrong')
  await camera.still()
  const before = device.received.length
  await camera.still()
  camera.requestKeyFrame()
  await camera.still()
  expect(device.received.length).toBe(before)
})

test('a key frame is asked for of the stream that is shown, once a second at most', async () => {
  const device = await fake({})
  const { camera } = cameraOf(device)
  camera.requestKeyFrame()
  camera.requestKeyFrame()
  const points = () => device.received.filter((body) => body.includes('<SetSynchronizationPoint'))
  await until(() => points().length > 0)
  expect(points()).toEqual([expect.stringContaining('<ProfileToken>sub</ProfileToken>')])
})

test('a camera that refuses its events has pictures all the same, and says why it announces nothing', async () => {
  const stream = await createFakeCamera({ login })
  closing.push(() => stream.close())
  const device = await fake({ events: 'none' })
  const world = await createWorld()
  closing.push(() => world.close())
  const onvif = { address: `127.0.0.1:${device.port}`, isDoorbell: true }
  await world.startCamera(`rtsp://admin:pa55@127.0.0.1:${stream.port}/live`, { onvif })
  const sources = () =>
    world.events.filter((event): event is CameraEvent & { kind: 'source' } => event.kind === 'source')
  await until(() => sources().some(({ eventsFault }) => eventsFault !== undefined))
  const last = sources().at(-1)
  expect(last?.fault).toBeUndefined()
  expect(last?.eventsFault).toMatchObject({ code: 'source_garbled' })
})

test('a camera whose stream refuses the password is not asked for its events, too', async () => {
  const stream = await createFakeCamera({ login })
  closing.push(() => stream.close())
  const device = await fake({})
  const world = await createWorld()
  closing.push(() => world.close())
  const onvif = { address: `127.0.0.1:${device.port}`, isDoorbell: true }
  const camera = await world.startCamera(`rtsp://admin:wrong@127.0.0.1:${stream.port}/live`, { onvif })
  await until(() => world.events.some((event) => event.kind === 'source' && event.fault?.code === 'source_password'))
  await camera.close()
  expect(device.received).toEqual([])
})
