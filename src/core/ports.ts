/** What the rooms need from one another and from the world, as narrow interfaces; `app` plugs the implementations in. */
import type { SourceFault } from './errors.ts'
import type { LogEvent, LogFieldsOf } from './log-events.ts'
import type { WeekHours } from './week-hours.ts'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** A person's account at the bridge, in a type of its own so that ids cannot be mixed up. Make one with `accountId`. */
export type AccountId = Branded<'AccountId'>
/** A camera's id: 1 to 256 of `[a-zA-Z0-9_.-]`. Make one with `cameraId`. */
export type CameraId = Branded<'CameraId'>
/** A session's id, as the broker chose it. Make one with `sessionId`. */
export type SessionId = Branded<'SessionId'>

/** Makes an account id of a string that came through a door and was checked there. Checks nothing itself. */
export const accountId = (value: string): AccountId => value as AccountId
/** Makes a camera id of a string that came through a door and was checked there. Checks nothing itself. */
export const cameraId = (value: string): CameraId => value as CameraId
/** Makes a session id of a string that came through a door and was checked there. Checks nothing itself. */
export const sessionId = (value: string): SessionId => value as SessionId

/** Reads the clock: epoch milliseconds. A port, so that tests can own the time. */
export type Clock = () => number

// ── Cameras ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where a camera master listens: a KVS signaling channel, by name. */
export interface ChannelRef {
  readonly channelName: string
  /** `viewer`: our own viewer WebSocket (the camera may trickle). `alexa-offer`: SendAlexaOfferToMaster (it may not). */
  readonly road: 'viewer' | 'alexa-offer'
}

/** A camera as the bridge knows it. */
export interface Camera {
  readonly id: CameraId
  readonly accountId: AccountId
  /** Whose it is, where `accountId` is a guest with whom it is shared. */
  readonly sharedBy?: AccountId
  /** Of a guest's: what happened there and what was recorded of it, too. An owner always may. */
  readonly mayViewRecordings?: true
  readonly name: string
  readonly kind: 'doorbell' | 'camera'
  readonly channel: ChannelRef
  readonly room?: string
  readonly manufacturer: string
  readonly model: string
  readonly serialNumber?: string
  readonly firmwareVersion?: string
  /** True when the camera plays the sound it receives; only then is talk-back offered to a display. */
  readonly hasSpeaker: boolean
  /** False for an intercom without a picture. Default true. */
  readonly hasVideo?: boolean
  /** It says when something moves, and when it does not any more. */
  readonly hasMotion?: boolean
  /** What it tells apart in its picture. */
  readonly detects?: readonly 'person'[]
  /** It runs on a battery and says how full that is. */
  readonly hasBattery?: boolean
  /** It leaves still pictures with the bridge. */
  readonly hasSnapshots?: boolean
  /** Other ways to its picture than WebRTC, reachable for the displays. */
  readonly streams?: readonly StreamSource[]
  /** Its picture as MPEG-DASH at a fixed address. */
  readonly dashUri?: string
  /** It says whether its lens is on. */
  readonly hasSwitch?: boolean
  /** What Frigate calls it, and the zones in which something must have been to count; absent: like its id, anywhere. */
  readonly frigate?: { readonly camera: string; readonly zones?: readonly string[] }
  /** What of it is recorded: always, or when something happens. Absent: nothing. */
  readonly record?: 'events' | 'always'
  /** Only in these hours, by the clock of the household; absent: in all. */
  readonly recordHours?: readonly WeekHours[]
  /** How long before and after what happens, and how long one recording is at most: seconds; by default 5, 10 and 300. */
  readonly recordAround?: { readonly before?: number; readonly after?: number; readonly longest?: number }
  /** What it measures beside its picture. */
  readonly sensors?: readonly Sensor[]
}

/** A sensor with words for its states, a unit for its value, or both; names as in Google's table for SensorState. */
export interface Sensor {
  /** `SmokeLevel`, `CarbonMonoxideLevel`, `AirQuality`, … */
  readonly name: string
  readonly states?: readonly string[]
  /** `PARTS_PER_MILLION`, `PERCENTAGE`, … */
  readonly unit?: string
}

