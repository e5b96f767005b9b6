/** A camera's pictures for displays: passed through where each can play them, decoded and encoded anew where not. */
import { constrainedProfile } from '../encoder.ts'
import type { Ffmpeg } from '../ffmpeg.ts'
import { createPacketizer, profileLevelId } from '../h264.ts'
import { h265Type, isH265Set, packetizeH265, readH265Format } from '../h265.ts'
import { SourceError, type MediaInfo, type SourceSink, type VideoUnit } from '../media.ts'
import { createReencoder, type CodedPicture, type DecodedCodec, type Reencoder } from '../reencode.ts'
import { isBSlice, readSps } from '../sps.ts'
import type { Track } from './description.ts'
import { createH264Depacketizer, nalType, readSprop } from './h264.ts'
import { createH265Depacketizer, readH265Sets, startsH265 } from './h265.ts'
import { createJpegDepacketizer } from './jpeg.ts'
import { annexB, type AccessUnit } from './nal-units.ts'
import type { Packet } from './rtp.ts'
import type { Timeline } from './timeline.ts'

/** profile_idc of ITU-T H.264 annex A: anything else is no SPS. */
const profiles: readonly string[] = ['42', '4d', '58', '64', '6e', '7a', 'f4', '2c']
/** The level of 1920 by 1080 at 60 pictures a second (4.2, ITU-T H.264 table A-1): macroblocks of a picture, and of a second. */
const mostMacroblocks = 8_704
const mostMacroblocksASecond = 522_240
/** Pictures out of order: so many are no accident, and one is enough where slices say that they are B. */
const fewestBackwards = 3
const backwardsMs = 500
/** So many pictures are kept, until it is known whether they come in order. */
const mostUndecided = 64
/** After so many in order the camera has been set right. */
const fewestInOrder = 500
/** What they are called, and told apart from what parameter sets say. */
const bFrames = 'B-frames'
const h265Name = 'H.265'

/** The words of RTP (`a=rtpmap`), and ours. */
export const codecNames: Readonly<Record<string, string>> = { H264: 'H.264', H265: 'H.265', JPEG: 'MJPEG' }

/** The track to play: H.264 before the others, of which some displays play H.265 and the rest is decoded first. Throws `SourceError` when none can be played. */
export function pickVideo(tracks: readonly Track[], label: string, canEncode: boolean): Track {
  const videos = tracks.filter(({ kind }) => kind === 'video')
  const codecs = canEncode ? ['H264', 'H265', 'JPEG'] : ['H264', 'H265']
  const found = codecs.map((codec) => videos.find(({ encoding }) => encoding === codec)).find((track) => track)
  if (found) return found
  if (videos.length === 0) throw new SourceError('source_codec', `${label} has no video`)
  const sent = [...new Set(videos.map(({ encoding }) => codecNames[encoding] ?? (encoding || 'an unknown codec')))]
  const isHelped = !canEncode && videos.some(({ encoding }) => encoding in codecNames)
  const why = isHelped
    ? 'displays play H.264 only, and FFmpeg is not installed to convert it'
    : 'displays play H.264 only'
  throw new SourceError('source_codec', `${label} sends ${sent.join(' and ')} video, and ${why}`)
}

export type PictureInfo = Pick<MediaInfo, 'profileLevelId' | 'reencoding' | 'h265'>

/** What is sent of this track by its description; `undefined` while its profile is not known. Throws as `pickVideo`. */
export function describePictures(track: Track, label: string, canEncode: boolean): PictureInfo | undefined {
  if (track.encoding === 'H265') return describeH265(readH265Sets(track.parameters), label, canEncode)
  if (track.encoding !== 'H264') return reencoded(codecNames[track.encoding] ?? track.encoding)
  const sets = readSprop(track.parameters.get('sprop-parameter-sets'))
  const why = reasonToReencode(sets)
  if (why !== undefined && !canEncode) throw cannotConvert(label, why)
  if (why !== undefined) return reencoded(why)
  // As its description gives it (RFC 6184 section 8.1): by its SPS, else by name.
  const said = (profileLevelId(sets) ?? track.parameters.get('profile-level-id'))?.toLowerCase()
  return said !== undefined && isProfile(said) ? { profileLevelId: said } : undefined
}

