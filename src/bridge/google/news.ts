/** Which news of a camera Google is to hear, and for how long it is worth telling. */
import * as z from 'zod'
import type { Outgoing } from '../outbox/outgoing.ts'
import { cameraId, type AccountId, type Camera, type CameraNews } from 'transom-core/ports'
import { announcesPeople } from './devices.ts'
import type { GoogleLinks } from './links.ts'

/** What the outbox keeps for Google: no more than what to speak of; the message is made when it is sent. */
export const googleEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('press') }),
  z.object({ kind: z.literal('person') }),
  /** What is true now is reported, not what was true when this was written: of one camera, or of all of the account. */
  z.object({ kind: z.literal('states'), cameraId: z.string().transform(cameraId).optional() }),
  /** Google is to ask for the devices again. */
  z.object({ kind: z.literal('sync') }),
  /** Google is to forget the account. */
  z.object({ kind: z.literal('unlink') }),
])

/** Milliseconds; what is missed by then the next reconciliation mends. Nobody stands at the door after half a minute. */
const usefulMs = { press: 30_000, person: 120_000, states: 3_600_000, sync: 24 * 3_600_000, unlink: 7 * 24 * 3_600_000 }

/** The entries for the outbox; none for an account that is not linked with Google. */
export function createGoogleNews(links: Pick<GoogleLinks, 'isOpen'>) {
  return async (camera: Camera, news: CameraNews): Promise<readonly Outgoing[]> => {
    const entry = entryOf(camera, news)
    return entry !== undefined && (await links.isOpen(camera.accountId)) ? [entry] : []
  }
}

function entryOf(camera: Camera, news: CameraNews): Outgoing | undefined {
  const { accountId, id } = camera
  const { at } = news
  switch (news.kind) {
    case 'press':
    case 'person': {
      const { kind, eventId } = news
      if (kind === 'press' ? camera.kind !== 'doorbell' : !announcesPeople(camera)) return undefined
      const name = `google-${kind}-${id}-${eventId}`
      const about = { id: name, destination: 'google', accountId, cameraId: id, body: { kind }, at } as const
      // Each person who is seen is told: its own subject.
      const lane = kind === 'press' ? ({ lane: 'press' } as const) : ({ lane: 'report', subject: name } as const)
      return { ...about, ...lane, usefulUntil: at + usefulMs[kind] }
    }
    case 'online':
    case 'battery':
    case 'switch':
    case 'sensor':
      return {
        ...accountEntry(accountId, 'states', at),
        body: { kind: 'states', cameraId: id },
        together: { kind: 'states' },
      }
    case 'changed':
    case 'removed':
      return accountEntry(accountId, 'sync', at)
    // No trait of ours has it: motion without a word who moves is not ObjectDetection.
    case 'motion':
      return undefined
  }
}

/** One subject for a whole account: while it waits, whatever else changes goes along with it, in one call. */
export function accountEntry(accountId: AccountId, kind: 'states' | 'sync' | 'unlink', at: number): Outgoing {
  const id = `google-${kind}-${accountId}-${crypto.randomUUID()}`
  const lane = { lane: 'report', subject: kind } as const
  return { id, destination: 'google', ...lane, accountId, body: { kind }, at, usefulUntil: at + usefulMs[kind] }
}
