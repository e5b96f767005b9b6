/** What was recorded of a press, at addresses that whoever asked may hand to their display. */
import { mayViewRecordings } from '../authority.ts'
import { recordingOf } from './recording-of.ts'
import type { AccountId, Camera, Recordings } from 'transom-core/ports'
import type { MediaAddresses } from './media-address.ts'

/** From so long before the press until so long after it: milliseconds. */
const beforeMs = 5_000
const afterMs = 60_000

/**
 * Returns how to find what was recorded at an instant: a still, and a clip that is silent since displays of Alexa take no Opus.
 * `undefined` where nothing was recorded, where the account may not see it, and without an `https://` address: no display
 * would load it.
 */
export function createShownRecordings({
  recordings,
  addresses,
  publicUrl,
  noteView,
}: {
  readonly recordings: Recordings
  readonly addresses: Pick<MediaAddresses, 'mint'>
  readonly publicUrl: string
  /** A guest looks: for the owner's history. */
  readonly noteView: (camera: Camera, viewer: { readonly guest: AccountId }, at: number) => Promise<void>
}) {
  return async (camera: Camera, accountId: AccountId, at: number) => {
    if (!publicUrl.startsWith('https:') || !mayViewRecordings(camera)) return undefined
    const recording = await recordingOf(recordings, camera.id, at)
    if (recording === undefined) return undefined
    const from = Math.max(recording.startAt, at - beforeMs)
    const to = Math.min(recording.endAt, Math.max(at, recording.startAt) + afterMs)
    // The first fragment is not kept yet.
    if (to <= from) return undefined
    const use = { kind: 'clip', from, to, isShared: false } as const
    const media = `${publicUrl}/media/${addresses.mint({ accountId, cameraId: camera.id, use })}`
    if (camera.sharedBy !== undefined) await noteView(camera, { guest: accountId }, from)
    return { clipUrl: `${media}/silent.mp4`, stillUrl: `${media}/thumbnail.jpg` }
  }
}