/** Without FFmpeg it is for those displays alone that play it. `undefined` while its sets are not known; throws for none to pass. */
function describeH265(sets: readonly Buffer[], label: string, canEncode: boolean): PictureInfo | undefined {
  const { h265 } = passed(sets)
  if (canEncode) return { ...reencoded(h265Name), ...(h265 && { h265 }) }
  if (h265) return { profileLevelId: constrainedProfile, h265 }
  if (sets.some((nal) => h265Type(nal) === 33)) throw cannotPass(label)
  return undefined
}

/** The description holds the parameters of its pictures. Otherwise what comes may be something else than what it names. */
export function saysAll({ encoding, parameters }: Track): boolean {
  if (encoding === 'H264') return readSprop(parameters.get('sprop-parameter-sets')).some((nal) => nalType(nal) === 7)
  return encoding !== 'H265' || readH265Sets(parameters).some((nal) => h265Type(nal) === 33)
}

const cannotConvert = (label: string, of: string): SourceError =>
  new SourceError(
    'source_codec',
    `${label} sends H.264 with ${of}, which displays cannot play, and FFmpeg is not installed to convert it`,
  )

const cannotPass = (label: string): SourceError =>
  new SourceError(
    'source_codec',
    `${label} sends H.265 that no display plays as it is (B-frames, 4:2:2 or the like), and FFmpeg is not installed to convert it`,
  )

const reencoded = (of: string): PictureInfo => ({ profileLevelId: constrainedProfile, reencoding: { of } })

/** The H.265 of these parameter sets, where displays can be sent it as it is. */
function passed(sets: readonly Buffer[]): Pick<MediaInfo, 'h265'> {
  const sps = sets.find((nal) => h265Type(nal) === 33)
  const h265 = sps && readH265Format(sps)
  return h265 ? { h265 } : {}
}

const isProfile = (profile: string): boolean => /^[0-9a-f]{6}$/.test(profile) && profiles.includes(profile.slice(0, 2))

/** What displays cannot play of H.264 with these parameter sets: `4:2:2`, `10 bit`, … */
export function reasonToReencode(sets: readonly Buffer[]): string | undefined {
  const sps = sets.find((nal) => nalType(nal) === 7)
  const form = sps && readSps(sps)
  if (!form) return undefined
  if (form.chromaFormat === 2) return '4:2:2'
  if (form.chromaFormat === 3) return '4:4:4'
  if (form.bitDepth > 8) return `${form.bitDepth} bit`
  const isLarge = form.macroblocks > mostMacroblocks
  const isFast = form.macroblocks * (form.frameRate ?? 0) > mostMacroblocksASecond
  return isLarge || isFast ? 'more than 1080p at 60 Hz' : undefined
}

export interface PictureStage {
  /** What pictures come from now on; `described` is called when that changes. */
  readonly sink: Pick<SourceSink, 'video' | 'h265' | 'isH264Wanted'> & { described(info: PictureInfo): void }
  readonly label: string
  /** What decodes and encodes, where it is installed. */
  readonly ffmpeg: Ffmpeg | undefined
  /** Called once it is known that pictures come in order, which were said to hold B-frames. */
  readonly inOrder: () => void
  /** Told of what makes playing on impossible: a `SourceError`. */
  readonly fail: (error: unknown) => void
}

export interface Pictures {
  /** Takes packets in order. Throws `SourceError` for what displays cannot play without FFmpeg. */
  take(packet: Packet, isAfterGap: boolean, timeline: Timeline, now: number): void
  /** False when the pictures are passed through: the camera is not asked. */
  requestKeyFrame(): boolean
  /** Resolves when everything is freed. May be called again. */
  close(): Promise<void>
}

/** `known` is what earlier runs learned of this camera, or what its description says. Throws as `take`. */
export function openPictures(track: Track, known: PictureInfo | undefined, stage: PictureStage): Pictures {
  const convert = createConversion(stage)
  const codec = decoderOf(track)
  // H.265 is converted only for those who cannot play it.
  if (known?.reencoding && codec !== 'H265') convert.begin(known.reencoding.of, codec)
  return {
    take: takes[codec](track, convert, stage),
    requestKeyFrame: convert.requestKeyFrame,
    close: convert.close,
  }
}

