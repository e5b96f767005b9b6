/** What an assistant is to be told, and how telling it ends. */
import type { AccountId, CameraId } from 'transom-core/ports'

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined }

/** Something that one assistant is to be told about one account. */
export interface Outgoing {
  /** Unique per event and destination: adding it twice is once. */
  readonly id: string
  readonly destination: 'alexa' | 'google'
  /** A press goes at once, whatever else waits. Reports of one camera go one after the other. */
  readonly lane: 'press' | 'report'
  readonly accountId: AccountId
  readonly cameraId?: CameraId
  /**
   * For reports: what of the camera it is about, such as `motion`. While it waits, a newer report about the same subject of
   * the same camera takes its place. Without a subject all reports of a camera are about one: its state. What must be
   * told each time, such as a person seen, takes its own id as subject.
   */
  readonly subject?: string
  /** What `deliver` needs; plain data, without tokens. */
  readonly body: JsonValue
  /** The body where an earlier one about its subject still waits: what both say in one. Default: the newer alone is told. */
  readonly together?: JsonValue
  /** When it happened, and from when on it is not worth telling: epoch milliseconds. */
  readonly at: number
  readonly usefulUntil: number
}

export type Delivery =
  | { readonly kind: 'done' }
  /** `afterMs`: not before; the outbox waits at least that long, and at least its own time. */
  | { readonly kind: 'retry'; readonly afterMs?: number; readonly reason: string }
  | { readonly kind: 'drop'; readonly reason: string }

/**
 * Tells the assistant. The signal is aborted when the attempt has taken too long, the event is stale, or the outbox closes.
 * A rejection is a `retry`. After a crash an event may come again: whoever can tell a repetition by an id gets `event.id`.
 */
export type Deliver = (event: Outgoing, signal: AbortSignal) => Promise<Delivery>
