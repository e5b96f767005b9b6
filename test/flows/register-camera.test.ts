/** A camera is registered by the operator's command line, connects with what was printed, is seen, and is let go again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { conforming } from '../wire/conform.ts'
import { linkAccount } from '../../src/simulator/link.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import { openMaster } from './master.ts'
import { createHouse, type House } from './house.ts'
import { until } from '../until.ts'

const operatorKey = 'operator-key-of-the-tests-32-characters'
let house: House
beforeAll(async () => {
  house = createHouse()
  await house.start({ TRANSOM_DOORBELL: 'off', TRANSOM_OPERATOR_KEY: operatorKey })
})
afterAll(() => house.close())

async function transom(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, ['src/transom/bin.ts', ...args], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: house.dataDir },
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()))
  const [code] = await once(child, 'close', { signal: AbortSignal.timeout(60_000) })
  return { code, ...said }
}
const list = async (): Promise<{ cameraId: string; isOnline: boolean; keys: object[] }[]> =>
  JSON.parse((await transom('camera', 'list', '--json')).out)

async function listed(claim: (camera: Awaited<ReturnType<typeof list>>[number] | undefined) => boolean): Promise<void> {
  await until(
    async () => claim((await list()).find(({ cameraId }) => cameraId === 'porch')),
    () => claim.toString(),
  )
}

test('what is printed is everything that a camera needs', async () => {
  const printed = await transom('camera', 'add', 'porch', '--name', 'Back porch', '--room', 'Garden')
  expect(printed).toMatchObject({ code: 0, err: '' })
  const environment = Object.fromEntries(
    [...printed.out.matchAll(/export (\w+)='([^']*)'/g)].map(([, name, value]) => [name!, value!]),
  )
  expect(Object.keys(environment).sort()).toEqual([
    'AWS_ACCESS_KEY_ID',
    'AWS_DEFAULT_REGION',
    'AWS_KVS_CACERT_PATH',
    'AWS_SECRET_ACCESS_KEY',
    'CONTROL_PLANE_URI',
  ])
  // The C SDK cannot be sent to another port, and must be told so before it fails.
  expect(printed.out).toContain('443 only')
  expect(printed.out).toContain('set TRANSOM_HOST and TRANSOM_SIGNALING_HOST')
  expect(printed.out).toContain('set TRANSOM_PUBLIC_URL')

  const master = await openMaster(environment, 'porch')
  await listed((camera) => camera?.isOnline === true && camera.keys.length === 1)
  const [, cameraKey, eventsUrl] = [...(/Bearer (\S+)'.* (http\S+)$/m.exec(printed.out) ?? [])].map(String) as [
    string,
    string,
    string,
  ]
  // The line that is printed rings each time that it is pasted: an event of the same id would count once.
  const [, body = ''] = /-d '(.*)' http/.exec(printed.out) ?? []
  expect(body.split("'$(date +%s").length).toBe(3)
  const press = await fetch(eventsUrl, {
    method: 'POST',
    headers: { authorization: `Bearer ${cameraKey}` },
    body: body.replaceAll(/'\$\(date \+%s(0*)\)'/g, `${Math.floor(Date.now() / 1000)}$1`),
  })
  expect(press.status).toBe(202)

  expect((await transom('camera', 'key', 'porch')).out).toContain('porch has a new key.')
  const again = await transom('camera', 'add', 'porch')
  expect(again).toMatchObject({ code: 1, err: 'there is a camera porch already\n' })

  // A new key instead of the old one: whoever has that is out.
  const replaced = JSON.parse((await transom('camera', 'key', 'porch', '--replace', '--json')).out)
  expect(await master.closed).toBe(4003)
  const second = await openMaster(replaced.environment, 'porch')
  expect(await transom('camera', 'revoke', replaced.accessKeyId)).toMatchObject({ code: 0 })
  expect(await second.closed).toBe(4003)
  await listed((camera) => camera?.isOnline === false && camera.keys.length === 0)

  expect(await transom('camera', 'remove', 'porch')).toMatchObject({ code: 0 })
  expect((await list()).map(({ cameraId }) => cameraId)).toEqual(['front-door'])
  expect(await transom('camera', 'remove', 'porch')).toMatchObject({ code: 1, err: 'there is no camera porch\n' })
})

test('a key for a viewer is made, listed and removed by the command line', async () => {
  expect(await transom('camera', 'add', 'porch')).toMatchObject({ code: 0 })
  const printed = await transom('key', 'add', '--viewer', 'porch', 'front-door', '--name', 'Wall tablet')
  expect(printed).toMatchObject({ code: 0, err: '' })
  expect(printed.out).toContain('shown only once')
  expect(printed.out).toMatch(/Camera {7}porch\n +arn:aws:kinesisvideo:local:000000000000:channel\/porch\//)
  const { accessKeyId, channels } = JSON.parse((await transom('key', 'add', '--viewer', 'porch', '--json')).out)
  expect(channels).toEqual([{ cameraId: 'porch', channelName: 'porch', channelArn: expect.stringContaining('arn:') }])
  const keys = async () => JSON.parse((await transom('key', 'list', '--json')).out)
  expect((await keys()).map(({ name, cameras }: { name?: string; cameras: string[] }) => [name, cameras])).toEqual(
    expect.arrayContaining([
      ['Wall tablet', ['porch', 'front-door']],
      [undefined, ['porch']],
    ]),
  )
  expect(await transom('key', 'remove', accessKeyId)).toMatchObject({ code: 0, out: `${accessKeyId} is revoked\n` })
  expect(await transom('key', 'remove', accessKeyId)).toMatchObject({
    code: 1,
    err: `there is no key ${accessKeyId}\n`,
  })
  // The camera's own key is not a viewer's, and goes with the camera; so does its part in the viewers'.
  expect(await transom('camera', 'remove', 'porch')).toMatchObject({ code: 0 })
  expect((await keys()).map(({ cameras }: { cameras: string[] }) => cameras)).toEqual([['front-door']])
})

test.each([
  ['a camera that is not there', ['add', '--viewer', 'nowhere'], 1, 'there is no camera nowhere'],
  ['nobody to view', ['add', 'front-door'], 2, 'key add --viewer CAMERA…'],
  ['no camera', ['add', '--viewer'], 2, "missing required argument 'camera'"],
  ['a verb that is none', ['show'], 2, "unknown command 'show'"],
])('key: %s is refused with what would be right', async (_case, args, code, message) => {
  expect(await transom('key', ...args)).toMatchObject({ code, err: expect.stringContaining(message) })
})

test('an id that no path can hold is refused by every command', async () => {
  for (const verb of ['add', 'change', 'key', 'remove', 'revoke']) {
    expect(await transom('camera', verb, '..')).toMatchObject({ code: 2, err: expect.stringContaining('not . or ..') })
  }
  expect((await list()).map(({ cameraId }) => cameraId)).toEqual(['front-door'])
})

/** What Google is told of the demo user's cameras. */
async function synced(): Promise<readonly { readonly id: string; readonly traits: readonly string[] }[]> {
  const { bridge, clients, user } = readSettings(house.dataDir)
  const options = { assistant: 'google', bridge, client: clients.google, user } as const
  const { accessToken } = await linkAccount(options, AbortSignal.timeout(60_000))
  const answer = await fetch(`${bridge}/google/fulfillment`, {
    method: 'POST',
    headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ requestId: '1', inputs: [{ intent: 'action.devices.SYNC' }] }),
  })
  const { payload } = (await answer.json()) as { payload: { devices: { id: string; traits: string[] }[] } }
  return payload.devices
}

