/** A ring on people's own devices: what push services are sent, opened as a browser opens it, and who gets it. */
import {
  createDecipheriv,
  createECDH,
  createHmac,
  createPublicKey,
  hkdfSync,
  randomBytes,
  type ECDH,
} from 'node:crypto'
import { afterEach, expect, jest, test } from '@jest/globals'
import { jwtVerify } from 'jose'
import type { Devices, PushedPress } from '../../src/core/wire/push.ts'
import { isPushService } from '../../src/bridge/web/push-services.ts'
import { openHouse } from './house.ts'

const env = { TRANSOM_PUSH_CONTACT: 'mailto:anna@example.org' }
const { fetch } = globalThis
afterEach(() => void jest.restoreAllMocks())

/** A browser that has subscribed at a push service. */
function createBrowser(name = 'phone', host = 'fcm.googleapis.com') {
  const pair = createECDH('prime256v1')
  pair.generateKeys()
  const auth = randomBytes(16)
  const endpoint = `https://${host}/send/${name}`
  const keys = { p256dh: pair.getPublicKey('base64url'), auth: auth.toString('base64url') }
  return { endpoint, pair, auth, wanted: { name, language: 'en', subscription: { endpoint, keys } } as const }
}
type Browser = ReturnType<typeof createBrowser>

interface Sent {
  readonly url: string
  readonly headers: Headers
  readonly body: Buffer
}

/** Stands for every push service; the rest of the requests are the test's own. */
function playPushServices(
  answer: (sent: Sent) => Response | Promise<Response> = () => new Response(null, { status: 201 }),
) {
  const sent: Sent[] = []
  let heard: (() => void) | undefined
  jest.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (url.protocol === 'http:') return fetch(input, init)
    const body = init?.body instanceof Uint8Array ? Buffer.from(init.body) : Buffer.alloc(0)
    const one = { url: url.href, headers: new Headers(init?.headers), body }
    sent.push(one)
    heard?.()
    return answer(one)
  })
  return {
    sent,
    async until(count: number): Promise<readonly Sent[]> {
      while (sent.length < count) await new Promise<void>((resolve) => (heard = resolve))
      return sent
    },
  }
}

/** RFC 8291 section 3.4 and RFC 8188 section 2, one record. */
function open(body: Buffer, { pair, auth }: { readonly pair: ECDH; readonly auth: Buffer }): PushedPress {
  const salt = body.subarray(0, 16)
  const idLength = body[20]!
  const sender = body.subarray(21, 21 + idLength)
  const sealed = body.subarray(21 + idLength)
  const authenticated = createHmac('sha256', auth).update(pair.computeSecret(sender)).digest()
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), pair.getPublicKey(), sender])
  const material = createHmac('sha256', authenticated)
    .update(Buffer.concat([info, Buffer.from([1])]))
    .digest()
  const derive = (label: string, length: number) =>
    Buffer.from(hkdfSync('sha256', material, salt, `Content-Encoding: ${label}\0`, length))
  const decipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12))
  decipher.setAuthTag(sealed.subarray(-16))
  const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
  // The last record ends with a 2 and zeros.
  const end = padded.lastIndexOf(2)
  return JSON.parse(padded.subarray(0, end).toString()) as PushedPress
}

/** RFC 8292: who signs is the one whose key the browser has subscribed with. Returns the claims. */
async function verify({ headers, url }: Sent, publicKey: string) {
  const [, token = '', key] = /^vapid t=([^,]+), ?k=(.+)$/.exec(headers.get('authorization') ?? '') ?? []
  expect(key).toBe(publicKey)
  const point = Buffer.from(publicKey, 'base64url')
  const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')]
  const signer = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
  return (await jwtVerify(token, signer, { audience: new URL(url).origin, algorithms: ['ES256'] })).payload
}

