/** What becomes of a camera's pictures without FFmpeg: passed through, or a fault that names what displays cannot play. */
import { expect, test } from '@jest/globals'
import { readDescription } from '../../../src/gateway/rtsp/description.ts'
import { describePictures, openPictures, pickVideo } from '../../../src/gateway/rtsp/pictures.ts'
import { createTimeline } from '../../../src/gateway/rtsp/timeline.ts'
import { h264, idr, pps, slice, sps } from './camera.ts'
import { recordMoving, type Moving } from './moving.ts'

const label = 'rtsp://cam'
const tracksOf = (sdp: string) => readDescription(`v=0\r\n${sdp}`, 'rtsp://cam/live').tracks
const media = (map: string) => `m=video 0 RTP/AVP 97\r\na=rtpmap:97 ${map}/90000\r\n`

test.each([
  ['MJPEG', 'm=video 0 RTP/AVP 26\r\n', /sends MJPEG video.*FFmpeg is not installed/],
  ['an unknown codec', media('MP4V-ES'), /sends MP4V-ES video, and displays play H\.264 only$/],
])('%s alone cannot be played', (_name, sdp, message) => {
  expect(() => pickVideo(tracksOf(sdp), label, false)).toThrow(
    expect.objectContaining({ code: 'source_codec', message: expect.stringMatching(message) }),
  )
})

test('H.264 is chosen before what must be decoded, wherever it stands', () => {
  const tracks = tracksOf(media('H265') + 'm=video 0 RTP/AVP 26\r\n' + h264)
  expect([true, false].map((canEncode) => pickVideo(tracks, label, canEncode).encoding)).toEqual(['H264', 'H264'])
})

test('H.265 without FFmpeg is for the displays that play it, and a fault where none does', async () => {
  const [plain, ordered] = [await recordMoving('H.265', 1), await recordMoving('H.265 with B-frames', 1)]
  const described = ({ sdp, pictures }: Moving) => {
    const [vps, sequence, picture] = pictures[0]!.payloads.map((nal) => nal.toString('base64'))
    const sets = `a=fmtp:96 sprop-vps=${vps};sprop-sps=${sequence};sprop-pps=${picture}\r\n`
    return pickVideo(tracksOf(sdp.replace('a=control', `${sets}a=control`)), label, false)
  }
  expect(describePictures(described(plain), label, false)).toMatchObject({ h265: { profileId: 1 } })
  expect(describePictures(described(plain), label, false)).not.toHaveProperty('reencoding')
  expect(() => describePictures(described(ordered), label, false)).toThrow(/H\.265.*FFmpeg is not installed/)
  // Until its sets are known nobody can say.
  expect(describePictures(pickVideo(tracksOf(plain.sdp), label, false), label, false)).toBeUndefined()
})

/** Plays these packets, of which each ends a picture. */
function play(units: readonly { timestamp: number; payloads: readonly Buffer[] }[], sdp = h264) {
  const shown: number[] = []
  const [track] = tracksOf(sdp)
  const pictures = openPictures(track!, undefined, {
    sink: { video: ({ at }) => shown.push(at), described: () => undefined },
    label,
    ffmpeg: undefined,
    inOrder: () => undefined,
    fail: () => undefined,
  })
  const timeline = createTimeline(90_000, { offsetMs: undefined }, true)
  let sequenceNumber = 0
  for (const { timestamp, payloads } of units)
    for (const [index, payload] of payloads.entries()) {
      const marker = index === payloads.length - 1
      sequenceNumber += 1
      pictures.take({ payloadType: 96, ssrc: 7, sequenceNumber, timestamp, marker, payload }, false, timeline, 1_000)
    }
  return shown
}

const key = { timestamp: 0, payloads: [sps, pps, idr] }

test.each(['4:2:2', '4:4:4'] as const)(
  'H.264 in %s is a fault by its description, and by its parameter sets',
  async (kind) => {
    const { sdp, pictures } = await recordMoving(kind, 1)
    const sets = pictures[0]!.payloads.filter((nal) => [7, 8].includes(nal[0]! & 0x1f))
    const described = sdp.replace(
      'mode=1',
      `mode=1;sprop-parameter-sets=${sets.map((set) => set.toString('base64')).join()}`,
    )
    const fault = expect.objectContaining({ code: 'source_codec', message: expect.stringContaining(kind) })
    expect(() => describePictures(tracksOf(described)[0]!, label, false)).toThrow(fault)
    expect(() => play(pictures, sdp)).toThrow(fault)
  },
)

test('B-frames are a fault at the first of them, and pictures out of order after some', async () => {
  const fault = expect.objectContaining({ code: 'source_codec', message: expect.stringContaining('B-frames') })
  const { pictures, sdp } = await recordMoving('B-frames', 8)
  expect(() => play(pictures.slice(0, 3), sdp)).toThrow(fault)
  const out = [12, 6, 3, 9, 24, 18].map((each) => ({ timestamp: each * 1_000, payloads: [slice] }))
  expect(() => play([key, ...out])).toThrow(fault)
  expect(play([key, ...out.slice(0, 3)])).toHaveLength(4)
})

test('pictures with B slices that come in order pass through', async () => {
  const { pictures, sdp } = await recordMoving('B-frames', 8)
  const inOrder = pictures.map(({ payloads }, index) => ({ timestamp: index * 3_600, payloads }))
  expect(play(inOrder, sdp)).toHaveLength(8)
})
