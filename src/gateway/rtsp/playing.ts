/** One session that plays: packets of its tracks become pictures and sound on one clock, and the camera gets its reports. */
import type { Clock, Log } from 'transom-core/ports'
import { loadFfmpeg, type Ffmpeg } from '../ffmpeg.ts'
import type { MediaInfo, SourceSink } from '../media.ts'
import { fillSilence, silenced } from '../silence.ts'
import type { Channel, Client } from './client.ts'
import type { Track } from './description.ts'
import { openPictures, type PictureInfo, type Pictures } from './pictures.ts'
import { createReceiver, type Receiver } from './receiver.ts'
import { codecOf, passSound, transcodeSound, type Sound } from './sound.ts'
import { createTimeline, type Timeline, type Wall } from './timeline.ts'

const reportEachMs = 5_000

export interface Stage {
  readonly sink: SourceSink
  readonly video: Track
  readonly audio: Track | undefined
  /** What is known of its pictures. */
  readonly known: PictureInfo | undefined
  /** What it yields besides the picture. */
  readonly besides: Omit<MediaInfo, keyof PictureInfo>
  /** How its owner knows it. */
  readonly label: string
  readonly canEncode: boolean
  /** Its own sound is silent now, since its loudspeaker speaks. */
  readonly isMuted: () => boolean
  readonly now: Clock
  readonly log: Log
  /** Told of what its pictures turn out to be; `undefined`: not what was known. */
  readonly learn: (info: PictureInfo | undefined) => void
  /** Handed the pictures when they begin. */
  readonly begun: (pictures: Pictures) => void
}

/** One track as it is played. */
interface Line {
  readonly receiver: Receiver
  readonly timeline: Timeline
  readonly take: (data: Buffer) => void
}

/** Plays until the session or the signal ends. Throws `SourceError`. */
export async function play(client: Client, stage: Stage, signal: AbortSignal): Promise<void> {
  const { sink, besides, now, video, audio, label } = stage
  const ffmpeg = stage.canEncode ? await loadFfmpeg() : undefined
  const wall: Wall = { offsetMs: undefined }
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  const filled = fillSilence(sink, besides.sound)
  const pictures = openPictures(video, stage.known, {
    sink: {
      video: filled.video,
      h265: (unit) => filled.h265?.(unit),
      isH264Wanted: () => sink.isH264Wanted?.() ?? true,
      described(info) {
        stage.learn(info)
        sink.described({ ...info, ...besides })
      },
    },
    label,
    ffmpeg,
    inOrder: () => stage.learn(undefined),
    fail: failed.reject,
  })
  const sounds = audio ? openSounds(audio, stage, ffmpeg) : []
  const lines = new Map<Track, Line>([[video, openVideo(video, pictures, client, wall, now)]])
  if (audio && sounds.length > 0) lines.set(audio, openAudio(audio, sounds, mutable(filled, stage.isMuted), wall, now))
  stage.begun(pictures)
  try {
    await runSession(client, lines, now, failed, signal)
  } finally {
    for (const sound of sounds) sound.close()
    await pictures.close()
  }
}

function openVideo(track: Track, pictures: Pictures, client: Client, wall: Wall, now: Clock): Line {
  const receiver = createReceiver(track.payloadType, client.mostWaiting)
  const timeline = createTimeline(track.clockRate, wall, true)
  const take = (data: Buffer) => {
    const at = now()
    for (const { packet, isAfterGap } of receiver.receive(data)) {
      // What comes next refers to what was lost.
      if (isAfterGap) client.requestKeyFrame?.()
      pictures.take(packet, isAfterGap, timeline, at)
    }
  }
  return { receiver, timeline, take }
}

function openAudio(
  track: Track,
  sounds: readonly Sound[],
  sink: Pick<SourceSink, 'audio'>,
  wall: Wall,
  now: Clock,
): Line {
  const receiver = createReceiver(track.payloadType)
  const timeline = createTimeline(track.clockRate, wall, false)
  const take = (data: Buffer) => {
    for (const { packet, isAfterGap } of receiver.receive(data)) {
      const at = timeline.at(packet.timestamp, now())
      for (const sound of sounds) for (const made of sound.convert(packet, isAfterGap, at)) sink.audio(made)
    }
  }
  return { receiver, timeline, take }
}

/** Silence instead of the sound, while it is muted. */
const mutable = (sink: Pick<SourceSink, 'audio'>, isMuted: () => boolean): Pick<SourceSink, 'audio'> => ({
  audio: (packet) => sink.audio(isMuted() ? silenced(packet) : packet),
})

/** Until the signal, the session or a failure ends it. */
async function runSession(
  client: Client,
  lines: ReadonlyMap<Track, Line>,
  now: Clock,
  failed: PromiseWithResolvers<never>,
  signal: AbortSignal,
): Promise<void> {
  const aborted = Promise.withResolvers<void>()
  const onAbort = () => aborted.resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const guard = (work: () => void) => {
    try {
      work()
    } catch (error) {
      failed.reject(error)
    }
  }
  let reporting: NodeJS.Timeout | undefined
  try {
    const begun = client.play([...lines.keys()], {
      rtp: (track, data) => guard(() => lines.get(track)?.take(data)),
      rtcp: (track, data) =>
        guard(() => {
          const line = lines.get(track)
          const read = line?.receiver.receiveReport(data, now())
          if (read) line?.timeline.anchor(read)
        }),
    })
    const channels = await Promise.race([begun, aborted.promise])
    if (!channels) return
    reporting = setInterval(() => sendReports(lines, channels, now), reportEachMs)
    const ended = client.ended.then((reason) => Promise.reject(reason))
    await Promise.race([aborted.promise, ended, failed.promise])
  } finally {
    clearInterval(reporting)
    signal.removeEventListener('abort', onAbort)
  }
}

function sendReports(lines: ReadonlyMap<Track, Line>, channels: ReadonlyMap<Track, Channel>, now: Clock): void {
  for (const [track, { receiver }] of lines) {
    const words = receiver.report(now())
    if (words) channels.get(track)?.sendRtcp(words)
  }
}

/** Its sound in all of `besides.sound`; none, and said so, when it cannot be played: the picture does not wait for it. */
function openSounds(
  track: Track,
  { besides, label, log }: Pick<Stage, 'besides' | 'label' | 'log'>,
  ffmpeg: Ffmpeg | undefined,
): readonly Sound[] {
  const { sound, soundFault } = besides
  const codec = codecOf(track)
  const warn = (message: string) => log('warn', 'gateway.source-without-sound', { source: label, error: message })
  if (soundFault !== undefined) warn(soundFault)
  const passed = codec ? [passSound(codec)] : []
  if (soundFault !== undefined || codec === 'opus' || !sound.includes('opus') || !ffmpeg) return passed
  try {
    const transcoded = transcodeSound(ffmpeg, track)
    return transcoded ? [transcoded, ...passed] : passed
  } catch (error) {
    warn(error instanceof Error ? error.message : String(error))
    return passed
  }
}
