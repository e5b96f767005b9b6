/** Network cameras before and after they are added: what is found, what a probe of one says, and where one is read. */
import * as z from 'zod'
import { sourceFaults } from '../errors.ts'

/** As a camera knows a user. */
export const cameraLogin = z.strictObject({ user: z.string().min(1).max(256), password: z.string().max(256) })
export type CameraLogin = z.infer<typeof cameraLogin>

/** Why a camera gives no pictures. */
export const sourceFault = z.object({ code: z.enum(sourceFaults), message: z.string() })

/** The SHA-256 fingerprint of a certificate, and the `host:port` that showed it. */
export const seenCertificate = z.object({
  place: z.string().min(3).max(300),
  fingerprint: z.string().regex(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/, 'must be a SHA-256 fingerprint'),
})
export type SeenCertificate = z.infer<typeof seenCertificate>

/** A camera that answered WS-Discovery. */
export const foundCamera = z.object({
  address: z.string().describe('What a probe accepts: `http://192.168.1.20:8000/onvif/device_service`.'),
  name: z.string().exactOptional(),
  hardware: z.string().exactOptional(),
})
/** Answers `POST /api/sources/discover`. */
export const foundCameras = z.object({ cameras: z.array(foundCamera) })
/** The cameras that answered. */
export type FoundCameras = z.infer<typeof foundCameras>

/** A stream that go2rtc or Frigate gives on. */
export const restream = z.object({ name: z.string(), address: z.string().describe('`rtsp://host:8554/name`.') })
/** Answers `POST /api/sources/restreams`. */
export const restreams = z.object({ streams: z.array(restream) })
/** All streams that it gives on. */
export type Restreams = z.infer<typeof restreams>

/**
 * An address at which a stream is played: RTSP, or WHEP (draft-ietf-wish-whep) as `whep://` and `wheps://`, or as the endpoint's
 * own URL where that is known by its path: MediaMTX's `…/whep`, go2rtc's `…/api/webrtc?src=…`.
 */
export const streamAddress =
  /^(?:(?:rtsp|whep)s?:\/\/|https?:\/\/[^?#]*\/(?:whep\/?(?:[?#]|$)|api\/webrtc\?(?:[^#]*&)?src=))/i

/** What is said of another one. */
export const noStreamAddress = 'must be an rtsp://, rtsps://, whep:// or wheps:// address'

/** What one stream of a camera was found to be, by playing it. */
export const streamProbe = z.object({
  url: z.string().describe('`rtsp://…` or `whep://…`, without user and password.'),
  name: z.string().exactOptional().describe('As the camera calls it.'),
  codec: z.string().exactOptional().describe('As RTP calls it: `H264`, `H265`, `JPEG`. Absent without video.'),
  profile: z.string().exactOptional().describe('`profile-level-id` of H.264 (RFC 6184 section 8.1).'),
  width: z.number().exactOptional(),
  height: z.number().exactOptional(),
  fps: z.number().exactOptional().describe('Pictures a second, measured.'),
  keyFrameMs: z.number().exactOptional().describe('From one key frame to the next at most, measured, milliseconds.'),
  hasBFrames: z.boolean(),
  converted: z.string().exactOptional().describe('What displays cannot play of it: `H.265`, `B-frames`, …'),
  sound: z.string().exactOptional().describe('`PCMA`, `MPEG4-GENERIC`, …; absent without sound.'),
  hasBackChannel: z.boolean().describe('It plays what is said to it.'),
  fault: sourceFault.exactOptional().describe('Why nothing came.'),
  displays: z.string().describe('What displays get of it.'),
  advice: z.array(z.string()).describe('What to change in the camera.'),
})
export type StreamProbe = z.infer<typeof streamProbe>

/** What a camera was found to give, and which of it displays get. */
export const sourceProbe = z.object({
  device: z.string().exactOptional().describe('Of its ONVIF device service, where it was asked by ONVIF.'),
  information: z.object({
    manufacturer: z.string().exactOptional(),
    model: z.string().exactOptional(),
    firmwareVersion: z.string().exactOptional(),
    serialNumber: z.string().exactOptional(),
  }),
  streams: z.array(streamProbe),
  best: streamProbe
    .exactOptional()
    .describe('The one of them that is best for displays; absent when none can be shown.'),
  events: z.array(z.string()).describe('What it notices by ONVIF: `press`, `motion`, `person`, …'),
  hasStills: z.boolean(),
  picture: z.string().exactOptional().describe('What the best stream shows: JPEG in base64.'),
})
export type SourceProbe = z.infer<typeof sourceProbe>

/** A tone that was played at the camera. */
export const playedTone = z.object({
  packets: z.int().nonnegative().describe('As many of 20 ms as the camera accepted.'),
  sent: z.int().nonnegative(),
})
export type PlayedTone = z.infer<typeof playedTone>

const user = cameraLogin.shape.user
const password = cameraLogin.shape.password
const address = z.string().trim().min(1).max(2_048)

/** Its ONVIF device, asked as the same user. */
export const onvifAddress = z
  .string()
  .regex(/^https?:\/\/[^\s@]+$/i, 'must be an http:// or https:// address without user and password')
  .max(2_048)
  .refine((text) => URL.canParse(text), 'is no address')

const hasUser = ({ user, password }: { readonly user?: string; readonly password?: string }) =>
  password === undefined || user !== undefined
const needsUser = 'a password needs its user'

/** A camera that is not known yet, or go2rtc or Frigate: `rtsp://…`, `whep://…`, `host`, `host:port`, `http://…`; with the user there. */
export const sourceAddress = z
  .strictObject({ address, user: user.exactOptional(), password: password.exactOptional() })
  .refine(hasUser, needsUser)
export type SourceAddress = z.infer<typeof sourceAddress>

/** Where a camera is read that is added: an `rtsp://` or `whep://` address, and its ONVIF device as the probe of it said (`device`). */
export const newSource = sourceAddress.safeExtend({ onvif: onvifAddress.exactOptional() })
export type NewSource = z.infer<typeof newSource>

/** What of it is to be different. What is left out is kept. */
export const sourceChange = z.strictObject({
  address: address.exactOptional(),
  onvif: onvifAddress.nullable().exactOptional().describe('null: none. It is kept where the host is.'),
  user: user.nullable().exactOptional().describe('null: none, and no password.'),
  password: password.exactOptional(),
})
export type SourceChange = z.infer<typeof sourceChange>

/** Where a saved camera is read. The password is never in it, nor path and query, which may hold one. */
export const cameraSource = z.object({
  place: z.string().describe('Scheme, host and port.'),
  user: z.string().exactOptional(),
  gateway: z.string().describe('Which gateway reads it: `home`, or one on another machine.'),
  certificates: z.array(seenCertificate).describe('Those that are trusted.'),
})
export type CameraSource = z.infer<typeof cameraSource>

/** What came of trying a saved camera: a probe, or why there is none. */
export const triedSource = z.union([
  sourceProbe,
  z.object({
    fault: sourceFault.extend({ advice: z.string() }),
    certificate: seenCertificate.exactOptional().describe('What it shows instead of the certificate that is trusted.'),
  }),
])
export type TriedSource = z.infer<typeof triedSource>