async function openHome(more: Readonly<Record<string, string>> = {}) {
  const house = await openHouse({ env: { ...env, ...more } })
  const anna = await house.person('anna')
  const camera = await house.addCamera(anna.account)
  const devices = async (token = anna.token) =>
    (await house.ask(token, 'GET', '/api/devices')).body as unknown as Devices
  const enable = (browser: Browser, token = anna.token) => house.ask(token, 'POST', '/api/devices', browser.wanted)
  const ring = () => house.ask(anna.token, 'POST', '/api/cameras/front-door/ring', {})
  return { house, anna, camera, devices, enable, ring, [Symbol.asyncDispose]: () => house[Symbol.asyncDispose]() }
}

test('a press reaches a device, which alone can read it, signed with the key that it subscribed with', async () => {
  const services = playPushServices()
  await using home = await openHome()
  const browser = createBrowser()
  const { publicKey } = await home.devices()
  expect((await home.enable(browser)).status).toBe(201)
  const { at } = (await home.ring()).body
  const [sent] = await services.until(1)
  expect(sent!.url).toBe(browser.endpoint)
  expect(open(sent!.body, browser)).toEqual({
    cameraId: 'front-door',
    name: 'Front door',
    text: 'Somebody is at the door.',
    at,
  })
  expect(Object.fromEntries(sent!.headers)).toMatchObject({
    'content-encoding': 'aes128gcm',
    ttl: '30',
    urgency: 'high',
  })
  const claims = await verify(sent!, publicKey)
  expect(claims.sub).toBe('mailto:anna@example.org')
  expect(claims.exp! * 1_000 - Date.now()).toBeLessThanOrEqual(24 * 3_600_000)
})

test('devices are named and listed by who has them, and are removed by nobody else', async () => {
  playPushServices()
  await using home = await openHome()
  const berta = await home.house.person('berta')
  await home.enable(createBrowser('phone'))
  await home.enable(createBrowser('tablet', 'web.push.apple.com'))
  const { devices, publicKey } = await home.devices()
  expect(devices.map(({ name }) => name)).toEqual(['phone', 'tablet'])
  const hers = await home.devices(berta.token)
  expect(hers).toEqual({ publicKey, devices: [] })
  const path = `/api/devices/${devices[0]!.id}`
  expect((await home.house.ask(berta.token, 'DELETE', path)).status).toBe(404)
  for (const id of ['x', 'x'.repeat(600), '..%2fa', '%20'])
    expect((await home.house.ask(home.anna.token, 'DELETE', `/api/devices/${id}`)).status).toBe(404)
  expect((await home.house.ask(home.anna.token, 'DELETE', path)).status).toBe(204)
  expect((await home.devices()).devices.map(({ name }) => name)).toEqual(['tablet'])
})

test('the same browser is one device, and of who has signed in there last', async () => {
  const services = playPushServices()
  await using home = await openHome()
  const berta = await home.house.person('berta')
  const browser = createBrowser()
  await home.enable(browser)
  await home.enable(browser)
  expect((await home.devices()).devices).toHaveLength(1)
  await home.enable(browser, berta.token)
  expect((await home.devices()).devices).toEqual([])
  await home.enable(createBrowser('other'))
  await home.ring()
  const sent = await services.until(1)
  expect(sent.map(({ url }) => url)).toEqual(['https://fcm.googleapis.com/send/other'])
})

test.each([404, 410])('a subscription that has ended (%i) is removed, the others are told', async (status) => {
  const services = playPushServices(({ url }) => new Response(null, { status: url.endsWith('gone') ? status : 201 }))
  await using home = await openHome()
  await home.enable(createBrowser('gone'))
  await home.enable(createBrowser('phone'))
  await home.ring()
  await services.until(2)
  await home.house.bridge.settled()
  expect((await home.devices()).devices.map(({ name }) => name)).toEqual(['phone'])
})

