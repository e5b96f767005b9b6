/**
 * What one viewer of a camera goes through, from its offer to its end: events in, effects out. It reads no clock and touches
 * no connection; `viewer.ts` carries the effects out.
 */
import type { CameraEvent } from 'transom-core/wire/camera-event'
import type { Heard } from './ear.ts'

/** A viewer that is not connected by then is given up. */
const connectMs = 15_000
/**
 * A viewer from whom nothing at all came for so long is gone: KVS has no word for leaving, and not every display says goodbye
 * by DTLS. One that is there sends consent checks (RFC 7675) and receiver reports every few seconds.
 */
const quietLimitMs = 10_000
/** As much of a message as an event may carry. */
const longestMessage = 200

type ViewerEvent = Extract<CameraEvent, { readonly kind: 'viewer' }>
/** What the bridge is told of a viewer. */
export type ViewerState = ViewerEvent['state']
/** Why a viewer gets nothing, or not all. */
export type Cause = NonNullable<ViewerEvent['cause']>

interface Facts {
  readonly reportEachMs: number
  /** Packets that had come from it at the last look, and when that number last grew. */
  readonly received: number
  readonly receivedAt: number
  /** What the camera has played of it; the level is that of the last second in which it talked. */
  readonly heard: Heard
}

/** How far a viewer is. Instants are readings of one steady clock, milliseconds. */
export type Viewing = Facts &
  (
    | { readonly phase: 'connecting'; readonly giveUpAt: number }
    | { readonly phase: 'connected'; readonly reportAt: number; readonly fault?: Cause['code'] | undefined }
    | { readonly phase: 'gone'; readonly cause?: Cause | undefined }
  )

/** What can be seen of a viewer at any time. */
export interface Seen {
  /** By the same clock. */
  readonly at: number
  /** Packets from it so far, of any kind. */
  readonly received: number
  readonly heard: Heard | undefined
  /** The fault of the camera's source. */
  readonly fault: Cause['code'] | undefined
  /** The STUN and TURN servers that gave nothing, and why. */
  readonly failures: readonly string[]
}

/** Why a view ends. */
export interface Ending {
  readonly reason: string
  /** Nothing comes from the viewer any more. */
  readonly how?: 'silent' | undefined
  readonly cause?: Cause
}

/** What happens to a viewer; `looked` comes once a second, `ended` is the doing of either side. */
export type ViewingEvent = Seen &
  ({ readonly kind: 'connected' } | { readonly kind: 'looked' } | ({ readonly kind: 'ended' } & Ending))

/** What is to be done about it. */
export type ViewingEffect =
  | { readonly kind: 'feed' }
  | { readonly kind: 'report'; readonly state: ViewerState }
  | { readonly kind: 'release'; readonly reason: string }

type Stepped = readonly [Viewing, readonly ViewingEffect[]]

/** A viewer whose offer came at `at`; the bridge is told of it every `reportEachMs` while it is connected. */
export const beginViewing = (at: number, reportEachMs: number): Viewing => ({
  phase: 'connecting',
  giveUpAt: at + connectMs,
  reportEachMs,
  received: 0,
  receivedAt: at,
  heard: { packets: 0, level: 0 },
})

/** One step. An event that comes late changes nothing. */
export function stepViewing(viewing: Viewing, event: ViewingEvent): Stepped {
  if (viewing.phase === 'gone') return [viewing, []]
  switch (event.kind) {
    case 'connected': {
      if (viewing.phase === 'connected') return [viewing, []]
      // connecting + connected -> connected
      const { giveUpAt: _giveUpAt, ...facts } = viewing
      const reportAt = event.at + viewing.reportEachMs
      return [{ ...facts, phase: 'connected', reportAt }, [{ kind: 'feed' }, { kind: 'report', state: 'connected' }]]
    }
    case 'looked': {
      const receivedAt = event.received === viewing.received ? viewing.receivedAt : event.at
      const seen = { ...viewing, received: event.received, receivedAt }
      return seen.phase === 'connecting' ? lookConnecting(seen, event) : lookConnected(seen, event)
    }
    case 'ended':
      // connecting, connected + ended -> gone
      return end(viewing, event, event)
  }
}

type In<Phase> = Extract<Viewing, { readonly phase: Phase }>

function lookConnecting(viewing: In<'connecting'>, seen: Seen): Stepped {
  if (seen.at < viewing.giveUpAt) return [viewing, []]
  // connecting + looked, too late -> gone
  return end(viewing, { reason: `it did not connect within ${connectMs} ms` }, seen)
}

function lookConnected(viewing: In<'connected'>, seen: Seen): Stepped {
  const { at, heard, fault } = seen
  // connected + looked, nothing new for too long -> gone
  if (at - viewing.receivedAt > quietLimitMs)
    return end(viewing, { reason: 'nothing came from it any more', how: 'silent' }, seen)
  const before = viewing.heard
  const talks = heard && (heard.packets > before.packets || heard.isWaiting !== before.isWaiting)
  const isDue = at >= viewing.reportAt
  const next = {
    ...viewing,
    fault,
    ...(isDue && { reportAt: at + viewing.reportEachMs }),
    ...(talks && { heard }),
  }
  return [next, talks || isDue || fault !== viewing.fault ? [{ kind: 'report', state: 'connected' }] : []]
}

function end(viewing: In<'connecting' | 'connected'>, { reason, how, cause }: Ending, seen: Seen): Stepped {
  const { reportEachMs, received, receivedAt } = viewing
  const { level } = viewing.heard
  const heard = seen.heard ? { ...seen.heard, ...(level !== undefined && { level }) } : viewing.heard
  const isFailed = viewing.phase === 'connecting'
  // Of a viewer that was connected nothing failed.
  const why = cause ?? (isFailed ? causeOf('media_failed', [reason, ...seen.failures].join('; ')) : undefined)
  return [
    { phase: 'gone', reportEachMs, received, receivedAt, heard, cause: why },
    [
      { kind: 'report', state: isFailed ? 'failed' : (how ?? 'left') },
      { kind: 'release', reason },
    ],
  ]
}

/** A cause, as long as the bridge accepts it. */
export const causeOf = (code: Cause['code'], message: string): Cause => ({
  code,
  message: message.slice(0, longestMessage),
})