/** A stream at a fixed address. */
export interface StreamSource {
  readonly uri: string
  readonly protocol: 'HLS' | 'RTSP'
  readonly width: number
  readonly height: number
  readonly audioCodec: 'AAC' | 'G711' | 'NONE'
}

/** Something that the house has learned of a camera. `eventId`s are unique for each camera. */
export type CameraNews = { readonly at: number /* epoch milliseconds */ } & (
  | { readonly kind: 'press' | 'person'; readonly eventId: string }
  | { readonly kind: 'motion'; readonly eventId: string; readonly isDetected: boolean }
  | { readonly kind: 'battery'; readonly level: number /* percent */ }
  | { readonly kind: 'online'; readonly isOnline: boolean }
  | { readonly kind: 'switch'; readonly isOn: boolean }
  | { readonly kind: 'sensor'; readonly name: string; readonly state?: string; readonly value?: number }
  /** Its description is new or other than before; it is not there any more. */
  | { readonly kind: 'changed' | 'removed' }
)

/** Something at a camera that people look for later. `at` in epoch milliseconds. */
export interface Moment {
  readonly kind: 'press' | 'person' | 'motion'
  readonly at: number
  /** Of a press, for the camera's owner: whether anybody came to a display because of it. Absent where nobody knows. */
  readonly answer?: PressAnswer
}

/** Somebody spoke to the visitor, only looked, or neither. */
export type PressAnswer = 'answered' | 'seen' | 'nobody'

/** What was last heard of a camera. */
export interface CameraState {
  readonly motion?: { readonly isDetected: boolean; readonly at: number }
  readonly battery?: { readonly level: number; readonly at: number }
  readonly snapshot?: { readonly at: number }
  readonly press?: { readonly at: number }
  readonly switch?: { readonly isOn: boolean; readonly at: number }
  /** Whether it is connected, as its vendor's cloud has reported; where the bridge sees that itself, it is not here. */
  readonly presence?: PresenceReport & {
    /** When it came or went. */
    readonly sinceAt: number
  }
  /** By the sensor's name. */
  readonly sensors?: Readonly<Record<string, { readonly state?: string; readonly value?: number; readonly at: number }>>
}

/** A vendor's own registry of cameras, where that counts instead of records of the bridge. */
export interface CameraRegistry {
  /**
   * All cameras of an account, without secrets: none for one that it does not know. Rejects when it cannot say; then what it
   * said last counts for a while.
   */
  camerasOf(account: AccountId, signal: AbortSignal): Promise<readonly Omit<Camera, 'accountId'>[]>
}

/** What a vendor's cloud knows of a camera's connection. `at`: when it came or went, epoch milliseconds. */
export interface PresenceReport {
  readonly isOnline: boolean
  readonly at: number
  /** Of AWS IoT's lifecycle events: the later one of a device has the higher version. */
  readonly version?: number
}

// ── The camera side ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What a camera master sends back to an offer. */
export type CameraMessage =
  | { readonly kind: 'answer'; readonly sdp: string }
  | {
      readonly kind: 'candidate'
      /** The candidate-attribute without `a=`, RFC 8839 section 5.1: `candidate:… typ …`. */
      readonly candidate: string
      readonly sdpMid?: string
      readonly sdpMLineIndex?: number
    }
  | { readonly kind: 'end-of-candidates' }
  /** Something arrived that is none of the above; `what` says it in a few words, for the owner. */
  | { readonly kind: 'garbled'; readonly what: string }

/** Base64 characters that a signaling channel carries in one payload, by KVS's quotas. */
export const maxPayload = 10_000

