/** Many events of many cameras, from their vendor's cloud: those of one camera in their order, each with a result of its own. */
import type { Bridge } from '../assembly/bridge.ts'
import { receiveEvent, type ReceivesEvents } from '../assembly/camera-events.ts'
import { BridgeError, toBridgeError, type ErrorCode } from 'transom-core/errors'
import { accountId, cameraId, type Camera } from 'transom-core/ports'
import { faultsOf } from 'transom-core/wire/faults'
import { addressedEvent, type AddressedEvent, type EventResult } from 'transom-core/wire/operator-events'

/** What receives an event, once it is known which camera's it is. */
export interface EventDeps extends ReceivesEvents, Pick<Bridge, 'presenceReported'> {
  readonly cameras: Pick<Bridge['cameras'], 'byId' | 'find'>
}

/** How many cameras are worked for at the same time. */
const sideBySide = 10
/** What an event can do nothing for: the same may be accepted later. */
const passing: ReadonlySet<ErrorCode> = new Set([
  'internal',
  'store_failed',
  'no_room',
  'out_of_time',
  'registry_failed',
])

/**
 * Receives events as the cameras' own door does: durable when the result is `accepted`, the same again once, none that is
 * late announced as new. What follows an event that failed waits for it: it fails, too. Resolves with the results in the
 * order of the items; never rejects.
 */
export async function receiveEvents(deps: EventDeps, items: readonly unknown[]): Promise<readonly EventResult[]> {
  const read = items.map((item) => addressedEvent.safeParse(item))
  const results = read.map<EventResult>(({ error }) => ({
    result: 'refused',
    error: 'invalid_request',
    message: error === undefined ? '' : faultsOf(error),
  }))
  const lines = new Map<string, { readonly index: number; readonly event: AddressedEvent }[]>()
  for (const [index, { data: event }] of read.entries()) {
    if (event === undefined) continue
    const line = lines.get(event.cameraId)
    if (line === undefined) lines.set(event.cameraId, [{ index, event }])
    else line.push({ index, event })
  }
  const waiting = [...lines.values()].values()
  const work = async (): Promise<void> => {
    // The iterator is shared: each line is taken by one.
    for (const line of waiting) {
      let last: EventResult | undefined
      for (const { index, event } of line) {
        if (last?.result !== 'failed') last = await resultOf(deps, event)
        results[index] = last
      }
    }
  }
  await Promise.all(Array.from({ length: sideBySide }, work))
  return results
}

async function resultOf(deps: EventDeps, { cameraId: id, account, ...event }: AddressedEvent): Promise<EventResult> {
  try {
    const camera = await cameraOf(deps, id, account)
    if (event.kind !== 'presence') return { result: 'accepted', ...(await receiveEvent(deps, camera, event)) }
    const { kind: _, ...report } = event
    await deps.presenceReported(camera, report)
    return { result: 'accepted' }
  } catch (thrown) {
    const { code, message } = toBridgeError(thrown)
    return { result: passing.has(code) ? 'failed' : 'refused', error: code, message }
  }
}

async function cameraOf({ cameras }: EventDeps, id: string, account?: string): Promise<Camera> {
  const known = await cameras.byId(id)
  const camera = known ?? (account === undefined ? undefined : await cameras.find(accountId(account), cameraId(id)))
  if (camera === undefined) throw new BridgeError('camera_not_found', `there is no camera ${id}`)
  return camera
}
