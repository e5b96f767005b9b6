/** What a camera, or what speaks for it, tells the bridge: `POST /cameras/:cameraId/events` with its key, or by MQTT. */
import * as z from 'zod'
import { sourceFaults } from '../errors.ts'

/** Epoch milliseconds by the camera's clock. */
const instant = z.int().nonnegative()
/**
 * When it happened, and when it was sent (anew for each attempt), both by the same clock: then its age is known, however
 * wrong that clock is.
 */
const when = { at: instant, sentAt: instant.exactOptional() }
const count = z.int().nonnegative()

/** Unique for each event of a camera: a repeated post is the same event. */
const eventId = z.string().regex(/^[a-zA-Z0-9_.-]{1,128}$/)

/** Somebody pressed the doorbell. */
const press = z.object({ kind: z.literal('press'), eventId, ...when })

/** Something moves before the camera, or nothing does any more. */
const motion = z.object({ kind: z.literal('motion'), eventId, isDetected: z.boolean(), ...when })

/** The camera sees a person. */
const person = z.object({ kind: z.literal('person'), eventId, ...when })

/** How full the battery is, in percent. */
const battery = z.object({ kind: z.literal('battery'), level: z.number().min(0).max(100), ...when })

/** Its lens was switched on or off. */
const lens = z.object({ kind: z.literal('switch'), isOn: z.boolean(), ...when })

/** What one of its sensors measures, in words, as a value, or both. */
const sensor = z.object({
  kind: z.literal('sensor'),
  /** As in the camera's description: `SmokeLevel`, … */
  name: z.string().min(1).max(64),
  state: z.string().min(1).max(64).exactOptional(),
  value: z.number().exactOptional(),
  ...when,
})

/** What a camera may name as the reason why a viewer got nothing: codes of the bridge's own errors. */
const viewerCause = z.enum([
  'camera_busy',
  'camera_offline',
  'invalid_request',
  'no_common_codec',
  'no_candidates',
  'no_picture',
  'no_sound',
  'media_failed',
  'signaling_failed',
  'internal',
  ...sourceFaults,
])

/**
 * How the camera behind a gateway fares: posted when that is first known, at each change, and now and then while something
 * is wrong. Without `fault` it delivers pictures, or would at once.
 */
const source = z.object({
  kind: z.literal('source'),
  /** Why it does not: a code of the bridge's, and what the camera itself said. */
  fault: z.object({ code: z.enum(sourceFaults), message: z.string().min(1).max(200) }).exactOptional(),
  /** Why it announces no events although it is read by ONVIF, too; absent when it does. */
  eventsFault: z.object({ code: z.enum(sourceFaults), message: z.string().min(1).max(200) }).exactOptional(),
  /** Whether it plays the sound that is sent to it; absent when nobody knows. */
  hasSpeaker: z.boolean().exactOptional(),
  /** The STUN and TURN servers that gave it nothing the last time that it asked them, and why; absent when all did. */
  failedServers: z
    .array(z.object({ url: z.string().min(1).max(300), message: z.string().min(1).max(200) }))
    .max(16)
    .exactOptional(),
  /** What displays cannot play of its pictures, which the gateway encodes anew, and what that costs: percent of one core. */
  reencoding: z
    .object({ of: z.string().min(1).max(60), percent: z.int().nonnegative().max(10_000).exactOptional() })
    .exactOptional(),
  at: instant,
})

/**
 * How a viewer fares: posted when it connects, every ten seconds while it is, each second while it talks back, and once at
 * its end.
 */
const viewer = z.object({
  kind: z.literal('viewer'),
  /** The `senderClientId` of the viewer's offer, as KVS limits it. */
  viewerId: z.string().regex(/^[a-zA-Z0-9_.-]{1,256}$/),
  /**
   * `busy`: there is no place for it, and its offer gets no answer. `failed`: it could not be answered, or never connected. `left`: it was connected and
   * is gone. `silent`: it was connected, and nothing came from it any more.
   */
  state: z.enum(['connected', 'busy', 'failed', 'left', 'silent']),
  /**
   * Talk-back so far: audio packets that the camera accepted for its loudspeaker, and the RMS level (0 silent, 1 full scale)
   * of the last second of them, if it measures it. Absent where there is no loudspeaker.
   */
  heard: z
    .object({
      packets: count,
      level: z.number().min(0).max(1).exactOptional(),
      /** From packet in to packet out, once the camera has opened its loudspeaker: 95 % of the packets stay below, milliseconds. */
      delayMs: count.exactOptional(),
      /** It talks while somebody else has the floor, so the camera does not play it. */
      isWaiting: z.literal(true).exactOptional(),
    })
    .exactOptional(),
  /** RTP packets sent to it so far. */
  sent: z.object({ videoPackets: count, audioPackets: count }).exactOptional(),
  /** Why, with `busy` and `failed`, and while a connected viewer gets no picture or no sound: what the owner is shown as the cause. */
  cause: z.object({ code: viewerCause, message: z.string().min(1).max(200) }).exactOptional(),
  at: instant,
})

/** The body of such a post, which is also what a gateway tells the bridge in its own process. */
export const cameraEvent = z.discriminatedUnion('kind', [press, motion, person, battery, lens, sensor, source, viewer])

/**
 * The payload of an MQTT message, where automations write by hand: without `at` it happened on arrival, and without
 * `eventId` each message is an event of its own.
 */
export const mqttEvent = z.discriminatedUnion('kind', [
  press.partial({ eventId: true, at: true }),
  motion.partial({ eventId: true, at: true }),
  person.partial({ eventId: true, at: true }),
  battery.partial({ at: true }),
  lens.partial({ at: true }),
  sensor.partial({ at: true }),
])

/** What the bridge answers, with status 202. */
export const cameraEventReply = z.object({
  /** To a viewer that is `connected`: its session is over, and the camera should end it. */
  ended: z.literal(true).exactOptional(),
})

export type CameraEvent = z.infer<typeof cameraEvent>
export type CameraEventReply = z.infer<typeof cameraEventReply>
