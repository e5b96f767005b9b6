/** What was last heard of each camera: the one place that keeps it, and says how long. */
import type { Camera, CameraNews, CameraState, Clock, PresenceReport, Store } from 'transom-core/ports'
import { snapshotKeptMs } from './snapshots.ts'

export interface CameraStates {
  /** What it has said last; what it has never said, and a picture that is not kept any more, are not there. */
  of(camera: Pick<Camera, 'id'>): Promise<CameraState>
  /** Keeps what this says of the camera's state, unless something newer is kept of the same. Resolves with what is kept then. */
  note(camera: Camera, news: StateNews): Promise<CameraState>
  /** Its id may be given to somebody else's camera. */
  forget(camera: Camera): Promise<void>
}

/** News of which the last word is kept, and the picture that the camera left. */
export type StateNews =
  | Extract<CameraNews, { readonly kind: 'motion' | 'battery' | 'switch' | 'sensor' }>
  | { readonly kind: 'press' | 'pictured'; readonly at: number }
  | (PresenceReport & { readonly kind: 'presence' })

/** Reads and writes the cameras' states in the store. */
export function createCameraStates({ store, clock }: { readonly store: Store; readonly clock: Clock }): CameraStates {
  const states = store.collection<CameraState>('camera-state')
  return {
    async of({ id }) {
      const { snapshot, ...state } = (await states.get(id))?.value ?? {}
      return snapshot && clock() - snapshot.at < snapshotKeptMs ? { ...state, snapshot } : state
    },
    async note({ id }, news) {
      let after: CameraState = {}
      await states.change(id, (stored) => {
        const before = stored?.value ?? {}
        after = noted(before, news)
        return after === before ? undefined : { value: after }
      })
      return after
    },
    forget: ({ id }) => states.remove(id),
  }
}

/** The state after this news; the same state where it knows something newer. */
export function noted(state: CameraState, news: StateNews): CameraState {
  const { at } = news
  const isOld = (known: { readonly at: number } | undefined) => known !== undefined && known.at > at
  switch (news.kind) {
    case 'press':
      return isOld(state.press) ? state : { ...state, press: { at } }
    case 'motion':
      return isOld(state.motion) ? state : { ...state, motion: { isDetected: news.isDetected, at } }
    case 'battery':
      return isOld(state.battery) ? state : { ...state, battery: { level: news.level, at } }
    case 'switch':
      return isOld(state.switch) ? state : { ...state, switch: { isOn: news.isOn, at } }
    case 'sensor': {
      const { kind: _, name, ...measured } = news
      return isOld(state.sensors?.[name]) ? state : { ...state, sensors: { ...state.sensors, [name]: measured } }
    }
    case 'presence': {
      const { kind: _, ...report } = news
      const { presence } = state
      if (presence === undefined) return { ...state, presence: { ...report, sinceAt: at } }
      if (!isLater(report, presence)) return state
      const sinceAt = presence.isOnline === report.isOnline ? presence.sinceAt : at
      return { ...state, presence: { ...report, sinceAt } }
    }
    case 'pictured':
      return isOld(state.snapshot) ? state : { ...state, snapshot: { at } }
  }
}

/** A device that was away for about an hour begins again at version 0. Events that lie so far apart are in the order of time. */
const versionsMs = 10 * 60_000

/**
 * Lifecycle events come out of order and more than once. The later one has the higher version; of one connection both have the
 * same, and its end is the later one (AWS IoT Core developer guide, Lifecycle events).
 */
function isLater(report: PresenceReport, known: PresenceReport): boolean {
  const apartMs = report.at - known.at
  if (report.version === undefined || known.version === undefined || Math.abs(apartMs) >= versionsMs) return apartMs > 0
  if (report.version !== known.version) return report.version > known.version
  return known.isOnline && !report.isOnline
}
