/** A camera master on a KVS signaling channel: keeps its place there and answers the offers of its viewers. */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { RTCDtlsTransport } from 'werift'
import { openKvs, type KvsAccess } from 'transom-kvs/access'
import { openChannel, type ChannelConnection } from 'transom-kvs/channel'
import type { ChannelMessage } from 'transom-kvs/message'
import { fetchIceServers, findChannel, type ChannelResources } from 'transom-kvs/resources'
import type { Clock, IceServer, Log } from 'transom-core/ports'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import { hasFfmpeg } from './ffmpeg.ts'
import { createServerMemory } from './ice-servers.ts'
import type { MediaInfo } from './media.ts'
import { pause } from 'transom-core/deadline'
import { createSource, shareSource } from './source.ts'
import { startStills, type Stills } from './still.ts'
import type { Trust } from './trust.ts'
import { openViewer, type Viewer } from './viewer.ts'

/** How long viewers may take to leave when the camera stops. */
const leaveMs = 1_000
/** As many as KVS lets connect to a channel (default of its quotas). */
const defaultViewers = 10
/** When all places are taken, a viewer from whom nothing came for so long makes room: it has probably left. */
const replaceableMs = 3_000
/** After a closed connection as a C SDK camera does; then twice as long each time, until a connection has lasted. */
const firstRetryMs = 200
const lastRetryMs = 15_000
const lastingMs = 10_000
/** After a ring the displays ask for the picture within seconds. */
const warmMs = 30_000
/** So often what lasts and is wrong is said again. */
const againMs = 60_000
/** As many failed servers, and so much about each, as a report may carry. */
const mostServers = 16
const longestMessage = 200
/** TURN credentials are fetched anew before they end, never while an offer waits. */
const iceRefreshShare = 0.7
const iceRetryMs = 10_000

/** Where the master connects, what it shows, and whom it tells of presses and viewers. */
export interface CameraOptions {
  readonly access: KvsAccess
  readonly channelName: string
  /** `synthetic`, the path of a media file, or `rtsp://…`. */
  readonly source: string
  /** Where the camera may be, and which certificates it may show; by default anywhere, and the first one while this runs. */
  readonly trust?: Trust
  /** Told of presses and of how viewers fare; true ends the viewer, a rejection is logged. */
  readonly report: (event: CameraEvent) => Promise<boolean>
  /** How often it is told of a viewer that is connected, default 10,000. */
  readonly reportEachMs?: number
  /** Takes a still picture (JPEG) of the stream: at the start, each minute, and when somebody rings. */
  readonly leaveStill?: (jpeg: Buffer) => Promise<void>
  /** As many viewers as its channel takes, default 10. */
  readonly maxViewers?: number
  readonly clock: Clock
  readonly log: Log
}

/** A running camera master, as `startCamera` gives it. */
export interface CameraMaster {
  /** Viewers that are connected or on their way. */
  viewers(): number
  /** Somebody rings at the camera itself: reports it, and does what `rang` does. */
  press(): void
  /** Somebody rang, and the bridge knows: takes a still picture, and runs the source ahead of the displays. */
  rang(): void
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
  const { channelName, clock, maxViewers = defaultViewers } = options
  const log: Log = (level, event, fields) => options.log(level, event, Object.assign({ channelName }, fields))
  const given = createSource(options.source, channelName, clock, log, options.trust)
  const source = shareSource(given, log)
  const kvs = openKvs(options.access)
  const life = new AbortController()
  const { signal } = life
  // Made once per process and shared by all connections; made now, it does not delay the first answer.
  await RTCDtlsTransport.SetupCertificate()
  const hasDecoder = await hasFfmpeg()
  const memory = createServerMemory(log, () => reportSource())
  const viewers = new Map<string, Viewer>()
  const leaving = new Set<Promise<void>>()
  let connection: ChannelConnection | undefined
  let iceServers: readonly IceServer[] = []
  let stills: Stills | undefined
  let closing: Promise<void> | undefined

