/** What the synthetic doorbell yields before anybody looks at it. */
import { setImmediate } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { createSound } from '../../src/gateway/chime.ts'
import { createLettering } from '../../src/gateway/lettering.ts'
import type { AudioPacket, VideoUnit } from '../../src/gateway/media.ts'
import { createSyntheticSource } from '../../src/gateway/synthetic.ts'
import { until } from '../until.ts'

test('it plays at its pace on one clock, and makes a key frame when asked', async () => {
  const source = createSyntheticSource('front-door', () => 1_795_000_000_000)
  const end = new AbortController()
  expect(await source.describe(end.signal)).toEqual({ profileLevelId: '42e01f', hasSpeaker: true, sound: ['opus'] })
  const video: VideoUnit[] = []
  const audio: AudioPacket[] = []
  const playing = source.run(
    { video: (unit) => video.push(unit), audio: (packet) => audio.push(packet), described: () => {} },
    end.signal,
  )
  await until(() => video.length === 10)
  source.requestKeyFrame()
  await until(() => video.length >= 20 && audio.length >= 40)
  end.abort()
  await playing

  const keys = video.flatMap(({ isKey }, index) => (isKey ? [index] : []))
  expect(keys[0]).toBe(0)
  expect(keys).toHaveLength(2)
  expect(keys[1]).toBeLessThan(13)
  // Each key frame carries its own SPS, which says the profile that the SDP does.
  for (const key of keys) expect(video[key]!.payloads[0]!.toString('hex', 3, 7)).toBe('6742e01f')
  expect(video[0]!.at).toBeGreaterThanOrEqual(1_795_000_000_000)
  expect(Math.abs(video[0]!.at - audio[0]!.at)).toBeLessThan(100)
  expect(audio.slice(1).every(({ at }, index) => Math.round(at - audio[index]!.at) % 20 === 0)).toBe(true)
  const bytes = video.reduce((sum, { payloads }) => sum + payloads.reduce((each, { length }) => each + length, 0), 0)
  expect(((bytes * 8) / video.length) * 20).toBeLessThan(2_500_000)
})

test('the sound is quiet and its loop has no seam', () => {
  const sound = createSound()
  expect(sound.every((sample) => Math.abs(sample) < 0.3)).toBe(true)
  expect(Math.abs(sound[0]! - sound.at(-1)!)).toBeLessThan(0.05)
})

test('others run while the letters are drawn', async () => {
  const drawn = createLettering(3, 2.4)
  let turns = 0
  while ((await Promise.race([drawn, setImmediate('turn')])) === 'turn') turns += 1
  expect(turns).toBeGreaterThan(30)
})
