/** Whether somebody is at a door now, for this browser: not muted, not answered, not long ago. */
import { computed, effect, signal, type ReadonlySignal } from '@preact/signals'
import type { StreamEvent } from 'transom-core/wire/api'

/** What the stream of events says of a press. */
export type Press = Extract<StreamEvent, { readonly event: 'press' }>['data']

/** So long after a press somebody may still stand there; as long as a display shows its card. */
export const ringMs = 30_000

export interface Bell {
  /** The press that rings now. */
  readonly ringing: ReadonlySignal<Press | undefined>
  /** Until when a camera does not ring on this browser; undefined when it does. */
  mutedUntil(cameraId: string): number | undefined
  /** Epoch milliseconds; 0 rings again. */
  mute(cameraId: string, until: number): void
  /** Somebody goes to the door, or has seen the card. */
  dismiss(): void
}

const key = 'transom.muted'

/** `now` by the bridge's clock. What `memory` cannot keep lasts as long as the page. */
export function createBell(
  { press, now }: { readonly press: ReadonlySignal<Press | undefined>; readonly now: ReadonlySignal<number> },
  memory: Pick<Storage, 'getItem' | 'setItem'>,
): Bell {
  const dismissed = signal<string>()
  const muted = signal(remembered(memory))
  const mutedUntil = (cameraId: string): number | undefined => {
    const until = muted.value[cameraId]
    return until !== undefined && until > now.value ? until : undefined
  }
  // Another window may have muted it meanwhile.
  effect(() => {
    if (press.value) muted.value = remembered(memory)
  })
  return {
    ringing: computed(() => {
      const one = press.value
      if (!one || one.eventId === dismissed.value || mutedUntil(one.cameraId) !== undefined) return undefined
      return now.value - one.at < ringMs ? one : undefined
    }),
    mutedUntil,
    mute(cameraId, until) {
      const others = Object.entries(remembered(memory)).filter(([id, end]) => id !== cameraId && end > now.value)
      muted.value = { ...Object.fromEntries(others), ...(until > now.value && { [cameraId]: until }) }
      try {
        memory.setItem(key, JSON.stringify(muted.value))
      } catch {
        // A full or forbidden memory: it holds for this page.
      }
    },
    dismiss: () => void (dismissed.value = press.value?.eventId),
  }
}

function remembered(memory: Pick<Storage, 'getItem'>): Readonly<Record<string, number>> {
  try {
    const kept: unknown = JSON.parse(memory.getItem(key) ?? '{}')
    if (typeof kept !== 'object' || kept === null) return {}
    return Object.fromEntries(
      Object.entries(kept).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    )
  } catch {
    return {}
  }
}
