/** A media file, or an `rtsp://` camera, as a source: both are read the same way and differ in their clock and in how they go on. */
import { setTimeout as wait } from 'node:timers/promises'
import { basename } from 'node:path'
import type { Clock, Log } from '../ports.ts'
import { openInput, type Input, type InputItem, type InputPlace } from './input.ts'
import { withSilence } from './silence.ts'
import { createSteadyClock, SourceError, type MediaInfo, type MediaSink, type MediaSource } from './media.ts'

const rtspTimeoutMs = 5_000
const firstRetryMs = 500
const lastRetryMs = 10_000

/** A media file, played again and again as if it happened now. */
export function createFileSource(path: string, clock: Clock, log: Log): MediaSource {
  const place = { url: path, label: basename(path), isLive: false, options: {} }
  return {
    describe: (signal) => describe(place, log, signal),
    requestKeyFrame: () => false,
    async run(sink, signal) {
      const now = createSteadyClock(clock)
      let startAt = now()
      while (!signal.aborted) {
        const endAt = await withInput(place, signal, (input) => playFile(input, sink, { now, startAt }, signal))
        if (!signal.aborted && endAt <= startAt) throw new SourceError(`${place.label} plays nothing`, true)
        // The next round begins where this one ended, whatever time opening the file took.
        startAt = endAt
      }
    },
  }
}

/** A network camera over RTSP (interleaved in TCP); when it goes away it is called again, less and less often. */
export function createRtspSource(url: string, clock: Clock, log: Log): MediaSource {
  const place = rtspPlace(url)
  return {
    describe: (signal) => describe(place, log, signal),
    requestKeyFrame: () => false,
    async run(sink, signal) {
      const now = createSteadyClock(clock)
      let retryMs = firstRetryMs
      while (!signal.aborted) {
        try {
          await withInput(place, signal, (input) =>
            playLive(input, sink, now, () => {
              retryMs = firstRetryMs
            }),
          )
        } catch (error) {
          if (signal.aborted) return
          log('warn', 'source-lost', { source: place.label, message: String(error), retryMs })
        }
        await pause(retryMs * (0.8 + 0.4 * Math.random()), signal)
        retryMs = Math.min(retryMs * 2, lastRetryMs)
      }
    },
  }
}

/** Only host and port of the URL are shown: user, password, and often the path and query, are secrets. */
function rtspPlace(url: string): InputPlace {
  // Not `new URL`: its error carries the whole input, password and all.
  const host = URL.parse(url)?.host
  if (!host) throw new SourceError('the URL of the RTSP camera cannot be read', true)
  return {
    url,
    label: `rtsp://${host}`,
    isLive: true,
    options: {
      rtsp_transport: 'tcp',
      timeout: String(rtspTimeoutMs * 1_000),
      analyzeduration: '1500000',
    },
  }
}

async function describe(place: InputPlace, log: Log, signal: AbortSignal): Promise<MediaInfo> {
  const input = await openInput(place, true, signal)
  try {
    if (input.hasBFrames) log('warn', 'source-has-b-frames', { source: place.label })
    if (input.soundError) log('warn', 'source-without-sound', { source: place.label, message: input.soundError })
    return { profileLevelId: input.profileLevelId }
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
    await pause(item.decodeAt + offset - now(), signal)
    if (signal.aborted) break
    deliver(item, offset, heard)
    endAt = Math.max(endAt, item.endAt + offset)
  }
  return endAt
}

async function playLive(input: Input, sink: MediaSink, now: Clock, onKeyFrame: () => void): Promise<void> {
  let offset: number | undefined
  let pictureAt = now()
  const heard = input.hasSound ? sink : withSilence(sink)
  for await (const item of input.items()) {
    offset ??= now() - item.decodeAt
    if (item.kind === 'video') pictureAt = now()
    // Some cameras go on talking after their eye has frozen; calling again mends it.
    else if (now() - pictureAt > rtspTimeoutMs) throw new SourceError('it sends no pictures any more', false)
    if (item.kind === 'video' && item.unit.isKey) onKeyFrame()
    deliver(item, offset, heard)
  }
}

function deliver(item: InputItem, offset: number, sink: MediaSink): void {
  if (item.kind === 'video') sink.video({ ...item.unit, at: item.unit.at + offset })
  else sink.audio({ ...item.packet, at: item.packet.at + offset })
}

/** Waits, or less when the signal aborts; never throws. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return
  await wait(ms, undefined, { signal }).catch(() => undefined)
}