test.each([400, 403, 429, 500])(
  'a service that refuses with %i is in the log, and the device is kept',
  async (status) => {
    playPushServices(() => new Response(null, { status }))
    await using home = await openHome()
    await home.enable(createBrowser())
    await home.ring()
    await home.house.bridge.settled()
    expect((await home.devices()).devices).toHaveLength(1)
    const { fields } = home.house.lines.find(({ event }) => event === 'push.failed')!
    expect(fields).toMatchObject({ cameraId: 'front-door', destination: 'fcm.googleapis.com' })
    expect(JSON.stringify(home.house.lines)).not.toContain('/send/phone')
  },
)

test('a push service that never answers delays no press', async () => {
  const services = playPushServices(() => new Promise<Response>(() => {}))
  await using home = await openHome()
  await home.enable(createBrowser())
  expect((await home.ring()).status).toBe(202)
  expect((await home.ring()).status).toBe(202)
  await services.until(2)
})

test('a press that its camera reports twice, an old one and a muted one: one notification, none, none', async () => {
  const services = playPushServices()
  await using home = await openHome()
  const { events, visits } = home.house.bridge
  await home.enable(createBrowser())
  const press = { kind: 'press', eventId: 'one', at: Date.now() } as const
  await events.receive(home.camera, press)
  await events.receive(home.camera, press)
  await events.receive(home.camera, { kind: 'press', eventId: 'old', at: Date.now() - 60_000 })
  await visits.mute(home.anna.account, Date.now() + 60_000)
  await events.receive(home.camera, { kind: 'press', eventId: 'muted', at: Date.now() })
  await home.house.bridge.settled()
  expect(services.sent).toHaveLength(1)
})

test.each([
  ['http', 'http://fcm.googleapis.com/x'],
  ['this machine', 'https://localhost/x'],
  ['an address', 'https://192.168.1.1/x'],
  ['a name of the house', 'https://router.local/x'],
  ['a name that ends alike', 'https://evilfcm.googleapis.com.example/x'],
  ['a name that contains one', 'https://notpush.apple.com/x'],
  ['another port', 'https://fcm.googleapis.com:8443/x'],
  ['a user', 'https://a:b@fcm.googleapis.com/x'],
])('an endpoint at %s is refused', async (_, endpoint) => {
  await using home = await openHome()
  const { wanted } = createBrowser()
  const subscription = { ...wanted.subscription, endpoint }
  const { status } = await home.house.ask(home.anna.token, 'POST', '/api/devices', { ...wanted, subscription })
  expect(status).toBe(400)
})

test.each([
  ['short', 'AAAA', undefined],
  ['off the curve', Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url'), undefined],
  ['with a short secret', undefined, 'AAAA'],
])('keys %s are refused', async (_, p256dh, auth) => {
  await using home = await openHome()
  const { wanted } = createBrowser()
  const { endpoint, keys } = wanted.subscription
  const given = { p256dh: p256dh ?? keys.p256dh, auth: auth ?? keys.auth }
  const body = { ...wanted, subscription: { endpoint, keys: given } }
  expect((await home.house.ask(home.anna.token, 'POST', '/api/devices', body)).status).toBe(400)
})

test('a push service of the operator is accepted, by its host and port', () => {
  expect(isPushService('https://push.example.org:8443/x', ['push.example.org:8443'])).toBe(true)
  expect(isPushService('https://push.example.org/x', ['push.example.org:8443'])).toBe(false)
  expect(isPushService('https://updates.push.services.mozilla.com/wpush/v2/x', [])).toBe(true)
})

test("a vendor's app adds no devices, and a bridge without an address for push services has none", async () => {
  await using home = await openHome()
  const app = await home.house.appToken('anna')
  expect((await home.house.ask(app, 'GET', '/api/devices')).status).toBe(403)
  await using other = await openHouse()
  const berta = await other.person('berta')
  expect((await other.ask(berta.token, 'GET', '/api/devices')).status).toBe(501)
})
