/** `--ring` for Google: presses the bell as the camera does, and waits until Home Graph has been told. */

import { randomUUID } from 'node:crypto'
import { CallError } from './causes.ts'
import { withDeadline } from './deadline.ts'
import type { HomeGraph } from './home-graph.ts'
import { postJson } from './http.ts'
import type { Settings } from './settings.ts'

/** A press that nobody has announced by then never will be: half a minute later it is not worth a word. */
const announcedMs = 10_000

/** Throws `ring_impossible`, `not_announced`, `announcement_invalid`. */
export async function ringForGoogle(
  { bridge, cameraKeys }: Settings,
  homeGraph: HomeGraph,
  cameraId: string,
  signal: AbortSignal,
): Promise<void> {
  const key = cameraKeys?.[cameraId]
  if (key === undefined) throw new CallError('ring_impossible', `simulator.json has no key of the doorbell ${cameraId}`)
  const pressedAt = Date.now()
  const press = { kind: 'press', eventId: randomUUID(), at: pressedAt }
  const headers = { authorization: `Bearer ${key}` }
  const { status } = await postJson(`${bridge}/cameras/${cameraId}/events`, press, headers, signal)
  if (status !== 202) throw new CallError('ring_impossible', `the press was answered with HTTP status ${status}`)
  const announcement = await withDeadline(
    signal,
    announcedMs,
    () => new CallError('not_announced', [`not within ${announcedMs} ms`, ...homeGraph.complaints()].join('; ')),
    (within) => homeGraph.announced(cameraId, within),
  )
  if (!announcement.eventId.includes(press.eventId) || announcement.detectedAt !== pressedAt)
    throw new CallError('announcement_invalid', 'it is of another press, or of another time')
}
