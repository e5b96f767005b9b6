/** `npm run clip`: records `doorbell.clip` from the synthetic doorbell. Its file is kept in the repository. */
import { writeFile } from 'node:fs/promises'
import { createSound, packetSamples, sampleRate } from './chime.ts'
import { clipFrameRate, clipSeconds, writeClip } from './clip.ts'
import { asConstrained, openVideoEncoder } from './encoder.ts'
import { loadFfmpeg, type CodecContext, type Ffmpeg } from './ffmpeg.ts'
import { sceneHeight, sceneWidth } from './scene.ts'
import { createPainter, drawProps, openOpusEncoder } from './synthetic.ts'
import { toJpeg } from './still.ts'
import { openVoice } from './voice.ts'

/** What the clock in the picture shows: midsummer's evening, on any machine. */
const startAt = new Date(2026, 5, 21, 21, 30).getTime()

const ffmpeg = await loadFfmpeg()
const pictures = await recordPictures(ffmpeg)
const still = await toJpeg(ffmpeg, pictures[0] ?? Buffer.alloc(0))
const sounds = recordSounds(ffmpeg)
const voices = await recordVoices(sounds)
await writeFile(new URL('doorbell.clip', import.meta.url), writeClip({ pictures, sounds, voices, still }))

async function recordPictures(lib: Ffmpeg): Promise<readonly Buffer[]> {
  using encoder = openVideoEncoder(
    lib,
    {
      width: sceneWidth,
      height: sceneHeight,
      gopSize: clipFrameRate * clipSeconds,
      framerate: new lib.Rational(clipFrameRate, 1),
      bitRate: 260_000n,
      rcMaxRate: 2_000_000n,
      rcBufferSize: 2_000_000,
    },
    { preset: 'veryslow' },
  )
  const paint = createPainter(await drawProps(), 'demo clip')
  const recorded: Buffer[] = []
  for (let index = 0; index < clipFrameRate * clipSeconds; index += 1) {
    const at = startAt + (index * 1_000) / clipFrameRate
    using frame = lib.Frame.fromVideoBuffer(paint(at), {
      width: sceneWidth,
      height: sceneHeight,
      format: lib.AV_PIX_FMT_YUV420P,
      timeBase: { num: 1, den: 90_000 },
      pts: BigInt(Math.round((index * 90_000) / clipFrameRate)),
    })
    lib.FFmpegError.throwIfError(await encoder.sendFrame(frame), 'encoding a picture')
    recorded.push(...drain(lib, encoder))
  }
  return recorded.map(asConstrained)
}

function recordSounds(lib: Ffmpeg): readonly Buffer[] {
  using encoder = openOpusEncoder(lib, 32_000n)
  const samples = createSound()
  const recorded: Buffer[] = []
  for (let from = 0; from < clipSeconds * sampleRate; from += packetSamples) {
    const slice = samples.subarray(from, from + packetSamples)
    using frame = lib.Frame.fromAudioBuffer(Buffer.from(slice.buffer, slice.byteOffset, slice.byteLength), {
      nbSamples: packetSamples,
      format: lib.AV_SAMPLE_FMT_FLT,
      sampleRate,
      channelLayout: lib.AV_CHANNEL_LAYOUT_MONO,
      timeBase: { num: 1, den: sampleRate },
      pts: BigInt(from),
    })
    lib.FFmpegError.throwIfError(encoder.sendFrameSync(frame), 'encoding sound')
    recorded.push(...drain(lib, encoder))
  }
  return recorded
}

/** Of the Opus, as a display gets it that takes G.711 only. */
async function recordVoices(opus: readonly Buffer[]): Promise<readonly Buffer[]> {
  const voice = await openVoice('opus', 'PCMU', (message) => {
    throw new Error(message)
  })
  // Twice, since a decoder begins late: the second round is whole, and follows its own end.
  const recorded = [...opus, ...opus].flatMap((payload) => voice.convert({ at: 0, codec: 'opus', payload }))
  voice.close()
  return recorded.slice(-opus.length).map(({ payload }) => payload)
}

function drain(lib: Ffmpeg, encoder: CodecContext): readonly Buffer[] {
  const drained: Buffer[] = []
  using packet = new lib.Packet()
  packet.alloc()
  while (encoder.receivePacketSync(packet) >= 0) {
    if (packet.data) drained.push(Buffer.from(packet.data))
    packet.unref()
  }
  return drained
}
