/** Makes one MP4 of recorded fragments: not fragmented, its index in front, so that every player takes it. Nothing is encoded anew. */
import {
  BufferSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  MP4,
  Mp4OutputFormat,
  Output,
  type InputAudioTrack,
  type InputVideoTrack,
} from 'mediabunny'

/** One recording, or a part of it: its initialization segment and fragments. */
export interface Stretch {
  readonly init: Buffer
  readonly fragments: readonly Buffer[]
}

/**
 * The stretches one after the other, each from where the one before it ends. All have the same tracks and codecs as the
 * first. Throws for what is no MP4. `isSilent`: pictures alone.
 */
export async function toMp4(
  stretches: readonly Stretch[],
  { isSilent = false }: { readonly isSilent?: boolean } = {},
): Promise<Buffer> {
  const inputs = await Promise.all(stretches.map(openStretch))
  const [first] = inputs
  if (first === undefined) throw new TypeError('there is nothing to put into the file')
  const target = new BufferTarget()
  const output = new Output({ target, format: new Mp4OutputFormat({ fastStart: 'in-memory' }) })
  const video = await videoOf(first.video)
  const audio = first.audio && !isSilent ? await audioOf(first.audio) : undefined
  output.addVideoTrack(video.source)
  if (audio) output.addAudioTrack(audio.source)
  await output.start()
  let startS = 0
  for (const { video: pictures, audio: sound } of inputs) {
    const beginS = await pictures.getFirstTimestamp()
    const shiftS = startS - beginS
    await Promise.all([
      video.copy(pictures, shiftS),
      // Sound from before the first picture has no place in the file.
      sound && audio?.copy(sound, shiftS),
    ])
    startS += (await pictures.computeDuration()) - beginS
  }
  await output.finalize()
  if (target.buffer === null) throw new Error('the file was not written')
  return Buffer.from(target.buffer)
}

async function openStretch({ init, fragments }: Stretch) {
  const input = new Input({ formats: [MP4], source: new BufferSource(Buffer.concat([init, ...fragments])) })
  const [video, audio] = await Promise.all([input.getPrimaryVideoTrack(), input.getPrimaryAudioTrack()])
  if (video === null) throw new TypeError('the recording has no pictures')
  return { video, ...(audio !== null && { audio }) }
}

async function videoOf(track: InputVideoTrack) {
  const { codec } = track
  const decoderConfig = await track.getDecoderConfig()
  if (codec === null || decoderConfig === null) throw new TypeError('the pictures have an unknown codec')
  const source = new EncodedVideoPacketSource(codec)
  return {
    source,
    async copy(from: InputVideoTrack, shiftS: number): Promise<void> {
      for await (const packet of new EncodedPacketSink(from).packets())
        await source.add(packet.clone({ timestamp: packet.timestamp + shiftS }), { decoderConfig })
    },
  }
}

async function audioOf(track: InputAudioTrack) {
  const { codec } = track
  const decoderConfig = await track.getDecoderConfig()
  if (codec === null || decoderConfig === null) throw new TypeError('the sound has an unknown codec')
  const source = new EncodedAudioPacketSource(codec)
  return {
    source,
    async copy(from: InputAudioTrack, shiftS: number): Promise<void> {
      for await (const packet of new EncodedPacketSink(from).packets()) {
        const timestamp = packet.timestamp + shiftS
        if (timestamp >= 0) await source.add(packet.clone({ timestamp }), { decoderConfig })
      }
    },
  }
}