  const report = (event: CameraEvent): Promise<boolean> =>
    options.report(event).catch((error: unknown) => {
      log('warn', 'gateway.report-failed', { kind: event.kind, error: messageOf(error) })
      return false
    })
  const remove = (viewer: Viewer, reason: string, how?: 'silent') => {
    const left = viewer.close(reason, how)
    leaving.add(left)
    void left.finally(() => leaving.delete(left))
  }

  function onOffer(viewerId: string, offer: string, media: MediaInfo): void {
    const before = viewers.get(viewerId)
    if (before) remove(before, 'it made a new offer')
    if (viewers.size >= maxViewers) {
      const quietest = [...viewers.values()].toSorted((one, other) => other.quietMs() - one.quietMs())[0]
      if (!quietest || quietest.quietMs() < replaceableMs) {
        log('warn', 'gateway.viewer-ignored', { viewerId, error: `${maxViewers} viewers are here already` })
        void report({ kind: 'viewer', viewerId, state: 'busy', at: Math.round(clock()) })
        return
      }
      remove(quietest, 'its place is wanted, and it has been quiet', 'silent')
    }
    const viewer: Viewer = openViewer({
      viewerId,
      offer,
      source,
      media,
      hasDecoder,
      iceServers,
      memory,
      send: (message) => connection?.send(message, viewerId),
      report,
      reportEachMs: options.reportEachMs ?? 10_000,
      onGone: () => {
        if (viewers.get(viewerId) === viewer) viewers.delete(viewerId)
      },
      clock,
      log,
    })
    viewers.set(viewerId, viewer)
  }

  function onMessage(message: ChannelMessage, channel: ChannelResources): void {
    const { kind } = message
    const state = source.state()
    if (kind === 'status') {
      log('warn', 'gateway.message-refused', { errorType: message.errorType, correlationId: message.correlationId })
    } else if (kind === 'garbled') {
      log('warn', 'gateway.message-garbled', { what: message.what })
    } else if (kind === 'reconnect-ice-server') {
      void fetchIce(channel, signal)
    } else if (kind === 'offer' && message.senderClientId !== undefined) {
      // Without pictures it is about to leave its channel.
      if (state?.kind === 'good') onOffer(message.senderClientId, message.sdp, state.info)
    } else if (kind === 'candidate' && message.senderClientId !== undefined) {
      viewers.get(message.senderClientId)?.addCandidate(message.candidate, message.sdpMid, message.sdpMLineIndex)
    }
  }

  /** Returns after how long to fetch again. Never rejects: without servers a camera still serves its own network. */
  async function fetchIce(channel: ChannelResources, bounds: AbortSignal): Promise<number> {
    try {
      const { servers, ttlMs } = await fetchIceServers(kvs, channel, bounds)
      iceServers = servers
      return ttlMs * iceRefreshShare
    } catch (error) {
      if (!bounds.aborted) log('warn', 'gateway.ice-servers-missing', { error: messageOf(error) })
      return iceRetryMs
    }
  }

  async function keepIceFresh(channel: ChannelResources, firstMs: number, bounds: AbortSignal): Promise<void> {
    let refreshMs = firstMs
    while (await pause(refreshMs, bounds)) refreshMs = await fetchIce(channel, bounds)
  }

  /** One connection to the channel, from its opening to its end or to that of the pictures. Running viewers do not need it. */
  async function serve(onOpen: () => void, bounds: AbortSignal): Promise<void> {
    const channel = await findChannel(kvs, channelName, 'MASTER', bounds)
    const [opened, refreshMs] = await Promise.all([
      openChannel(kvs, channel, { role: 'MASTER' }, bounds),
      fetchIce(channel, bounds),
    ])
    const ended = new AbortController()
    const refreshing = keepIceFresh(channel, refreshMs, AbortSignal.any([bounds, ended.signal]))
    connection = opened
    log('info', 'gateway.camera-online')
    onOpen()
    try {
      for await (const message of opened.messages) {
        // GO_AWAY announces the end of this connection within a minute; a new one is made at once.
        if (message.kind === 'go-away') break
        onMessage(message, channel)
      }
    } finally {
      ended.abort()
      opened.close()
      await refreshing
    }
  }

