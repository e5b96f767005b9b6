/** Whether a channel's master is there, as others believe it: plain data moved by a pure function; no clock, no timer. */
import type { SignalingLimits } from './limits.ts'

export interface Presence {
  /** A master that is away for a moment is still there. */
  readonly online: boolean
  readonly sinceAt: number
  /** No master has been there since the service started. */
  readonly isUnseen: boolean
  /** Since then the master is away, and nobody was told yet. */
  readonly leftAt?: number
  /** When the master left in the last minute. */
  readonly departures: readonly number[]
}

export interface PresenceEvent {
  /** A master came; the last one left; it stayed away until the wake; the channel was deleted. */
  readonly kind: 'came' | 'left' | 'stayed-away' | 'deleted'
  readonly at: number
}

export type PresenceEffect =
  /** Others are to be told; `at` is when it happened. */
  | { readonly kind: 'announce'; readonly online: boolean; readonly at: number }
  /** Feed `stayed-away` after so many milliseconds. */
  | { readonly kind: 'wake'; readonly afterMs: number }
  /** The wake is wanted no more. */
  | { readonly kind: 'rest' }

export type PresenceLimits = Pick<SignalingLimits, 'offlineDelayMs' | 'flappingDelayMs'>

/** A master that leaves so often within a minute is flapping. */
const flapping = { departures: 3, withinMs: 60_000 }
const rest: PresenceEffect = { kind: 'rest' }

/** Of a channel that no master has come to since the service started, at `openedAt`. */
export function unseen(openedAt: number): Presence {
  return { online: false, sinceAt: openedAt, isUnseen: true, departures: [] }
}

/** What follows from an event. Events that change nothing are no error. */
export function stepPresence(
  presence: Presence,
  { kind, at }: PresenceEvent,
  limits: PresenceLimits,
): readonly [Presence, readonly PresenceEffect[]] {
  const { leftAt, ...present } = presence
  switch (kind) {
    case 'came':
      if (leftAt !== undefined) return [present, [rest]]
      return present.online ? [presence, []] : announce(present, true, at)
    case 'left': {
      if (!present.online || leftAt !== undefined) return [presence, []]
      // A camera whose connection was closed is back in a moment, and its displays need not hear of it.
      const departures = [...present.departures.filter((before) => at - before < flapping.withinMs), at]
      const isFlapping = departures.length >= flapping.departures
      const wake = { kind: 'wake', afterMs: isFlapping ? limits.flappingDelayMs : limits.offlineDelayMs } as const
      return [{ ...present, departures, leftAt: at }, [wake]]
    }
    case 'stayed-away':
      return leftAt === undefined ? [presence, []] : announce(present, false, leftAt)
    case 'deleted': {
      const [next, effects] = present.online ? announce(present, false, at) : [present, []]
      return [next, [rest, ...effects]]
    }
  }
}

function announce(
  { departures }: Presence,
  online: boolean,
  at: number,
): readonly [Presence, readonly PresenceEffect[]] {
  return [{ online, sinceAt: at, isUnseen: false, departures }, [{ kind: 'announce', online, at }]]
}
