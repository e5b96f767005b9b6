/** The viewers of one camera: as many as its channel takes, each from its offer to its end. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock, Log } from 'transom-core/ports'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import { openViewer, type Viewer, type ViewerOptions } from './viewer.ts'
import type { Cause } from './viewing.ts'

/** As many as KVS lets connect to a channel (default of its quotas). */
const defaultViewers = 10
/** When all places are taken, a viewer from whom nothing came for so long makes room: it has probably left. */
const replaceableMs = 3_000
/** How long viewers may take to leave when the camera stops. */
const leaveMs = 1_000

/** What all viewers of a camera share. */
export interface AudienceOptions extends Pick<ViewerOptions, 'source' | 'hasDecoder' | 'memory' | 'relay' | 'report'> {
  /** As many viewers as its channel takes, default 10. */
  readonly maxViewers?: number | undefined
  /** How often the bridge is told of a viewer that is connected, default 10,000. */
  readonly reportEachMs?: number | undefined
  readonly clock: Clock
  readonly log: Log
}

/** One offer, and what it can be answered with. */
export type Call = Pick<ViewerOptions, 'viewerId' | 'offer' | 'media' | 'iceServers' | 'send'>

export interface Audience {
  /** Connected, or on their way. */
  size(): number
  /**
   * Answers an offer; the viewer that had this name before is gone. The returned function ends this attempt for a cause, if the
   * viewer is not connected yet.
   */
  receive(call: Call): (cause: Cause) => void
  addCandidate(viewerId: string, ...candidate: Parameters<Viewer['addCandidate']>): void
  /** Hangs up on everybody; resolves when they have let go, or after a second. */
  close(): Promise<void>
}

export function createAudience(options: AudienceOptions): Audience {
  const { report, maxViewers = defaultViewers, reportEachMs = 10_000, clock, log } = options
  const viewers = new Map<string, Viewer>()
  const leaving = new Set<Promise<void>>()

  function remove(viewer: Viewer, reason: string, how?: 'silent'): void {
    const left = viewer.close(reason, how)
    leaving.add(left)
    void left.finally(() => leaving.delete(left))
  }
  /** Whether there is a place for one more by now. */
  function makeRoom(): boolean {
    if (viewers.size < maxViewers) return true
    const quietest = [...viewers.values()].toSorted((one, other) => other.quietMs() - one.quietMs())[0]
    if (!quietest || quietest.quietMs() < replaceableMs) return false
    remove(quietest, 'its place is wanted, and it has been quiet', 'silent')
    return true
  }

  return {
    size: () => viewers.size,
    receive(call) {
      const { viewerId } = call
      const before = viewers.get(viewerId)
      if (before) remove(before, 'it made a new offer')
      if (!makeRoom()) {
        log('warn', 'gateway.viewer-ignored', { viewerId, error: `${maxViewers} viewers are here already` })
        const event: CameraEvent = { kind: 'viewer', viewerId, state: 'busy', at: Math.round(clock()) }
        void report(event)
        return () => {}
      }
      const onGone = () => {
        if (viewers.get(viewerId) === viewer) viewers.delete(viewerId)
      }
      const viewer: Viewer = openViewer({ ...options, ...call, reportEachMs, onGone })
      viewers.set(viewerId, viewer)
      return viewer.fail
    },
    addCandidate: (viewerId, ...candidate) => viewers.get(viewerId)?.addCandidate(...candidate),
    async close() {
      for (const viewer of viewers.values()) remove(viewer, 'the camera is stopped')
      // werift waits for a TURN server that never replies; nothing of ours hangs on it any more.
      await Promise.race([Promise.allSettled(leaving), wait(leaveMs, undefined, { ref: false })])
    },
  }
}