test('what a camera can do is said when it is registered, and the assistants are offered that', async () => {
  const abilities = ['--motion', '--person', '--battery', '--switch', '--snapshots', '--no-speaker']
  expect(await transom('camera', 'add', 'yard', '--camera', ...abilities)).toMatchObject({ code: 0, err: '' })
  const { url, token } = JSON.parse(readFileSync(join(house.dataDir, 'operator.json'), 'utf8'))
  const stream = { uri: 'https://cam.example/x.m3u8', protocol: 'HLS', width: 1280, height: 720, audioCodec: 'AAC' }
  const post = async (body: object) =>
    conforming(
      'POST',
      await fetch(`${url}/cameras`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    )
  const sensors = [{ name: 'SmokeLevel', states: ['smoke detected', 'no smoke detected'] }]
  expect((await post({ id: 'attic', name: 'Attic', kind: 'camera', streams: [stream], sensors })).status).toBe(201)
  // A sensor of which nobody knows what it can say.
  expect((await post({ id: 'cellar', name: 'Cellar', sensors: [{ name: 'SmokeLevel' }] })).status).toBe(400)

  const devices = await synced()
  const traitsOf = (id: string) =>
    devices.find((device) => device.id === id)?.traits.map((trait) => trait.split('.').at(-1))
  expect(traitsOf('yard')?.sort()).toEqual(['CameraStream', 'EnergyStorage', 'ObjectDetection', 'OnOff'])
  expect(traitsOf('attic')?.sort()).toEqual(['CameraStream', 'SensorState'])

  // Said otherwise later: what is not named stays, and the keys too.
  const keysOf = async () => (await list()).find(({ cameraId }) => cameraId === 'yard')?.keys
  const keys = await keysOf()
  const change = ['--name', 'Garden', '--room', 'Yard', '--no-motion', '--no-person', '--no-switch', '--speaker']
  expect(await transom('camera', 'change', 'yard', ...change)).toMatchObject({ code: 0, out: 'yard is changed\n' })
  expect((await synced()).find(({ id }) => id === 'yard')).toMatchObject({
    name: { name: 'Garden' },
    roomHint: 'Yard',
    traits: ['action.devices.traits.CameraStream', 'action.devices.traits.EnergyStorage'],
  })
  expect(await transom('camera', 'change', 'yard', '--room', '')).toMatchObject({ code: 0 })
  expect((await list()).find(({ cameraId }) => cameraId === 'yard')).not.toHaveProperty('room')
  // Only a camera that a gateway reads can be recorded.
  expect(await transom('camera', 'change', 'yard', '--record', 'events')).toMatchObject({ code: 1 })
  expect([keys?.length, await keysOf()]).toEqual([1, keys])
  for (const id of ['yard', 'attic']) expect(await transom('camera', 'remove', id)).toMatchObject({ code: 0 })
})

test('the way in is for the owner of the data directory, and for whoever has the operator key', async () => {
  const path = join(house.dataDir, 'operator.json')
  expect((statSync(path).mode & 0o777).toString(8)).toBe('600')
  const { url } = JSON.parse(readFileSync(path, 'utf8'))
  for (const authorization of ['', 'Bearer x', `Bearer ${'x'.repeat(43)}`]) {
    const answer = await fetch(`${url}/cameras`, { headers: { authorization } })
    expect([answer.status, await answer.json()]).toEqual([401, expect.objectContaining({ error: 'invalid_token' })])
  }
  const byKey = await fetch(`${url}/cameras`, { headers: { authorization: `Bearer ${operatorKey}` } })
  expect(byKey.status).toBe(200)
})

test.each([
  ['a command that does not exist', ['camera', 'paint', 'x'], 2, "unknown command 'paint'"],
  ['no command', ['camera'], 2, 'Usage: transom camera'],
  ['an id that is none', ['camera', 'add', 'a b'], 2, '1 to 256 of a-z'],
  ['an owner that nobody is', ['camera', 'add', 'attic', '--owner', 'nobody'], 1, 'nobody has the login nobody'],
  ['a change of nothing', ['camera', 'change', 'front-door'], 2, 'say what is to change'],
  ['a change of owner', ['camera', 'change', 'front-door', '--owner', 'ada'], 2, 'remove the camera and add it again'],
  ['a change of a camera that is none', ['camera', 'change', 'attic', '--name', 'x'], 1, 'there is no camera attic'],
  ['a wish that there is not', ['camera', 'change', 'front-door', '--record', 'often'], 2, 'never, events, always'],
  ['an unknown option', ['camera', 'list', '--every'], 2, "unknown option '--every'"],
])('%s is refused with what would be right', async (_case, args, status, message) => {
  const { code, err } = await transom(...args)
  expect([code, err]).toEqual([status, expect.stringContaining(message)])
})

test('a second process on the same data is refused, and may start when the first is gone, even by force', async () => {
  const start = () => {
    const env = { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: house.dataDir, TRANSOM_PORT: '0' }
    const child = spawn(process.execPath, ['src/transom/main.ts'], {
      cwd: join(import.meta.dirname, '..', '..'),
      env: { ...env, TRANSOM_SIGNALING_PORT: '0', TRANSOM_DOORBELL: 'off' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
    return { child, said: () => said }
  }
  const second = start()
  expect(await once(second.child, 'close', { signal: AbortSignal.timeout(60_000) })).toEqual([1, null])
  expect(second.said()).toContain(`${house.dataDir} is in use by another Transom`)
  expect((await list()).length).toBe(1)

  await house.stop()
  expect((await transom('camera', 'list')).err).toContain('no bridge runs on')
  const third = start()
  const runs = (process: ReturnType<typeof start>) =>
    until(() => process.said().includes('Transom is running'), process.said)
  await runs(third)
  third.child.kill('SIGKILL')
  await once(third.child, 'close')
  expect((await transom('camera', 'list')).err).toContain('does not answer')
  const fourth = start()
  await runs(fourth)
  fourth.child.kill('SIGINT')
  expect(await once(fourth.child, 'close')).toEqual([0, null])
})
