/** Whether a camera is there, and when its coming and going is news. */
import { isDeepStrictEqual } from 'node:util'
import type { Camera, Clock, Fault, Log, Presence, PresenceReport, Reencoding, ServerFailure } from 'transom-core/ports'
import type { Cameras } from './cameras.ts'
import { happenedAt } from './clock.ts'
import type { CameraStates } from './states.ts'

/** Amazon wants changes within three seconds (implement-your-skill.html). */
const absentMs = 2_000

export interface PresenceNews {
  /** A camera master came to this channel or left it, at `at` (epoch milliseconds). */
  changed(channelName: string, isOnline: boolean, at: number): void
  /** Forgets who is away. May be called again. */
  close(): void
}

export interface GatewayWords {
  readonly fault?: Fault | undefined
  readonly eventsFault?: Fault | undefined
  readonly failedServers?: readonly ServerFailure[] | undefined
  readonly reencoding?: Reencoding | undefined
}

export interface SourceFaults {
  /** What the gateway said last of the camera on this channel; false when it said so before. */
  note(channelName: string, words: GatewayWords): boolean
  /** Like the presence given, and says why a camera is away, and which servers fail it. */
  readonly presence: Presence
}

/** Kept in memory: a gateway says so anew when it starts, and at each change. */
export function createSourceFaults(presence: Presence): SourceFaults {
  const said = new Map<string, GatewayWords>()
  const nothing: GatewayWords = {
    fault: undefined,
    eventsFault: undefined,
    failedServers: undefined,
    reencoding: undefined,
  }
  return {
    note(channelName, { fault, eventsFault, failedServers, reencoding }) {
      const words = { fault, eventsFault, failedServers, reencoding }
      if (isDeepStrictEqual(said.get(channelName) ?? nothing, words)) return false
      if (isDeepStrictEqual(words, nothing)) said.delete(channelName)
      else said.set(channelName, words)
      return true
    },
    presence(channel) {
      const seen = presence(channel)
      const { fault, eventsFault, failedServers, reencoding } = said.get(channel.channelName) ?? nothing
      if (seen === undefined) return seen
      return {
        ...seen,
        ...(!seen.online && fault && { fault }),
        ...(eventsFault && { eventsFault }),
        ...(failedServers && { failedServers }),
        ...(seen.online && reencoding && { reencoding }),
      }
    },
  }
}

/** What a gateway says of the camera behind it, as in `CameraEvent`. */
export interface SourceReport extends GatewayWords {
  readonly hasSpeaker?: boolean
}

/** Takes in what a gateway says: why its camera is away, which servers fail it, and whether it has a speaker after all. */
export function createSourceReports(deps: {
  readonly faults: Pick<SourceFaults, 'note'>
  readonly cameras: Pick<Cameras, 'change'>
  /** The reason is another one; the presence itself follows from the channel. */
  readonly onReason: (camera: Camera, isOnline: boolean, at: number) => Promise<void>
  readonly clock: Clock
}): (camera: Camera, report: SourceReport) => Promise<void> {
  const { faults, cameras, onReason, clock } = deps
  return async (camera, { hasSpeaker, ...words }) => {
    if (faults.note(camera.channel.channelName, words)) await onReason(camera, words.fault === undefined, clock())
    if (hasSpeaker === undefined || hasSpeaker === camera.hasSpeaker) return
    await cameras.change(camera.id, (now) => ({ ...now, hasSpeaker }))
  }
}

/** The coming and going of channels' masters as that of the cameras that are on them. */
export function createCameraPresence(deps: {
  readonly cameras: Pick<Cameras, 'byChannel'>
  readonly tell: (camera: Camera, isOnline: boolean, at: number) => Promise<void>
  readonly log: Log
}): PresenceNews {
  return createPresenceNews(async (channelName, isOnline, at) => {
    try {
      const camera = await deps.cameras.byChannel(channelName)
      if (camera !== undefined) await deps.tell(camera, isOnline, at)
    } catch (thrown) {
      deps.log('error', 'cameras.presence-not-told', { channelName, error: String(thrown) })
    }
  })
}

/** A master that reconnects, as KVS makes it do each hour, has not been away. `tell` must not reject. */
export function createPresenceNews(
  tell: (channelName: string, isOnline: boolean, at: number) => Promise<void>,
): PresenceNews {
  const leaving = new Map<string, NodeJS.Timeout>()
  return {
    changed(channelName, isOnline, at) {
      const wasLeaving = leaving.get(channelName)
      if (!isOnline) {
        clearTimeout(wasLeaving)
        const timer = setTimeout(() => {
          leaving.delete(channelName)
          void tell(channelName, false, at)
        }, absentMs)
        leaving.set(channelName, timer)
      } else if (wasLeaving === undefined) void tell(channelName, true, at)
      else {
        clearTimeout(wasLeaving)
        leaving.delete(channelName)
      }
    },
    close() {
      for (const timer of leaving.values()) clearTimeout(timer)
      leaving.clear()
    },
  }
}

/**
 * Takes in what somebody else knows of a camera's connection: kept, and told where it is a change. Resolves when both are
 * durable. A report that is older than what is kept changes nothing, and the same once more does no harm.
 */
export function createPresenceReports(deps: {
  readonly states: Pick<CameraStates, 'note'>
  readonly tell: (camera: Camera, isOnline: boolean, at: number) => Promise<void>
  readonly clock: Clock
}): (camera: Camera, report: PresenceReport) => Promise<void> {
  const { states, tell, clock } = deps
  return async (camera, report) => {
    const at = happenedAt(report.at, undefined, clock())
    const { presence } = await states.note(camera, { ...report, kind: 'presence', at })
    // Also when it comes again, because the first time may have failed after it was kept.
    if (presence?.sinceAt === at && presence.isOnline === report.isOnline) await tell(camera, report.isOnline, at)
  }
}
