/** What a camera tells the bridge, `POST /cameras/:cameraId/events` with its camera key: somebody rang, and how its viewers fare. */
import { z } from 'zod'

/** Epoch milliseconds by the camera's clock. */
const instant = z.int().nonnegative()
const count = z.int().nonnegative()

/** Somebody pressed the doorbell. `eventId` is unique per press: a repeated post is the same press. */
const press = z.object({
  kind: z.literal('press'),
  eventId: z.string().regex(/^[a-zA-Z0-9_.-]{1,128}$/),
  at: instant,
})

/** How a viewer fares: posted when it connects, each second while it talks back, and once at its end. */
const viewer = z.object({
  kind: z.literal('viewer'),
  /** The `senderClientId` of the viewer's offer, as KVS limits it. */
  viewerId: z.string().regex(/^[a-zA-Z0-9_.-]{1,256}$/),
  /** `failed`: it never connected. `left`: it was connected and is gone. */
  state: z.enum(['connected', 'failed', 'left']),
  /** Talk-back so far: audio packets received, and the RMS level (0 silent, 1 full scale) of the last second of them. */
  heard: z.object({ packets: count, level: z.number().min(0).max(1) }).optional(),
  /** RTP packets sent to it so far. */
  sent: z.object({ videoPackets: count, audioPackets: count }).optional(),
  at: instant,
})

export const cameraEvent = z.discriminatedUnion('kind', [press, viewer])

export type CameraEvent = z.infer<typeof cameraEvent>