/** The way to a camera master: one SDP offer out, its answer and candidates back, whatever the transport. */
export interface Signaling {
  /**
   * Sends an SDP offer to the camera master and yields what it sends back; ends when nothing more will come.
   * `viewerId` names us to the camera: fresh for each offer, 1 to 256 of `[a-zA-Z0-9_.-]`, not beginning with `AWS_`.
   * Aborting the signal hangs up: the iterator then ends without an error.
   * Throws `BridgeError`: `offer_too_large`, `camera_busy`, `signaling_failed`, `rate_limited`, `camera_hung_up`, `camera_silent`.
   */
  offer(channel: ChannelRef, viewerId: string, sdp: string, signal: AbortSignal): AsyncIterable<CameraMessage>
  /** STUN and TURN servers that a display may use to reach this camera. May come from a cache. */
  iceServers(channel: ChannelRef, signal: AbortSignal): Promise<readonly IceServer[]>
  /**
   * Fetches ahead what `offer` and `iceServers` will need (endpoints, ICE servers). With a `viewerId` it also opens the line
   * on which the offer of that viewer will go out, and keeps it for some seconds. Never throws; failures show at use.
   */
  warm(channel: ChannelRef, viewerId?: string): void
}

/** RTCIceServer of the W3C WebRTC API, always with a list of URLs. */
export interface IceServer {
  readonly urls: readonly string[]
  readonly username?: string
  readonly credential?: string
}

/** Whether a camera master is connected. `undefined` when nobody can know (AWS does not tell). */
export type Presence = (channel: ChannelRef) => ChannelPresence | undefined

/** Whether a camera master is connected to a channel, since when, and what its gateway has reported of it. */
export interface ChannelPresence {
  readonly online: boolean
  /** Since when, as far as that was watched; epoch milliseconds. */
  readonly sinceAt: number
  /** No master has come or left while that was watched: `sinceAt` is when the watching began, and nothing to show. */
  readonly isUnseen?: true
  /** Why it is not, where its gateway has said so. */
  readonly fault?: Fault
  /** Why it announces no events although it is read by ONVIF, too. */
  readonly eventsFault?: Fault
  /** The STUN and TURN servers that gave its gateway no candidate the last time; absent when all did, or nobody knows. */
  readonly failedServers?: readonly ServerFailure[]
  /** Its gateway encodes its pictures anew for displays. */
  readonly reencoding?: Reencoding
}

/** What displays cannot play of a camera's pictures, which are therefore decoded and encoded anew. */
export interface Reencoding {
  /** `H.265`, `MJPEG`, `B-frames`, … */
  readonly of: string
  /** What it costs while somebody looks, percent of one core; absent until it was measured. */
  readonly percent?: number
}

/** A STUN or TURN server that gives a camera nothing. */
export interface ServerFailure {
  /** `turn:relay.example:3478?transport=udp`; holds no password. */
  readonly url: string
  /** It did not reply, or what it replied. */
  readonly message: string
}

/** Why a gateway cannot show the camera behind it, in a code of ours and in the camera's own words. */
export interface Fault {
  readonly code: SourceFault
  readonly message: string
}

// ── Who is asking ────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * What an OAuth client is. `other`: an app of the operator's own. It must use PKCE, and its refresh tokens rotate.
 * `console`: our own page, which does so too, but is no link: it asks for no consent, and signs out in a day.
 */
export type ClientKind = 'alexa' | 'google' | 'other' | 'console'

/** The one scope there is: to see the cameras of an account. */
export const accessScope = 'camera'

/** What a valid access token says. */
export interface Grant {
  readonly accountId: AccountId
  /** The OAuth client the token was issued to: `alexa`, `google`, … */
  readonly clientId: string
  readonly scopes: readonly string[]
  /** What that client is, where the token itself says so. */
  readonly clientKind?: ClientKind
  /** The link that the token belongs to: absent for tokens of somebody else's server. */
  readonly linkId?: string
}

/** Verifies an access token. Throws `BridgeError`: `unauthorized` or `token_expired`. */
export type VerifyToken = (token: string) => Promise<Grant>

/** Turns an access token into who may act at one door (`authority.ts`). Throws `BridgeError`: `unauthorized` or `token_expired`. */
export type Authorize = (token: string) => Promise<Grant>

// ── Memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A stored value with what the store knows about it. */
export interface Stored<T> {
  readonly id: string
  readonly value: T
  /** 1 when first put, then one more at each write. */
  readonly version: number
  readonly expiresAt?: number
}

