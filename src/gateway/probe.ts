/** Looks at a camera before it is added: which streams it has, what each of them really sends, and which one is best for displays. */
import { streamAddress, type SourceProbe, type StreamProbe } from 'transom-core/wire/source'
import { advised, passesThrough, type Measured } from './advice.ts'
import { hasFfmpeg, loadFfmpeg } from './ffmpeg.ts'
import { measure, type Measurement } from './measure.ts'
import { faultOf, SourceError } from './media.ts'
import { createWay } from './network-source.ts'
import { openDevice, type Device, type Profile } from './onvif/device.ts'
import { meaningsOf } from './onvif/topics.ts'
import { createPatience, type Patience } from './patience.ts'
import { readAddress } from './rtsp/address.ts'
import type { Login } from './rtsp/authorization.ts'
import type { Client } from './rtsp/client.ts'
import { pickBackChannel } from './rtsp/loudspeaker.ts'
import { toJpeg } from './still.ts'
import { createTrust, type Trust } from './trust.ts'

/** Long enough for two key frames of most cameras. */
const longestMeasureMs = 12_000
const shortestMeasureMs = 3_000
/** Eight streams, each measured to the end. */
const defaultMs = 100_000
/** Main and sub stream, and one more; a recorder has one pair for each channel. */
const maxStreams = 8
/** A picture of the camera itself, where nothing here can decode one. */
const mostPictureBytes = 512 * 1_024

/** How a camera is probed. */
export interface ProbeOptions {
  /** Where it may be, and which certificates it may show; by default anywhere, and any. */
  readonly trust?: Trust
  /** How long its streams may be measured, all together, milliseconds. */
  readonly ms?: number
  /** Somebody wants to see what the best stream shows. */
  readonly hasPicture?: boolean
}

interface Found {
  readonly stream: Measured
  readonly key?: Measurement['key']
}
type Probing = Required<ProbeOptions> & { readonly login: Login | undefined; readonly patience: Patience }

/**
 * Probes the one stream of an `rtsp://` or `whep://` address, else all streams of an ONVIF device (`host`, `host:port`, `http://…`), one
 * after the other: cameras serve few at once. What a single stream does is said with it. Throws `SourceError`.
 */
export async function probeCamera(
  address: string,
  login: Login | undefined,
  signal: AbortSignal,
  { trust = createTrust(), ms = defaultMs, hasPicture = false }: ProbeOptions = {},
): Promise<SourceProbe> {
  const probing = { login, trust, ms, hasPicture, patience: createPatience() }
  const isStream = streamAddress.test(address.trim())
  if (!isStream) return probeDevice(await openDevice(address, login, signal, trust), probing, signal)
  const found = await probeStream(address, probing, longestMeasureMs, signal)
  const { fault } = found.stream
  if (fault !== undefined) throw new SourceError(fault.code, fault.message)
  return { information: {}, ...(await chosen([found], hasPicture)), events: [], hasStills: false }
}

async function probeDevice(device: Device, probing: Probing, signal: AbortSignal): Promise<SourceProbe> {
  const profiles = (await device.profiles(signal)).filter(({ video }) => video !== undefined).slice(0, maxStreams)
  const endsAt = performance.now() + probing.ms
  const found: Found[] = []
  for (const [index, profile] of profiles.entries()) {
    const share = (endsAt - performance.now()) / (profiles.length - index)
    const measureMs = Math.min(longestMeasureMs, Math.max(shortestMeasureMs, share))
    found.push(await probeProfile(device, profile, probing, measureMs, signal))
  }
  const topics = await device.topics(signal).catch(() => [])
  const [first] = profiles
  const snapshotUri = first && (await device.snapshotUri(first, signal))
  const { hasPicture } = probing
  const told = await chosen(found, hasPicture)
  const isMissing = hasPicture && told.picture === undefined && snapshotUri !== undefined
  const picture = isMissing ? await ownPicture(device, snapshotUri, signal) : told.picture
  return {
    device: device.url,
    information: await device.information(signal),
    ...told,
    events: [...new Set(topics.flatMap(meaningsOf).map(({ means }) => means))],
    hasStills: snapshotUri !== undefined,
    ...(picture && { picture }),
  }
}

