/** What has to go is old, or more than there is room for; the oldest first. */
import { describe, expect, test } from '@jest/globals'
import { cameraId, type Recording } from '../../src/core/ports.ts'
import { surplus, sweep, type Limits } from '../../src/transom/recordings/retention.ts'
import { createWorld, door, record, startAt } from './world.ts'

const limits: Limits = { keptMs: 1_000, bytesPerCamera: 100, bytesInAll: 150 }
const of = (name: string, from: number, bytes = 10): Recording => ({
  cameraId: cameraId(name),
  startAt: from,
  endAt: from + 10,
  isOpen: false,
  bytes,
  codecs: '',
})
const gone = (kept: readonly Recording[], now = 1_000) =>
  surplus(kept, limits, now).map((one) => `${one.cameraId} ${one.startAt}`)

describe('what has to go', () => {
  test.each([
    ['nothing, while there is room', [of('a', 1), of('b', 2)], []],
    ['what is older than it may be', [of('a', 1), of('a', 2)], ['a 1', 'a 2'], 1_013],
    ['the oldest of a camera that has too much', [of('a', 1, 50), of('a', 2, 50), of('a', 3, 50)], ['a 1']],
    ['the oldest of all, where all have too much', [of('a', 1, 80), of('b', 2, 80), of('c', 3, 60)], ['a 1']],
    ['one that is larger than all there is', [of('a', 1, 500)], ['a 1']],
  ])('%s', (_what, kept, expected, now = 1_000) => {
    expect(gone(kept, now)).toEqual(expected)
  })
})

test('what is being recorded stays, however old it is', async () => {
  const world = createWorld()
  const { recordings } = world
  await record(recordings, 3)
  await record(recordings, 1, startAt + 60_000)
  await recordings.end(door, startAt)
  await sweep({ recordings, limits, clock: () => startAt + 3_600_000, log: () => undefined })
  const left = await recordings.list(door, { from: 0, to: Infinity })
  expect(left).toMatchObject([{ startAt: startAt + 60_000, isOpen: true }])
  await world.close()
})
