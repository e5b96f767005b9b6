/** A network camera as a source, over RTSP or WHEP: looked at while nobody watches, played while somebody does. */
import type { Clock, Log } from 'transom-core/ports'
import { hasFfmpeg } from './ffmpeg.ts'
import { createFloor } from './talk/floor.ts'
import { createHttpSpeaker } from './talk/brands.ts'
import { readTalkBack, type TalkBack } from './talk/speaker.ts'
import { createSteadyClock, SourceError, type MediaInfo, type MediaSource, type SourceSink } from './media.ts'
import { createPatience, type Patience } from './patience.ts'
import { createTrust, type Trust } from './trust.ts'
import { readAddress, type CameraAddress } from './rtsp/address.ts'
import { openClient, type Client } from './rtsp/client.ts'
import type { Track } from './rtsp/description.ts'
import { createRtspSpeaker, pickBackChannel } from './rtsp/loudspeaker.ts'
import { describePictures, pickVideo, saysAll, type PictureInfo, type Pictures } from './rtsp/pictures.ts'
import { play, type Stage } from './rtsp/playing.ts'
import { soundOf } from './rtsp/sound.ts'
import type { Way } from './way.ts'
import { createWhepWay } from './whep/way.ts'

const checkEachMs = 5_000
/** So long a camera may take to send its profile, where its description does not give it. */
const profileMs = 5_000
const refusalMs = 300_000
/** A camera at which each look is a whole session is looked at so often; in between it is asked whether it is there. */
const lookEachMs = 300_000

/**
 * `trust`: whom it talks to, kept by whoever makes the source; by default anybody, with the certificate that came first.
 * `patience`: that of all who use the password of its address; by default nobody else does.
 */
export function createNetworkSource(
  url: string,
  clock: Clock,
  log: Log,
  trust: Trust = createTrust(),
  patience: Patience = createPatience(),
): MediaSource {
  const address = readAddress(url)
  const { label } = address
  const door = patience.door()
  const talkBack = talkBackOf(url)
  const way = createWay(address, trust)
  const open = (signal: AbortSignal) => door.attempt(() => way.open(signal))
  const openSpeaker = (signal: AbortSignal) => door.attempt(() => way.openSpeaker(signal))
  const floor = createFloor(createSpeaker(talkBack, address, trust, patience, openSpeaker), log)
  let canEncode = false
  const idle = createIdle()
  let playing: { readonly client: Client; readonly pictures: Pictures } | undefined
  const seen = createMemory()
  /** What the last run learned of the pictures that were described like this, which a description may not say. */
  let learned: { readonly of: string; readonly info: PictureInfo } | undefined
  const refusal = createRefusal()

  const besides = ({ description: { tracks } }: Client) => ({
    hasSpeaker: canEncode && hasSpeaker(talkBack, tracks),
    ...soundOf(pickAudio(tracks), canEncode),
  })
  const picturesOf = ({ description: { tracks } }: Client): PictureInfo | undefined => {
    const video = pickVideo(tracks, label, canEncode)
    return learned?.of === formOf(video) ? learned.info : describePictures(video, label, canEncode)
  }
  /** By its description, or because it was listened to. */
  function isKnown({ description: { tracks } }: Client): boolean {
    const video = pickVideo(tracks, label, canEncode)
    return saysAll(video) || learned?.of === formOf(video)
  }
  /** Nothing more will be learned by listening again, if only what its description names was. */
  function remember({ description: { tracks } }: Client, { profileLevelId, reencoding, h265 }: MediaInfo): void {
    const info = { profileLevelId, ...(reencoding && { reencoding }), ...(h265 && { h265 }) }
    learned = { of: formOf(pickVideo(tracks, label, canEncode)), info }
  }
  /** `undefined` while the profile is not known. */
  function look(client: Client): MediaInfo | undefined {
    refusal.check()
    const pictures = picturesOf(client)
    return pictures && { ...pictures, ...besides(client) }
  }
  function stageOf(client: Client, sink: SourceSink): Stage {
    const { tracks } = client.description
    const video = pickVideo(tracks, label, canEncode)
    return {
      sink,
      video,
      audio: pickAudio(tracks),
      known: picturesOf(client),
      besides: besides(client),
      label,
      canEncode,
      isMuted: () => talkBack.isHalfDuplex && floor.isSpeaking(),
      now: createSteadyClock(clock),
      log,
      learn(info) {
        learned = info && { of: formOf(video), info }
        if (info) seen.keep({ ...info, ...besides(client) })
      },
      begun: (pictures) => (playing = { client, pictures }),
    }
  }

  return {
    checkEachMs,
    // The camera's own H.265 is not ours to begin anew.
    requestKeyFrame(codec) {
      if (codec !== 'H265' && playing?.pictures.requestKeyFrame() === true) return true
      // Whether one comes of it nobody can say, so nobody waits for it.
      playing?.client.requestKeyFrame?.()
      return false
    },
    createEar: floor.createEar,
    playTone: floor.playTone,
    async describe(signal) {
      canEncode = await hasFfmpeg()
      const known = idle.take()
      if (known) {
        const info = (await answers(known)) ? look(known) : undefined
        if (info) return idle.keep(known, info)
        await known.close()
      }
      const before = way.ask && seen.get()
      if (before) {
        await door.attempt(async () => way.ask?.(signal)).catch(seen.forget)
        return before
      }
      const client = await open(signal)
      try {
        const info = look(client)
        if (info && !way.ask && isKnown(client)) return idle.keep(client, info)
        await listenForProfile(client, stageOf, signal)
        const learnt = look(client)
        if (learnt) {
          remember(client, learnt)
          return seen.keep(learnt)
        }
        throw new SourceError('source_no_key_frame', `${label} sent no parameter sets within ${profileMs} ms`)
      } finally {
        if (!idle.has(client)) await client.close()
      }
    },
    async run(sink, signal) {
      refusal.check()
      canEncode = await hasFfmpeg()
      const client = idle.take() ?? (await open(signal))
      try {
        await play(client, stageOf(client, sink), signal)
      } catch (error) {
        refusal.learn(error)
        seen.forget(error)
      } finally {
        playing = undefined
        await client.close()
      }
    },
    async close() {
      await floor.close()
      await idle.close()
    },
  }
}