/** Conditions, lifetime and group of a record that is written. */
export interface PutOptions {
  /** Write only if no live record has this id, or only if the record is at this version. Default: whatever is there. */
  readonly onlyIf?: 'absent' | { readonly version: number }
  /** Epoch milliseconds after which the record does not exist any more. Without it the record stays. */
  readonly expiresAt?: number
  /** The list this record can be found in (`list`), for example an account id. */
  readonly group?: string
}

/** What a `change` writes: the whole record, as `put` does. A group or an expiry that is not given again is gone. */
export interface Changed<T> extends Omit<PutOptions, 'onlyIf'> {
  readonly value: T
}

/**
 * One kind of record. Ids and groups are 1 to 512 characters; whatever else is asked for is not there, since it may come from
 * outside, and a record of such an id is refused by a TypeError. Values are JSON and come back equal.
 */
export interface BasicCollection<T> {
  get(id: string): Promise<Stored<T> | undefined>
  /** Writes the whole record. Returns its new version, or `undefined` when the condition did not hold (nothing written). */
  put(id: string, value: T, options?: PutOptions): Promise<number | undefined>
  /** Removes the record and returns it: of several callers at once exactly one gets it. */
  take(id: string): Promise<Stored<T> | undefined>
  /** Removes the record if it is there. */
  remove(id: string): Promise<void>
  /** The records of a group in order of id, at most `limit` (default 100), starting after the id `after`. */
  list(group: string, page?: { readonly limit?: number; readonly after?: string }): Promise<readonly Stored<T>[]>
}

/** One kind of record, with the verbs that are made of the others (`store/verbs.ts`). */
export interface Collection<T> extends BasicCollection<T> {
  /**
   * Compare and set: writes what `next` makes of the live record (`undefined` if there is none), and asks it again when
   * somebody else wrote in between. No write is lost: changes of this process wait for one another, and one that loses to
   * other processes again and again throws `BridgeError` `rate_limited`, with nothing written.
   * `next` may be called several times and has no effects. Where it returns `undefined` or throws, nothing is written.
   * `just.read`: what the caller has read a moment ago, or that there was none; it spares a read and the waiting, and where it
   * is not so any more, the change is made again.
   * Returns what was written, or `undefined` where nothing was.
   */
  change(
    id: string,
    next: (stored: Stored<T> | undefined) => Changed<T> | undefined,
    just?: { readonly read: Stored<T> | undefined },
  ): Promise<Stored<T> | undefined>
  /** Every record of a group in order of id, page by page as it is read; from the id `after` on. What is read may be removed. */
  all(group: string, from?: { readonly after?: string | undefined }): AsyncIterable<Stored<T>>
}

/** Durable records in collections by kind; every implementation passes `test/store/contract.ts`. */
export interface Store {
  /** The records of one kind; `kind` is a short constant such as `camera`. */
  collection<T>(kind: string): Collection<T>
  close(): Promise<void>
}

// ── Recordings ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** A stretch of what a camera sent, without a gap and with one configuration of its codecs. */
export interface Recording {
  readonly cameraId: CameraId
  /** When its first picture was taken, by the camera's clock; its name among those of its camera. Epoch milliseconds. */
  readonly startAt: number
  /** Until when its pictures last. Grows while it is open. */
  readonly endAt: number
  /** It is still being recorded. */
  readonly isOpen: boolean
  /** On the disk. */
  readonly bytes: number
  /** As in the `codecs` parameter of a MIME type (RFC 6381): `avc1.42e01f,opus`. */
  readonly codecs: string
}

/** Some whole groups of pictures with their sound: `moof` and `mdat` (ISO 14496-12), timed from the start of the recording. */
export interface Fragment {
  /** 0 is the initialization segment (`ftyp`, `moov`), which lasts no time; then without a gap. */
  readonly number: number
  readonly at: number
  readonly durationMs: number
  readonly data: Buffer
}

/** What was read of a fragment, or why it cannot be: its neighbours play. */
export type ReadFragment =
  | (Fragment & { readonly kind: 'whole' })
  | (Omit<Fragment, 'data'> & { readonly kind: 'lost'; readonly fault: string })

