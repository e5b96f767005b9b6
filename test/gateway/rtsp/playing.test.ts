/** Habits of cameras while they play: each goes on, or ends with the camera's own word. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { VideoUnit } from '../../../src/gateway/media.ts'
import { createNetworkSource } from '../../../src/gateway/network-source.ts'
import { createFakeCamera, idr, pps, slice, sps, type FakeCamera, type Habits } from './camera.ts'
import { hold, turns } from '../../timers.ts'
import { until } from '../../until.ts'

let camera: FakeCamera
let stop: () => Promise<void> = async () => undefined
beforeEach(() => hold('setTimeout', 'setInterval'))
afterEach(async () => {
  jest.useRealTimers()
  await stop()
  await camera.close()
})

async function play(habits: Habits) {
  camera = await createFakeCamera(habits)
  const source = createNetworkSource(`rtsp://127.0.0.1:${camera.port}/live`, Date.now, () => undefined)
  const end = new AbortController()
  const video: VideoUnit[] = []
  const seen: { ended?: unknown } = {}
  const running = source
    .run({ video: (unit) => video.push(unit), audio: () => undefined, described: () => undefined }, end.signal)
    .then(
      () => (seen.ended = 'stopped'),
      (error: unknown) => (seen.ended = error),
    )
  stop = async () => {
    end.abort()
    await running
    await source.close()
  }
  return { video, seen }
}

const methods = () => camera.requests.map(({ method }) => method)
/** A picture of these NAL units, the last of which has the marker. */
function send(timestamp: number, nals: readonly Buffer[], sequenceNumber?: number, ssrc?: number): void {
  for (const [index, payload] of nals.entries())
    camera.send(0, {
      payload,
      timestamp,
      marker: index === nals.length - 1,
      ...(sequenceNumber !== undefined && { sequenceNumber: sequenceNumber + index }),
      ...(ssrc !== undefined && { ssrc }),
    })
}
const key = [sps, pps, idr]
const stepsOf = (video: readonly VideoUnit[]) => video.slice(1).map(({ at }, index) => at - video[index]!.at)

describe('too many sessions', () => {
  test.each([
    ['SETUP', 453],
    ['PLAY', 453],
    ['PLAY', 503],
    ['DESCRIBE', 503],
  ])('%s refused with %i says that it is busy', async (method, status) => {
    const { seen } = await play({ statuses: { [method]: status } })
    await until(() => seen.ended !== undefined)
    expect(seen.ended).toMatchObject({ code: 'source_busy', message: expect.stringContaining(String(status)) })
    await until(() => camera.connections() === 0)
    // What was set up is torn down.
    expect(methods().includes('TEARDOWN')).toBe(method === 'PLAY')
  })
})

const awake = () => methods().filter((method) => method === 'OPTIONS' || method === 'GET_PARAMETER')

describe('a keep-alive', () => {
  test.each([
    ['GET_PARAMETER', 501],
    ['GET_PARAMETER', 405],
    ['OPTIONS', 405],
  ])('%s refused with %i: it plays on, and is kept awake by the other', async (method, status) => {
    const { video, seen } = await play({ statuses: { [method]: status }, timeoutS: 60 })
    await until(() => video.length === 1)
    for (let round = 1; round <= 3; round += 1) {
      jest.advanceTimersByTime(20_000)
      await until(() => awake().filter((each) => each === 'OPTIONS').length >= round)
      // Until its reply is read, the time must not move.
      await turns(20)
    }
    send(9_000, [slice])
    await until(() => video.length === 2)
    expect(seen.ended).toBeUndefined()
    expect(awake().filter((each) => each === 'GET_PARAMETER')).toHaveLength(method === 'GET_PARAMETER' ? 1 : 3)
  })

  test.each(['GET_PARAMETER', 'OPTIONS'])(
    'answered with 454 (%s): the session was reset, and ends here',
    async (method) => {
      const { video, seen } = await play({ statuses: { [method]: 454 }, timeoutS: 60 })
      await until(() => video.length === 1)
      jest.advanceTimersByTime(20_000)
      await until(() => seen.ended !== undefined)
      expect(seen.ended).toMatchObject({ code: 'source_stopped', message: expect.stringContaining('forgotten') })
      await until(() => camera.connections() === 0)
    },
  )
})