  /** Connects to the channel, again and again while the source is good. */
  async function stayOnline(onTried: () => void, bounds: AbortSignal): Promise<void> {
    let retryMs = firstRetryMs
    do {
      let openedAt = Infinity
      try {
        await serve(() => {
          openedAt = performance.now()
          onTried()
        }, bounds)
        if (!bounds.aborted) log('info', 'gateway.camera-offline', { error: 'the connection was closed' })
      } catch (error) {
        if (!bounds.aborted) log('warn', 'gateway.camera-offline', { error: messageOf(error) })
        onTried()
      }
      if (performance.now() - openedAt > lastingMs) retryMs = firstRetryMs
      else if (openedAt === Infinity || retryMs > firstRetryMs) retryMs = Math.min(retryMs * 2, lastRetryMs)
    } while (await pause(retryMs * (0.8 + 0.4 * Math.random()), bounds))
  }

  /** On its channel while there are pictures to be had. Never rejects. */
  async function followSource(onTried: () => void): Promise<void> {
    while (!signal.aborted) {
      const state = source.state()
      if (state?.kind === 'good') {
        const faulty = new AbortController()
        const online = stayOnline(onTried, AbortSignal.any([signal, faulty.signal]))
        for (let now = source.state(); now?.kind === 'good' && !signal.aborted; now = source.state())
          await source.changed(now, signal)
        faulty.abort()
        await online
        if (!signal.aborted) log('warn', 'gateway.camera-offline', { error: source.fault()?.message })
      } else {
        if (state) onTried()
        await source.changed(state, signal)
      }
    }
  }

  /** Says how the source fares, and its servers. */
  function reportSource(): void {
    const state = source.state()
    const failed = memory.failing().slice(0, mostServers)
    const failedServers = failed.map(({ url, message }) => ({ url, message: message.slice(0, longestMessage) }))
    const known = { kind: 'source', at: Math.round(clock()), ...(failed.length > 0 && { failedServers }) } as const
    if (state?.kind === 'good') {
      const { hasSpeaker, reencoding } = state.info
      void report({ ...known, hasSpeaker, ...(reencoding && { reencoding }) })
    }
    if (state?.kind === 'faulty') void report({ ...known, fault: state.fault })
  }

  /** At each change of the source, and now and then while something is wrong, for a bridge that was not there. Never rejects. */
  async function keepReporting(): Promise<void> {
    let said = source.state()
    reportSource()
    while (!signal.aborted) {
      const again = new AbortController()
      const bounds = AbortSignal.any([signal, again.signal])
      await Promise.race([source.changed(said, bounds), pause(againMs, bounds)])
      again.abort()
      const state = source.state()
      const isWell = state?.kind !== 'faulty' && memory.failing().length === 0
      if (!signal.aborted && (state !== said || !isWell)) reportSource()
      said = state
    }
  }

  async function shutDown(): Promise<void> {
    life.abort()
    for (const viewer of viewers.values()) remove(viewer, 'the camera is stopped')
    // werift waits for a TURN server that never replies; nothing of ours hangs on it any more.
    await Promise.race([
      Promise.allSettled([online, stills?.close(), ...leaving]),
      wait(leaveMs, undefined, { ref: false }),
    ])
    await source.close()
    kvs.close()
  }

  const { promise: tried, resolve: onTried } = Promise.withResolvers<void>()
  const online = Promise.all([followSource(onTried), keepReporting()])
  if (given.checkEachMs === undefined) await tried
  const { leaveStill } = options
  stills = leaveStill && startStills({ source, leave: leaveStill, log })
  const rang = () => {
    source.warm(warmMs)
    stills?.take()
  }
  return {
    viewers: () => viewers.size,
    press() {
      void report({ kind: 'press', eventId: randomUUID(), at: Math.round(clock()) })
      rang()
    },
    rang,
    reportSource,
    close: () => (closing ??= shutDown()),
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