/** Where a fragment lies in time, and how large it is. */
export interface KeptFragment extends Omit<Fragment, 'data'> {
  /** Of its data. */
  readonly bytes: number
}

/**
 * Media kept to be seen later. Errors are `BridgeError`: `no_room` when the disk is full, `store_failed` when it cannot be
 * read or written, `invalid_request` for what does not follow from what is kept.
 */
export interface Recordings {
  /** Opens a recording with its initialization segment. Again with the same start: nothing new, while it is open. */
  begin(cameraId: CameraId, startAt: number, codecs: string, init: Buffer): Promise<void>
  /** Keeps a fragment: resolves when it would survive a crash. One that is kept already changes nothing; none may be left out. */
  append(cameraId: CameraId, startAt: number, fragment: Fragment): Promise<void>
  /** Nothing more will come. What is not open is no error. */
  end(cameraId: CameraId, startAt: number): Promise<void>
  /** Those that overlap a span, in order of time, at most `limit` (default 100) that start after `after`. */
  list(cameraId: CameraId, span: RecordingSpan): Promise<readonly Recording[]>
  find(cameraId: CameraId, startAt: number): Promise<Recording | undefined>
  /** The initialization segment, then what overlaps the span, in order. */
  read(recording: Recording, span?: { readonly from?: number; readonly to?: number }): AsyncIterable<ReadFragment>
  /** The media fragments of a recording as far as they are kept, in order; without those of which it is known that they are lost. */
  fragments(recording: Recording): Promise<readonly KeptFragment[]>
  /** One of them, 0 for the initialization segment; `undefined` where there is none. */
  fragment(recording: Recording, number: number): Promise<ReadFragment | undefined>
  /**
   * One MP4 file of all that overlaps the span, from the key frame before its begin on; gaps are left out. `undefined` when
   * there is nothing. Throws `BridgeError` `invalid_request` when it would be too large, or the camera's codecs changed;
   * `rate_limited` when too many are being made. `isSilent`: without its sound.
   */
  clip(
    cameraId: CameraId,
    span: { readonly from: number; readonly to: number },
    options?: { readonly isSilent?: boolean },
  ): Promise<Clip | undefined>
  /** A still picture (JPEG) that stands for the recording. */
  putPicture(recording: Recording, jpeg: Buffer): Promise<void>
  picture(recording: Recording): Promise<Buffer | undefined>
  /** Deletes it, its pictures and its place in the list. False when there is none. */
  remove(cameraId: CameraId, startAt: number): Promise<boolean>
  /** Deletes all of a camera, keys included. Nobody is told: the camera is gone. */
  removeAll(cameraId: CameraId): Promise<void>
  /** Something of the camera is being recorded now. */
  isRecording(cameraId: CameraId): boolean
  /** Calls the listener, which must not throw, at each change of a recording. Returns how to stop. */
  follow(listener: RecordingListener): () => void
}

/** Cameras whose recording somebody has paused, for as long as somebody is at home for example. */
export interface RecordingPauses {
  isPaused(cameraId: CameraId): boolean
  /** Resolves when it is kept; the same again is no error. */
  set(cameraId: CameraId, isPaused: boolean): Promise<void>
}

/** What can become of a recording; one that is deleted while it is open is not said to have ended. */
export type RecordingChange = 'begun' | 'ended' | 'removed'
/** Receives which recording it is, and what became of it. */
export type RecordingListener = (recording: Pick<Recording, 'cameraId' | 'startAt'>, change: RecordingChange) => void

/** A file of what was recorded, and from when to when it lasts. */
export interface Clip {
  readonly from: number
  readonly to: number
  readonly mp4: Buffer
}

/** From when to when, epoch milliseconds; `to` is not within it. */
export interface RecordingSpan {
  readonly from: number
  readonly to: number
  readonly limit?: number
  readonly after?: number
}

// ── The log ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Writes one structured line of an event in `log-events.ts`. Fields must hold no token, no SDP and no candidate address. */
export type Log = <Name extends LogEvent>(
  level: 'info' | 'warn' | 'error',
  event: Name,
  fields?: LogFieldsOf<Name>,
) => void
