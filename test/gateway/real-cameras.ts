/** Starts GStreamer's RTSP server with cameras of several codecs (`onvif-cameras.py`). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A picture of one colour with a white ball that moves over it, as `0xrrggbb`. */
const ball = (colour: number, format: string): string =>
  `videotestsrc is-live=true pattern=ball motion=sweep background-color=${0xff000000 + colour} ! video/x-raw,format=${format},width=320,height=240,framerate=15/1`
const x264 = (options: string): string =>
  `x264enc speed-preset=ultrafast key-int-max=15 ${options} ! rtph264pay name=pay0 pt=96 config-interval=1`
const sine = (hertz: number, rate: number): string =>
  `audiotestsrc is-live=true volume=0.5 freq=${hertz} ! audio/x-raw,rate=${rate},channels=1`

/** The elements of a camera by its codecs; `colour` is that of its picture, `hertz` the tone of its sound. */
export const media = {
  'H.264 and G.711': (colour: number, hertz: number) =>
    `${ball(colour, 'I420')} ! ${x264('tune=zerolatency')} ${sine(hertz, 8_000)} ! mulawenc ! rtppcmupay name=pay1 pt=0`,
  'H.265 and AAC': (colour: number, hertz: number) =>
    `${ball(colour, 'I420')} ! x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! h265parse ! rtph265pay name=pay0 pt=96 config-interval=1 ${sine(hertz, 16_000)} ! voaacenc ! aacparse ! rtpmp4gpay name=pay1 pt=97`,
  MJPEG: (colour: number) => `${ball(colour, 'I420')} ! jpegenc ! rtpjpegpay name=pay0 pt=26`,
  'H.264 4:2:2 with B-frames and Opus': (colour: number, hertz: number) =>
    `${ball(colour, 'Y42B')} ! ${x264('bframes=2 b-adapt=false ! video/x-h264,profile=high-4:2:2')} ${sine(hertz, 48_000)} ! opusenc ! rtpopuspay name=pay1 pt=97`,
} as const

export interface RealCamera {
  /** `/door`. */
  readonly path: string
  readonly media: string
  /** It has a back channel, in PCMU. */
  readonly hasSpeaker?: boolean
}

export interface RealCameras {
  readonly port: number
  /** What the loudspeaker of the camera has played so far, 16 bit at 8 kHz. */
  played(path: string): Int16Array
  close(): Promise<void>
}

/** Starts them; they listen at a port of this host. Rejects where the server's packages are missing. */
export async function startRealCameras(cameras: readonly RealCamera[], host = '127.0.0.1'): Promise<RealCameras> {
  const directory = mkdtempSync(join(tmpdir(), 'real-cameras-'))
  const fileOf = (path: string) => join(directory, `${path.replaceAll('/', '')}.raw`)
  const given = cameras.map(({ path, media, hasSpeaker }) => ({
    path,
    media,
    ...(hasSpeaker && { speaker: fileOf(path) }),
  }))
  // Debian's own Python: another one on the path has no GStreamer.
  const server = spawn(
    '/usr/bin/python3',
    [join(import.meta.dirname, 'onvif-cameras.py'), host, JSON.stringify(given)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exited = once(server, 'exit')
  const [line] = await Promise.race([
    once(server.stdout, 'data') as Promise<[Buffer]>,
    exited.then(() => Promise.reject(new Error('the RTSP server did not start: its packages are in .ci/run'))),
  ])
  return {
    port: Number(line.toString()),
    played(path) {
      const data = readFileSync(fileOf(path))
      return Int16Array.from({ length: Math.floor(data.length / 2) }, (_, index) => data.readInt16LE(index * 2))
    },
    async close() {
      server.kill()
      await exited
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
