/** A camera master on a KVS signaling channel: keeps its place there and answers the offers of its viewers. */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { RTCDtlsTransport } from 'werift'
import { openKvs, type KvsAccess } from '../kvs/access.ts'
import { openChannel, type ChannelConnection } from '../kvs/channel.ts'
import type { ChannelMessage } from '../kvs/message.ts'
import { fetchIceServers, findChannel, type ChannelResources } from '../kvs/resources.ts'
import type { Clock, IceServer, Log } from '../ports.ts'
import type { CameraEvent } from '../wire/camera-event.ts'
import { SourceError, type MediaInfo } from './media.ts'
import { createSource, shareSource } from './source.ts'
import { startStills, type Stills } from './still.ts'
import { openViewer, type Viewer } from './viewer.ts'

/** How long viewers may take to leave when the camera stops. */
const leaveMs = 1_000
/** As many as KVS lets connect to a channel. */
const maxViewers = 10
/** When all places are taken, a viewer from whom nothing came for so long makes room: it has probably left. */
const replaceableMs = 3_000
/** After a closed connection as a C SDK camera does; then twice as long each time, until a connection has lasted. */
const firstRetryMs = 200
const lastRetryMs = 15_000
const lastingMs = 10_000
/** TURN credentials are fetched anew before they end, never while an offer waits. */
const iceRefreshShare = 0.7
const iceRetryMs = 10_000

export interface CameraOptions {
  readonly access: KvsAccess
  readonly channelName: string
  /** `synthetic`, the path of a media file, or `rtsp://…`. */
  readonly source: string
  /** Told of presses and of how viewers fare; true ends the viewer, a rejection is logged. */
  readonly report: (event: CameraEvent) => Promise<boolean>
  /** How often it is told of a viewer that is connected, default 10,000. */
  readonly reportEachMs?: number
  /** Takes a still picture (JPEG) of the stream: at the start, each minute, and when somebody rings. */
  readonly leaveStill?: (jpeg: Buffer) => Promise<void>
  /** How long candidates are gathered for one viewer, default 600. */
  readonly iceGatherMs?: number
  readonly clock: Clock
  readonly log: Log
}

export interface CameraMaster {
  /** Viewers that are connected or on their way. */
  viewers(): number
  /** Somebody rings. */
  press(): void
  /** Hangs up on everybody and frees everything; may be called again. */
  close(): Promise<void>
}

/**
 * Starts a camera. Resolves when it is on its channel or has failed to get there once; what cannot be reached (the channel, a
 * network camera) is tried again in the background.
 * Throws `SourceError` when the source can never be used: no such file, no H.264.
 */
