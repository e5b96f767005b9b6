/**
 * FFmpeg in this process (`node-av`), loaded when a camera first needs it: it is 175 MB and nobody else in the house wants it.
 * It is an optional dependency, under the GPL as it is built, and there is none for some systems.
 */
import type * as nodeAv from './node-av.ts'
import { SourceError } from './media.ts'

/** FFmpeg: always the same module, so asking again costs nothing. Throws `SourceError` when it is not installed. */
export async function loadFfmpeg(): Promise<Ffmpeg> {
  const ffmpeg = await import('./node-av.ts').catch((cause: unknown) => {
    const message = 'FFmpeg is not installed with this bridge: run npm install node-av'
    throw new SourceError('source_no_ffmpeg', message, { cause })
  })
  // FFmpeg writes to stderr by itself; what matters comes back to us as an error code.
  ffmpeg.Log.setLevel(ffmpeg.AV_LOG_FATAL)
  return ffmpeg
}

/** Whether `loadFfmpeg` can be used. */
export const hasFfmpeg = (): Promise<boolean> =>
  loadFfmpeg().then(
    () => true,
    () => false,
  )

export type Ffmpeg = typeof nodeAv

export type CodecContext = InstanceType<Ffmpeg['CodecContext']>

/** Opens an encoder. The options go in one by one: a `Dictionary` handed to `open2Sync` is freed twice (node-av 6.1.1). */
export function openEncoder(
  ffmpeg: Ffmpeg,
  name: Parameters<Ffmpeg['Codec']['findEncoderByName']>[0],
  settings: Partial<CodecContext>,
  options: Readonly<Record<string, string>>,
): CodecContext {
  const codec = ffmpeg.Codec.findEncoderByName(name)
  const context = new ffmpeg.CodecContext()
  context.allocContext3(codec)
  Object.assign(context, settings)
  for (const [option, value] of Object.entries(options)) {
    ffmpeg.FFmpegError.throwIfError(context.setOption(option, value), `setting ${option} of ${name}`)
  }
  ffmpeg.FFmpegError.throwIfError(context.open2Sync(codec, null), `opening the encoder ${name}`)
  return context
}

/** FFmpeg's own Opus decoder: planar floats, 48 kHz; the left channel stands for both. */
export function openOpusDecoder(ffmpeg: Ffmpeg): CodecContext {
  const codec = ffmpeg.Codec.findDecoder(ffmpeg.AV_CODEC_ID_OPUS)
  const context = new ffmpeg.CodecContext()
  context.allocContext3(codec)
  context.sampleRate = 48_000
  context.channelLayout = ffmpeg.AV_CHANNEL_LAYOUT_STEREO
  ffmpeg.FFmpegError.throwIfError(context.open2Sync(codec, null), 'opening the Opus decoder')
  return context
}
