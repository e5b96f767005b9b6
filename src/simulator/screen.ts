/** The screen of a display: puts the packets of the video together, decodes the pictures, and remembers what there was to see. */

import { createDecoder, type Decoder, type Ffmpeg } from './decoder.ts'
import { createH264Receiver } from './h264.ts'
import { createPictureWatch, type Seen } from './pictures.ts'
import type { VideoPacket, VideoReceiver } from './reassembly.ts'
import { createVp8Receiver } from './vp8.ts'

export interface Screen extends Pick<VideoReceiver, 'frames' | 'profileLevelId'> {
  /** Takes a packet that came at `at`, in milliseconds. */
  push(packet: VideoPacket, at: number): void
  /** True once a picture has come that decoding can start with. */
  hasPicture(): boolean
  /**
   * What the pictures up to `endedAt` were like, once all are decoded. To be called once, and nothing is pushed after it.
   * Rejects when FFmpeg itself fails.
   */
  seen(endedAt: number): Promise<Seen>
}

/** `codec` is an encoding name of SDP. Without `ffmpeg`, pictures are judged as far as that goes without decoding. */
export function createScreen(codec: string, ffmpeg: Ffmpeg | undefined): Screen {
  const isVp8 = /^vp8$/i.test(codec)
  const video = isVp8 ? createVp8Receiver() : createH264Receiver()
  const watch = createPictureWatch(ffmpeg !== undefined)
  let decoder: Decoder | undefined
  let hasPicture = false

  return {
    push(packet, at) {
      for (const picture of video.push(packet)) {
        if (!hasPicture && !picture.isStart) continue
        hasPicture = true
        watch.coded(at, picture)
        if (ffmpeg === undefined) continue
        decoder ??= createDecoder(ffmpeg, isVp8 ? 'VP8' : 'H264', watch)
        decoder.push(picture, at)
      }
    },
    hasPicture: () => hasPicture,
    frames: video.frames,
    profileLevelId: video.profileLevelId,
    async seen(endedAt) {
      await decoder?.close()
      return watch.seen(endedAt)
    },
  }
}
