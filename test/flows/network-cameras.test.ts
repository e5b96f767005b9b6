/** Network cameras by the command line: several at once, moved, removed, there again after a restart, and their passwords nowhere. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { conforming } from '../wire/conform.ts'
import { createFakeOnvif } from '../gateway/onvif/device.ts'
import { backChannel, createFakeCamera, h264, idr, pcma, type FakeCamera } from '../gateway/rtsp/camera.ts'
import { createHouse, type House } from './house.ts'
import { until } from '../until.ts'

const operatorKey = 'operator-key-of-the-tests-32-characters'
const user = 'admin'
const password = 's3cret/of the@porch'
const secretPath = 'user=admin_password=tlJwpbo6'
let house: House
let porch: FakeCamera
let yard: FakeCamera
beforeAll(async () => {
  porch = await createFakeCamera({ login: { user, password }, sdp: h264 + pcma + backChannel })
  yard = await createFakeCamera()
  house = createHouse()
  await house.start({ TRANSOM_DOORBELL: 'off', TRANSOM_OPERATOR_KEY: operatorKey })
})
afterAll(async () => {
  await house.close()
  await Promise.all([porch.close(), yard.close()])
})

/** Runs the command line with this on its stdin. */
async function transom(stdin: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, ['src/transom/bin.ts', ...args], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: house.dataDir },
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()))
  child.stdin.end(stdin)
  const [code] = await once(child, 'close', { signal: AbortSignal.timeout(45_000) })
  return { code, ...said }
}

async function ask(method: string, path: string, body?: string) {
  const { url, token } = JSON.parse(readFileSync(join(house.dataDir, 'operator.json'), 'utf8'))
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await fetch(`${url}${path}`, { method, headers, ...(body !== undefined && { body }) })
  await conforming(method, response)
  return { status: response.status, text: await response.text() }
}

interface Listed {
  readonly cameraId: string
  readonly source?: string
  readonly isOnline: boolean
  readonly hasSpeaker: boolean
  readonly keys: readonly object[]
  readonly fault?: { readonly code: string }
}
const list = async () => (JSON.parse((await ask('GET', '/cameras')).text) as { cameras: Listed[] }).cameras

/** Waits until the camera is listed so. */
async function listed(id: string, claim: (camera: Listed) => boolean): Promise<Listed> {
  let found: Listed | undefined
  return until(
    async () => {
      found = (await list()).find(({ cameraId }) => cameraId === id)
      return found !== undefined && claim(found) && found
    },
    () => `${JSON.stringify(found)}\n${house.printed()}`,
  )
}
const isOnline = (camera: Listed) => camera.isOnline
const asked = (camera: FakeCamera) => camera.requests.length

