/** A media file as a source. */
import { basename } from 'node:path'
import type { Clock, Log } from 'transom-core/ports'
import { openInput, type Input, type InputItem, type InputPlace } from './input.ts'
import { pause } from 'transom-core/deadline'
import { silentCodecs, withSilence } from './silence.ts'
import { createSteadyClock, SourceError, type MediaInfo, type MediaSink, type MediaSource } from './media.ts'

/** A media file, played again and again as if it happened now. */
export function createFileSource(path: string, clock: Clock, log: Log): MediaSource {
  const place = { url: path, label: basename(path) }
  return {
    describe: (signal) => describe(place, log, signal),
    requestKeyFrame: () => false,
    close: async () => {},
    async run(sink, signal) {
      const now = createSteadyClock(clock)
      let startAt = now()
      while (!signal.aborted) {
        const endAt = await withInput(place, signal, (input) => playFile(input, sink, { now, startAt }, signal))
        if (!signal.aborted && endAt <= startAt) throw new SourceError('source_garbled', `${place.label} plays nothing`)
        // The next round begins where this one ended, whatever time opening the file took.
        startAt = endAt
      }
    },
  }
}

async function describe(place: InputPlace, log: Log, signal: AbortSignal): Promise<MediaInfo> {
  const input = await openInput(place, true, signal)
  try {
    if (input.hasBFrames) log('warn', 'gateway.source-has-b-frames', { source: place.label })
    if (input.soundError) log('warn', 'gateway.source-without-sound', { source: place.label, error: input.soundError })
    const { profileLevelId, hasSound, soundError } = input
    return {
      profileLevelId,
      hasSpeaker: false,
      sound: hasSound ? ['opus'] : silentCodecs,
      ...(soundError && { soundFault: `the sound of ${place.label} cannot be used: ${soundError}` }),
    }
  } finally {
    await input.close()
  }
}

async function withInput<T>(place: InputPlace, signal: AbortSignal, use: (input: Input) => Promise<T>): Promise<T> {
  const input = await openInput(place, false, signal)
  try {
    return await use(input)
  } finally {
    await input.close()
  }
}

/** Plays a file once, each packet at its time; returns when its last one ends. */
async function playFile(
  input: Input,
  sink: MediaSink,
  { now, startAt }: { now: Clock; startAt: number },
  signal: AbortSignal,
): Promise<number> {
  let offset: number | undefined
  let endAt = startAt
  const heard = input.hasSound ? sink : withSilence(sink)
  for await (const item of input.items()) {
    offset ??= startAt - item.decodeAt
    const earlyMs = item.decodeAt + offset - now()
    if (earlyMs > 0) await pause(earlyMs, signal)
    if (signal.aborted) break
    deliver(item, offset, heard)
    endAt = Math.max(endAt, item.endAt + offset)
  }
  return endAt
}

function deliver(item: InputItem, offset: number, sink: MediaSink): void {
  if (item.kind === 'video') sink.video({ ...item.unit, at: item.unit.at + offset })
  else sink.audio({ ...item.packet, at: item.packet.at + offset })
}
