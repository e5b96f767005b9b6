/** The silence that stands in for a source without sound. */
import { expect, test } from '@jest/globals'
import type { AudioPacket, VideoUnit } from '../../src/gateway/media.ts'
import { withSilence } from '../../src/gateway/silence.ts'

const picture = (at: number): VideoUnit => ({ at, isKey: false, payloads: [] })

function play(...pictures: readonly number[]) {
  const sounds: AudioPacket[] = []
  const seen: number[] = []
  const sink = withSilence({ video: ({ at }) => void seen.push(at), audio: (packet) => void sounds.push(packet) })
  for (const at of pictures) sink.video(picture(at))
  return { sounds, seen, at: sounds.map((packet) => packet.at) }
}

test('a packet for every 20 ms of pictures, each of which passes', () => {
  const { at, seen, sounds } = play(1000, 1040, 1080, 1120)
  expect(seen).toEqual([1000, 1040, 1080, 1120])
  expect(at).toEqual([1000, 1020, 1040, 1060, 1080, 1100, 1120])
  expect(new Set(sounds.map(({ payload }) => payload.toString('hex')))).toEqual(new Set(['f8fffe']))
})

test('pictures out of order make no sound twice', () => {
  expect(play(1000, 1080, 1040, 1120).at).toEqual([1000, 1020, 1040, 1060, 1080, 1100, 1120])
})

test('a gap is left, not filled', () => {
  expect(play(1000, 90_000).at).toEqual([1000, 90_000])
})
