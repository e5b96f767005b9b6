/** Looks at a camera before it is added: which streams it has, what each of them really sends, and which one is best for displays. */
import type { Fault } from 'transom-core/ports'
import { faultOf, SourceError } from './media.ts'
import { openDevice, type Device, type DeviceInformation, type Profile } from './onvif/device.ts'
import { meaningsOf, type Meaning } from './onvif/topics.ts'
import { readAddress } from './rtsp/address.ts'
import type { Login } from './rtsp/authorization.ts'
import { openClient, type Client } from './rtsp/client.ts'
import type { Track } from './rtsp/description.ts'
import { createH264Depacketizer, h264, nalType, readSprop } from './rtsp/h264.ts'
import { createH265Depacketizer, startsH265 } from './rtsp/h265.ts'
import { pickBackChannel } from './rtsp/loudspeaker.ts'
import type { AccessUnit } from './rtsp/nal-units.ts'
import { createReceiver } from './rtsp/receiver.ts'
import { distance } from './rtsp/rtp.ts'
import { isBSlice, readSps } from './sps.ts'
import { createTrust } from './trust.ts'

/** Long enough for two key frames of most cameras. */
const measureMs = 12_000
/** After so many nothing is learned any more. */
const enoughKeyFrames = 3
/** Main and sub stream, and one more; a recorder has one pair for each channel. */
const maxStreams = 8
/** 1920 by 1080, in macroblocks. */
const fullHd = 8_160

/** What one stream of a camera was found to be, by playing it. */
export interface StreamProbe {
  /** `rtsp://…`, without user and password. */
  readonly url: string
  /** As the camera calls it. */
  readonly name?: string
  /** As RTP calls it: `H264`, `H265`, `JPEG`, …; absent where there is no video, or nothing could be read. */
  readonly codec?: string
  readonly width?: number
  readonly height?: number
  /** Measured: pictures a second, and milliseconds from one key frame to the next. */
  readonly fps?: number
  readonly keyFrameMs?: number
  readonly hasBFrames: boolean
  /** `PCMA`, `MPEG4-GENERIC`, …; absent where it has none. */
  readonly sound?: string
  readonly hasBackChannel: boolean
  /** Why nothing came. */
  readonly fault?: Fault
}

/** What a camera was found to give, and which of it displays get. */
export interface Probe {
  /** Of its ONVIF device service, where it was asked by ONVIF. */
  readonly device?: string
  readonly information: DeviceInformation
  readonly streams: readonly StreamProbe[]
  /** The best of them for displays; absent when none can be shown. */
  readonly best?: StreamProbe
  /** What it notices by ONVIF. */
  readonly events: readonly Meaning[]
  readonly hasStills: boolean
}

/**
 * Probes the one stream of an `rtsp://` address, else all streams of an ONVIF device (`host`, `host:port`, `http://…`), one
 * after the other: cameras serve few at once. What a single stream does is said with it. Throws `SourceError`.
 */
export async function probeCamera(address: string, login: Login | undefined, signal: AbortSignal): Promise<Probe> {
  const isStream = /^rtsps?:/i.test(address)
  if (!isStream) return probeDevice(await openDevice(address, login, signal), login, signal)
  const stream = await probeStream(address, login, signal)
  if (stream.fault !== undefined) throw new SourceError(stream.fault.code, stream.fault.message)
  return { information: {}, ...chosen([stream]), events: [], hasStills: false }
}

async function probeDevice(device: Device, login: Login | undefined, signal: AbortSignal): Promise<Probe> {
  const profiles = (await device.profiles(signal)).filter(({ video }) => video !== undefined).slice(0, maxStreams)
  const streams: StreamProbe[] = []
  for (const profile of profiles) streams.push(await probeProfile(device, profile, login, signal))
  const topics = await device.topics(signal).catch(() => [])
  const [first] = profiles
  return {
    device: device.url,
    information: await device.information(signal),
    ...chosen(streams),
    events: [...new Set(topics.flatMap(meaningsOf).map(({ means }) => means))],
    hasStills: first !== undefined && (await device.snapshotUri(first, signal)) !== undefined,
  }
}

async function probeProfile(
  device: Device,
  profile: Profile,
  login: Login | undefined,
  signal: AbortSignal,
): Promise<StreamProbe> {
  const { name, video } = profile
  const size = video && video.width > 0 && { width: video.width, height: video.height }
  return { ...size, ...(await probeStream(await device.streamUri(profile, signal), login, signal)), name }
}

const chosen = (streams: readonly StreamProbe[]): Pick<Probe, 'streams' | 'best'> => {
  const best = streams.filter(({ fault, codec }) => fault === undefined && codec !== undefined).toSorted(worse)[0]
  return { streams, ...(best && { best }) }
}

/** Displays play H.264 without B-frames as it comes, up to 1080p; all else costs a processor to convert. */
export const passesThrough = (stream: StreamProbe): boolean =>
  stream.codec === 'H264' && !stream.hasBFrames && sizeOf(stream) <= fullHd

