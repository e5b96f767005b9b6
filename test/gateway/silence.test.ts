/** The silence that stands in for a source without sound. */
import { expect, test } from '@jest/globals'
import type { AudioPacket, MediaSink, VideoUnit } from '../../src/gateway/media.ts'
import { fillSilence, withSilence } from '../../src/gateway/silence.ts'

const picture = (at: number): VideoUnit => ({ at, isKey: false, payloads: [] })

function play(...pictures: readonly number[]) {
  const all: AudioPacket[] = []
  const seen: number[] = []
  const sink = withSilence({ video: ({ at }) => void seen.push(at), audio: (packet) => void all.push(packet) })
  for (const at of pictures) sink.video(picture(at))
  const sounds = all.filter(({ codec }) => codec === 'opus')
  return { all, sounds, seen, at: sounds.map((packet) => packet.at) }
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

test('comes as G.711 too, for a display that takes nothing else', () => {
  const { all, at } = play(1000, 1040, 1080)
  const telephone = all.filter(({ codec }) => codec === 'PCMU')
  expect(telephone.map((packet) => packet.at)).toEqual(at)
  expect(new Set(telephone.map(({ payload }) => payload.toString('hex')))).toEqual(new Set(['ff'.repeat(160)]))
})

test('begins where the last sound ended, however long its packets are', () => {
  const sounds: AudioPacket[] = []
  const output: MediaSink = { video: () => undefined, audio: (packet) => void sounds.push(packet) }
  const sink = fillSilence(output, ['PCMA'])
  sink.video(picture(1_000))
  sink.audio({ at: 1_000, codec: 'PCMA', payload: Buffer.alloc(480, 1) })
  sink.video(picture(1_470))
  expect(sounds.map(({ at, payload }) => [at, payload.length])).toEqual([
    [1_000, 480],
    [1_060, 160],
  ])
})
