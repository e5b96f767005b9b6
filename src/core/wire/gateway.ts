/** What a bridge and a gateway that reads network cameras for it say to each other, below `/gateway`, with the gateway's key. */
import * as z from 'zod'
import { cameraIdShape } from './registration.ts'
import {
  cameraLogin,
  foundCameras,
  playedTone,
  restreams,
  seenCertificate,
  sourceFault,
  sourceProbe,
} from './source.ts'

const { place, fingerprint } = seenCertificate.shape

/** What of a camera is to be recorded, milliseconds. */
const recordWish = z.object({
  /** Always, or when something happens. */
  mode: z.enum(['events', 'always']),
  /** From so long before an event. */
  beforeMs: z.int().min(0).max(30_000),
  /** Until so long after the last event. */
  afterMs: z.int().min(1_000).max(120_000),
  /** Then another recording begins. */
  longestMs: z.int().min(10_000).max(300_000),
})
export type RecordWish = z.infer<typeof recordWish>

/** A camera that the gateway is to read. */
const wantedCamera = z.object({
  cameraId: cameraIdShape,
  channelName: cameraIdShape,
  /** `rtsp://…` with user and password in it; for the gateway inside the bridge also `synthetic` or the path of a file. */
  source: z.string().min(1).max(4_096),
  /** Where it speaks ONVIF, with the source's user and password; and whether a contact that closes is its button. */
  onvif: z.object({ address: z.string().min(1).max(2_048), isDoorbell: z.boolean() }).exactOptional(),
  /** Opens the channel as its master. */
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  /** The certificates that it may show, by `host:port`; the first one at any other place. `any`: each. */
  certificates: z.union([z.literal('any'), z.record(place, fingerprint)]),
  /** Absent: nothing is recorded. */
  record: recordWish.exactOptional(),
})
export type WantedCamera = z.infer<typeof wantedCamera>

/** All cameras of this gateway, and where their channels are: what is not in it any more is left alone. */
const cameras = z.object({
  kind: z.literal('cameras'),
  region: z.string(),
  /** The control plane of the signaling service, and the authority (PEM) to trust there, unless it is a public one. */
  endpoint: z.url(),
  ca: z.string().exactOptional(),
  maxViewers: z.int().min(1).exactOptional(),
  /** Each camera keeps one TURN allocation while it is online. */
  hasRelayAtHand: z.boolean().exactOptional(),
  /** The networks in which cameras may be (CIDR); absent: anywhere. */
  networks: z.array(z.string()).exactOptional(),
  cameras: z.array(wantedCamera),
  /** The channel on which recordings are played, and the key of its master. Absent: this gateway plays none. */
  playback: z
    .object({ channelName: cameraIdShape, accessKeyId: z.string(), secretAccessKey: z.string() })
    .exactOptional(),
})
export type Wanted = z.infer<typeof cameras>

/** What a gateway is asked to do once, at the word of somebody who waits for it. */
export const gatewayTask = z.discriminatedUnion('kind', [
  /** Asks by WS-Discovery on the networks of its machine. */
  z.object({ kind: z.literal('discover') }),
  /** Lists what go2rtc or Frigate gives on at this base URL. */
  z.object({ kind: z.literal('restreams'), url: z.string(), login: cameraLogin.exactOptional() }),
  /** Probes `rtsp://…`, or an ONVIF device. `certificates` as of a camera: the first one where there is none. */
  z.object({
    kind: z.literal('probe'),
    address: z.string(),
    login: cameraLogin.exactOptional(),
    certificates: wantedCamera.shape.certificates,
  }),
  /** Plays a tone through one of its cameras. */
  z.object({ kind: z.literal('tone'), cameraId: cameraIdShape }),
])
export type GatewayTask = z.infer<typeof gatewayTask>

/** The body of `POST /gateway/tasks/:id`: what came of a task. */
export const taskResult = z.discriminatedUnion('kind', [
  foundCameras.extend({ kind: z.literal('discover') }),
  restreams.extend({ kind: z.literal('restreams') }),
  z.object({ kind: z.literal('probe'), probe: sourceProbe }),
  playedTone.extend({ kind: z.literal('tone') }),
  /** Nothing; `certificate` is the one that was refused. */
  z.object({ kind: z.literal('fault'), fault: sourceFault, certificate: seenCertificate.exactOptional() }),
])
export type TaskResult = z.infer<typeof taskResult>

/**
 * A line of the reply to `GET /gateway/cameras`, which lasts as long as the gateway runs (JSON, ended by a line feed): first
 * all cameras, again at each change, that somebody rings at one of them, that something happens there, tasks, and a sign of life.
 */
export const gatewayLine = z.discriminatedUnion('kind', [
  cameras,
  /** `eventId`: of the press, which the gateway may have reported itself. */
  z.object({ kind: z.literal('press'), cameraId: cameraIdShape, eventId: z.string().exactOptional() }),
  /** Something else happened there, of which a recording may be wanted. */
  z.object({ kind: z.literal('happened'), cameraId: cameraIdShape }),
  z.object({ kind: z.literal('alive') }),
  /** Do this within so many milliseconds, and reach cameras in these networks only. */
  z.object({
    kind: z.literal('task'),
    id: z.uuid(),
    task: gatewayTask,
    withinMs: z.int().min(1),
    networks: z.array(z.string()).exactOptional(),
  }),
  /** Whoever asked does not wait any more. */
  z.object({ kind: z.literal('cancel'), id: z.uuid() }),
])
export type GatewayLine = z.infer<typeof gatewayLine>

/** How often the bridge gives a sign of life, milliseconds; a gateway that has had none for three times as long connects anew. */
export const aliveEachMs = 10_000

/** What comes with a fragment, in the query of `PUT …/recordings/:startAt/fragments/:number`. */
export const fragmentQuery = z.object({
  at: z.coerce.number().min(0).max(1e15),
  durationMs: z.coerce.number().min(0).max(600_000),
  /** With the initialization segment, number 0. */
  codecs: z
    .string()
    .max(100)
    .regex(/^[\w.]+(?:,[\w.]+)*$/)
    .exactOptional(),
})
