/** What a bridge and a gateway that reads network cameras for it say to each other, below `/gateway`, with the gateway's key. */
import * as z from 'zod'
import { cameraIdShape } from './registration.ts'

/** SHA-256 of a certificate in hexadecimal with colons, as Node and OpenSSL print it. */
export const fingerprintShape = z.string().regex(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/, 'must be a SHA-256 fingerprint')
/** `host:port` of a camera that was reached by TLS. */
const place = z.string().min(3).max(300)

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
  certificates: z.union([z.literal('any'), z.record(place, fingerprintShape)]),
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
  /** The networks in which cameras may be (CIDR); absent: anywhere. */
  networks: z.array(z.string()).exactOptional(),
  cameras: z.array(wantedCamera),
})
export type Wanted = z.infer<typeof cameras>

/**
 * A line of the reply to `GET /gateway/cameras`, which lasts as long as the gateway runs (JSON, ended by a line feed): first
 * all cameras, again at each change, that somebody rings at one of them, and a sign of life.
 */
export const gatewayLine = z.discriminatedUnion('kind', [
  cameras,
  z.object({ kind: z.literal('press'), cameraId: cameraIdShape }),
  z.object({ kind: z.literal('alive') }),
])
export type GatewayLine = z.infer<typeof gatewayLine>

/** The body of `POST /gateway/cameras/:cameraId/certificates`: the first certificate that a camera has shown at a place. */
export const seenCertificate = z.object({ place, fingerprint: fingerprintShape })
export type SeenCertificate = z.infer<typeof seenCertificate>

/** How often the bridge gives a sign of life, milliseconds; a gateway that has had none for three times as long connects anew. */
export const aliveEachMs = 10_000