/** What passes through comes first, the largest of it; of the rest the smallest, which is the cheapest. */
function worse(one: StreamProbe, other: StreamProbe): number {
  const [isFree, isOtherFree] = [passesThrough(one), passesThrough(other)]
  if (isFree !== isOtherFree) return isFree ? -1 : 1
  return isFree ? sizeOf(other) - sizeOf(one) : sizeOf(one) - sizeOf(other)
}

const sizeOf = ({ width = 0, height = 0 }: StreamProbe): number => Math.ceil(width / 16) * Math.ceil(height / 16)

/** Never rejects but by the signal. */
async function probeStream(url: string, login: Login | undefined, signal: AbortSignal): Promise<StreamProbe> {
  let label = url.replace(/\/\/[^/?#]*@/, '//')
  let client: Client | undefined
  try {
    const read = readAddress(url)
    label = read.url
    client = await openClient({ ...read, ...(login && { login }) }, createTrust(), signal)
    const { tracks } = client.description
    const videos = tracks.filter(({ kind }) => kind === 'video')
    const video = videos.find(({ encoding }) => encoding === 'H264') ?? videos[0]
    const sound = tracks.find(({ kind, isBackChannel }) => kind === 'audio' && !isBackChannel)
    const measured = video && (await measure(client, video, signal))
    return {
      url: label,
      ...(video && { codec: video.encoding }),
      hasBFrames: false,
      ...measured,
      ...(sound && { sound: sound.encoding }),
      hasBackChannel: pickBackChannel(tracks) !== undefined,
    }
  } catch (error) {
    signal.throwIfAborted()
    return { url: label, hasBFrames: false, hasBackChannel: false, fault: faultOf(error) }
  } finally {
    await client?.close()
  }
}

type Measured = Pick<StreamProbe, 'width' | 'height' | 'fps' | 'keyFrameMs' | 'hasBFrames'>

/** Plays until enough key frames have come, or for as long as `measureMs`. Throws `SourceError` when no picture comes. */
async function measure(client: Client, video: Track, signal: AbortSignal): Promise<Measured> {
  const depacketize = video.encoding === 'H265' ? createH265Depacketizer() : createH264Depacketizer()
  const receiver = createReceiver(video.payloadType)
  const pictures = createPictures(video)
  const enough = new AbortController()
  const over = AbortSignal.any([signal, enough.signal, AbortSignal.timeout(measureMs)])
  const { promise: isOver, resolve } = Promise.withResolvers<void>()
  over.addEventListener('abort', () => resolve(), { once: true })
  await client.play([video], {
    rtp(_track, data) {
      for (const { packet, isAfterGap } of receiver.receive(data)) {
        if (video.encoding !== 'H264' && video.encoding !== 'H265') pictures.count(packet.timestamp)
        else for (const unit of depacketize(packet, isAfterGap)) pictures.take(unit)
      }
      if (pictures.keyFrames() >= enoughKeyFrames) enough.abort()
    },
    rtcp: () => undefined,
  })
  if (!over.aborted) await Promise.race([isOver, client.ended.then((reason) => Promise.reject(reason))])
  signal.throwIfAborted()
  return pictures.measured()
}

function createPictures({ encoding, clockRate, parameters }: Track) {
  let sets: readonly Buffer[] = readSprop(parameters.get('sprop-parameter-sets'))
  let hasBFrames = false
  let first: number | undefined
  let last = 0
  let latest = 0
  let count = 0
  const keys: number[] = []

  /** Its time on an axis that does not wrap. */
  function noteTime(timestamp: number): number {
    if (first === undefined) first = last = latest = timestamp
    last += distance(last % 2 ** 32, timestamp, 32)
    count += 1
    latest = Math.max(latest, last)
    return last
  }
  return {
    keyFrames: () => keys.length,
    /** A picture of a codec that is not looked into: one for each timestamp. */
    count(timestamp: number): void {
      if (count === 0 || distance(last % 2 ** 32, timestamp, 32) !== 0) noteTime(timestamp)
    },
    take({ nals, timestamp }: AccessUnit): void {
      const at = noteTime(timestamp)
      const slices = encoding === 'H264' ? nals.filter((nal) => h264.isPicture(nalType(nal))) : []
      if (encoding === 'H264') {
        const own = nals.filter((nal) => nalType(nal) === 7)
        if (own.length > 0) sets = own
        hasBFrames ||= slices.some((nal) => nalType(nal) === 1 && isBSlice(nal))
      }
      const isKey = encoding === 'H264' ? slices.some((nal) => nalType(nal) === 5) : startsH265(nals)
      if (isKey) keys.push(at)
    },
    measured(): Measured {
      if (count === 0) throw new SourceError('source_stopped', 'the stream was opened, and no picture came')
      const sps = encoding === 'H264' ? sets.find((nal) => nalType(nal) === 7) : undefined
      const form = sps && readSps(sps)
      const seconds = (latest - (first ?? 0)) / clockRate
      const gaps = keys.slice(1).map((at, index) => ((at - (keys[index] ?? 0)) / clockRate) * 1_000)
      return {
        ...(form && { width: form.width, height: form.height }),
        ...(seconds > 0 && { fps: Math.round(((count - 1) / seconds) * 10) / 10 }),
        ...(gaps.length > 0 && { keyFrameMs: Math.round(Math.max(...gaps)) }),
        hasBFrames,
      }
    },
  }
}
