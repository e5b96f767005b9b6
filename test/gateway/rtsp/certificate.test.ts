/** A camera by rtsps: its own certificate is believed at first, and no other after it. */
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { createTrust, type Trust } from '../../../src/gateway/trust.ts'
import { createNetworkSource } from '../../../src/gateway/network-source.ts'
import { createCertificate } from '../../kvs/fake-kvs.ts'
import { createFakeCamera, type Certificate, type FakeCamera, type Habits } from './camera.ts'

const never = new AbortController().signal
const login = { user: 'admin', password: 's3cret' }
const profile = { profileLevelId: '42c01f' }
let first: Certificate
let second: Certificate
beforeAll(async () => {
  first = await createCertificate()
  second = await createCertificate()
})
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function startCamera(habits: Habits = {}): Promise<FakeCamera> {
  const camera = await createFakeCamera({ tls: first, login, ...habits })
  closing.push(camera.close)
  return camera
}

/** Looks once, on a connection of its own. */
async function look(port: number, trust: Trust, host = '127.0.0.1'): Promise<unknown> {
  const source = createNetworkSource(`rtsps://admin:s3cret@${host}:${port}/live`, Date.now, () => undefined, trust)
  const seen = await source.describe(never).catch((error: unknown) => error)
  await source.close()
  return seen
}

const refused = { code: 'source_certificate', message: expect.stringContaining('another certificate') }

describe('a camera that signs its own certificate', () => {
  test.each(['127.0.0.1', 'localhost', 'LOCALHOST'])('delivers pictures by TLS at %s', async (host) => {
    const camera = await startCamera()
    expect(await look(camera.port, createTrust(), host)).toMatchObject(profile)
  })

  test('and shows another one is refused before it gets the password, until it shows the first again', async () => {
    const camera = await startCamera()
    const trust = createTrust()
    expect(await look(camera.port, trust)).toMatchObject(profile)
    camera.changeCertificate(second)
    const before = camera.requests.length
    expect(await look(camera.port, trust)).toMatchObject(refused)
    expect(await look(camera.port, trust)).toMatchObject(refused)
    expect(camera.requests).toHaveLength(before)
    camera.changeCertificate(first)
    expect(await look(camera.port, trust)).toMatchObject(profile)
  })

  test('and shows another one while a source lives is refused by that source', async () => {
    const camera = await startCamera()
    const source = createNetworkSource(`rtsps://admin:s3cret@127.0.0.1:${camera.port}/live`, Date.now, () => undefined)
    closing.push(() => source.close())
    expect(await source.describe(never)).toMatchObject(profile)
    camera.changeCertificate(second)
    // The certificate is compared at each new connection.
    await source.close()
    await expect(source.run({ video() {}, audio() {}, described() {} }, never)).rejects.toMatchObject(refused)
  })

  test('may show any where that is asked for', async () => {
    const camera = await startCamera()
    expect(await look(camera.port, createTrust({ certificates: 'any' }))).toMatchObject(profile)
    camera.changeCertificate(second)
    expect(await look(camera.port, createTrust({ certificates: 'any' }))).toMatchObject(profile)
  })

  test('is no other camera’s trouble', async () => {
    const trust = createTrust()
    const cameras = [await startCamera(), await startCamera({ tls: second })]
    for (const { port } of cameras) expect(await look(port, trust)).toMatchObject(profile)
  })

  test('and redirects to one with another certificate than at first is refused', async () => {
    const target = await startCamera()
    const camera = await startCamera({ redirect: `rtsps://127.0.0.1:${target.port}/live` })
    const trust = createTrust()
    expect(await look(target.port, trust)).toMatchObject(profile)
    target.changeCertificate(second)
    expect(await look(camera.port, trust)).toMatchObject(refused)
  })
})

test('a camera that speaks TLS only, asked without it, ends with a cause', async () => {
  const camera = await startCamera()
  const source = createNetworkSource(`rtsp://127.0.0.1:${camera.port}/live`, Date.now, () => undefined)
  closing.push(() => source.close())
  expect(await source.describe(never).catch((error: unknown) => error)).toMatchObject({
    code: expect.stringMatching(/^source_(stopped|refused)$/),
  })
})