/** Where none of it may stand: the log, what commands and the API print, and every file of the data directory. */
const secrets = [password, encodeURIComponent(password), secretPath]
function betrayedIn(...texts: readonly string[]): readonly string[] {
  const files = readdirSync(house.dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
  const all = [house.printed(), ...files, ...texts]
  return secrets.filter((secret) => all.some((text) => text.includes(secret)))
}

test('two cameras at once: one by a password on stdin, one by the API, both online, what they can play as they say', async () => {
  const url = `rtsp://127.0.0.1:${porch.port}/live`
  const added = await transom(
    `${password}\n`,
    'camera',
    'add',
    'porch',
    '--name',
    'Back porch',
    '--url',
    url,
    '--user',
    user,
  )
  expect(added).toMatchObject({ code: 0, err: '' })
  expect(added.out).toContain('porch is registered')
  expect(added.out).not.toContain('Secret')
  const source = `rtsp://127.0.0.1:${yard.port}/${secretPath}_channel=1.sdp`
  const byApi = await ask('POST', '/cameras', JSON.stringify({ id: 'yard', name: 'Yard', kind: 'camera', source }))
  expect([byApi.status, Object.keys(JSON.parse(byApi.text) as object).sort()]).toEqual([
    201,
    ['cameraId', 'cameraKey', 'channelName', 'eventsUrl'],
  ])

  const online = await Promise.all([
    listed('porch', (camera) => camera.isOnline && camera.hasSpeaker),
    listed('yard', isOnline),
  ])
  expect(online).toMatchObject([
    { source: `rtsp://127.0.0.1:${porch.port}`, keys: [], hasSpeaker: true },
    { source: `rtsp://127.0.0.1:${yard.port}`, keys: [], hasSpeaker: false },
  ])
  const tone = await transom('', 'camera', 'try', 'porch', '--tone')
  expect(tone).toEqual({ code: 0, out: expect.stringContaining('accepted'), err: '' })
  expect(porch.played.length).toBeGreaterThan(0)
  expect(await transom('', 'camera', 'try', 'yard', '--tone')).toMatchObject({ code: 1, out: '' })
  const torn = await ask('POST', '/cameras', `{"id":"attic","source":"rtsp://${user}:${password}@c/${secretPath}`)
  expect(torn.status).toBe(400)
  const { out } = await transom('', 'camera', 'list')
  expect(out).toContain(`porch  doorbell  "Back porch"  rtsp://127.0.0.1:${porch.port}  online`)
  expect(betrayedIn(added.out, byApi.text, torn.text, out, JSON.stringify(online))).toEqual([])
})

test('a camera is read at its new address at once; a wrong password and a dead address are its cause, and nobody else’s', async () => {
  const yardBefore = asked(yard)
  const url = `rtsp://127.0.0.1:${porch.port}/live`
  expect(await transom('wrong', 'camera', 'change', 'porch', '--url', url, '--user', user)).toMatchObject({ code: 0 })
  await listed('porch', ({ fault }) => fault?.code === 'source_password')
  const tried = await transom('', 'camera', 'try', 'porch')
  expect(tried).toEqual({ code: 1, out: expect.stringMatching(/password.*\nCorrect user and password/), err: '' })
  expect((await transom('', 'camera', 'list')).out).toMatch(/porch .* offline.*: .*password/)

  const other = await createFakeCamera()
  const move = { name: 'Porch', source: `rtsp://127.0.0.1:${other.port}/live` }
  expect((await ask('PATCH', '/cameras/porch', JSON.stringify(move))).status).toBe(204)
  expect(await listed('porch', isOnline)).toMatchObject({ source: `rtsp://127.0.0.1:${other.port}`, name: 'Porch' })
  // Nobody asks the camera at the old address any more.
  const porchAfter = asked(porch)
  expect((await listed('porch', ({ hasSpeaker }) => !hasSpeaker)).fault).toBeUndefined()
  await other.close()
  await listed('porch', ({ fault }) => fault?.code === 'source_refused')
  expect(asked(porch)).toBe(porchAfter)

  // The neighbour never noticed: no fault, and its one look is still open.
  expect((await list()).find(({ cameraId }) => cameraId === 'yard')).toMatchObject({ isOnline: true })
  expect(yard.requests.slice(yardBefore).filter(({ method }) => method === 'TEARDOWN')).toEqual([])
})

test('after a restart the cameras are there again, by what the store keeps', async () => {
  const source = `rtsp://${user}:${encodeURIComponent(password)}@127.0.0.1:${porch.port}/live`
  expect((await ask('PATCH', '/cameras/porch', JSON.stringify({ source }))).status).toBe(204)
  await listed('porch', isOnline)
  const printedBefore = house.printed()
  expect(await house.stop()).toBe(0)
  await house.start({ TRANSOM_DOORBELL: 'off', TRANSOM_OPERATOR_KEY: operatorKey })
  await Promise.all([listed('porch', isOnline), listed('yard', isOnline)])
  expect(betrayedIn(printedBefore, JSON.stringify(await list()))).toEqual([])
})

test('changes at the same time end with one camera, at an address of theirs', async () => {
  const moves = Array.from({ length: 4 }, (_, index) => `rtsp://127.0.0.1:${yard.port}/${index}`)
  const answers = await Promise.all(moves.map((source) => ask('PATCH', '/cameras/yard', JSON.stringify({ source }))))
  expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204])
  await listed('yard', isOnline)
  expect(yard.connections()).toBeLessThanOrEqual(2)
})

test('a removed camera is asked nothing any more, and its address is gone from the store', async () => {
  expect(await transom('', 'camera', 'remove', 'yard')).toMatchObject({ code: 0 })
  await until(() => yard.connections() === 0)
  const askedBefore = asked(yard)
  expect((await list()).map(({ cameraId }) => cameraId).sort()).toEqual(['front-door', 'porch'])
  // Of the same id, but one that connects by itself: nothing of the old one is left.
  expect(await transom('', 'camera', 'add', 'yard')).toMatchObject({ code: 0 })
  expect((await list()).find(({ cameraId }) => cameraId === 'yard')).not.toHaveProperty('source')
  expect([yard.connections(), asked(yard)]).toEqual([0, askedBefore])
})

test.each([
  ['a user without an address', ['add', 'attic', '--user', 'x'], '--user goes with --url'],
  ['a user given twice', ['add', 'attic', '--url', 'rtsp://a:b@c/d', '--user', 'x'], 'leave --user out'],
  ['no password', ['add', 'attic', '--url', 'rtsp://c/d', '--user', 'x'], 'no password came'],
  [
    'an address of another kind',
    ['add', 'attic', '--url', 'file:///etc/passwd'],
    'must be an rtsp://, rtsps://, whep:// or wheps:// address',
  ],
  ['an address that is none', ['add', 'attic', '--url', 'rtsp://:99999'], 'the address of the camera cannot be read'],
  ['an address for the built-in doorbell', ['change', 'front-door', '--url', 'rtsp://c/d'], 'connects by itself'],
  ['an address for nobody', ['change', 'attic', '--url', 'rtsp://c/d'], 'there is no camera attic'],
  ['a speaker, which only the camera knows of', ['change', 'porch', '--speaker'], 'is read from the camera itself'],
  ['an access key', ['key', 'porch'], 'needs no access key'],
])('%s is refused with what would be right', async (_case, args, message) => {
  const { code, err } = await transom('', 'camera', ...args)
  expect([code === 0, err]).toEqual([false, expect.stringContaining(message)])
  expect((await list()).map(({ cameraId }) => cameraId)).not.toContain('attic')
})