/** `undefined` for what is no picture. */
async function ownPicture(device: Device, uri: string, signal: AbortSignal): Promise<string | undefined> {
  const data = await device.soap.get(uri, signal).catch(() => undefined)
  const isJpeg = data?.[0] === 0xff && data[1] === 0xd8 && data.length <= mostPictureBytes
  return isJpeg ? data.toString('base64') : undefined
}

async function probeProfile(
  device: Device,
  profile: Profile,
  probing: Probing,
  ms: number,
  signal: AbortSignal,
): Promise<Found> {
  const { name, video } = profile
  const size = video && video.width > 0 && { width: video.width, height: video.height }
  const { stream, ...rest } = await probeStream(await device.streamUri(profile, signal), probing, ms, signal)
  return { stream: { ...size, ...stream, name }, ...rest }
}

async function chosen(
  found: readonly Found[],
  hasPicture: boolean,
): Promise<Pick<SourceProbe, 'streams' | 'best' | 'picture'>> {
  const canConvert = await hasFfmpeg()
  const streams = found.map(({ stream }) => advised(stream, canConvert))
  const shown = found.filter(({ stream }) => stream.fault === undefined && stream.codec !== undefined)
  const best = shown.toSorted((one, other) => worse(one.stream, other.stream))[0]
  if (best === undefined) return { streams }
  const picture = hasPicture && best.key && canConvert ? await pictureOf(best.key) : undefined
  return { streams, ...bestOf(streams[found.indexOf(best)]), ...(picture !== undefined && { picture }) }
}

/** What cannot be decoded is no reason to refuse the camera: the stream may be right a moment later. */
async function pictureOf({ codec, data }: NonNullable<Found['key']>): Promise<string | undefined> {
  const jpeg = await toJpeg(await loadFfmpeg(), data, codec).catch(() => undefined)
  return jpeg?.toString('base64')
}

/** What passes through comes first, the largest of it; of the rest the smallest, which is the cheapest. */
function worse(one: Measured, other: Measured): number {
  const [isFree, isOtherFree] = [passesThrough(one), passesThrough(other)]
  if (isFree !== isOtherFree) return isFree ? -1 : 1
  return isFree ? sizeOf(other) - sizeOf(one) : sizeOf(one) - sizeOf(other)
}

const sizeOf = ({ width = 0, height = 0 }: Measured): number => width * height

/** Never rejects but by the signal. */
async function probeStream(given: string, probing: Probing, ms: number, signal: AbortSignal): Promise<Found> {
  const { login, trust, patience } = probing
  let url = given.replace(/\/\/[^/?#]*@/, '//')
  let client: Client | undefined
  try {
    const read = readAddress(given)
    url = read.url
    const place = { ...read, ...(login && { login }) }
    // A password that one stream refuses is not tried at all the others.
    client = await patience.door().attempt(() => createWay(place, trust).open(signal))
    const { tracks } = client.description
    const videos = tracks.filter(({ kind }) => kind === 'video')
    const video = videos.find(({ encoding }) => encoding === 'H264') ?? videos[0]
    const sound = tracks.find(({ kind, isBackChannel }) => kind === 'audio' && !isBackChannel)
    const measured = video && (await measure(client, video, ms, signal))
    const stream = {
      url,
      ...(video && { codec: video.encoding }),
      hasBFrames: false,
      ...measured?.stream,
      ...(sound && { sound: sound.encoding }),
      hasBackChannel: pickBackChannel(tracks) !== undefined,
    }
    return { stream, ...(measured?.key && { key: measured.key }) }
  } catch (error) {
    signal.throwIfAborted()
    return { stream: { url, hasBFrames: false, hasBackChannel: false, fault: faultOf(error) } }
  } finally {
    await client?.close()
  }
}

const bestOf = (best: StreamProbe | undefined) => best && { best }
