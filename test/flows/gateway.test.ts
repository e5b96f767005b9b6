/** The gateway as a part of its own: killed beside the bridge, on another machine, and without any bridge at a KVS service. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { registration } from '../../src/core/wire/registration.ts'
import { createFakeCamera, h264, type FakeCamera } from '../gateway/rtsp/camera.ts'
import { createCertificate } from '../kvs/fake-kvs.ts'
import { createHouse, type House } from './house.ts'
import { until } from '../until.ts'

const root = join(import.meta.dirname, '..', '..')
const password = 's3cret-of-the-garage'
let house: House
let camera: FakeCamera
let directory: string
const running: ChildProcess[] = []
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'transom-gateway-'))
  camera = await createFakeCamera({ login: { user: 'admin', password }, sdp: h264 })
  house = createHouse()
  await house.start()
})
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  await house.close()
  await camera.close()
  rmSync(directory, { recursive: true })
})

async function ask(method: string, path: string, body?: object) {
  const { url, token } = JSON.parse(readFileSync(join(house.dataDir, 'operator.json'), 'utf8'))
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const text = await response.text()
  return { status: response.status, origin: new URL(url).origin, body: text === '' ? undefined : JSON.parse(text) }
}

async function listed(id: string): Promise<{ readonly isOnline: boolean; readonly fault?: { readonly code: string } }> {
  const { body } = await ask('GET', '/cameras')
  return body.cameras.find(({ cameraId }: { readonly cameraId: string }) => cameraId === id)
}
const isOnline = async (id: string) => (await listed(id)).isOnline

/** The processes of the gateway that the bridge has started so far. */
const gatewayPids = (): readonly number[] =>
  [...house.printed().matchAll(/"transom\.gateway-started","pid":(\d+)/g)].map(([, pid]) => Number(pid))

/** Starts a gateway as on another machine, and returns what it prints. */
function startGateway(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['src/transom/bin.ts', 'gateway', ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  const said = { text: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said.text += chunk.toString()))
  return {
    said,
    child,
    async stop() {
      const gone = once(child, 'close')
      child.kill('SIGTERM')
      return (await gone)[0]
    },
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a gateway that is killed costs the bridge nothing, and the next view works', async () => {
  for (let round = 1; round <= 2; round += 1) {
    const connected = () => house.printed().split('"gateway.viewer-connected"').length
    const before = connected()
    const view = house.call('--assistant', 'google', '--seconds', '3')
    await until(() => connected() > before)
    process.kill(gatewayPids().at(-1)!, 'SIGKILL')
    const { bridge } = JSON.parse(readFileSync(join(house.dataDir, 'simulator.json'), 'utf8')) as { bridge: string }
    expect((await fetch(`${bridge}/healthz`)).status).toBe(200)
    await until(() => gatewayPids().length > round)
    await view
    await until(() => isOnline('front-door'))
    const { report } = await house.call('--assistant', 'alexa')
    expect(report).toMatchObject({ ok: true, cause: null })
  }
  expect(house.printed()).toContain('"transom.gateway-ended","exitCode":null,"signal":"SIGKILL"')
  // Its key came on stdin: it is neither in the list of processes nor in the environment.
  const pid = gatewayPids().at(-1)
  const command = spawnSync('ps', ['-o', 'args=', '-p', `${pid}`]).stdout.toString()
  expect(command.trim()).toMatch(/main\.ts --bridge http:\/\/localhost:\d+ --supervised$/)
})

test('a gateway on another machine reads what the bridge gives it; while it is away its cameras say so', async () => {
  const { body, origin } = await ask('POST', '/gateways', { name: 'garage' })
  const source = `rtsp://admin:${password}@127.0.0.1:${camera.port}/live`
  const added = await ask('POST', '/cameras', {
    id: 'garage',
    kind: 'camera',
    name: 'Garage',
    source,
    gateway: 'garage',
  })
  expect(added.status).toBe(201)
  await until(async () => (await listed('garage')).fault?.code === 'source_gateway')
  expect(camera.requests).toEqual([])

  const gateway = startGateway(['--bridge', origin], { TRANSOM_GATEWAY_KEY: body.key })
  await until(() => isOnline('garage'))
  expect(await listed('garage')).toMatchObject({ gateway: 'garage', source: `rtsp://127.0.0.1:${camera.port}` })
  expect((await listed('garage')).fault).toBeUndefined()
  expect((await ask('GET', '/gateways')).body.gateways).toMatchObject([{ name: 'garage', isConnected: true }])

  expect(await gateway.stop()).toBe(0)
  await until(async () => (await listed('garage')).fault?.code === 'source_gateway')
  expect(house.printed() + gateway.said.text).not.toContain(password)

  // A key that was removed opens nothing any more.
  expect((await ask('DELETE', '/gateways/garage')).status).toBe(204)
  const refused = startGateway(['--bridge', origin], { TRANSOM_GATEWAY_KEY: body.key })
  await until(() => refused.said.text.includes('gateway-key-refused'))
  await refused.stop()
  expect(await isOnline('garage')).toBe(false)
  // The bridge itself can read it instead.
  expect((await ask('PATCH', '/cameras/garage', { source, gateway: 'home' })).status).toBe(204)
  await until(() => isOnline('garage'))
})

