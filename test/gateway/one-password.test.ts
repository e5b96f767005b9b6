/** One wrong password at a camera with three doors, RTSP, ONVIF and HTTP audio: what one refuses the others are not asked. */
import { afterEach, expect, jest, test } from '@jest/globals'
import { createOnvifCamera } from '../../src/gateway/onvif/camera.ts'
import { createPatience } from '../../src/gateway/patience.ts'
import { createNetworkSource } from '../../src/gateway/network-source.ts'
import { createTrust } from '../../src/gateway/trust.ts'
import { createFakeOnvif } from './onvif/device.ts'
import { createFakeCamera, h264 } from './rtsp/camera.ts'
import { createHttpCamera, login } from './talk/http-camera.ts'
import { createWorld } from './world.ts'
import { until } from '../until.ts'

const never = new AbortController().signal
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function openDoors(rtspLogin = login) {
  const rtsp = await createFakeCamera({ sdp: h264, login: rtspLogin })
  const onvif = await createFakeOnvif({ login })
  const http = await createHttpCamera({ brand: 'dahua' })
  for (const { close } of [rtsp, onvif, http]) closing.push(close)
  const url = `rtsp://${login.user}:wrong@127.0.0.1:${rtsp.port}/live#talk-back=dahua:${http.port}`
  const address = `http://127.0.0.1:${onvif.port}/onvif/device_service`
  /** Requests that carried the password, in whatever form. */
  const tries = () => ({
    rtsp: rtsp.requests.filter(({ headers }) => headers.has('authorization')).length,
    onvif: onvif.received.filter((text) => text.includes('UsernameToken')).length,
    http: http.seen.filter((line) => line.startsWith('refused')).length,
  })
  return { url, address, tries }
}

function read({ url, address }: { readonly url: string; readonly address: string }) {
  const [trust, patience, log] = [createTrust(), createPatience(), () => undefined]
  const source = createNetworkSource(url, Date.now, log, trust, patience)
  closing.push(source.close)
  const shared = { trust, patience, clock: Date.now, log, isDoorbell: true }
  return { source, onvif: createOnvifCamera({ address, source: url, ...shared }) }
}

test('it is tried three times in the first minute, all doors together', async () => {
  const doors = await openDoors()
  const { source, onvif } = read(doors)
  const steady = performance.now.bind(performance)
  let ahead = 0
  const now = jest.spyOn(performance, 'now').mockImplementation(() => steady() + ahead)
  closing.push(() => now.mockRestore())
  for (; ahead < 60_000; ahead += 5_000) {
    await expect(source.describe(never)).rejects.toMatchObject({ code: 'source_password' })
    expect(await onvif.still()).toBeUndefined()
    await expect(source.playTone?.(never)).rejects.toMatchObject({ code: 'source_password' })
  }
  const { rtsp, onvif: soap, http } = doors.tries()
  expect(rtsp + soap + http).toBe(3)
})

test('a stream that accepts it is shown whatever ONVIF says', async () => {
  const { source, onvif } = read(await openDoors({ ...login, password: 'wrong' }))
  expect(await source.describe(never)).toMatchObject({ hasSpeaker: true })
  expect(await onvif.still()).toBeUndefined()
  expect(await source.describe(never)).toMatchObject({ hasSpeaker: true })
})

test('a running camera does not try a password elsewhere that its stream has just refused', async () => {
  const { url, address, tries } = await openDoors()
  const world = await createWorld()
  closing.push(world.close)
  const camera = await world.startCamera(url, { onvif: { address, isDoorbell: true } })
  await until(() => world.events.some((event) => event.kind === 'source' && event.fault?.code === 'source_password'))
  await expect(camera.playTone(never)).rejects.toMatchObject({ code: 'source_password' })
  expect(tries()).toEqual({ rtsp: 1, onvif: 0, http: 0 })
})