/** The way to a camera by the protocol of its address. */
export function createWay(address: CameraAddress, trust: Trust): Way {
  if (address.protocol === 'whep') return createWhepWay(address, trust)
  const open = (signal: AbortSignal) => openClient(address, trust, signal)
  return { open, openSpeaker: open }
}

/** Plays until the first parameter sets: the answer to a display must name their profile. */
async function listenForProfile(
  client: Client,
  stageOf: (client: Client, sink: SourceSink) => Stage,
  signal: AbortSignal,
): Promise<void> {
  const found = new AbortController()
  const bounds = AbortSignal.any([signal, found.signal, AbortSignal.timeout(profileMs)])
  const sink: SourceSink = {
    video: () => undefined,
    audio: () => undefined,
    described: () => found.abort(),
    isH264Wanted: () => false,
  }
  await play(client, stageOf(client, sink), bounds)
}

const unknownTalkBack =
  'the talk-back in the address of the camera is not known: use talk-back=onvif, off, axis, dahua, doorbird or hikvision, and duplex=half or full'

function talkBackOf(url: string): TalkBack {
  const talkBack = readTalkBack(url)
  if (!talkBack) throw new SourceError('source_invalid', unknownTalkBack)
  return talkBack
}

function createSpeaker(
  { by, port }: TalkBack,
  address: CameraAddress,
  trust: Trust,
  patience: Patience,
  open: (signal: AbortSignal) => Promise<Client>,
) {
  if (by === 'onvif' || by === 'off') return createRtspSpeaker(open)
  const { host, login, label } = address
  return createHttpSpeaker(by, { host, port, label, trust, ...(login && { login }) }, patience)
}

/** Its description tells of a back channel; of an HTTP API its owner does. */
const hasSpeaker = ({ by }: TalkBack, tracks: readonly Track[]): boolean =>
  by === 'onvif' ? pickBackChannel(tracks) !== undefined : by !== 'off'

const pickAudio = (tracks: readonly Track[]): Track | undefined =>
  tracks.find(({ kind, isBackChannel }) => kind === 'audio' && !isBackChannel)

const formOf = ({ encoding, parameters }: Track): string => JSON.stringify([encoding, ...parameters])

/** A camera may close a connection on which nothing is asked; then it is asked on another. */
const answers = (client: Client): Promise<boolean> =>
  client.ping().then(
    () => true,
    () => false,
  )

/** The connection of the last look, for the next one or for whoever watches. */
function createIdle() {
  let idle: Client | undefined
  return {
    has: (client: Client) => idle === client,
    keep(client: Client, info: MediaInfo): MediaInfo {
      idle = client
      return info
    },
    /** If it is still open. */
    take(): Client | undefined {
      const taken = idle?.isOpen() === true ? idle : undefined
      idle = undefined
      return taken
    },
    async close(): Promise<void> {
      await idle?.close()
      idle = undefined
    },
  }
}

/** What the last look found, for as long as it may be true. */
function createMemory() {
  let known: { readonly info: MediaInfo; readonly until: number } | undefined
  return {
    get: (): MediaInfo | undefined => (known && performance.now() < known.until ? known.info : undefined),
    keep(info: MediaInfo): MediaInfo {
      known = { info, until: performance.now() + lookEachMs }
      return info
    },
    /** What was found is not so any more, for this reason, which it throws. */
    forget(this: void, why: unknown): never {
      known = undefined
      throw why
    },
  }
}

/** What one run found that displays cannot play is so for a while: the camera may be set right meanwhile. */
function createRefusal() {
  let refusal: { readonly error: SourceError; readonly until: number } | undefined
  return {
    /** Throws it while it holds. */
    check(): void {
      if (refusal && performance.now() < refusal.until) throw refusal.error
    },
    learn(error: unknown): void {
      if (error instanceof SourceError && error.code === 'source_codec')
        refusal = { error, until: performance.now() + refusalMs }
    },
  }
}
