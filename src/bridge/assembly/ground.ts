/** What a bridge is built on, whatever it runs on (embedded or AWS). */
import type {
  Camera,
  CameraRegistry,
  ChannelRef,
  Clock,
  Log,
  Presence,
  RecordingPauses,
  Recordings,
  Signaling,
  Store,
} from 'transom-core/ports'
import type { SessionView } from '../broker/view.ts'
import type { PageNews } from '../cameras/events.ts'
import type { OAuthClient } from '../oauth/client.ts'
import type { BridgeConfig } from '../settings/bridge-config.ts'
import type { Keys } from './keys.ts'

/** What a bridge stands on: settings, keys, store, signaling, clock and log. */
export interface BridgeDeps {
  readonly config: BridgeConfig
  /** Origin of the bridge as browsers and assistants reach it, without a slash at the end. */
  readonly publicUrl: string
  readonly keys: Keys
  readonly clients: readonly OAuthClient[]
  readonly store: Store
  readonly signaling: Signaling
  readonly presence: Presence
  /** Where a vendor keeps its cameras; absent: the bridge's own records are what counts. */
  readonly registry?: CameraRegistry
  /** One process that stays and sees everything: it may keep connections open, and serve the page. Not on Lambda. */
  readonly isLive?: boolean
  /** Receives each change of a session, as its owner sees it. Must not throw. */
  readonly onSession?: (view: SessionView) => void
  /** Somebody rings, from wherever that came: called before it is kept, for whoever makes ready for the displays. */
  readonly onRing?: (camera: Camera, eventId: string) => void
  /** Of everything that is new of a camera, once it is kept. */
  readonly onNews?: (camera: Camera, news: PageNews) => void
  /** Removes a camera with its channel and keys, where those are ours. */
  readonly removeCamera?: (id: string) => Promise<void>
  /** Where media is kept; absent: nothing is recorded. */
  readonly recording?: RecordingSide
  readonly clock: Clock
  readonly log: Log
}

/** What records cameras, and what it has kept. */
export interface RecordingSide {
  readonly recordings: Recordings
  /** The channel on which a gateway plays them; absent where none does. */
  readonly playback?: ChannelRef
  /** Absent where nobody can pause it. */
  readonly pauses?: RecordingPauses
  /** Something happens at this camera now. Must not wait. */
  happened(this: void, camera: Camera): void
}