test('a gateway without a key, with two tasks, or with plain http to another machine does not start', async () => {
  for (const [args, message] of [
    [['--bridge', 'https://bridge.example'], 'no password came'],
    [['--bridge', 'http://192.168.1.2:8080'], 'passwords of cameras could be read'],
    [['--bridge', 'https://bridge.example/path'], 'without a path'],
    [['--bridge', 'https://bridge.example', '--cameras', 'x.json'], 'give --bridge or --cameras'],
    [['--cameras', join(directory, 'none.json')], 'cannot be read'],
  ] as const) {
    const { child, said } = startGateway(args, {})
    const [code] = await once(child, 'close')
    expect([code, said.text]).toEqual([1, expect.stringContaining(message)])
  }
})

test('without a bridge at its side: cameras of a file, credentials from where AWS’s SDK looks, on channels of a KVS service', async () => {
  const issued = registration.parse((await ask('POST', '/cameras', { id: 'shed', name: 'Shed' })).body)
  const file = join(directory, 'cameras.json')
  const source = `rtsp://admin:${password}@127.0.0.1:${camera.port}/live`
  const settings = {
    endpoint: issued.endpoint,
    caPath: issued.caPath,
    bridge: new URL(issued.eventsUrl).origin,
    cameras: [{ channelName: 'shed', source, cameraKey: issued.cameraKey }],
  }
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 })
  const env = {
    AWS_REGION: issued.region,
    AWS_ACCESS_KEY_ID: issued.accessKeyId,
    AWS_SECRET_ACCESS_KEY: issued.secretAccessKey,
  }
  const gateway = startGateway(['--cameras', file], env)
  await until(() => isOnline('shed'))
  expect(await gateway.stop()).toBe(0)
  expect(gateway.said.text).not.toContain(password)

  // What is wrong in the file is named, and none of it is quoted.
  writeFileSync(file, JSON.stringify({ ...settings, cameras: [{ channelName: 'shed', source: `x://${password}@y` }] }))
  const wrong = startGateway(['--cameras', file], env)
  expect((await once(wrong.child, 'close'))[0]).toBe(1)
  expect(wrong.said.text).toContain('cameras[0].source: must be an rtsp://, rtsps://, whep:// or wheps:// address')
  expect(wrong.said.text).not.toContain(password)
})

test('the certificate that a camera showed first is kept over restarts, until the operator accepts another', async () => {
  const [first, second] = [await createCertificate(), await createCertificate()]
  const secure = await createFakeCamera({ tls: first, sdp: h264 })
  try {
    const source = `rtsps://127.0.0.1:${secure.port}/live`
    expect((await ask('POST', '/cameras', { id: 'vault', name: 'Vault', source })).status).toBe(201)
    await until(() => isOnline('vault'))
    const certificates = { [`127.0.0.1:${secure.port}`]: new X509Certificate(first.cert).fingerprint256 }
    expect(await listed('vault')).toMatchObject({ certificates })

    expect(await house.stop()).toBe(0)
    secure.changeCertificate(second)
    await house.start()
    await until(async () => (await listed('vault')).fault?.code === 'source_certificate')
    expect((await ask('DELETE', '/cameras/vault/certificates')).status).toBe(204)
    await until(() => isOnline('vault'))
    expect(await listed('vault')).toMatchObject({
      certificates: { [`127.0.0.1:${secure.port}`]: new X509Certificate(second.cert).fingerprint256 },
    })
  } finally {
    await secure.close()
  }
})

test('a bridge that is killed leaves no gateway behind', async () => {
  const pid = gatewayPids().at(-1)!
  expect(isRunning(pid)).toBe(true)
  await house.kill()
  await until(() => !isRunning(pid))
})
