/** The recorded tone: what FFmpeg makes of it. */
import { expect, test } from '@jest/globals'
import { loadFfmpeg } from '../../src/gateway/ffmpeg.ts'
import { loadTone, SAMPLES_PER_PACKET } from '../../src/simulator/tone.ts'

test('fifty packets of Opus, 20 ms each, that decode to 440 Hz', async () => {
  const packets = await loadTone()
  expect(packets).toHaveLength(50)
  expect(packets.reduce((sum, packet) => sum + packet.length, 0)).toBeLessThan(4_096)

  const ffmpeg = await loadFfmpeg()
  const codec = ffmpeg.Codec.findDecoder(ffmpeg.AV_CODEC_ID_OPUS)
  using decoder = new ffmpeg.CodecContext()
  decoder.allocContext3(codec)
  decoder.sampleRate = 48_000
  decoder.channelLayout = ffmpeg.AV_CHANNEL_LAYOUT_MONO
  ffmpeg.FFmpegError.throwIfError(decoder.open2Sync(codec, null), 'opening')
  using packet = new ffmpeg.Packet()
  using frame = new ffmpeg.Frame()
  packet.alloc()
  frame.alloc()
  const samples: number[] = []
  for (const payload of packets) {
    packet.data = payload
    ffmpeg.FFmpegError.throwIfError(decoder.sendPacketSync(packet), 'decoding')
    packet.unref()
    while (decoder.receiveFrameSync(frame) >= 0) {
      for (let index = 0; index < frame.nbSamples; index += 1) samples.push(frame.data![0]!.readFloatLE(index * 4))
      frame.unref()
    }
  }
  expect(Math.abs(samples.length - 50 * SAMPLES_PER_PACKET)).toBeLessThan(SAMPLES_PER_PACKET)
  // A decoder that begins in the middle needs a moment.
  const settled = samples.slice(5 * SAMPLES_PER_PACKET)
  const rises = settled.filter((sample, index) => sample >= 0 && (settled[index - 1] ?? 0) < 0).length
  expect(Math.abs(rises - (440 * settled.length) / 48_000)).toBeLessThan(5)
})
