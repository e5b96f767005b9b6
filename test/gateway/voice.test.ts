/** Which of a camera's sound a display gets, and how it is converted. */
import { describe, expect, test } from '@jest/globals'
import { loadFfmpeg } from '../../src/gateway/ffmpeg.ts'
import { decodeG711, encodeG711 } from '../../src/gateway/g711.ts'
import { openListener, powerOf } from '../../src/gateway/listener.ts'
import { openVoice, originOf, playable } from '../../src/gateway/voice.ts'
import { loadTone } from '../../src/simulator/tone.ts'

const fails = (message: string) => {
  throw new Error(message)
}
/** A second of 400 Hz. */
const tone = Int16Array.from({ length: 8_000 }, (_, index) => Math.round(8_000 * Math.sin((index * Math.PI) / 10)))

/** By its zero crossings, hertz. */
const pitch = (samples: Int16Array): number =>
  (samples.filter((sample, index) => index > 0 && sample >= 0 && samples[index - 1]! < 0).length * 8_000) /
  samples.length

test.each([
  [['opus'], false, ['opus']],
  [['opus'], true, ['opus', 'PCMU', 'PCMA']],
  [['PCMU'], false, ['PCMU', 'PCMA']],
  [['PCMA'], true, ['PCMU', 'PCMA']],
  [[], true, []],
] as const)('of %j with a decoder: %s, displays can be sent %j', (sound, hasDecoder, expected) => {
  expect(playable(sound, hasDecoder)).toEqual(expected)
})

test('G.711 is made of G.711 sooner than of Opus', () => {
  expect(originOf('PCMA', ['opus', 'PCMU'], true)).toBe('PCMU')
  expect(originOf('PCMA', ['opus', 'PCMU', 'PCMA'], true)).toBe('PCMA')
})

describe('a voice', () => {
  test('in the codec that comes is the same packet, and no other passes', async () => {
    const voice = await openVoice('PCMU', 'PCMU', fails)
    const packet = { at: 5, codec: 'PCMU', payload: Buffer.from([1, 2, 3]) } as const
    expect(voice.convert(packet)).toEqual([packet])
    expect(voice.convert({ ...packet, codec: 'opus' })).toEqual([])
  })

  test.each([80, 160, 240, 1_024])(
    'by the other law, from packets of %i samples, is the same tone in time',
    async (size) => {
      const voice = await openVoice('PCMU', 'PCMA', fails)
      const encoded = encodeG711('PCMU', tone)
      const made = Array.from({ length: Math.floor(encoded.length / size) }, (_, index) => ({
        at: 1_000 + (index * size) / 8,
        codec: 'PCMU' as const,
        payload: encoded.subarray(index * size, (index + 1) * size),
      })).flatMap((packet) => voice.convert(packet))
      expect(made.map(({ at, codec, payload }) => [at, codec, payload.length])).toEqual(
        made.map((_, index) => [1_000 + index * 20, 'PCMA', 160]),
      )
      expect(made.length).toBeGreaterThan(40)
      expect(pitch(decodeG711('PCMA', Buffer.concat(made.map(({ payload }) => payload))))).toBeCloseTo(400, -1)
      voice.close()
    },
  )

  test('made of Opus is its tone at 8 kHz', async () => {
    const voice = await openVoice('opus', 'PCMA', fails)
    const made = (await loadTone()).flatMap((payload, index) =>
      voice.convert({ at: index * 20, codec: 'opus', payload }),
    )
    const samples = decodeG711('PCMA', Buffer.concat(made.map(({ payload }) => payload))).subarray(800)
    expect(Math.abs(pitch(samples) - 440)).toBeLessThan(25)
    expect(Math.sqrt(powerOf(samples) / samples.length)).toBeGreaterThan(0.2)
    voice.close()
    voice.close()
    expect(voice.convert({ at: 0, codec: 'opus', payload: (await loadTone())[0]! })).toEqual([])
  })

  test('after a gap is in time again', async () => {
    const voice = await openVoice('PCMA', 'PCMU', fails)
    const payload = Buffer.alloc(160, 0xd5)
    const at = [0, 20, 5_000, 5_021].flatMap((instant) =>
      voice.convert({ at: instant, codec: 'PCMA', payload }).map((packet) => packet.at),
    )
    expect(at).toEqual([0, 20, 5_000, 5_020])
  })
})

test('Opus that cannot be decoded is said once', async () => {
  const said: string[] = []
  const listener = await openListener('opus', (message) => void said.push(message))
  // An Opus packet of code 3 without its count (RFC 6716 section 3.2.5).
  for (let index = 0; index < 3; index += 1) listener.hear(Buffer.from([0xff]))
  expect(said).toHaveLength(1)
  listener.close()
})

test('FFmpeg is the same module for everyone who asks, not made anew of thousands of names', async () => {
  expect(await loadFfmpeg()).toBe(await loadFfmpeg())
})
