/** Whoever looks at somebody else's recordings leaves a line in the owner's history. */
import type { AccountId, Camera, Clock, Store } from 'transom-core/ports'
import type { Audit } from '../oauth/people/audit.ts'
import type { Users } from '../oauth/people/users.ts'

/** Who looks: a guest, the operator, or whoever has a link that was shared. */
export type RecordingViewer = { readonly guest: AccountId } | 'operator' | 'link'

/** `at`: when the clip begins, epoch milliseconds; without it, the pictures in the list. Resolves when the line is written. */
export type NoteRecordingView = (camera: Camera, viewer: RecordingViewer, at?: number) => Promise<void>

/** A player asks for a clip in parts, and a list for many pictures: within so long they are one view. */
const oneViewMs = 10 * 60_000

export function createRecordingViews(deps: {
  readonly users: Pick<Users, 'findByAccount'>
  readonly audit: Pick<Audit, 'write'>
  readonly store: Store
  readonly clock: Clock
}): NoteRecordingView {
  const { users, audit, store, clock } = deps
  const noted = store.collection<Record<string, never>>('recording-view')
  return async ({ id, name, accountId, sharedBy = accountId }, viewer, at) => {
    const key = `${id} ${typeof viewer === 'string' ? viewer : viewer.guest} ${at ?? 'pictures'}`
    const isNew = await noted.put(key, {}, { onlyIf: 'absent', expiresAt: clock() + oneViewMs })
    if (isNew === undefined) return
    const what = `${name}, ${at === undefined ? 'pictures' : minuteOf(at)}, by`
    if (typeof viewer === 'string') return audit.write(sharedBy, 'recording-viewed', `${what} ${words[viewer]}`)
    const guest = await users.findByAccount(viewer.guest)
    const mention = guest && { login: guest, without: `${what} ${gone}` }
    await audit.write(sharedBy, 'recording-viewed', `${what} ${guest?.login ?? gone}`, mention)
  }
}

const words = { operator: 'the operator', link: 'somebody with the link' } as const
const gone = 'an account that is gone'

/** In UTC, as the history is. */
const minuteOf = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
