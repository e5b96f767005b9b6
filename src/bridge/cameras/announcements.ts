/** Who is to hear of what a camera says: every account that may see it, in the words of each of its assistants. */
import type { Outbox } from '../outbox/outbox.ts'
import type { Outgoing } from '../outbox/outgoing.ts'
import type { Camera, CameraNews } from 'transom-core/ports'
import type { Shares } from './sharing.ts'
import type { Visits } from './visits.ts'

/** What one assistant is to be told of it; nothing when the account is not linked with it. */
export type Translate = (camera: Camera, news: CameraNews) => Promise<readonly Outgoing[]> | readonly Outgoing[]

/** Both resolve when what is to be told is durable. */
export interface Announcements {
  /** To everybody who may see the camera; a press not to those who want quiet. */
  toAll(camera: Camera, news: CameraNews): Promise<void>
  /** To the one account whose view of the camera this is. */
  toOne(camera: Camera, news: CameraNews): Promise<void>
}

export function createAnnouncements(deps: {
  readonly audience: Shares['audience']
  readonly visits: Pick<Visits, 'mutedUntil'>
  readonly translate: readonly Translate[]
  readonly outbox: Pick<Outbox, 'add'>
}): Announcements {
  const { audience, visits, translate, outbox } = deps

  async function translated(seen: Camera, news: CameraNews): Promise<readonly Outgoing[]> {
    return (await Promise.all(translate.map(async (each) => each(seen, news)))).flat()
  }

  async function forAccount(camera: Camera, seen: Camera, news: CameraNews): Promise<readonly Outgoing[]> {
    // Everybody's own quiet.
    if (news.kind === 'press' && (await visits.mutedUntil(seen.accountId)) !== undefined) return []
    const outgoing = await translated(seen, news)
    // What a guest is told is another message than the owner's.
    const isGuest = seen.accountId !== camera.accountId
    return isGuest ? outgoing.map((entry) => ({ ...entry, id: `${entry.id} for ${seen.accountId}` })) : outgoing
  }

  return {
    async toAll(camera, news) {
      const seenByEach = await audience(camera)
      const outgoing = await Promise.all(seenByEach.map(async (seen) => forAccount(camera, seen, news)))
      await outbox.add(outgoing.flat())
    },
    toOne: async (camera, news) => outbox.add(await translated(camera, news)),
  }
}
