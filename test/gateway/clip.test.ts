/** The recording that stands in for the synthetic doorbell: what it holds, and that it plays on and on. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { clipFrameRate, clipSeconds, createClipSource, readClip, writeClip } from '../../src/gateway/clip.ts'
import { profileLevelId } from '../../src/gateway/h264.ts'
import { splitH264NalUnits } from 'werift'

const path = join(import.meta.dirname, '../../src/gateway/doorbell.clip')

test('it is one group of pictures of Constrained Baseline, its sound and a still, and small', () => {
  const file = readFileSync(path)
  const clip = readClip(file)
  expect(clip.pictures).toHaveLength(clipFrameRate * clipSeconds)
  expect(clip.sounds).toHaveLength(clipSeconds * 50)
  expect(clip.voices).toHaveLength(clipSeconds * 50)
  expect(clip.voices.every(({ length }) => length === 160)).toBe(true)
  expect(profileLevelId(splitH264NalUnits(clip.pictures[0]!, undefined, 'annexb'))).toBe('42e01f')
  expect(clip.still.toString('hex', 0, 3)).toBe('ffd8ff')
  expect(clip.still.length).toBeLessThan(60_000)
  expect(file.length).toBeLessThan(200_000)
  expect(writeClip(clip).equals(file)).toBe(true)
})

test('it plays in a loop on one clock, each round from a key frame', async () => {
  const life = new AbortController()
  const video: { at: number; isKey: boolean }[] = []
  const audio: string[] = []
  const source = createClipSource(() => 1_000_000)
  expect(await source.describe(life.signal)).toEqual({
    profileLevelId: '42e01f',
    hasSpeaker: true,
    sound: ['opus', 'PCMU'],
  })
  await source.run(
    {
      video: ({ at, isKey }) => {
        video.push({ at, isKey })
        if (video.length === 5) life.abort()
      },
      audio: ({ codec }) => void audio.push(codec),
      described: () => {},
    },
    life.signal,
  )
  expect(video.map(({ isKey }) => isKey)).toEqual([true, false, false, false, false])
  expect(video[4]!.at - video[0]!.at).toBeCloseTo(4_000 / clipFrameRate, 3)
  expect(new Set(audio)).toEqual(new Set(['opus', 'PCMU']))
})
