/** Which recording shows what happened. */
import type { CameraId, Recording, Recordings } from 'transom-core/ports'

/** A camera that was asleep sends its first picture so long after what woke it: milliseconds. */
export const beginMs = 10_000
/** What was recorded last is kept only with the next key frame. */
const openMs = 15_000

/** The last instant that belongs to it: one that is still recorded lasts until now, whatever was kept of it by now. */
export const lastOf = ({ isOpen, endAt }: Recording): number => (isOpen ? endAt + openMs : endAt)

/** Whether an instant (epoch milliseconds) is in it. */
export const covers = (recording: Recording, at: number): boolean => recording.startAt <= at && at <= lastOf(recording)

/** What covers the instant; where nothing does, what it has made begin. `undefined` where nothing was recorded. */
export async function recordingOf(
  recordings: Pick<Recordings, 'list'>,
  cameraId: CameraId,
  at: number,
): Promise<Recording | undefined> {
  const near = await recordings.list(cameraId, { from: Math.max(0, at - openMs), to: at + beginMs })
  return near.find((one) => covers(one, at)) ?? near.find(({ startAt }) => startAt > at)
}
