/** H.264 as every display must decode it (RFC 7742 section 6.2): encoded picture by picture, without any delay of its own. */
import { openEncoder, type CodecContext, type Ffmpeg } from './ffmpeg.ts'

/** Constrained Baseline, level 3.1: up to 3,600 macroblocks, as 1280 by 720 has, and thirty such pictures a second. */
export const constrainedProfile = '42e01f'

/** `settings` name the size, the rates and the distance of key frames; `options` replace single ones of a live picture. */
export function openVideoEncoder(
  ffmpeg: Ffmpeg,
  settings: Partial<CodecContext>,
  options: Readonly<Record<string, string>> = {},
): CodecContext {
  const usual = {
    pixelFormat: ffmpeg.AV_PIX_FMT_YUV420P,
    colorRange: ffmpeg.AVCOL_RANGE_MPEG,
    colorSpace: ffmpeg.AVCOL_SPC_BT709,
    colorPrimaries: ffmpeg.AVCOL_PRI_BT709,
    colorTrc: ffmpeg.AVCOL_TRC_BT709,
    timeBase: new ffmpeg.Rational(1, 90_000),
    maxBFrames: 0,
    threadCount: 1,
  }
  return openEncoder(
    ffmpeg,
    ffmpeg.FF_ENCODER_LIBX264,
    { ...usual, ...settings },
    {
      preset: 'ultrafast',
      tune: 'zerolatency',
      profile: 'baseline',
      level: '3.1',
      'forced-idr': '1',
      // Adaptive quantisation and deblocking keep the sky's slow gradient smooth at little cost.
      'x264-params': 'aq-mode=1:scenecut=0:deblock=0,0',
      ...options,
    },
  )
}

/**
 * Sets constraint_set2_flag in the SPS, which x264 leaves out: a Constrained Baseline stream obeys the Extended profile too
 * (H.264 A.2.3), and then the SPS says letter for letter the 42e01f of the SDP. The SPS follows the first start code.
 */
export function asConstrained(sample: Buffer): Buffer {
  const copy = Buffer.from(sample)
  const sps = copy.indexOf(Buffer.from([0, 0, 1, 0x67, 0x42, 0xc0]))
  if (sps >= 0 && sps <= 16) copy[sps + 5] = 0xe0
  return copy
}