test('a new camera key does not disturb the picture', async () => {
  const replaced = await transom('', 'camera', 'key', 'porch', '--replace', '--json')
  expect(Object.keys(JSON.parse(replaced.out) as object).sort()).toEqual([
    'cameraId',
    'cameraKey',
    'channelName',
    'eventsUrl',
  ])
  expect(await listed('porch', isOnline)).toMatchObject({ keys: [] })
  expect(betrayedIn(replaced.out)).toEqual([])
})

test('an ONVIF camera is probed, and its stream is added with what it says of itself; its password is nowhere', async () => {
  const gate = await createFakeCamera({ login: { user, password } })
  const uri = `rtsp://10.9.9.9:${gate.port}/live`
  const streams = [{ token: 'main', codec: 'H264', width: 640, height: 360, uri }]
  const topics =
    '<tns1:RuleEngine><MyRuleDetector><Visitor wstop:topic="true"/><PeopleDetect wstop:topic="true"/></MyRuleDetector></tns1:RuleEngine>'
  const snapshot = Buffer.from([0xff, 0xd8, 0xff, 0xd9])
  const device = await createFakeOnvif({ login: { user, password }, streams, topics, snapshot })
  try {
    const adding = transom(
      `${password}\n`,
      'camera',
      'add',
      'gate',
      '--onvif',
      `127.0.0.1:${device.port}`,
      '--user',
      user,
    )
    await until(() => gate.requests.some(({ method }) => method === 'PLAY'))
    for (const at of [0, 1, 2]) gate.send(0, { payload: idr, timestamp: at * 90_000, marker: true })
    const { code, out, err } = await adding
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('key frame each 1.0 s')
    expect(out).not.toContain(password)
    expect(await listed('gate', isOnline)).toMatchObject({
      model: 'Bell & Co',
      detects: ['person'],
      source: `rtsp://127.0.0.1:${gate.port}`,
      onvif: `http://127.0.0.1:${device.port}`,
    })
    const plays = () => gate.requests.filter(({ method }) => method === 'PLAY').length
    const playsBefore = plays()
    const trying = transom('', 'camera', 'try', 'gate')
    await until(() => plays() > playsBefore)
    for (const at of [10, 11, 12]) gate.send(0, { payload: idr, timestamp: at * 90_000, marker: true })
    expect(await trying).toEqual({ code: 0, out: expect.stringMatching(/^\* rtsp.*\n +H264/m), err: '' })
    await until(() => device.asked.includes('PullMessages'))
    const before = asked(gate)
    const stills = () => device.asked.filter((one) => one.startsWith('GET ')).length
    await until(() => stills() > 0)
    const stillsAtFirst = stills()
    device.emit('tns1:RuleEngine/MyRuleDetector/Visitor', { State: 'true' }, 'Changed')
    // Announced, its picture taken, and the stream open before a display asks.
    await until(() => /"event":"cameras.press".*"cameraId":"gate".*"isNew":true/.test(house.printed()))
    await until(() => stills() > stillsAtFirst)
    await until(() => gate.requests.slice(before).some(({ method }) => method === 'PLAY'))
    // A button that can only call a URL, with the same consequences.
    const shown = await transom('', 'camera', 'webhook', 'gate')
    const [, hook = ''] = /press +(http\S+)/.exec(shown.out) ?? []
    expect((await fetch(hook, { method: 'HEAD' })).status).toBe(204)
    const stillsBefore = stills()
    // The bridge told the gateway of a press that was the gateway's own.
    expect(stillsBefore).toBe(stillsAtFirst + 1)
    expect(await (await fetch(hook)).text()).toBe('Rang gate.\n')
    await until(() => stills() > stillsBefore)
    expect(house.printed().split('"event":"cameras.press"')).toHaveLength(3)
    const rolled = await transom('', 'camera', 'webhook', 'gate', '--roll')
    expect(rolled.out).not.toContain(hook)
    expect((await fetch(hook)).status).toBe(404)
    expect(house.printed()).not.toContain(hook.split('/').at(-1))
    const twice = await transom('', 'camera', 'add', 'gate', '--onvif', 'x', '--url', 'rtsp://x')
    expect(twice).toMatchObject({ code: 2, err: expect.stringContaining('give one') })
  } finally {
    await ask('DELETE', '/cameras/gate')
    await device.close()
    await gate.close()
  }
  // Five commands, each a process, beside a bridge and its gateway.
})
