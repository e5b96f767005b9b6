/** Events as AWS hands them to a Lambda function: of an SQS queue, a Kinesis stream or an IoT rule; also IoT's lifecycle events. */
import * as z from 'zod'
import type { AddressedEvent, EventResult } from 'transom-core/wire/operator-events'
import { parseJson } from '../http.ts'

/** The parts of an invocation by a queue or a stream that we read (AWS Lambda developer guide, Using Lambda with Amazon SQS, … Kinesis). */
const records = z.object({
  Records: z.array(
    z.union([
      z
        .object({ eventSource: z.literal('aws:sqs'), messageId: z.string(), body: z.string() })
        .transform(({ messageId, body }) => ({ id: messageId, isOfStream: false, text: body })),
      z
        .object({
          eventSource: z.literal('aws:kinesis'),
          kinesis: z.object({ sequenceNumber: z.string(), data: z.string() }),
        })
        .transform(({ kinesis: { sequenceNumber, data } }) => ({
          id: sequenceNumber,
          isOfStream: true,
          text: Buffer.from(data, 'base64').toString('utf8'),
        })),
    ]),
  ),
})

/**
 * A lifecycle event of AWS IoT (AWS IoT Core developer guide, Lifecycle events). The device is the camera of its client id, or
 * of what the rule's SQL selects as `cameraId`.
 */
const lifecycle = z.object({
  eventType: z.enum(['connected', 'disconnected']),
  clientId: z.string(),
  cameraId: z.string().optional(),
  account: z.string().optional(),
  timestamp: z.number(),
  versionNumber: z.number().optional(),
})

/** An item of a record, whatever that is: `addressedEvent` says whether it can be used. */
export interface RecordItem {
  readonly event: unknown
  /** Of the record, as `batchItemFailures` names it; absent where the invocation itself is the event. */
  readonly record?: { readonly id: string; readonly isOfStream: boolean }
}

/** The events of an invocation, in their order. A record holds one, or a list of them. */
export function itemsOf(invocation: unknown): readonly RecordItem[] {
  const parsed = records.safeParse(invocation)
  if (!parsed.success) return listOf(invocation).map((event) => ({ event: translated(event) }))
  return parsed.data.Records.flatMap(({ text, ...record }) =>
    listOf(parseJson(text)).map((event) => ({ event: translated(event), record })),
  )
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])

function translated(event: unknown): unknown {
  const parsed = lifecycle.safeParse(event)
  if (!parsed.success) return event
  const { eventType, clientId, cameraId = clientId, account, timestamp, versionNumber } = parsed.data
  return {
    cameraId,
    ...(account !== undefined && { account }),
    kind: 'presence',
    isOnline: eventType === 'connected',
    at: timestamp,
    ...(versionNumber !== undefined && { version: versionNumber }),
  } satisfies AddressedEvent
}

/** The answer to a queue or a stream (`ReportBatchItemFailures`): what comes again, or ends in the dead-letter queue. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

/**
 * Of a queue every record with an event that was not accepted: what can never be ends in the dead-letter queue. Of a stream
 * only what may be accepted later: its shard waits for the first failure, so the rest is logged and gone.
 */
export function failuresOf(items: readonly RecordItem[], results: readonly EventResult[]): BatchResponse {
  const failed = items.flatMap(({ record }, index) => {
    const result = results[index]?.result
    const comesAgain = result === 'failed' || (result === 'refused' && record?.isOfStream === false)
    return record !== undefined && comesAgain ? [record.id] : []
  })
  return { batchItemFailures: [...new Set(failed)].map((itemIdentifier) => ({ itemIdentifier })) }
}
