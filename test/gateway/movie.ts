/** Makes small media files for the tests. */
import { loadFfmpeg } from '../../src/gateway/ffmpeg.ts'

export interface MovieOptions {
  readonly path: string
  readonly seconds: number
  readonly video?: 'h264' | 'mpeg4'
  readonly audio?: 'aac' | 'opus'
  /** Luma of a line of the picture with this number; wandering lines when left out. */
  readonly paint?: (y: number, index: number) => number
}

const width = 320
const height = 240
export const movieFrameRate = 10

/** H.264 Main profile unless told otherwise, 10 pictures a second, a key frame each second; a 440 Hz tone at half of full scale. */
export async function makeMovie(movie: MovieOptions): Promise<void> {
  const { path, seconds, video = 'h264', audio = 'aac', paint = (y, index) => (y + index * 8) & 0xff } = movie
  const ffmpeg = await loadFfmpeg()
  const timeBase = { num: 1, den: movieFrameRate }
  const codec = video === 'h264' ? ffmpeg.FF_ENCODER_LIBX264 : ffmpeg.FF_ENCODER_MPEG4
  const pictures = await ffmpeg.Encoder.create(ffmpeg.Codec.findEncoderByName(codec)!, {
    context: {
      bitRate: 200_000n,
      gopSize: movieFrameRate,
      maxBFrames: 0,
      framerate: new ffmpeg.Rational(movieFrameRate, 1),
    },
    configure: (context) => context.setFlags(ffmpeg.AV_CODEC_FLAG_GLOBAL_HEADER),
    options:
      video === 'h264' ? { preset: 'veryfast', tune: 'zerolatency', profile: 'main', 'x264-params': 'scenecut=0' } : {},
  })
  const sound = await ffmpeg.Encoder.create(audio === 'aac' ? ffmpeg.FF_ENCODER_AAC : ffmpeg.FF_ENCODER_LIBOPUS, {
    context: { bitRate: 64_000n },
    configure: (context) => context.setFlags(ffmpeg.AV_CODEC_FLAG_GLOBAL_HEADER),
  })
  await using muxer = await ffmpeg.Muxer.open(path)
  const videoIndex = muxer.addStream(pictures)
  const audioIndex = muxer.addStream(sound)
  const rate = 48_000
  for (let index = 0; index < seconds * movieFrameRate; index += 1) {
    using picture = ffmpeg.Frame.fromVideoBuffer(draw(paint, index), {
      width,
      height,
      format: ffmpeg.AV_PIX_FMT_YUV420P,
      timeBase,
      pts: BigInt(index),
    })
    for (const packet of await pictures.encodeAll(picture)) {
      await muxer.writePacket(packet, videoIndex)
      packet.free()
    }
    using tone = ffmpeg.Frame.fromAudioBuffer(hum(index, rate / movieFrameRate, rate), {
      nbSamples: rate / movieFrameRate,
      format: audio === 'aac' ? ffmpeg.AV_SAMPLE_FMT_FLTP : ffmpeg.AV_SAMPLE_FMT_FLT,
      sampleRate: rate,
      channelLayout: ffmpeg.AV_CHANNEL_LAYOUT_MONO,
      timeBase: { num: 1, den: rate },
      pts: BigInt((index * rate) / movieFrameRate),
    })
    for (const packet of await sound.encodeAll(tone)) {
      await muxer.writePacket(packet, audioIndex)
      packet.free()
    }
  }
  for (const [encoder, index] of [
    [pictures, videoIndex],
    [sound, audioIndex],
  ] as const) {
    await encoder.flush()
    for await (const packet of encoder.flushPackets()) {
      await muxer.writePacket(packet, index)
      packet.free()
    }
    encoder.close()
  }
}

function draw(paint: NonNullable<MovieOptions['paint']>, index: number): Buffer {
  const picture = Buffer.alloc((width * height * 3) / 2, 128)
  for (let y = 0; y < height; y += 1) picture.fill(paint(y, index), y * width, y * width + width)
  return picture
}

function hum(index: number, samples: number, rate: number): Buffer {
  const tone = new Float32Array(samples)
  for (let at = 0; at < samples; at += 1) tone[at] = 0.5 * Math.sin((2 * Math.PI * 440 * (index * samples + at)) / rate)
  return Buffer.from(tone.buffer)
}
