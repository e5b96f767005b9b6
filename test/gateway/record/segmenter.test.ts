/** What a camera sends becomes fragments of MP4 that any player puts together again. */
import { expect, test } from '@jest/globals'
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny'
import type { VideoUnit } from '../../../src/gateway/media.ts'
import { createSegmenter, formOf, type Segment } from '../../../src/gateway/record/segmenter.ts'
import { groupMs, send, stream } from './stream.ts'

const startAt = 1_800_000_000_000

async function segment(groups: number, options: { readonly hasSound?: boolean; readonly isSilent?: 'silent' } = {}) {
  const { hasSound = true, isSilent } = options
  const segments: Segment[] = []
  const [first, ...rest] = stream(startAt, groups, isSilent)
  if (first === undefined || !('unit' in first)) throw new Error('the stream begins with a key frame')
  const segmenter = createSegmenter(first.unit, hasSound, (one) => segments.push(one))
  for (const sent of [first, ...rest]) send(segmenter, sent)
  await segmenter.finish()
  return { segments, codecs: segmenter.codecs }
}

async function packetsOf(data: Buffer) {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(data) })
  const [video, audio] = await Promise.all([input.getPrimaryVideoTrack(), input.getPrimaryAudioTrack()])
  const count = async (track: NonNullable<typeof video | typeof audio>) => {
    let packets = 0
    for await (const _packet of new EncodedPacketSink(track).packets()) packets += 1
    return packets
  }
  return {
    video: video && (await count(video)),
    audio: audio && (await count(audio)),
    seconds: await input.computeDuration(),
  }
}

test('each group of pictures is a fragment, and all of them hold every picture and every sound', async () => {
  const { segments, codecs } = await segment(3)
  expect(codecs).toBe('avc1.42e01f,opus')
  expect(segments.map(({ number, at, durationMs }) => ({ number, at: at - startAt, durationMs }))).toEqual([
    { number: 0, at: 0, durationMs: 0 },
    { number: 1, at: 0, durationMs: groupMs },
    { number: 2, at: groupMs, durationMs: groupMs },
    { number: 3, at: 2 * groupMs, durationMs: expect.closeTo(groupMs, -2) },
  ])
  const whole = await packetsOf(Buffer.concat(segments.map(({ data }) => data)))
  expect(whole).toMatchObject({ video: 180, audio: 600, seconds: expect.closeTo(12, 0) })
})

test('a fragment plays by itself behind the initialization segment', async () => {
  const { segments } = await segment(3)
  const second = await packetsOf(Buffer.concat([segments[0]!.data, segments[2]!.data]))
  expect(second.video).toBe(60)
})

test('a camera that falls silent is recorded on, with silence', async () => {
  const { segments } = await segment(3, { isSilent: 'silent' })
  expect(segments).toHaveLength(4)
  const whole = await packetsOf(Buffer.concat(segments.map(({ data }) => data)))
  expect(whole.video).toBe(180)
  expect(whole.audio).toBeGreaterThan(500)
})

test('a camera without sound that a player takes is recorded without', async () => {
  const { segments, codecs } = await segment(2, { hasSound: false })
  expect(codecs).toBe('avc1.42e01f')
  const whole = await packetsOf(Buffer.concat(segments.map(({ data }) => data)))
  expect(whole).toMatchObject({ video: 120, audio: null })
})

test('pictures that stand still in time, or go back, are put one after the other', async () => {
  const segments: Segment[] = []
  const [first, ...rest] = [...stream(startAt, 1, 'silent')].flatMap((sent) => ('unit' in sent ? [sent.unit] : []))
  const segmenter = createSegmenter(first!, false, (one) => segments.push(one))
  for (const unit of [first!, ...rest]) segmenter.video({ ...unit, at: startAt - (unit === first ? 0 : 5) })
  await segmenter.finish()
  const whole = await packetsOf(Buffer.concat(segments.map(({ data }) => data)))
  expect(whole.video).toBe(60)
})

test('a key frame without parameter sets begins no recording', () => {
  const unit: VideoUnit = { at: startAt, isKey: true, payloads: [Buffer.from([0x65, 1, 2, 3])] }
  expect(formOf(unit)).toBeUndefined()
  expect(() => createSegmenter(unit, false, () => undefined)).toThrow('parameter sets')
})
