/** How a source fares: what is learned while it runs and while nobody watches, and how soon. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import {
  SourceError,
  type MediaInfo,
  type MediaSource,
  type SourceSink,
  type VideoUnit,
} from '../../src/gateway/media.ts'
import { createSource, shareSource } from '../../src/gateway/source.ts'

beforeEach(() => void jest.useFakeTimers({ now: 0, doNotFake: ['nextTick', 'queueMicrotask'] }))
afterEach(() => void jest.useRealTimers())

const info: MediaInfo = { profileLevelId: '42e01f', hasSpeaker: false, sound: ['opus'] }
const key: VideoUnit = { at: 0, isKey: true, payloads: [Buffer.alloc(10)] }
const inter: VideoUnit = { ...key, isKey: false }
const silent = { video: () => undefined, audio: () => undefined }

function createCamera() {
  const camera = {
    looks: 0,
    runs: 0,
    fault: undefined as SourceError | undefined,
    sink: undefined as SourceSink | undefined,
    break: (_error: SourceError): void => undefined,
  }
  const source: MediaSource = {
    checkEachMs: 5_000,
    async describe() {
      camera.looks += 1
      if (camera.fault) throw camera.fault
      return info
    },
    requestKeyFrame: () => false,
    close: async () => {},
    async run(sink, signal) {
      camera.runs += 1
      if (camera.fault) throw camera.fault
      camera.sink = sink
      await new Promise<void>((resolve, reject) => {
        camera.break = reject
        signal.addEventListener('abort', () => resolve())
      })
    },
  }
  const shared = shareSource(source, () => undefined)
  return { camera, shared, code: () => shared.fault()?.code }
}

test('one that nobody watches is looked at each few seconds: unplugged it is faulty, plugged in again it is good', async () => {
  const { camera, shared, code } = createCamera()
  await jest.advanceTimersByTimeAsync(0)
  expect(shared.state()).toEqual({ kind: 'good', info })
  camera.fault = new SourceError('source_unreachable', 'no reply')
  await jest.advanceTimersByTimeAsync(5_000)
  expect(shared.fault()).toEqual({ code: 'source_unreachable', message: 'no reply' })
  camera.fault = undefined
  await jest.advanceTimersByTimeAsync(15_000)
  expect(code()).toBeUndefined()
  await shared.close()
  const { looks } = camera
  await jest.advanceTimersByTimeAsync(60_000)
  expect(camera.looks).toBe(looks)
})

describe('while somebody watches', () => {
  test('nobody else looks, and a picture that stands still for 5 s is a fault, whatever else comes', async () => {
    const { camera, shared, code } = createCamera()
    await jest.advanceTimersByTimeAsync(0)
    shared.join(silent)
    camera.sink!.video(key)
    for (let second = 0; second < 5; second += 1) {
      expect(code()).toBeUndefined()
      camera.sink!.audio({ at: 0, codec: 'opus', payload: Buffer.alloc(3) })
      await jest.advanceTimersByTimeAsync(1_000)
    }
    expect(code()).toBe('source_stopped')
    expect(camera.looks).toBe(1)
    await jest.advanceTimersByTimeAsync(500)
    expect(camera.runs).toBe(2)
    camera.sink!.video(key)
    expect(code()).toBeUndefined()
    await shared.close()
  })

  test('pictures without a key frame are a fault after 30 s', async () => {
    const { camera, shared, code } = createCamera()
    await jest.advanceTimersByTimeAsync(0)
    shared.join(silent)
    for (let second = 0; second < 30; second += 1) {
      expect(code()).toBeUndefined()
      camera.sink!.video(inter)
      await jest.advanceTimersByTimeAsync(1_000)
    }
    expect(code()).toBe('source_no_key_frame')
    await shared.close()
  })

  test('a connection that breaks and is there again is no fault; one that is refused then is', async () => {
    const { camera, shared, code } = createCamera()
    await jest.advanceTimersByTimeAsync(0)
    shared.join(silent)
    camera.sink!.video(key)
    camera.break(new SourceError('source_stopped', 'the camera closed the connection'))
    await jest.advanceTimersByTimeAsync(400)
    expect([camera.runs, code()]).toEqual([2, undefined])
    camera.sink!.video(key)
    camera.fault = new SourceError('source_refused', 'connection refused')
    camera.break(new SourceError('source_stopped', 'the camera closed the connection'))
    await jest.advanceTimersByTimeAsync(400)
    expect(code()).toBe('source_refused')
    await shared.close()
  })
})

test.each([
  ['http://admin:s3cret@cam/video', /^http:\/\/ is not read here: give the rtsp:\/\/ address of its stream, as/],
  ['HTTPS://admin:s3cret@cam/doc/page/preview.asp', /^https:\/\/ is not read here: give the rtsp:\/\/ address/],
  ['rtmp://admin:s3cret@cam/x', /^rtmp:.*go2rtc and MediaMTX give such a stream on by RTSP: give their rtsp:/],
  ['rtmps://admin:s3cret@cam/x', /^rtmps:.*give their rtsp:\/\/ address$/],
  ['srt://cam:9000?passphrase=s3cret', /^srt:.*give their rtsp:\/\/ address$/],
  ['udp://239.0.0.1:1234', /^udp:.*give their rtsp:\/\/ address$/],
  [
    'onvif://admin:s3cret@cam',
    /^onvif:.*rtsp:\/\/ address of its stream; the address of the ONVIF device goes beside it$/,
  ],
  ['file:///srv/s3cret.mp4', /^file:.*give the path of the file alone$/],
  ['file:/srv/s3cret.mp4', /^file:.*give the path of the file alone$/],
  [' http:cam/s3cret', /^http:.*give the rtsp:\/\/ address/],
  ['ftp://admin:s3cret@cam', /^ftp:\/\/ is not read here: give the rtsp:\/\/ address of a stream$/],
  ['rtsp://admin:s3cret@:port/', /^the address of the camera cannot be read/],
  ['rtsp:cam/s3cret', /^the address must be an rtsp:\/\/, rtsps:\/\/, whep:\/\/ or wheps:\/\/ address$/],
])('%s is a fault that says which address to give, and no password is in it', async (address, words) => {
  const logged: unknown[] = []
  const shared = shareSource(
    createSource(address, 'door', Date.now, () => undefined),
    (...line) => void logged.push(line),
  )
  await jest.advanceTimersByTimeAsync(0)
  expect(shared.fault()).toMatchObject({ code: 'source_invalid', message: expect.stringMatching(words) })
  expect(JSON.stringify([shared.fault(), logged])).not.toContain('s3cret')
  await shared.close()
})
