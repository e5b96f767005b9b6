/** Habits of cameras that would last for ever: each ends at its bound, with a cause. No test waits: the time is moved. */
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createNetworkSource } from '../../../src/gateway/network-source.ts'
import { writePacket } from '../../../src/gateway/rtsp/message.ts'
import { createFakeCamera, slice, type FakeCamera, type Habits } from './camera.ts'
import { hold, turns } from '../../timers.ts'
import { until } from '../../until.ts'

const never = new AbortController().signal
let camera: FakeCamera
let close: () => Promise<void> = async () => undefined
beforeEach(() => hold('setTimeout', 'setInterval'))
afterEach(async () => {
  jest.useRealTimers()
  await close()
  await camera.close()
})

async function open(habits: Habits) {
  camera = await createFakeCamera(habits)
  const source = createNetworkSource(`rtsp://127.0.0.1:${camera.port}/live`, Date.now, () => undefined)
  close = () => source.close()
  return source
}

/** Writes this again and again, as fast as it is taken. */
const flood = (text: string | Buffer) => (socket: Socket) => {
  const one = Buffer.from(text)
  const chunk = Buffer.concat(Array.from({ length: Math.ceil(65_536 / one.length) }, () => one))
  const pour = () => {
    while (!socket.destroyed && socket.write(chunk));
  }
  socket.on('drain', pour)
  pour()
}

const silent = { code: 'source_unreachable', message: expect.stringContaining('did not answer DESCRIBE') }
const garbled = { code: 'source_garbled' }

describe('instead of a description', () => {
  test('a byte now and then does not buy more time', async () => {
    let socket: Socket | undefined
    const source = await open({ hostile: (each) => void (socket = each) })
    let seen: unknown
    void source.describe(never).catch((error: unknown) => (seen = error))
    await until(() => socket !== undefined)
    for (const byte of 'RTSP/1') {
      expect(seen).toBeUndefined()
      await new Promise((resolve) => socket?.write(byte, resolve))
      await turns(5)
      jest.advanceTimersByTime(1_000)
    }
    await until(() => seen !== undefined)
    expect(seen).toMatchObject(silent)
    await until(() => camera.connections() === 0)
  })

  test.each([
    ['packets', writePacket(0, Buffer.alloc(1_000)), silent],
    ['empty lines', '\r\n', silent],
    ['headers', `X: ${'y'.repeat(200)}\r\n`, garbled],
    ['zeros', Buffer.alloc(1_000), garbled],
  ])('%s without end', async (_name, chunk, wanted) => {
    const source = await open({ hostile: flood(chunk) })
    let seen: unknown
    void source.describe(never).catch((error: unknown) => (seen = error))
    await until(() => camera.requests.length === 1)
    await turns(20)
    jest.advanceTimersByTime(6_000)
    await until(() => seen !== undefined)
    expect(seen).toMatchObject(wanted)
    await until(() => camera.connections() === 0)
  })
})

/** The first report that knows of packet 5. */
const reported = () => camera.reports.find((report) => report.length >= 32 && report.readUInt32BE(16) === 5)

test('what a camera loses by UDP is reported to it', async () => {
  const source = await open({ transport: 'udp' })
  let pictures = 0
  const end = new AbortController()
  const running = source.run({ video: () => void (pictures += 1), audio() {}, described() {} }, end.signal)
  await until(() => pictures === 1)
  // 3 comes, 4 does not, 5 waits for it.
  for (const sequenceNumber of [3, 5])
    camera.send(0, { payload: slice, timestamp: 3_000, marker: true, sequenceNumber })
  await until(() => {
    jest.advanceTimersByTime(5_000)
    return reported() !== undefined
  })
  const report = reported()!
  // RFC 3550 section 6.4.2: a receiver report on the camera's SSRC, with a share of packets lost and their number.
  expect([report.readUInt8(1), report.readUInt32BE(8), report.readUIntBE(13, 3)]).toEqual([201, 7, 1])
  expect(report.readUInt8(12)).toBeGreaterThan(0)
  end.abort()
  await running
})
