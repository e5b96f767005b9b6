/** The ONVIF client against a device on loopback, and that device against another client. */
import { afterEach, describe, expect, test } from '@jest/globals'
import { Cam } from 'onvif'
import { atSameHost, openDevice, readDeviceAddress } from '../../../src/gateway/onvif/device.ts'
import { discoverCameras } from '../../../src/gateway/onvif/discovery.ts'
import { escapeXml, parseXml } from '../../../src/gateway/onvif/xml.ts'
import { createTrust } from '../../../src/gateway/trust.ts'
import { createCertificate } from '../../kvs/fake-kvs.ts'
import { createFakeAnnouncer, createFakeOnvif, type FakeOnvif, type OnvifHabits } from './device.ts'

const never = new AbortController().signal
const login = { user: 'admin', password: 'pa"<55' }
const streams = [
  { token: 'main', codec: 'H265', width: 2560, height: 1440, uri: 'rtsp://192.0.2.9:8554/main?a=1&amp;b=2' },
  { token: 'sub', codec: 'H264', width: 640, height: 360, uri: 'rtsp://192.0.2.9:8554/sub' },
]
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function fake(habits: OnvifHabits = {}): Promise<FakeOnvif> {
  const device = await createFakeOnvif({ streams, ...habits })
  closing.push(() => device.close())
  return device
}
const open = ({ port }: FakeOnvif, given: typeof login | undefined = login) =>
  openDevice(`127.0.0.1:${port}`, given, never)

describe('where a device may be, and who it is', () => {
  test('by https its first certificate is trusted, and another one never gets the password', async () => {
    const first = await fake({ login, tls: await createCertificate() })
    const trust = createTrust()
    const address = `https://127.0.0.1:${first.port}`
    const device = await openDevice(address, login, never, trust)
    expect(device.label).toBe(address)
    expect(await device.information(never)).toMatchObject({ manufacturer: 'Acme' })
    expect(trust.certificates()).toEqual({ [`127.0.0.1:${first.port}`]: expect.stringMatching(/^[0-9A-F:]{95}$/) })

    const other = await fake({ login, tls: await createCertificate() })
    const pinned = createTrust({
      certificates: { [`127.0.0.1:${other.port}`]: '00'.repeat(32).replace(/..(?=.)/g, '$&:') },
    })
    const elsewhere = `https://127.0.0.1:${other.port}`
    await expect(openDevice(elsewhere, login, never, pinned)).rejects.toMatchObject({ code: 'source_certificate' })
    expect(other.received).toEqual([])
    await openDevice(elsewhere, login, never, createTrust({ certificates: 'any' }))
  })

  test.each(['127.0.0.1', 'localhost'])(
    'at %s it is not asked outside of the networks that are allowed',
    async (host) => {
      const device = await fake({ login })
      const trust = createTrust({ networks: ['192.168.0.0/16'] })
      await expect(openDevice(`${host}:${device.port}`, login, never, trust)).rejects.toMatchObject({
        code: 'source_invalid',
        message: expect.stringContaining('TRANSOM_SOURCE_NETWORKS'),
      })
      expect(device.received).toEqual([])
    },
  )

  test('an address that it names leads to TLS, and never away from it or to another machine', () => {
    const plain = new URL('http://cam.local:8000/onvif')
    const secure = new URL('https://cam.local/onvif')
    expect(atSameHost('https://cam.local:8443/still.jpg', plain)).toBe('https://cam.local:8443/still.jpg')
    expect(atSameHost('http://cam.local:81/still.jpg', secure)).toBe('https://cam.local/still.jpg')
    expect(atSameHost('http://10.9.9.9/still.jpg?a=1', plain)).toBe('http://cam.local:8000/still.jpg?a=1')
  })
})

describe.each<[string, OnvifHabits]>([
  ['Media 2', {}],
  ['only GetCapabilities and Media 1', { isOld: true }],
  ['HTTP Digest', { challenge: 'digest' }],
  ['a clock that is a year ahead', { clockAheadMs: 365 * 86_400_000 }],
  ['an address of another network', { believes: '10.1.2.3:80' }],
])('a device with %s', (_name, habits) => {
  test('says who it is, and what its streams and stills are', async () => {
    const snapshot = Buffer.from([0xff, 0xd8, 0xff, 0xd9])
    const device = await open(await fake({ login, snapshot, ...habits }))
    expect(await device.information(never)).toMatchObject({ manufacturer: 'Acme', model: 'Bell & Co' })
    const [main, sub] = await device.profiles(never)
    if (!main || !sub) throw new Error('its profiles are missing')
    expect(main?.video).toEqual({ codec: 'H265', width: 2560, height: 1440, fps: 25 })
    expect(await device.streamUri(main, never)).toBe('rtsp://127.0.0.1:8554/main?a=1&b=2')
    const still = await device.snapshotUri(sub, never)
    expect(still).toContain(device.label)
    expect(await device.soap.get(still ?? '', never)).toEqual(snapshot)
    await device.synchronize(sub, never)
  })
})

