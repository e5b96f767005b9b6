/**
 * The master that plays recordings: one more place on a channel, as a camera has one. A viewer there is asked for at the bridge,
 * which knows what it may see; what it is sent comes from a reader of its own.
 */
import type { RTCDataChannel } from 'werift'
import type { Clock, Log } from 'transom-core/ports'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import { playbackCommand, playbackLabel, recordedSpan, type PlaybackState } from 'transom-core/wire/playback'
import { boundedFetch } from 'transom-core/fetch'
import { openKvs, type KvsAccess } from 'transom-kvs/access'
import type { Audience, Call } from '../audience.ts'
import { createServerMemory } from '../ice-servers.ts'
import { keepMaster } from '../master.ts'
import { createReporter } from '../report.ts'
import { withSilence } from '../silence.ts'
import { openViewer, type ViewedSource, type Viewer } from '../viewer.ts'
import { causeOf, type Cause } from '../viewing.ts'
import type { ReadPart } from './fragments.ts'
import { createPlayback } from './playback.ts'

/** Where the master connects, and where it asks. */
export interface RecordingPlayerOptions {
  readonly access: KvsAccess
  readonly channelName: string
  /** `…/gateway/playback`: what viewers may see, and where reports of them go. */
  readonly url: string
  /** The gateway's key. */
  readonly key: string
  /** As many viewers as its channel takes, default 10. */
  readonly maxViewers?: number
  readonly clock: Clock
  readonly log: Log
}

/** A running master for recordings. */
export interface RecordingPlayer {
  /** Hangs up on everybody; may be called again. */
  close(): Promise<void>
}

/** As many as KVS lets connect to a channel. */
const defaultViewers = 10
const askMs = 3_000
const reportEachMs = 10_000

/** Starts the master. It is on its channel until `close`. */
export function startRecordingPlayer(options: RecordingPlayerOptions): RecordingPlayer {
  const { access, channelName, log } = options
  const kvs = openKvs(access)
  const life = new AbortController()
  const viewers = createViewers(options, life.signal)
  // There is always something to be had: what a viewer may see of it is found out with its offer.
  const info = { profileLevelId: '42e01f', hasSpeaker: false, sound: [] }
  const source = {
    state: () => ({ kind: 'good', info }) as const,
    fault: () => undefined,
    changed: (_from: unknown, signal: AbortSignal) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  }
  const online = keepMaster(
    { kvs, channelName, source, audience: viewers, relay: undefined, onTried: () => {}, log },
    life.signal,
  )
  return {
    async close() {
      life.abort()
      await Promise.all([viewers.close(), online])
      kvs.close()
    },
  }
}

interface Viewers extends Pick<Audience, 'receive' | 'addCandidate'> {
  close(): Promise<void>
}

/** One that is being looked up, or is there. */
interface Place {
  readonly life: AbortController
  viewer?: Viewer
  /** Those that came before there was a viewer to take them. */
  readonly early: Parameters<Viewer['addCandidate']>[]
}