describe('the time of the pictures', () => {
  test.each([
    ['a jump ahead by an hour', 324_000_000],
    ['a jump back by an hour', 2 ** 32 - 324_000_000],
    ['a restart at zero', 0],
  ])('over %s goes on from where it was', async (_name, jump) => {
    const { video } = await play({ quiet: true })
    await until(() => methods().includes('PLAY'))
    const first = 648_000_000
    const behind = jump === 0 ? 0 : (first + jump) % 2 ** 32
    for (const timestamp of [first, first + 3_600, first + 7_200])
      send(timestamp, video.length === 0 && timestamp === first ? key : [slice])
    for (const timestamp of [behind, behind + 3_600, behind + 7_200])
      send(timestamp, timestamp === behind ? key : [slice])
    await until(() => video.length === 6)
    for (const step of stepsOf(video)) {
      expect(step).toBeGreaterThan(0)
      expect(step).toBeLessThan(2_000)
    }
  })

  test.each([
    ['sequence numbers begin anew', 40_000, undefined],
    ['the stream has another source (SSRC)', 7, 99],
  ])('and the pictures go on when %s', async (_name, sequenceNumber, ssrc) => {
    const { video } = await play({ quiet: true })
    await until(() => methods().includes('PLAY'))
    send(0, key, 100)
    send(3_600, [slice], 103)
    send(7_200, key, sequenceNumber, ssrc)
    send(10_800, [slice], sequenceNumber + 3, ssrc)
    await until(() => video.length === 4)
    expect(video.map(({ isKey }) => isKey)).toEqual([true, false, true, false])
  })

  test('a gap shows nothing that refers to what was lost, up to the next key frame of the display', async () => {
    const { video } = await play({ quiet: true })
    await until(() => methods().includes('PLAY'))
    const large = Buffer.concat([Buffer.from('7c81', 'hex'), Buffer.alloc(40, 0xcd)])
    send(0, key, 100)
    // A picture in fragments that lost its end.
    camera.send(0, { payload: large, timestamp: 3_600, sequenceNumber: 103 })
    for (let index = 0; index < 20; index += 1) send(7_200 + index * 3_600, [slice], 105 + index)
    await until(() => video.length >= 20)
    expect(video.every(({ payloads }) => payloads.length > 0)).toBe(true)
    expect(video).toHaveLength(21)
  })
})

const options = (count: number) =>
  Array.from({ length: count }, (_, index) => `OPTIONS rtsp://x RTSP/1.0\r\nCSeq: ${index}\r\n\r\n`).join('')

describe('messages that nobody asked for', () => {
  test('a few are answered, and it plays on', async () => {
    const { video, seen } = await play({})
    await until(() => video.length === 1)
    camera.write(options(20) + 'RTSP/1.0 200 OK\r\nCSeq: 9999\r\n\r\n')
    send(3_600, [slice])
    await until(() => video.length === 2)
    expect(seen.ended).toBeUndefined()
  })

  test.each([
    ['requests', options(101)],
    ['replies', 'RTSP/1.0 200 OK\r\nCSeq: 9999\r\n\r\n'.repeat(101)],
  ])('%s without end cut it off, with a cause', async (_name, flood) => {
    const { video, seen } = await play({})
    await until(() => video.length === 1)
    camera.write(flood)
    await until(() => seen.ended !== undefined)
    expect(seen.ended).toMatchObject({ code: 'source_garbled', message: expect.stringContaining('nobody asked for') })
    await until(() => camera.connections() === 0)
  })
})
