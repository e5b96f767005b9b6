/** The events of a camera as the bridge is told of them: followed for as long as the camera runs, whatever breaks in between. */
import type { Clock, Fault } from 'transom-core/ports'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import { faultOf, SourceError } from '../media.ts'
import { keepTrying } from '../retry.ts'
import type { Device } from './device.ts'
import { followEvents } from './events.ts'
import type { Notice } from './notices.ts'

const retries = { firstMs: 1_000, lastMs: 60_000, lastingMs: 60_000 }
/** One finger on one button is reported as several topics, one after the other. */
const sameMs = 2_000
/** A motion that only began is over when it has not begun again for so long. */
const momentMs = 20_000

export interface WatchDeps {
  readonly isDoorbell: boolean
  readonly clock: Clock
  readonly report: (event: CameraEvent) => void
  /** What is wrong now, again and again while it is; `undefined`: the camera has accepted a subscription. */
  readonly onFault: (fault: Fault | undefined) => void
  readonly whenWelcome: (signal: AbortSignal) => Promise<void>
  readonly open: (signal: AbortSignal) => Promise<Device>
}

/** Until the signal aborts. Never rejects. */
export async function watchEvents(deps: WatchDeps, signal: AbortSignal): Promise<void> {
  const { onFault, whenWelcome, open } = deps
  const teller = createTeller(deps)
  const attempt = async (holds: () => void) => {
    try {
      await whenWelcome(signal)
      if (signal.aborted) return
      const follower = {
        onNotice: teller.tell,
        onSubscribed() {
          holds()
          onFault(undefined)
        },
      }
      await followEvents(await open(signal), follower, signal)
    } catch (error) {
      if (!signal.aborted) onFault(eventsFaultOf(error))
    }
    // Whatever ends while nobody looks would never be told.
    teller.rest()
  }
  await keepTrying(attempt, retries, signal)
}

/** The camera's own words; what has none is a mistake of ours, and no words for an owner. */
const eventsFaultOf = (error: unknown): Fault =>
  faultOf(error instanceof SourceError ? error : new SourceError('source_garbled', 'its events cannot be read'))

/** Notices as events: several that are one are one, and every motion ends. */
export function createTeller({ isDoorbell, clock, report }: Pick<WatchDeps, 'isDoorbell' | 'clock' | 'report'>) {
  const lastAt = new Map<'press' | 'person', number>()
  const moving = new Map<string, NodeJS.Timeout | undefined>()

  function happened(kind: 'press' | 'person', { id, ageMs }: Notice): void {
    const at = Math.round(clock() - ageMs)
    const before = lastAt.get(kind)
    if (before !== undefined && Math.abs(at - before) < sameMs) return
    lastAt.set(kind, at)
    report({ kind, eventId: id, at })
  }
  function begin({ from, id, ageMs, isMoment }: Notice): void {
    const wasStill = moving.size === 0
    clearTimeout(moving.get(from))
    const timer = isMoment ? setTimeout(() => end(from, `${id}-end`, 0), momentMs) : undefined
    timer?.unref()
    moving.set(from, timer)
    if (wasStill) report({ kind: 'motion', isDetected: true, eventId: id, at: Math.round(clock() - ageMs) })
  }
  function end(from: string, eventId: string, ageMs: number): void {
    clearTimeout(moving.get(from))
    if (!moving.delete(from) || moving.size > 0) return
    report({ kind: 'motion', isDetected: false, eventId, at: Math.round(clock() - ageMs) })
  }

  return {
    tell(this: void, notice: Notice): void {
      const { means } = notice
      if (means === 'press' || (means === 'input' && isDoorbell)) happened('press', notice)
      else if (means === 'person') happened('person', notice)
      else if (means === 'motion' && notice.isOn) begin(notice)
      else if (means === 'motion') end(notice.from, notice.id, notice.ageMs)
    },
    /** Nothing moves any more, as far as anybody knows. */
    rest(): void {
      for (const from of moving.keys()) end(from, `${clock()}-rest`, 0)
    },
  }
}
