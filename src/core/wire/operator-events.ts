/** What a vendor's cloud tells of its cameras: `POST /operator/events`, or the records of a queue or a stream. */
import * as z from 'zod'
import { cameraEvent } from './camera-event.ts'
import { cameraIdShape } from './registration.ts'

/** Whether a camera is connected to the vendor's cloud, and since when, epoch milliseconds. */
export const presenceEvent = z.object({
  kind: z.literal('presence'),
  isOnline: z.boolean(),
  at: z.int().nonnegative(),
  /** Of the lifecycle events of AWS IoT: tells their order. */
  version: z.int().nonnegative().exactOptional(),
})

/** Which camera it is about. `account`: where a registry has the cameras, whose it is, for one that was not seen before. */
export const eventAddress = z.object({ cameraId: cameraIdShape, account: z.string().min(1).max(256).exactOptional() })

/** An event as the camera itself would post it, or its presence. */
export const reportedEvent = z.discriminatedUnion('kind', [...cameraEvent.options, presenceEvent])
export type ReportedEvent = z.infer<typeof reportedEvent>

/** An event with the camera that it is about. */
export const addressedEvent = z.intersection(eventAddress, reportedEvent)
export type AddressedEvent = z.infer<typeof addressedEvent>

/** The most events in one `POST /operator/events`, and the most bytes of its body. */
export const eventLimits = { events: 100, bytes: 256 * 1024 } as const
/** Asks it. An event that is not right is refused by itself, so the door reads them one by one. */
export const eventBatch = z.strictObject({ events: z.array(addressedEvent).min(1).max(eventLimits.events) })

/** What became of one event. */
export const eventResult = z.discriminatedUnion('result', [
  /** It is durable. `ended`: to a viewer that is `connected`, as in the reply to the camera's own post. */
  z.object({ result: z.literal('accepted'), ended: z.literal(true).exactOptional() }),
  /** It will not be accepted as it is. `error` is a code of the bridge's. */
  z.object({ result: z.literal('refused'), error: z.string(), message: z.string() }),
  /** It was not accepted now: to be sent again, with those of the same camera that came after it. */
  z.object({ result: z.literal('failed'), error: z.string(), message: z.string() }),
])
export type EventResult = z.infer<typeof eventResult>
/** Answers it: one result for each event, in the order of the request. */
export const eventResults = z.object({ results: z.array(eventResult) })
