/** How many views an account may have, and that its guests leave the owner a place at each camera; in this process's memory. */
import { BridgeError } from 'transom-core/errors'
import type { AccountId, Camera, CameraId, Clock, SessionId } from 'transom-core/ports'
import type { Session } from './session.ts'

/** All the displays and tokens of an account together. */
export interface ViewLimits {
  /** Views that are being negotiated at once. */
  readonly negotiating: number
  /** Viewers that are connected, or may be in a moment. */
  readonly connected: number
}

/** A channel of KVS has ten viewers (quotas of Kinesis Video Streams with WebRTC). Guests leave one of them to the owner. */
const placesOfCamera = 10
/** A camera says every ten seconds that a viewer is there. One of whom nothing was heard for so long makes room first. */
const silentMs = 30_000
/** A guest's view that was ended may hold its place at the camera until the camera has noticed. */
const leavingMs = 30_000
/** A line that is opened ahead waits so long for its offer. */
const preparedMs = 15_000

export interface Places {
  /**
   * Takes a place for a view that is to be negotiated. Returns the view that has to end for it, if one has. Throws
   * `BridgeError`: `rate_limited` where the account has too many, `camera_busy` where guests have all that they may.
   */
  take(id: SessionId, accountId: AccountId, camera: Camera): SessionId | undefined
  /** The same for a line that is opened ahead; false when there is no place for it. */
  prepare(id: SessionId, accountId: AccountId, camera: Camera): boolean
  /** A session is in a new state. */
  moved(session: Session): void
  /** Its camera says that this viewer is connected, or that it is gone. */
  reported(id: SessionId, isThere: boolean): void
  /** Its negotiation is over: whatever has no answer by now holds no place. */
  settled(id: SessionId): void
}

interface Place {
  readonly accountId: AccountId
  readonly cameraId: CameraId
  readonly isGuest: boolean
  readonly phase: 'prepared' | 'negotiating' | 'open' | 'leaving'
  readonly since: number
  /** No longer than until then. */
  readonly until: number
}

export function createPlaces(limits: ViewLimits, clock: Clock): Places {
  const places = new Map<SessionId, Place>()

  function held(): readonly (readonly [SessionId, Place])[] {
    const now = clock()
    for (const [id, { until }] of places) if (until <= now) places.delete(id)
    return [...places]
  }

  const isFull = (others: readonly (readonly [SessionId, Place])[], camera: Camera): boolean =>
    camera.sharedBy !== undefined &&
    others.filter(([, { cameraId }]) => cameraId === camera.id).length >= placesOfCamera - 1

  const placeFor = (accountId: AccountId, camera: Camera, phase: Place['phase'], until: number): Place => {
    return { accountId, cameraId: camera.id, isGuest: camera.sharedBy !== undefined, phase, since: clock(), until }
  }

  return {
    take(id, accountId, camera) {
      // The same display again: it takes the place that it has.
      if (places.get(id)?.phase === 'open') return undefined
      const others = held().filter(([other]) => other !== id)
      const own = others.filter(([, place]) => place.accountId === accountId)
      if (own.filter(([, { phase }]) => phase === 'negotiating').length >= limits.negotiating)
        throw new BridgeError('rate_limited', 'too many views of this account are being opened', {
          retryAfterMs: 1_000,
        })
      if (isFull(others, camera)) throw new BridgeError('camera_busy', 'the last place is kept for the owner')
      const viewers = own.filter(([, { phase }]) => phase === 'open' || phase === 'leaving')
      const [silent] = viewers
        .filter(([, { phase, since }]) => phase === 'open' && clock() - since >= silentMs)
        .sort(([, one], [, other]) => one.since - other.since)
      if (viewers.length >= limits.connected && silent === undefined)
        throw new BridgeError('rate_limited', 'too many viewers of this account are connected', {
          retryAfterMs: 10_000,
        })
      places.set(id, placeFor(accountId, camera, 'negotiating', Infinity))
      return viewers.length >= limits.connected ? silent?.[0] : undefined
    },
    prepare(id, accountId, camera) {
      if (places.has(id)) return true
      const others = held()
      const own = others.filter(([, place]) => place.accountId === accountId)
      const opening = own.filter(([, { phase }]) => phase === 'prepared' || phase === 'negotiating')
      if (opening.length >= limits.negotiating || isFull(others, camera)) return false
      places.set(id, placeFor(accountId, camera, 'prepared', clock() + preparedMs))
      return true
    },
    moved(session) {
      const { id } = session.facts
      const place = places.get(id)
      if (place === undefined) return
      const now = clock()
      if (session.phase === 'answered' || session.phase === 'connected')
        places.set(id, { ...place, phase: 'open', since: now, until: session.endsBy })
      else if (session.phase === 'closed' && place.phase === 'open' && place.isGuest)
        places.set(id, { ...place, phase: 'leaving', until: now + leavingMs })
      else if (session.phase === 'closed' && place.phase !== 'leaving') places.delete(id)
    },
    reported(id, isThere) {
      const place = places.get(id)
      if (place?.phase === 'open' && isThere) places.set(id, { ...place, since: clock() })
      else if (!isThere && place?.phase !== 'negotiating') places.delete(id)
    },
    settled(id) {
      if (places.get(id)?.phase === 'negotiating') places.delete(id)
    },
  }
}
