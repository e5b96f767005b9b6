/** What was recorded comes out as one MP4 file: all of it, or from the key frame before its begin on. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny'
import { groupMs } from '../gateway/record/stream.ts'
import { recordStream as recordGroups } from './streams.ts'
import { createWorld, door, startAt, type World } from './world.ts'

let world: World
beforeEach(() => {
  world = createWorld()
})
afterEach(() => world.close())

const recordStream = (from: number, groups: number, hasSound = true) =>
  recordGroups(world.recordings, door, from, groups, hasSound)

async function play(mp4: Buffer) {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(mp4) })
  const video = await input.getPrimaryVideoTrack()
  const times: number[] = []
  for await (const { timestamp } of new EncodedPacketSink(video!).packets()) times.push(timestamp)
  const gaps = times.slice(1).map((time, index) => time - times[index]!)
  return { pictures: times.length, beginS: times[0], longestGapS: Math.max(...gaps), boxes: boxesOf(mp4) }
}

/** The boxes of the file (ISO 14496-12 section 4.2). */
function boxesOf(mp4: Buffer): readonly string[] {
  const boxes: string[] = []
  for (let at = 0; at < mp4.length; at += mp4.readUInt32BE(at)) boxes.push(mp4.toString('latin1', at + 4, at + 8))
  return boxes
}

test('a clip is one file with its index in front, and begins at its beginning', async () => {
  await recordStream(startAt, 3)
  const clip = await world.recordings.clip(door, { from: startAt, to: startAt + 60_000 })
  expect(clip).toMatchObject({ from: startAt, to: expect.closeTo(startAt + 3 * groupMs, -2) })
  const { boxes, ...played } = await play(clip!.mp4)
  expect(played).toMatchObject({ pictures: 180, beginS: 0 })
  expect(boxes.indexOf('moov')).toBeLessThan(boxes.indexOf('mdat'))
})

test('of a part come the groups of pictures that it touches', async () => {
  await recordStream(startAt, 3)
  const clip = await world.recordings.clip(door, { from: startAt + 5_000, to: startAt + 6_000 })
  expect(clip).toMatchObject({ from: startAt + groupMs, to: startAt + 2 * groupMs })
  expect(await play(clip!.mp4)).toMatchObject({ pictures: 60, beginS: 0 })
})

test('several recordings follow one another without the time between them', async () => {
  await recordStream(startAt, 1)
  await recordStream(startAt + 60_000, 2)
  const clip = await world.recordings.clip(door, { from: 0, to: Infinity })
  const { pictures, longestGapS } = await play(clip!.mp4)
  expect(pictures).toBe(180)
  expect(longestGapS).toBeLessThan(0.2)
})

test('where the codecs changed no file is made, and it is said why', async () => {
  await recordStream(startAt, 1)
  await recordStream(startAt + 60_000, 1, false)
  const both = world.recordings.clip(door, { from: 0, to: Infinity })
  await expect(both).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining('codecs') })
})

test('of a time in which nothing was recorded there is no clip', async () => {
  await recordStream(startAt, 1)
  expect(await world.recordings.clip(door, { from: 0, to: startAt })).toBeUndefined()
})

test('more clips than a few are refused while those are made', async () => {
  await recordStream(startAt, 1)
  const asked = Array.from({ length: 12 }, () => world.recordings.clip(door, { from: 0, to: Infinity }))
  const results = await Promise.allSettled(asked)
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  expect(failed).toEqual([
    expect.objectContaining({ code: 'rate_limited' }),
    expect.objectContaining({ code: 'rate_limited' }),
  ])
  expect((await world.recordings.clip(door, { from: 0, to: Infinity }))?.mp4.length).toBeGreaterThan(0)
})