const decoderOf = ({ encoding }: Track): DecodedCodec =>
  encoding === 'H265' || encoding === 'JPEG' ? encoding : 'H264'

type TakePackets = Pictures['take']

const takes: Readonly<Record<DecodedCodec, (track: Track, convert: Conversion, stage: PictureStage) => TakePackets>> = {
  H264: takeH264,
  H265: takeH265,
  JPEG: takeJpeg,
}

function takeH265(track: Track, convert: Conversion, { sink, label, ffmpeg }: PictureStage): TakePackets {
  const depacketize = createH265Depacketizer()
  const feed = ffmpeg ? createFeed(convert, () => sink.isH264Wanted?.() ?? true) : () => undefined
  let sets: readonly Buffer[] = readH265Sets(track.parameters)
  let h265: MediaInfo['h265']

  function show({ nals, timestamp }: AccessUnit, timeline: Timeline, now: number): void {
    const isKey = startsH265(nals)
    const own = nals.filter(isH265Set)
    // Those in the stream are the ones that hold, each kind for itself.
    if (isKey) sets = [...sets.filter((one) => own.every((nal) => h265Type(nal) !== h265Type(one))), ...own]
    const whole = isKey ? [...sets, ...nals.filter((nal) => !isH265Set(nal))] : nals
    const at = timeline.at(timestamp, now)
    if (isKey) {
      const info = describeH265(sets, label, ffmpeg !== undefined)
      h265 = info?.h265
      if (ffmpeg) convert.describe(h265Name, h265)
      else if (info) sink.described(info)
    }
    if (h265) sink.h265?.({ at, isKey, payloads: packetizeH265(whole) })
    feed({ data: annexB(whole), at, isKey })
  }
  return (packet, isAfterGap, timeline, now) => {
    for (const unit of depacketize(packet, isAfterGap)) show(unit, timeline, now)
  }
}

/** Pushes H.265 into the conversion while it is wanted; whoever comes first in a short group gets all of it. */
function createFeed(convert: Conversion, isWanted: () => boolean): (picture: CodedPicture) => void {
  let isFed = false
  let group: CodedPicture[] = []
  return (picture) => {
    if (!isWanted()) isFed = false
    if (isFed) return convert.push(picture)
    if (picture.isKey || group.length >= mostUndecided) group = []
    if (picture.isKey || group.length > 0) group.push(picture)
    if (!isWanted() || group.length === 0) return
    convert.begin(h265Name, 'H265')
    convert.requestKeyFrame()
    for (const kept of group) convert.push(kept)
    group = []
    isFed = true
  }
}

function takeJpeg(_track: Track, convert: Conversion): TakePackets {
  const depacketize = createJpegDepacketizer()
  return (packet, isAfterGap, timeline, now) => {
    for (const { data, timestamp } of depacketize(packet, isAfterGap))
      convert.push({ data, at: timeline.at(timestamp, now), isKey: true })
  }
}

function takeH264(track: Track, convert: Conversion, { sink, inOrder }: PictureStage): TakePackets {
  const depacketize = createH264Depacketizer()
  let sets: readonly Buffer[] = readSprop(track.parameters.get('sprop-parameter-sets'))
  let packetize = createPacketizer({ lengthSize: 4, sets })
  let isDescribed = false
  let passedAt = -Infinity
  const order = createOrderWatch(inOrder)

  function takeSets(nals: readonly Buffer[]): boolean {
    const own = nals.filter((nal) => nalType(nal) === 7 || nalType(nal) === 8)
    const profile = profileLevelId(own)
    if (profile === undefined) return true
    if (!isProfile(profile)) return false
    if (isDescribed && isSame(own, sets)) return true
    sets = own
    isDescribed = true
    packetize = createPacketizer({ lengthSize: 4, sets })
    const why = reasonToReencode(own)
    if (why !== undefined) convert.begin(why, 'H264')
    else if (!convert.isOn()) sink.described({ profileLevelId: profile })
    return true
  }
  function show({ nals, timestamp }: AccessUnit, timeline: Timeline, now: number): void {
    if (!takeSets(nals)) return
    const at = timeline.at(timestamp, now)
    const isKey = nals.some((nal) => nalType(nal) === 5)
    const picture = { at, isKey, nals: isKey ? [...sets, ...nals] : nals }
    const isWrong = order.isWrong(picture)
    if (!convert.isOn() && isWrong) {
      convert.begin(bFrames, 'H264', passedAt)
      for (const kept of order.kept()) convert.push(coded(kept))
    } else if (convert.isOn()) convert.push(coded(picture))
    else {
      passedAt = Math.max(passedAt, at)
      sink.video(packetize(withLengths(nals), at))
    }
  }
  return (packet, isAfterGap, timeline, now) => {
    for (const unit of depacketize(packet, isAfterGap)) show(unit, timeline, now)
  }
}

