/** What a camera reports, from whichever door, on its way to the room that it concerns. */
import type { Camera } from 'transom-core/ports'
import type { CameraEvent, CameraEventReply } from 'transom-core/wire/camera-event'
import type { Bridge } from './bridge.ts'

/** As much of a bridge as that takes. */
export interface ReceivesEvents extends Pick<Bridge, 'sourceReported'> {
  readonly events: Pick<Bridge['events'], 'receive'>
  readonly broker: Pick<Bridge['broker'], 'cameraReported'>
}

/**
 * Passes on what a camera reports, once it is known which camera it is. `signedAt` is when the report was signed, in
 * epoch milliseconds. Resolves to what the camera is answered.
 */
export async function receiveEvent(
  bridge: ReceivesEvents,
  camera: Camera,
  event: CameraEvent,
  signedAt?: number,
): Promise<CameraEventReply> {
  if (event.kind === 'source') {
    await bridge.sourceReported(camera, event)
    return {}
  }
  if (event.kind !== 'viewer') {
    const { sentAt = signedAt, ...news } = event
    await bridge.events.receive(camera, news, sentAt)
    return {}
  }
  const { kind: _kind, at: _at, ...report } = event
  const isOver = await bridge.broker.cameraReported(camera, report)
  return isOver ? { ended: true } : {}
}
