/** A camera's sound for displays: passed through where it is Opus or G.711; made into Opus by FFmpeg, where that is installed. */
import { openEncoder, type CodecContext, type Ffmpeg } from '../ffmpeg.ts'
import type { AudioPacket, MediaInfo, SoundCodec } from '../media.ts'
import { createResampler } from '../resampler.ts'
import { silentCodecs } from '../silence.ts'
import { createAacDepacketizer, readAacForm } from './aac.ts'
import type { Track } from './description.ts'
import type { Packet } from './rtp.ts'

const opusRate = 48_000
const packetMs = 20
const packetSamples = (opusRate * packetMs) / 1_000
/** Further than this from the camera's time (a gap, a restart) and the output's is set anew. */
const maxDriftMs = 120

export interface Sound {
  /** The Opus packets that are complete after this packet, whose sound began at `at`. */
  convert(packet: Packet, isAfterGap: boolean, at: number): readonly AudioPacket[]
  close(): void
}

/** The codec of a track that displays can be sent as it is. */
export function codecOf({ encoding, clockRate, channels }: Track): SoundCodec | undefined {
  if (encoding === 'OPUS') return 'opus'
  return (encoding === 'PCMU' || encoding === 'PCMA') && clockRate === 8_000 && channels === 1 ? encoding : undefined
}

/** As what its sound reaches displays, by its description; `undefined` for a camera without sound. */
export function soundOf(track: Track | undefined, canEncode: boolean): Pick<MediaInfo, 'sound' | 'soundFault'> {
  if (!track) return { sound: silentCodecs }
  const codec = codecOf(track)
  if (codec === 'opus') return { sound: [codec] }
  if (codec) return { sound: canEncode ? ['opus', codec] : [codec] }
  if (canEncode && isKnown(track)) return { sound: ['opus'] }
  const why = canEncode ? 'which is not known here' : 'and FFmpeg is not installed to convert it'
  return { sound: silentCodecs, soundFault: `the camera sends its sound as ${track.encoding}, ${why}` }
}

const known: readonly string[] = ['PCMU', 'PCMA', 'L16', 'G722', 'G726-16', 'G726-24', 'G726-32', 'G726-40']

function isKnown({ encoding, parameters }: Track): boolean {
  return encoding === 'MPEG4-GENERIC' ? readAacForm(parameters).config !== undefined : known.includes(encoding)
}

/** Each RTP payload as it came. */
export function passSound(codec: SoundCodec): Sound {
  return {
    convert: ({ payload }, _gap, at) => (payload.length > 0 ? [{ at, codec, payload }] : []),
    close: () => undefined,
  }
}

interface Form {
  readonly codec: Parameters<Ffmpeg['Codec']['findDecoder']>[0]
  readonly rate: number
  readonly bitsPerSample?: number
  readonly config?: Buffer
}

/** `undefined` for an encoding that is not known. */
function formOf(ffmpeg: Ffmpeg, { encoding, clockRate, parameters }: Track): Form | undefined {
  switch (encoding) {
    case 'PCMU':
      return { codec: ffmpeg.AV_CODEC_ID_PCM_MULAW, rate: clockRate }
    case 'PCMA':
      return { codec: ffmpeg.AV_CODEC_ID_PCM_ALAW, rate: clockRate }
    case 'L16':
      return { codec: ffmpeg.AV_CODEC_ID_PCM_S16BE, rate: clockRate }
    case 'G722':
      // Its clock rate is 8000 by an old mistake that was kept (RFC 3551 section 4.5.2).
      return { codec: ffmpeg.AV_CODEC_ID_ADPCM_G722, rate: 16_000 }
    case 'G726-16':
    case 'G726-24':
    case 'G726-32':
    case 'G726-40':
      return { codec: ffmpeg.AV_CODEC_ID_ADPCM_G726LE, rate: 8_000, bitsPerSample: Number(encoding.slice(5)) / 8 }
    case 'MPEG4-GENERIC': {
      const { config } = readAacForm(parameters)
      return config && { codec: ffmpeg.AV_CODEC_ID_AAC, rate: clockRate, config }
    }
    default:
      return undefined
  }
}

