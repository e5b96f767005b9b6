/** Decoded sound in the one form that is worked with: mono floats. */
import type { Ffmpeg } from './ffmpeg.ts'

type Frame = InstanceType<Ffmpeg['Frame']>

/** To mono floats of this rate; set up by the first frame, and anew when the form of the sound changes. */
export function createResampler(ffmpeg: Ffmpeg, rate: number): { convert(frame: Frame): Buffer; close(): void } {
  let context: InstanceType<Ffmpeg['SoftwareResampleContext']> | undefined
  let form = ''
  return {
    convert(frame) {
      const now = `${frame.sampleRate} ${frame.format} ${frame.channelLayout.nbChannels}`
      if (now !== form) {
        context?.free()
        context = new ffmpeg.SoftwareResampleContext()
        const from = [frame.channelLayout, frame.format as typeof ffmpeg.AV_SAMPLE_FMT_S16, frame.sampleRate] as const
        const to = [ffmpeg.AV_CHANNEL_LAYOUT_MONO, ffmpeg.AV_SAMPLE_FMT_FLT, rate] as const
        ffmpeg.FFmpegError.throwIfError(context.allocSetOpts2(...to, ...from), 'preparing the sound')
        ffmpeg.FFmpegError.throwIfError(context.init(), 'preparing the sound')
        form = now
      }
      if (!context || !frame.data) return Buffer.alloc(0)
      const room = context.getOutSamples(frame.nbSamples)
      const out = Buffer.alloc(room * 4)
      const count = context.convertSync([out], room, frame.data, frame.nbSamples)
      return count > 0 ? out.subarray(0, count * 4) : Buffer.alloc(0)
    },
    close: () => context?.free(),
  }
}