function createViewers(options: RecordingPlayerOptions, life: AbortSignal): Viewers {
  const { maxViewers = defaultViewers, url, key, clock, log } = options
  const memory = createServerMemory(log, () => {})
  const places = new Map<string, Place>()

  async function open(call: Call, place: Place, report: (event: CameraEvent) => Promise<boolean>): Promise<void> {
    const { viewerId } = call
    const signal = AbortSignal.any([life, place.life.signal])
    const view = { url: `${url}/${viewerId}`, key }
    // What takes recordings apart is loaded with the first view of one.
    const { createFragmentReader } = await import('./fragments.ts')
    const [span, read] = [await fetchSpan(view, signal), createFragmentReader({ ...view, url: `${view.url}/fragment` })]
    const first = await read(span.from, signal)
    signal.throwIfAborted()
    if (first === undefined) throw new Error('nothing was recorded from there on')
    const { source, onChannel } = createRecordedSource({ span, read, first, log })
    const onGone = () => {
      if (places.get(viewerId) === place) places.delete(viewerId)
    }
    const viewer = openViewer({
      ...call,
      media: first.info,
      source,
      onChannel,
      hasDecoder: false,
      memory,
      relay: undefined,
      report,
      reportEachMs,
      onGone,
      clock,
      log,
    })
    place.viewer = viewer
    for (const candidate of place.early) viewer.addCandidate(...candidate)
  }

  return {
    receive(call) {
      const { viewerId } = call
      const report = createReporter({ url: `${url}/${viewerId}/events`, key, clock, log, signal: life })
      const refuse = (state: 'busy' | 'failed', cause?: Cause) =>
        void report({ kind: 'viewer', viewerId, state, ...(cause && { cause }), at: Math.round(clock()) })
      if (places.size >= maxViewers) {
        log('warn', 'gateway.viewer-ignored', { viewerId, error: `${maxViewers} recordings are played already` })
        refuse('busy')
        return () => {}
      }
      const place: Place = { life: new AbortController(), early: [] }
      places.set(viewerId, place)
      open(call, place, report).catch((error: unknown) => {
        places.delete(viewerId)
        if (life.aborted || place.life.signal.aborted) return
        const message = error instanceof Error ? error.message : String(error)
        log('warn', 'gateway.viewer-refused', { viewerId, error: message })
        refuse('failed', causeOf('source_stopped', `the recording cannot be played: ${message}`))
      })
      return (cause) => place.viewer?.fail(cause)
    },
    addCandidate(viewerId, ...candidate) {
      const place = places.get(viewerId)
      if (place?.viewer) place.viewer.addCandidate(...candidate)
      else place?.early.push(candidate)
    },
    async close() {
      const all = [...places.values()]
      for (const { life: one } of all) one.abort()
      await Promise.all(all.map(async ({ viewer }) => viewer?.close('the player is stopped')))
    },
  }
}

/** What this viewer is to see. Throws where the bridge knows no such viewer. */
async function fetchSpan({ url, key }: { readonly url: string; readonly key: string }, signal: AbortSignal) {
  const reply = await boundedFetch({ ms: askMs })(url, { headers: { authorization: `Bearer ${key}` }, signal })
  if (!reply.ok) throw new Error(`the bridge answered ${reply.status}`)
  return recordedSpan.parse(await reply.json())
}

interface Recorded {
  readonly span: { readonly from: number; readonly to?: number }
  readonly read: (at: number, signal: AbortSignal) => Promise<ReadPart | undefined>
  /** The part with which it begins. */
  readonly first: ReadPart
  readonly log: Log
}

/** A recording as the source of one viewer, which commands it by a data channel. */
function createRecordedSource({ span, read, first, log }: Recorded) {
  let channel: RTCDataChannel | undefined
  let latest: PlaybackState | undefined
  const send = () => {
    if (latest && channel?.readyState === 'open') channel.send(JSON.stringify(latest))
  }
  const playback = createPlayback({
    span,
    read: async (at, signal) => (at === span.from ? first : read(at, signal)),
    tell(state) {
      latest = state
      send()
    },
    onFault: (error) => log('warn', 'gateway.playback-failed', { error }),
  })
  const source: ViewedSource = {
    state: () => ({ kind: 'good', info: first.info }),
    fault: () => undefined,
    join: (sink) => playback.join(first.info.sound.includes('PCMU') ? withSilence(sink) : sink),
    requestKeyFrame: playback.requestKeyFrame,
    recent: () => [],
    createEar: () => Promise.reject(new Error('a recording hears nobody')),
  }
  return {
    source,
    onChannel(opened: RTCDataChannel) {
      if (opened.label !== playbackLabel) return
      channel = opened
      opened.onMessage.subscribe((message) => {
        const command = playbackCommand.safeParse(parse(message))
        if (command.success) playback.follow(command.data)
      })
      opened.stateChanged.subscribe(send)
      send()
    },
  }
}

function parse(message: string | Buffer): unknown {
  try {
    return JSON.parse(message.toString())
  } catch {
    return undefined
  }
}