/** `undefined` when this sound cannot be decoded. */
export function transcodeSound(ffmpeg: Ffmpeg, track: Track): Sound | undefined {
  const form = formOf(ffmpeg, track)
  if (!form) return undefined
  const aac = track.encoding === 'MPEG4-GENERIC' ? createAacDepacketizer(readAacForm(track.parameters)) : undefined
  const decoder = openDecoder(ffmpeg, form, track.channels)
  const encoder = openEncoder(
    ffmpeg,
    ffmpeg.FF_ENCODER_LIBOPUS,
    {
      sampleRate: opusRate,
      sampleFormat: ffmpeg.AV_SAMPLE_FMT_FLT,
      channelLayout: ffmpeg.AV_CHANNEL_LAYOUT_MONO,
      timeBase: new ffmpeg.Rational(1, opusRate),
      bitRate: 48_000n,
    },
    { frame_duration: String(packetMs), application: 'audio' },
  )
  const packet = new ffmpeg.Packet()
  const frame = new ffmpeg.Frame()
  packet.alloc()
  frame.alloc()
  const resample = createResampler(ffmpeg, opusRate)
  let samples = Buffer.alloc(0)
  // Opus packets are all of one length, so counting them keeps a steadier time than the camera's stamps do.
  let nextAt: number | undefined
  let pts = 0n

  function decode(payload: Buffer): void {
    packet.data = payload
    decoder.sendPacketSync(packet)
    packet.unref()
    while (decoder.receiveFrameSync(frame) >= 0) {
      samples = Buffer.concat([samples, resample.convert(frame)])
      frame.unref()
    }
  }
  function* encode(): Generator<Buffer> {
    const bytes = packetSamples * 4
    while (samples.length >= bytes) {
      using slice = ffmpeg.Frame.fromAudioBuffer(Buffer.from(samples.subarray(0, bytes)), {
        nbSamples: packetSamples,
        format: ffmpeg.AV_SAMPLE_FMT_FLT,
        sampleRate: opusRate,
        channelLayout: ffmpeg.AV_CHANNEL_LAYOUT_MONO,
        timeBase: { num: 1, den: opusRate },
        pts,
      })
      pts += BigInt(packetSamples)
      samples = samples.subarray(bytes)
      if (encoder.sendFrameSync(slice) < 0) return
      while (encoder.receivePacketSync(packet) >= 0) {
        if (packet.data) yield Buffer.from(packet.data)
        packet.unref()
      }
    }
  }
  return {
    convert(received, isAfterGap, at) {
      const startAt = at - (samples.length / 4 / opusRate) * 1_000
      if (nextAt === undefined || Math.abs(nextAt - startAt) > maxDriftMs) nextAt = startAt
      for (const payload of aac ? aac(received, isAfterGap) : [received.payload]) decode(payload)
      const converted: AudioPacket[] = []
      for (const payload of encode()) {
        converted.push({ at: nextAt, codec: 'opus', payload })
        nextAt += packetMs
      }
      return converted
    },
    close() {
      packet.free()
      frame.free()
      resample.close()
      decoder.freeContext()
      encoder.freeContext()
    },
  }
}

function openDecoder(ffmpeg: Ffmpeg, { codec: id, rate, bitsPerSample, config }: Form, channels: number): CodecContext {
  const codec = ffmpeg.Codec.findDecoder(id)
  const context = new ffmpeg.CodecContext()
  context.allocContext3(codec)
  context.sampleRate = rate
  context.channelLayout = channels === 2 ? ffmpeg.AV_CHANNEL_LAYOUT_STEREO : ffmpeg.AV_CHANNEL_LAYOUT_MONO
  if (bitsPerSample !== undefined) context.bitsPerCodedSample = bitsPerSample
  if (config) context.extraData = config
  ffmpeg.FFmpegError.throwIfError(context.open2Sync(codec, null), 'opening the decoder of the sound')
  return context
}