export async function startCamera(options: CameraOptions): Promise<CameraMaster> {
  const { channelName, clock } = options
  const log: Log = (level, event, fields) => options.log(level, event, { channelName, ...fields })
  const source = shareSource(createSource(options.source, channelName, clock, log), log)
  const kvs = openKvs(options.access)
  const life = new AbortController()
  const { signal } = life
  // Made once per process and shared by all connections; made now, it does not delay the first answer.
  await RTCDtlsTransport.SetupCertificate()
  const viewers = new Map<string, Viewer>()
  const leaving = new Set<Promise<void>>()
  let connection: ChannelConnection | undefined
  let iceServers: readonly IceServer[] = []
  let stills: Stills | undefined
  let closing: Promise<void> | undefined

  const report = (event: CameraEvent): Promise<boolean> =>
    options.report(event).catch((error: unknown) => {
      log('warn', 'report-failed', { kind: event.kind, message: messageOf(error) })
      return false
    })
  const remove = (viewer: Viewer, reason: string, how?: 'silent') => {
    const left = viewer.close(reason, how)
    leaving.add(left)
    void left.finally(() => leaving.delete(left))
  }

  function onOffer(viewerId: string, offer: string, { profileLevelId }: MediaInfo): void {
    const before = viewers.get(viewerId)
    if (before) remove(before, 'it made a new offer')
    if (viewers.size >= maxViewers) {
      const quietest = [...viewers.values()].toSorted((one, other) => other.quietMs() - one.quietMs())[0]
      if (!quietest || quietest.quietMs() < replaceableMs) {
        log('warn', 'viewer-ignored', { viewerId, message: `${maxViewers} viewers are here already` })
        void report({ kind: 'viewer', viewerId, state: 'busy', at: Math.round(clock()) })
        return
      }
      remove(quietest, 'its place is wanted, and it has been quiet', 'silent')
    }
    const viewer: Viewer = openViewer({
      viewerId,
      offer,
      source,
      profileLevelId,
      iceServers,
      iceGatherMs: options.iceGatherMs ?? 600,
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

  function onMessage(message: ChannelMessage, media: MediaInfo, channel: ChannelResources): void {
    const { kind } = message
    if (kind === 'status') {
      log('warn', 'message-refused', { errorType: message.errorType, correlationId: message.correlationId })
    } else if (kind === 'garbled') {
      log('warn', 'message-garbled', { what: message.what })
    } else if (kind === 'reconnect-ice-server') {
      void fetchIce(channel, signal)
    } else if (kind === 'offer' && message.senderClientId !== undefined) {
      onOffer(message.senderClientId, message.sdp, media)
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
      if (!bounds.aborted) log('warn', 'ice-servers-missing', { message: messageOf(error) })
      return iceRetryMs
    }
  }

  async function keepIceFresh(channel: ChannelResources, firstMs: number, bounds: AbortSignal): Promise<void> {
    let refreshMs = firstMs
    while (await pause(refreshMs, bounds)) refreshMs = await fetchIce(channel, bounds)
  }

  /** One connection to the channel, from its opening to its end. Running viewers do not need it. */
  async function serve(media: MediaInfo, onOpen: () => void): Promise<void> {
    const channel = await findChannel(kvs, channelName, 'MASTER', signal)
    const [opened, refreshMs] = await Promise.all([
      openChannel(kvs, channel, { role: 'MASTER' }, signal),
      fetchIce(channel, signal),
    ])
    const ended = new AbortController()
    const refreshing = keepIceFresh(channel, refreshMs, AbortSignal.any([signal, ended.signal]))
    connection = opened
    log('info', 'camera-online')
    onOpen()
    try {
      for await (const message of opened.messages) {
        // GO_AWAY announces the end of this connection within a minute; a new one is made at once.
        if (message.kind === 'go-away') break
        onMessage(message, media, channel)
      }
    } finally {
      ended.abort()
      opened.close()
      await refreshing
    }
  }

  async function stayOnline(onTried: () => void): Promise<void> {
    let media: MediaInfo | undefined
    let retryMs = firstRetryMs
    do {
      let openedAt = Infinity
      try {
        media ??= await source.describe(signal)
        await serve(media, () => {
          openedAt = performance.now()
          onTried()
        })
        if (!signal.aborted) log('info', 'camera-offline', { message: 'the connection was closed' })
      } catch (error) {
        if (signal.aborted) return
        log('warn', 'camera-offline', { message: messageOf(error) })
        if (error instanceof SourceError && error.isPermanent) throw error
        onTried()
      }
      if (performance.now() - openedAt > lastingMs) retryMs = firstRetryMs
      else if (openedAt === Infinity || retryMs > firstRetryMs) retryMs = Math.min(retryMs * 2, lastRetryMs)
    } while (await pause(retryMs * (0.8 + 0.4 * Math.random()), signal))
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
  const online = stayOnline(onTried)
  try {
    // The loop ends by itself only when the source can never be used.
    await Promise.race([tried, online])
  } catch (error) {
    await (closing ??= shutDown())
    throw error
  }
  const { leaveStill } = options
  stills = leaveStill && startStills({ source, leave: leaveStill, log })
  return {
    viewers: () => viewers.size,
    press() {
      void report({ kind: 'press', eventId: randomUUID(), at: Math.round(clock()) })
      stills?.take()
    },
    close: () => (closing ??= shutDown()),
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Waits; false when the signal aborted instead. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  await wait(ms, undefined, { signal }).catch(() => undefined)
  return !signal.aborted
}
