/** Puts a camera's pictures and sound into fragments of MP4 (ISO 14496-12) as they come; nothing is decoded. */
import {
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  Mp4OutputFormat,
  NullTarget,
  Output,
} from 'mediabunny'
import { splitH264NalUnits } from 'werift'
import { annexB, profileLevelId } from '../h264.ts'
import type { AudioPacket, VideoUnit } from '../media.ts'
import { readSps } from '../sps.ts'

/** Some whole groups of pictures with their sound. */
export interface Segment {
  /** 0 is the initialization segment. */
  readonly number: number
  readonly at: number
  readonly durationMs: number
  readonly data: Buffer
}

export interface Segmenter {
  readonly startAt: number
  /** As in the `codecs` parameter of a MIME type (RFC 6381). */
  readonly codecs: string
  video(unit: VideoUnit): void
  audio(packet: AudioPacket): void
  /** Gives out what is left. Rejects when something could not be put into the file. */
  finish(): Promise<void>
}

/** Shorter groups of pictures go together: each fragment is written to the disk by itself. */
const shortestS = 1
/** Without a duration of its own, at 15 a second. */
const lastMs = 66
const opusMs = 20
/** Sound that is so far behind the pictures does not come any more. */
const lateMs = 500
/** A packet of Opus in which nothing is heard: 20 ms, CELT, no data (RFC 6716 section 3.1). */
const silence = Buffer.from([0xf8, 0xff, 0xfe])

/**
 * Begins with a key frame, whose parameter sets hold for all that comes. `onSegment` is called in order. Throws for pictures
 * whose parameter sets cannot be read.
 */
export function createSegmenter(first: VideoUnit, hasSound: boolean, onSegment: (segment: Segment) => void): Segmenter {
  const startAt = Math.round(first.at)
  const form = formOf(first)
  if (form === undefined) throw new TypeError('the key frame has no parameter sets that can be read')
  const codecs = `avc1.${form.profileLevelId}${hasSound ? ',opus' : ''}`
  const head: Uint8Array[] = []
  /** `moof` and `mdat`, once or, at the end, several times. */
  let boxes: Uint8Array[] = []
  let isEnding = false
  let number = 0
  /** Of the fragment that comes next, and of the last key frame: where that fragment ends. */
  let fromAt = startAt
  let keyAt = startAt
  const give = (data: Buffer, at: number, durationMs: number) => {
    onSegment({ number, at: Math.round(at), durationMs: Math.round(durationMs), data })
    number += 1
  }
  const giveFragment = () => {
    if (boxes.length > 0) give(Buffer.concat(boxes), fromAt, keyAt - fromAt)
    boxes = []
    fromAt = keyAt
  }

  const format = new Mp4OutputFormat({
    fastStart: 'fragmented',
    minimumFragmentDuration: shortestS,
    onFtyp: (data) => void head.push(data.slice()),
    onMoov: (data) => give(Buffer.concat([...head, data]), startAt, 0),
    onMoof: (data) => void boxes.push(data.slice()),
    onMdat(data) {
      boxes.push(data.slice())
      if (!isEnding) giveFragment()
    },
  })
  const output = new Output({ target: new NullTarget(), format })
  const pictures = new EncodedVideoPacketSource('avc')
  const sound = hasSound ? new EncodedAudioPacketSource('opus') : undefined
  output.addVideoTrack(pictures)
  if (sound) output.addAudioTrack(sound)

  // One after the other, in the order in which they came.
  let work: Promise<void> = output.start()
  const inOrder = (task: () => Promise<void>) => {
    work = work.then(task)
    // Said by `finish`; until then it is nobody's unhandled rejection.
    work.catch(() => undefined)
  }
  const seconds = (at: number) => Math.max(0, at - startAt) / 1_000

  let held: VideoUnit | undefined
  let soundAt = startAt
  const addSound = (payload: Buffer, at: number) => {
    // Never back in time, nor two at once.
    soundAt = Math.max(at, soundAt)
    const packet = new EncodedPacket(payload, 'key', seconds(soundAt), opusMs / 1_000)
    inOrder(async () => sound?.add(packet, { decoderConfig: opusConfig }))
    soundAt += opusMs
  }
  const addPicture = (unit: VideoUnit, durationMs: number) => {
    const { isKey, at } = unit
    const packet = new EncodedPacket(annexB(unit), isKey ? 'key' : 'delta', seconds(at), durationMs / 1_000)
    inOrder(async () => {
      if (isKey) keyAt = at
      await pictures.add(packet, { decoderConfig: form.config })
    })
    const missing = sound ? Math.ceil((at - lateMs - soundAt) / opusMs) : 0
    for (let count = 0; count < missing; count += 1) addSound(silence, soundAt)
  }

  return {
    startAt,
    codecs,
    video(unit) {
      const next = held ? Math.max(unit.at, held.at + 1) : unit.at
      if (held) addPicture(held, next - held.at)
      held = next === unit.at ? unit : { ...unit, at: next }
    },
    audio({ codec, payload, at }) {
      if (codec === 'opus' && at >= startAt - opusMs) addSound(payload, at)
    },
    async finish() {
      const last = held
      held = undefined
      if (last) addPicture(last, lastMs)
      inOrder(async () => {
        keyAt = Math.max(keyAt, (last?.at ?? startAt) + lastMs)
        // What sounds on after the last picture would be a fragment of its own.
        isEnding = true
        await output.finalize()
        giveFragment()
      })
      await work
    },
  }
}

const opusConfig = { codec: 'opus', sampleRate: 48_000, numberOfChannels: 2 }

/** What the sequence parameter set of a key frame says; a recording lasts while it stays the same. */
export function formOf(key: VideoUnit) {
  const nals = splitH264NalUnits(annexB(key), undefined, 'annexb')
  const set = nals.find((nal) => ((nal[0] ?? 0) & 0x1f) === 7)
  const form = set && readSps(set)
  const level = profileLevelId(nals)
  if (set === undefined || form === undefined || level === undefined) return undefined
  const { width, height } = form
  const config = { codec: `avc1.${level}`, codedWidth: width, codedHeight: height }
  return { profileLevelId: level, config, set: set.toString('base64') }
}
