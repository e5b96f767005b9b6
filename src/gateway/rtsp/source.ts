/** A network camera over RTSP as a source: looked at while nobody watches, played while somebody does. */
import type { Clock, Log } from 'transom-core/ports'
import { hasFfmpeg, loadFfmpeg } from '../ffmpeg.ts'
import { createPacketizer, profileLevelId } from '../h264.ts'
import { createSteadyClock, SourceError, type MediaInfo, type MediaSource, type SourceSink } from '../media.ts'
import { createPins, type Pins } from '../pins.ts'
import { fillSilence } from '../silence.ts'
import { readAddress, type CameraAddress } from './address.ts'
import { openClient, type Channel, type Client } from './client.ts'
import type { Track } from './description.ts'
import { createH264Depacketizer, nalType, readSprop, type AccessUnit } from './h264.ts'
import { createLoudspeaker, lawOf } from './loudspeaker.ts'
import { createPatience } from './patience.ts'
import { createReceiver, type Receiver } from './receiver.ts'
import { codecOf, passSound, soundOf, transcodeSound, type Sound } from './sound.ts'
import { createTimeline, type Timeline, type Wall } from './timeline.ts'

const checkEachMs = 5_000
const reportEachMs = 5_000
/** So long a camera may take to send its profile, where its description does not give it. */
const profileMs = 5_000
/** profile_idc of ITU-T H.264 annex A: anything else is no SPS. */
const profiles: readonly string[] = ['42', '4d', '58', '64', '6e', '7a', 'f4', '2c']
/** Pictures out of order: so many in one run are no accident. */
const fewestBFrames = 3
const bFrameMs = 500
const refusalMs = 300_000

/** `pins`: the certificates of rtsps cameras, kept by whoever makes the source; by default as long as the source lives. */
export function createRtspSource(url: string, clock: Clock, log: Log, pins: Pins = createPins()): MediaSource {
  const address = readAddress(url)
  const patience = createPatience()
  const loudspeaker = createLoudspeaker(open, log)
  let canEncode = false
  let idle: Client | undefined
  /** What the last run learned, which a description may not say. */
  let learned: { readonly profile?: string; readonly refusal?: Refusal } = {}

  /** What one run found wrong is so for a while: the camera may be set right meanwhile. */
  function refuse(): void {
    if (learned.refusal && performance.now() < learned.refusal.until) throw learned.refusal.error
  }
  async function open(signal: AbortSignal): Promise<Client> {
    return patience.attempt(() => openClient(address, pins, signal))
  }
  /** The connection of the last look, if it is still open. */
  function take(): Client | undefined {
    const taken = idle?.isOpen() === true ? idle : undefined
    idle = undefined
    return taken
  }
  /** It has a back channel, and what viewers say can be encoded for it. */
  const speaks = ({ description }: Client): boolean =>
    canEncode && description.tracks.some((track) => lawOf(track) !== undefined)
  const besides = (client: Client) => ({
    hasSpeaker: speaks(client),
    ...soundOf(pickAudio(client.description.tracks), canEncode),
  })
  /** `undefined` while the profile is not known. */
  function look(client: Client): MediaInfo | undefined {
    refuse()
    const video = pickVideo(client.description.tracks, address)
    const profile = learned.profile ?? profileOf(video)
    return profile === undefined ? undefined : { profileLevelId: profile, ...besides(client) }
  }
  /** Plays until the first parameter sets: the answer to a display must name their profile. */
  async function listenForProfile(client: Client, signal: AbortSignal): Promise<MediaInfo> {
    const found = new AbortController()
    const bounds = AbortSignal.any([signal, found.signal, AbortSignal.timeout(profileMs)])
    const sink = { video: () => undefined, audio: () => undefined, described: () => found.abort() }
    await play(client, stageOf(client, sink), bounds)
    const info = look(client)
    if (!info)
      throw new SourceError('source_no_key_frame', `${address.label} sent no parameter sets within ${profileMs} ms`)
    return info
  }
  const stageOf = (client: Client, sink: SourceSink): Stage => ({
    sink,
    info: besides(client),
    address,
    log,
    now: createSteadyClock(clock),
    learn: (more) => (learned = { ...learned, ...more }),
  })

  return {
    checkEachMs,
    requestKeyFrame: () => false,
    createEar: loudspeaker.createEar,
    async describe(signal) {
      canEncode = await hasFfmpeg()
      const known = take()
      if (known) {
        // A camera may close a connection on which nothing is asked; then it is asked on another.
        const answers = await known.ping().then(
          () => true,
          () => false,
        )
        const info = answers ? look(known) : undefined
        if (info) {
          idle = known
          return info
        }
        await known.close()
      }
      const client = await open(signal)
      try {
        const info = look(client)
        if (!info) return await listenForProfile(client, signal)
        idle = client
        return info
      } finally {
        if (idle !== client) await client.close()
      }
    },
    async run(sink, signal) {
      refuse()
      const client = take() ?? (await open(signal))
      try {
        await play(client, stageOf(client, sink), signal)
      } finally {
        await client.close()
      }
    },
    async close() {
      await loudspeaker.close()
      await idle?.close()
      idle = undefined
    },
  }
}

