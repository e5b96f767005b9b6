/** The loudspeaker of a camera by ONVIF's back channel (Streaming Specification section 5.3): RTP the other way. */
import { randomInt } from 'node:crypto'
import { packetMs } from '../listener.ts'
import { SourceError } from '../media.ts'
import type { Line, Speaker } from '../talk/speaker.ts'
import { openSpeechEncoder, type SpeechForm } from '../talk/speech.ts'
import { readAacForm } from './aac.ts'
import type { Client } from './client.ts'
import type { Track } from './description.ts'
import { writePacket } from './rtp.ts'

/** In what speech is encoded for this track; `undefined` when it is no back channel, or one in a codec that is not known. */
export function speechOf({ isBackChannel, encoding, clockRate, parameters }: Track): SpeechForm | undefined {
  if (!isBackChannel) return undefined
  if ((encoding === 'PCMU' || encoding === 'PCMA') && clockRate === 8_000) return { codec: encoding }
  const bits = /^G726-(16|24|32|40)$/.exec(encoding)?.[1]
  if (bits !== undefined && clockRate === 8_000) return { codec: 'G726', bitsPerSample: Number(bits) / 8 }
  const isAac = encoding === 'MPEG4-GENERIC' && clockRate % 8_000 === 0 && readAacForm(parameters).sizeLength === 13
  return isAac ? { codec: 'AAC', sampleRate: clockRate } : undefined
}

/** The back channel to use, those that need no FFmpeg first. */
export const pickBackChannel = (tracks: readonly Track[]): Track | undefined =>
  tracks.filter((track) => speechOf(track)).toSorted((one, other) => cost(one) - cost(other))[0]

const cost = ({ encoding }: Track): number => (encoding.startsWith('PCM') ? 0 : 1)

/** `open` connects to the camera. */
export function createRtspSpeaker(open: (signal: AbortSignal) => Promise<Client>): Speaker {
  return {
    async open(signal) {
      const client = await open(signal)
      try {
        return await openLine(client)
      } catch (error) {
        await client.close()
        throw error
      }
    },
  }
}

async function openLine(client: Client): Promise<Line> {
  const track = pickBackChannel(client.description.tracks)
  const form = track && speechOf(track)
  if (!track || !form)
    throw new SourceError('source_garbled', 'the camera offers no back channel: nothing can be played there')
  const channel = (await client.play([track], { rtp: () => undefined, rtcp: () => undefined })).get(track)
  const encoder = await openSpeechEncoder(form)
  const ssrc = randomInt(1, 0xffff_ffff)
  let sequenceNumber = randomInt(0x1_0000)
  let next: { readonly slot: number; timestamp: number } | undefined
  let closing: Promise<void> | undefined

  async function end(): Promise<void> {
    encoder.close()
    await client.close()
  }
  return {
    play(samples, slot) {
      if (closing || !channel) return false
      // A marker begins a talkspurt (RFC 3551 section 4.1).
      const isFirst = next?.slot !== slot
      let timestamp = isFirst || !next ? (slot * packetMs * track.clockRate) / 1_000 : next.timestamp
      let isAccepted = true
      for (const [index, frame] of encoder.encode(samples).entries()) {
        const head = { payloadType: track.payloadType, marker: isFirst && index === 0, sequenceNumber, timestamp, ssrc }
        sequenceNumber = (sequenceNumber + 1) & 0xffff
        timestamp += form.codec === 'AAC' ? aacSamples : samples.length
        isAccepted &&= channel.sendRtp(writePacket(head, form.codec === 'AAC' ? withHeader(frame) : frame))
      }
      next = { slot: slot + 1, timestamp }
      return isAccepted
    },
    ended: client.ended,
    close: () => (closing ??= end()),
  }
}

const aacSamples = 1_024

/** One access unit with its header: 13 bits of size, 3 of index (RFC 3640 section 3.3.6, mode AAC-hbr). */
function withHeader(frame: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(16, 0)
  head.writeUInt16BE(frame.length << 3, 2)
  return Buffer.concat([head, frame])
}
