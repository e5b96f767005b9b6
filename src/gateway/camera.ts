/** A camera master on a KVS signaling channel: its source, its place on the channel, its viewers and what the bridge is told. */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { RTCDtlsTransport } from 'werift'
import type { Clock, Log } from 'transom-core/ports'
import type { PlayedTone } from 'transom-core/wire/source'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import type { RecordWish } from 'transom-core/wire/gateway'
import { openKvs, type KvsAccess } from 'transom-kvs/access'
import { createAudience } from './audience.ts'
import { hasFfmpeg } from './ffmpeg.ts'
import { createServerMemory } from './ice-servers.ts'
import { keepMaster } from './master.ts'
import { createOnvifCamera, withOnvif, type OnvifCamera, type OnvifOptions } from './onvif/camera.ts'
import { createPatience } from './patience.ts'
import type { PictureMemory } from './picture-memory.ts'
import { createRelayAtHand } from './relay-at-hand.ts'
import { createSource, shareSource, type SharedSource } from './source.ts'
import { keepReporting, reportSource } from './source-report.ts'
import type { RecordingPlace } from './record/recorder.ts'
import { createRecording } from './record/recording.ts'
import { startStills, toStill } from './still.ts'
import { createTrust, type Trust } from './trust.ts'

/** How long the camera may take to leave its channel when it stops. */
const leaveMs = 1_000
/** After a ring the displays ask for the picture within seconds. */
const warmMs = 30_000
const mostOwnPresses = 20

/** Where the master connects, what it shows, and whom it tells of presses and viewers. */
export interface CameraOptions {
  readonly access: KvsAccess
  readonly channelName: string
  /** `synthetic`, the path of a media file, or `rtsp://…`. */
  readonly source: string
  /** Where the camera may be, and which certificates it may show; by default anywhere, and the first one while this runs. */
  readonly trust?: Trust
  /** Where it speaks ONVIF, by the same user: what it notices is reported, and its own still pictures are left. */
  readonly onvif?: { readonly address: string; readonly isDoorbell: boolean }
  /** Told of presses and of how viewers fare; true ends the viewer, a rejection is logged. */
  readonly report: (event: CameraEvent) => Promise<boolean>
  /** How often it is told of a viewer that is connected, default 10,000. */
  readonly reportEachMs?: number
  /** Takes a still picture (JPEG) of the stream: at the start, each minute, and when somebody rings. */
  readonly leaveStill?: (jpeg: Buffer) => Promise<void>
  /** Where what is recorded of it is kept; absent: nothing is recorded. */
  readonly recordings?: RecordingPlace
  /** Keeps its latest pictures, shared with the other cameras of the gateway; by default it has one for itself. */
  readonly pictures?: PictureMemory
  /** As many viewers as its channel takes, default 10. */
  readonly maxViewers?: number
  /** Keeps one TURN allocation while it is online, where it has a TURN server; default false. */
  readonly hasRelayAtHand?: boolean
  readonly clock: Clock
  readonly log: Log
}

/** A running camera master, as `startCamera` gives it. */
export interface CameraMaster {
  /** Viewers that are connected or on their way. */
  viewers(): number
  /** Somebody rings at the camera itself: reports it, and does what `rang` does. */
  press(): void
  /**
   * Somebody rang, and the bridge knows: takes a still picture, and runs the source ahead of the displays. Does nothing where
   * the camera itself reported this event, since it did so then.
   */
  rang(eventId?: string): void
  /** Plays a tone at its loudspeaker. Throws `SourceError`. */
  playTone(signal: AbortSignal): Promise<PlayedTone>
  /** What is recorded of it from now on; nothing until this is called. */
  record(wish: RecordWish | undefined): void
  /** Something happened there: it is recorded, where that is wished. */
  happened(): void
  /** Reports again how its source fares, to a bridge that may not have heard. */
  reportSource(): void
  /** Hangs up on everybody and frees everything; may be called again. */
  close(): Promise<void>
}

/**
 * Starts a camera. It is on its channel while its source delivers pictures or would at once, and says why it is not; what
 * cannot be reached is tried again in the background. Resolves when it is on its channel or has failed to get there once; a
 * network camera, which may be slow, is not waited for. Never rejects for what the source does.
 */