function pickVideo(tracks: readonly Track[], { label }: CameraAddress): Track {
  const videos = tracks.filter(({ kind }) => kind === 'video')
  const h264 = videos.find(({ encoding }) => encoding === 'H264')
  if (h264) return h264
  const names = [...new Set(videos.map(({ encoding }) => encoding || 'an unknown codec'))].join(' and ')
  throw new SourceError(
    'source_codec',
    names === '' ? `${label} has no video` : `${label} sends ${names} video, and displays play H.264 only`,
  )
}

/** As its description gives it (RFC 6184 section 8.1): by its SPS, else by name. */
function profileOf({ parameters }: Track): string | undefined {
  const said = profileLevelId(readSprop(parameters.get('sprop-parameter-sets'))) ?? parameters.get('profile-level-id')
  return said !== undefined && isProfile(said.toLowerCase()) ? said.toLowerCase() : undefined
}

const isProfile = (profile: string): boolean => /^[0-9a-f]{6}$/.test(profile) && profiles.includes(profile.slice(0, 2))

const pickAudio = (tracks: readonly Track[]): Track | undefined =>
  tracks.find(({ kind, isBackChannel }) => kind === 'audio' && !isBackChannel)

interface Refusal {
  readonly error: SourceError
  /** By `performance.now()`. */
  readonly until: number
}

interface Stage {
  readonly sink: SourceSink
  /** What it yields besides the picture. */
  readonly info: Omit<MediaInfo, 'profileLevelId'>
  readonly address: CameraAddress
  readonly log: Log
  readonly now: Clock
  learn(more: { readonly profile?: string; readonly refusal?: Refusal }): void
}

/** Plays until the session or the signal ends. Throws `SourceError`. */
async function play(client: Client, stage: Stage, signal: AbortSignal): Promise<void> {
  const { address, now } = stage
  const { tracks } = client.description
  const wall: Wall = { offsetMs: undefined }
  const video = pickVideo(tracks, address)
  const audio = pickAudio(tracks)
  const sounds = audio ? await openSounds(audio, stage) : []
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  const sink = fillSilence(stage.sink, stage.info.sound)
  const handlers = new Map<Track, (data: Buffer) => void>()
  const lines = new Map<Track, { readonly receiver: Receiver; readonly timeline: Timeline }>()
  let channels: ReadonlyMap<Track, Channel> = new Map()

  const listen = (
    track: Track,
    leads: boolean,
    take: (receiver: Receiver, timeline: Timeline) => (data: Buffer) => void,
  ) => {
    const receiver = createReceiver(track.payloadType)
    const timeline = createTimeline(track.clockRate, wall, leads)
    lines.set(track, { receiver, timeline })
    handlers.set(track, take(receiver, timeline))
  }
  const aborted = Promise.withResolvers<void>()
  const onAbort = () => aborted.resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  const pictures = createPictures(video, { ...stage, sink })
  listen(video, true, (receiver, timeline) => (data) => {
    const at = now()
    for (const { packet, isAfterGap } of receiver.receive(data)) pictures(packet, isAfterGap, timeline, at)
  })
  if (audio && sounds.length > 0) {
    listen(audio, false, (receiver, timeline) => (data) => {
      for (const { packet, isAfterGap } of receiver.receive(data)) {
        const at = timeline.at(packet.timestamp, now())
        for (const sound of sounds) for (const made of sound.convert(packet, isAfterGap, at)) sink.audio(made)
      }
    })
  }
  const guard = (work: () => void) => {
    try {
      work()
    } catch (error) {
      failed.reject(error)
    }
  }
  const report = () => {
    for (const [track, { receiver }] of lines) {
      const words = receiver.report(now())
      if (words) channels.get(track)?.sendRtcp(words)
    }
  }
  let reporting: NodeJS.Timeout | undefined
  try {
    channels = await client.play([...lines.keys()], {
      rtp: (track, data) => guard(() => handlers.get(track)?.(data)),
      rtcp: (track, data) =>
        guard(() => {
          const line = lines.get(track)
          const read = line?.receiver.receiveReport(data, now())
          if (read) line?.timeline.anchor(read)
        }),
    })
    reporting = setInterval(report, reportEachMs)
    const ended = client.ended.then((reason) => Promise.reject(reason))
    await Promise.race([aborted.promise, ended, failed.promise])
  } finally {
    clearInterval(reporting)
    signal.removeEventListener('abort', onAbort)
    for (const sound of sounds) sound.close()
  }
}

