/** Makes the Lambda function of a vendor's events: what a queue, a stream or a rule of AWS IoT brings. */
import { receiveEvents } from '../operator/event-batch.ts'
import { openOnAws } from './aws.ts'
import { failuresOf, itemsOf, type BatchResponse } from './event-records.ts'
import type { Environment, Ports } from './ground.ts'
import { remainingMs, told, type Invocation } from './invocation.ts'
import { invoked, keepToLog, log } from './log.ts'
import { withSecrets } from './named-settings.ts'

/** What waits for the assistants after that is sent by the sweep. */
const toldMs = 5_000

/**
 * Resolves to a handler: an event of SQS or Kinesis in, which of its records come again out. A payload of an IoT rule, which
 * has no records, is one event: the invocation fails when it is not accepted, and Lambda tries again. `ports` as in the
 * other functions.
 */
export async function createEventsFunction(
  env: Environment,
  ports?: Ports,
): Promise<(event: unknown, context: Invocation) => Promise<BatchResponse>> {
  keepToLog(console, process)
  const { bridge } = openOnAws(await withSecrets(env), Date.now, log, ports)
  return invoked(async (event, context) => {
    const settled = bridge.fromNow()
    const items = itemsOf(event)
    const results = await receiveEvents(
      bridge,
      items.map((item) => item.event),
    )
    for (const result of results)
      if (result.result !== 'accepted')
        log('warn', 'aws.event-not-accepted', { code: result.error, error: result.message })
    await told(settled, Math.min(remainingMs(context), toldMs))
    const withoutRecord = results.find(
      ({ result }, index) => result !== 'accepted' && items[index]?.record === undefined,
    )
    if (withoutRecord !== undefined && withoutRecord.result !== 'accepted') throw new Error(withoutRecord.message)
    return failuresOf(items, results)
  })
}