test('a wrong password is said to be one, by either way of asking, and never sent in the clear', async () => {
  for (const challenge of ['token', 'digest'] as const) {
    const device = await fake({ login, challenge })
    const wrong = { user: 'admin', password: 'the-wrong-one' }
    await expect(open(device, wrong)).rejects.toMatchObject({ code: 'source_password' })
    expect(device.received.join()).not.toContain(wrong.password)
  }
  await expect(openDevice(`127.0.0.1:${(await fake({ login })).port}`, undefined, never)).rejects.toMatchObject({
    code: 'source_password',
    message: expect.stringContaining('asks for a user'),
  })
})

test.each<[string, NonNullable<OnvifHabits['hostile']>, string]>([
  ['a redirect', (response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(), 'redirects'],
  ['a page', (response) => void response.end('<html><body>camera</body></html>'), 'not ONVIF'],
  ['nothing', (response) => void response.end(), 'not ONVIF'],
  ['a DTD', (response) => void response.end('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), 'DTD'],
  ['too much', (response) => void response.end('<a>'.padEnd(5_000_000, ' ')), 'more than'],
  ['deep nesting', (response) => void response.end('<a>'.repeat(100)), 'too large'],
])('%s is refused with a cause', async (_name, hostile, message) => {
  const device = await fake({ hostile })
  await expect(open(device)).rejects.toMatchObject({
    code: 'source_garbled',
    message: expect.stringContaining(message),
  })
})

test('addresses are read as people write them', () => {
  expect(readDeviceAddress('cam.local:8000')).toEqual(['http://cam.local:8000/onvif/device_service'])
  expect(readDeviceAddress('http://10.0.0.5:80')).toEqual(['http://10.0.0.5/onvif/device_service'])
  expect(readDeviceAddress('10.0.0.5')).toHaveLength(5)
  expect(readDeviceAddress('onvif://10.0.0.5:2020/other')).toEqual(['http://10.0.0.5:2020/other'])
  expect(readDeviceAddress('https://cam.local')).toEqual(['https://cam.local/onvif/device_service'])
  expect(readDeviceAddress('HTTPS://cam.local:8443/x')).toEqual(['https://cam.local:8443/x'])
  for (const wrong of ['', 'a b', 'user:secret@host', 'https://user:secret@host', 'rtsp://host', 'ftp://host'])
    expect(() => readDeviceAddress(wrong)).toThrow(expect.objectContaining({ code: 'source_invalid' }))
})

test('what is escaped is read back, without what XML cannot carry', () => {
  expect(parseXml(`<a b="${escapeXml('"<&>')}">${escapeXml('x]]>&\u0000y')}</a>`)).toMatchObject({ text: 'x]]>&y' })
})

test('discovery lists who answers, at the address that the answer came from', async () => {
  const announcer = await createFakeAnnouncer(
    'https://10.9.9.9/x http://10.9.9.9:8000/onvif/device_service',
    'onvif://www.onvif.org/name/Front%20door onvif://www.onvif.org/hardware/RLC%1b[2J onvif://www.onvif.org/name/other',
  )
  closing.push(announcer.close)
  expect(await discoverCameras(never, { ms: 600, target: announcer.target })).toEqual([
    { address: 'http://127.0.0.1:8000/onvif/device_service', name: 'Front door', hardware: 'RLC[2J' },
  ])
})

test('another client is content with the device of these tests', async () => {
  const device = await fake({ login })
  const cam = await new Promise<Cam>((resolve, reject) => {
    const made: Cam = new Cam(
      { hostname: '127.0.0.1', port: device.port, username: login.user, password: login.password, timeout: 5_000 },
      (error) => (error ? reject(error) : resolve(made)),
    )
  })
  const uri = await new Promise<{ uri: string }>((resolve, reject) =>
    cam.getStreamUri({ protocol: 'RTSP', profileToken: 'sub' }, (error, found) =>
      error ? reject(error) : resolve(found),
    ),
  )
  expect(uri.uri).toBe(streams[1]?.uri)
})