/** Its sound in all of `info.sound`; none, and said so, when it cannot be played: the picture does not wait for it. */
async function openSounds(track: Track, { info, address, log }: Stage): Promise<readonly Sound[]> {
  const codec = codecOf(track)
  const warn = (message: string) => log('warn', 'source-without-sound', { source: address.label, message })
  if (info.soundFault !== undefined) warn(info.soundFault)
  const passed = codec ? [passSound(codec)] : []
  if (info.soundFault !== undefined || codec === 'opus' || !info.sound.includes('opus')) return passed
  try {
    const transcoded = transcodeSound(await loadFfmpeg(), track)
    return transcoded ? [transcoded, ...passed] : passed
  } catch (error) {
    warn(error instanceof Error ? error.message : String(error))
    return passed
  }
}

/** Pictures from packets: with their parameter sets, in time, and in the form that displays take. */
function createPictures(video: Track, { sink, info, address, learn }: Stage) {
  const depacketize = createH264Depacketizer()
  let sets: readonly Buffer[] = readSprop(video.parameters.get('sprop-parameter-sets'))
  let packetize = createPacketizer({ lengthSize: 4, sets })
  let isDescribed = false
  let lastAt = -Infinity
  let backwards = 0

  function show({ nals, timestamp }: AccessUnit, timeline: Timeline, now: number): void {
    const own = nals.filter((nal) => nalType(nal) === 7 || nalType(nal) === 8)
    const profile = profileLevelId(own)
    if (profile !== undefined && !isProfile(profile)) return
    if (profile !== undefined && (!isDescribed || !isSame(own, sets))) {
      sets = own
      isDescribed = true
      packetize = createPacketizer({ lengthSize: 4, sets })
      learn({ profile })
      sink.described({ profileLevelId: profile, ...info })
    }
    const at = timeline.at(timestamp, now)
    if (at < lastAt && lastAt - at < bFrameMs) backwards += 1
    if (backwards >= fewestBFrames) {
      const refusal = new SourceError(
        'source_codec',
        `${address.label} sends B-frames, which displays show as a stutter: choose the profile Baseline or Main without B-frames`,
      )
      learn({ refusal: { error: refusal, until: performance.now() + refusalMs } })
      throw refusal
    }
    lastAt = at
    sink.video(packetize(withLengths(nals), at))
  }
  return (packet: Parameters<typeof depacketize>[0], isAfterGap: boolean, timeline: Timeline, now: number) => {
    for (const unit of depacketize(packet, isAfterGap)) show(unit, timeline, now)
  }
}

function isSame(one: readonly Buffer[], other: readonly Buffer[]): boolean {
  return one.length === other.length && one.every((nal, index) => nal.equals(other[index] ?? Buffer.alloc(0)))
}

function withLengths(nals: readonly Buffer[]): Buffer {
  return Buffer.concat(
    nals.flatMap((nal) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(nal.length)
      return [length, nal]
    }),
  )
}
