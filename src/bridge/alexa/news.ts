/** Which news of a camera Alexa is to hear, and for how long it is worth telling. */
import * as z from 'zod'
import type { Outgoing } from '../outbox/outgoing.ts'
import { cameraId, type Camera, type CameraNews } from 'transom-core/ports'

/** What the outbox keeps for Alexa: facts only; the message is made when it is sent. */
export const alexaNews = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('press') }),
  z.object({ kind: z.literal('motion'), isDetected: z.boolean() }),
  z.object({ kind: z.literal('person') }),
  z.object({ kind: z.literal('online'), isOnline: z.boolean() }),
  z.object({ kind: z.literal('description') }),
])

/** Nobody stands at the door any more. */
const PRESS_MS = 30_000
const MOTION_MS = 120_000
const STATE_MS = 24 * 3_600_000

/** The entries for the outbox. Presses have their own lane; of states about one subject only the newest is told. */
export function newsForAlexa(camera: Camera, news: CameraNews): readonly Outgoing[] {
  const { at } = news
  const about = { destination: 'alexa', accountId: camera.accountId, cameraId: cameraId(camera.id), at } as const
  const id = (name: string) => `${camera.id} ${name}`
  switch (news.kind) {
    case 'press':
      if (camera.kind !== 'doorbell') return []
      return [{ ...about, id: id(news.eventId), lane: 'press', body: { kind: 'press' }, usefulUntil: at + PRESS_MS }]
    case 'motion': {
      if (!camera.hasMotion) return []
      const body = { kind: 'motion', isDetected: news.isDetected }
      return [{ ...about, id: id(news.eventId), lane: 'report', subject: 'motion', body, usefulUntil: at + MOTION_MS }]
    }
    case 'person': {
      if (!camera.detects?.includes('person')) return []
      // Each person seen is told: its own subject.
      const subject = `person ${news.eventId}`
      const body = { kind: 'person' }
      return [{ ...about, id: id(news.eventId), lane: 'report', subject, body, usefulUntil: at + MOTION_MS }]
    }
    case 'online': {
      const body = { kind: 'online', isOnline: news.isOnline }
      const which = `online ${at} ${news.isOnline}`
      return [{ ...about, id: id(which), lane: 'report', subject: 'online', body, usefulUntil: at + STATE_MS }]
    }
    case 'changed':
    case 'removed': {
      const body = { kind: 'description' }
      const which = `${news.kind} ${at}`
      return [{ ...about, id: id(which), lane: 'report', subject: 'description', body, usefulUntil: at + STATE_MS }]
    }
    // Alexa has no property for a battery that it does not turn down (EndpointHealth beyond `connectivity`).
    case 'battery':
    case 'switch':
    case 'sensor':
      return []
  }
}