interface Picture {
  readonly at: number
  readonly isKey: boolean
  readonly nals: readonly Buffer[]
}

const coded = ({ at, isKey, nals }: Picture): CodedPicture => ({ at, isKey, data: annexB(nals) })

/** Watches for B-frames: pictures that are sent before others that are shown earlier, which WebRTC has no way to say. */
function createOrderWatch(inOrder: () => void) {
  let lastAt = -Infinity
  let backwards = 0
  let hasB = false
  let group: Picture[] = []
  let seen = 0
  return {
    isWrong(picture: Picture): boolean {
      const { at, isKey, nals } = picture
      hasB ||= nals.some((nal) => nalType(nal) === 1 && isBSlice(nal))
      if (at < lastAt && lastAt - at < backwardsMs) backwards += 1
      lastAt = at
      seen += 1
      if (isKey || seen >= mostUndecided) group = []
      if (seen < mostUndecided && (isKey || group.length > 0)) group.push(picture)
      if (seen === fewestInOrder && backwards === 0) inOrder()
      return backwards >= fewestBackwards || (hasB && backwards > 0)
    },
    /** The pictures since the last key frame, if they are few: with them nobody waits for the next one. */
    kept: (): readonly Picture[] => group.splice(0),
  }
}

interface Conversion {
  isOn(): boolean
  /** Says of what the pictures are made for displays, and the H.265 that some can be sent instead. */
  describe(of: string, h265: MediaInfo['h265']): void
  /** From now on what is pushed is decoded, and shown behind `afterAt`. Throws `SourceError` without FFmpeg. */
  begin(of: string, codec: DecodedCodec, afterAt?: number): void
  push(picture: CodedPicture): void
  requestKeyFrame(): boolean
  close(): Promise<void>
}

/** A smaller change of the cost is not worth a word. */
const leastChange = 10

function createConversion({ sink, label, ffmpeg, fail }: PictureStage): Conversion {
  let running: Reencoder | undefined
  let said: number | undefined
  let h265: MediaInfo['h265']
  let closing: Promise<void> | undefined
  const tell = (of: string) => {
    const reencoding = { of, ...(said !== undefined && { percent: said }) }
    sink.described({ profileLevelId: constrainedProfile, reencoding, ...(h265 && { h265 }) })
  }

  function begin(of: string, codec: DecodedCodec, afterAt = -Infinity): void {
    if (running) return
    if (!ffmpeg) throw cannotConvert(label, of)
    running = createReencoder(ffmpeg, codec, afterAt, {
      video: (unit: VideoUnit) => sink.video(unit),
      cost(percent) {
        if (said !== undefined && Math.abs(percent - said) < leastChange) return
        said = percent
        tell(of)
      },
      failed: (error) =>
        fail(new SourceError('source_garbled', `${label}: its pictures cannot be converted`, { cause: error })),
    })
    tell(of)
  }
  return {
    isOn: () => running !== undefined,
    describe(of, found) {
      h265 = found
      tell(of)
    },
    begin,
    push: (picture) => running?.push(picture),
    requestKeyFrame() {
      running?.requestKeyFrame()
      return running !== undefined
    },
    close: () => (closing ??= running?.close() ?? Promise.resolve()),
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
