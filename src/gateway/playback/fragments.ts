/** Reads recorded fragments from the bridge, and takes them apart into what displays are sent. */
import { BufferSource, EncodedPacketSink, Input, MP4, type InputAudioTrack, type InputVideoTrack } from 'mediabunny'
import { boundedFetch } from 'transom-core/fetch'
import { fragmentHeaders } from 'transom-core/wire/playback'
import { createPacketizer, profileLevelId, readParameterSets } from '../h264.ts'
import { silentCodecs } from '../silence.ts'
import type { MediaInfo } from '../media.ts'
import type { Part, PartItem } from './playback.ts'

/** A part, and what it is made of. */
export interface ReadPart extends Part {
  readonly info: MediaInfo
}

const readMs = 5_000
/** As much as the bridge keeps of one fragment, and its initialization segment. */
const mostBytes = 33 * 1_024 * 1_024

/**
 * Reads from `…/playback/<viewerId>/fragment`: gives the part with the picture of an instant, or the first one after it;
 * `undefined` where there is none. Rejects where the bridge refuses it, or it cannot be read.
 */
export function createFragmentReader({
  url,
  key,
}: {
  readonly url: string
  readonly key: string
}): (at: number, signal: AbortSignal) => Promise<ReadPart | undefined> {
  const send = boundedFetch({ ms: readMs, maxBytes: mostBytes })
  return async (at, signal) => {
    const reply = await send(`${url}?at=${Math.round(at)}`, { headers: { authorization: `Bearer ${key}` }, signal })
    if (reply.status === 204) return undefined
    if (!reply.ok) throw new Error(`the bridge answered ${reply.status}`)
    const startAt = Number(reply.headers.get(fragmentHeaders.recording))
    const until = Number(reply.headers.get(fragmentHeaders.until))
    return readPart(Buffer.from(await reply.arrayBuffer()), startAt, until)
  }
}

/** `mp4`: initialization segment and fragment. `startAt`: of the recording, from which its media is timed. Throws a `TypeError`. */
export async function readPart(mp4: Buffer, startAt: number, until: number): Promise<ReadPart> {
  using input = new Input({ formats: [MP4], source: new BufferSource(mp4) })
  const [pictures, sound] = await Promise.all([input.getPrimaryVideoTrack(), input.getPrimaryAudioTrack()])
  const opus = sound?.codec === 'opus' ? sound : undefined
  if (pictures === null) throw new TypeError('the recording has no pictures')
  const { items: video, profile } = await picturesOf(pictures, startAt)
  const items = [...video, ...(opus ? await soundOf(opus, startAt) : [])].toSorted(
    (one, other) => atOf(one) - atOf(other),
  )
  const info = { profileLevelId: profile, hasSpeaker: false, sound: opus ? (['opus'] as const) : silentCodecs }
  const [first] = video
  if (first === undefined) throw new TypeError('the fragment has no picture')
  return { from: atOf(first), to: Math.max(until, atOf(first) + 1), items, info }
}

/** The instant of the recording at which it is shown or heard. */
const atOf = (item: PartItem): number => (item.kind === 'video' ? item.unit : item.packet).at

async function picturesOf(track: InputVideoTrack, startAt: number) {
  const { description } = (await track.getDecoderConfig()) ?? {}
  if (track.codec !== 'avc' || description === undefined) throw new TypeError('the recording is no H.264')
  const sets = readParameterSets(toBuffer(description))
  const packetize = createPacketizer(sets)
  const items: Extract<PartItem, { readonly kind: 'video' }>[] = []
  for await (const { data, timestamp } of new EncodedPacketSink(track).packets()) {
    const sample = Buffer.from(data)
    const unit = packetize(sample, startAt + timestamp * 1_000)
    items.push({ kind: 'video', unit: { ...unit, isDisposable: isDisposable(sample, sets.lengthSize ?? 4) } })
  }
  return { items, profile: profileLevelId(sets.sets) ?? '42e01f' }
}

async function soundOf(track: InputAudioTrack, startAt: number): Promise<readonly PartItem[]> {
  const items: PartItem[] = []
  for await (const { data, timestamp } of new EncodedPacketSink(track).packets())
    items.push({
      kind: 'audio',
      packet: { at: startAt + timestamp * 1_000, codec: 'opus', payload: Buffer.from(data) },
    })
  return items
}

/** Whether no slice of it is referred to: `nal_ref_idc` (H.264 section 7.4.1). */
function isDisposable(sample: Buffer, lengthSize: number): boolean {
  for (let start = 0; start + lengthSize < sample.length;) {
    const head = sample[start + lengthSize] ?? 0
    const type = head & 0x1f
    if (type >= 1 && type <= 5) return (head & 0x60) === 0
    start += lengthSize + sample.readUIntBE(start, lengthSize)
  }
  return false
}

const toBuffer = (data: ArrayBufferLike | ArrayBufferView): Buffer =>
  ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data)