export async function startCamera(options: CameraOptions): Promise<CameraMaster> {
  const { channelName, clock, leaveStill, recordings, maxViewers, reportEachMs, hasRelayAtHand = false } = options
  const log: Log = (level, event, fields) => options.log(level, event, Object.assign({ channelName }, fields))
  const trust = options.trust ?? createTrust()
  const patience = createPatience()
  const onvif = openOnvif(options, { trust, patience, log })
  const given = createSource(options.source, channelName, clock, log, trust, patience)
  const source = shareSource(withOnvif(given, onvif), log, options.pictures)
  const kvs = openKvs(options.access)
  const life = new AbortController()
  const { signal } = life
  // Made once per process and shared by all connections; made now, it does not delay the first answer.
  await RTCDtlsTransport.SetupCertificate()
  const report = createReport(options.report, log)
  const memory = createServerMemory(log, () => reportSource(reporting))
  const reporting = { source, memory, eventsFault: () => onvif?.eventsFault(), report, clock }
  const hasDecoder = await hasFfmpeg()
  const relay = hasRelayAtHand ? createRelayAtHand(log) : undefined
  const audience = createAudience({ source, hasDecoder, memory, relay, report, maxViewers, reportEachMs, clock, log })
  const { promise: tried, resolve: onTried } = Promise.withResolvers<void>()
  const online = Promise.all([
    keepMaster({ kvs, channelName, source, audience, relay, onTried, log }, signal),
    keepReporting(reporting, signal),
  ])
  if (given.checkEachMs === undefined) await tried
  const stills = leaveStill && startStills({ source, leave: leaveStill, log })
  const recording =
    recordings && createRecording({ source, place: recordings, ...(hasDecoder && { toStill }), clock, log })
  const ring = () => {
    source.warm(warmMs)
    stills?.take()
  }
  /** Its latest own presses: the bridge tells of them as of any other. */
  let ownPresses: readonly string[] = []
  const happened = (event: CameraEvent) => {
    void report(event)
    if (event.kind !== 'press') return
    ownPresses = [...ownPresses, event.eventId].slice(-mostOwnPresses)
    ring()
  }
  const watching = onvif?.watch(
    {
      report: happened,
      onFault: () => reportSource(reporting),
      whenWelcome: (bounds) => untilWelcome(source, bounds),
    },
    signal,
  )
  async function shutDown(): Promise<void> {
    life.abort()
    await Promise.all([
      audience.close(),
      Promise.race([
        Promise.all([online, watching, stills?.close(), recording?.close(), relay?.close()]),
        rest(leaveMs),
      ]),
    ])
    await source.close()
    kvs.close()
  }
  let closing: Promise<void> | undefined
  return {
    viewers: audience.size,
    press: () => happened({ kind: 'press', eventId: randomUUID(), at: Math.round(clock()) }),
    rang: (eventId) => (eventId !== undefined && ownPresses.includes(eventId) ? undefined : ring()),
    playTone: source.playTone,
    record: (wish) => recording?.set(wish),
    happened: () => recording?.happened(),
    reportSource: () => reportSource(reporting),
    close: () => (closing ??= shutDown()),
  }
}

/** An address that cannot be read is the stream's fault, and is reported as that. */
function openOnvif(
  { onvif, source, clock }: CameraOptions,
  shared: Pick<OnvifOptions, 'trust' | 'patience' | 'log'>,
): OnvifCamera | undefined {
  try {
    return onvif && createOnvifCamera({ ...onvif, ...shared, source, clock })
  } catch {
    return undefined
  }
}

/** While the stream refuses the password its events are not asked for: each question is one more try that locks the account. */
async function untilWelcome(source: SharedSource, signal: AbortSignal): Promise<void> {
  const isUnwelcome = () => source.state() === undefined || source.fault()?.code === 'source_password'
  while (isUnwelcome() && !signal.aborted) await source.changed(source.state(), signal)
}

const rest = (ms: number): Promise<void> => wait(ms, undefined, { ref: false })

/** Never rejects: a report that fails is logged, and ends no viewer. */
const createReport =
  (report: CameraOptions['report'], log: Log) =>
  (event: CameraEvent): Promise<boolean> =>
    report(event).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error)
      log('warn', 'gateway.report-failed', { kind: event.kind, error: message })
      return false
    })
