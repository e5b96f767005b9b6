/** Makes the list and the files of a camera agree with one another again, after a crash. */
import { open } from 'node:fs/promises'
import { cameraId as toCameraId, type CameraId, type Log, type Recording } from 'transom-core/ports'
import type { Folders } from './folders.ts'
import { endOf, placesIn, readAt, type Place } from './sealed-file.ts'
import type { Listed } from './writing.ts'

/** What is listed without a file goes, what was open is ended where its file is whole, a file without an entry gets one. */
export async function repair(
  deps: {
    readonly folders: Folders
    readonly keep: (recording: Recording) => Promise<unknown>
    readonly drop: (cameraId: CameraId, startAt: number) => Promise<boolean>
    readonly log: Log
  },
  cameraId: CameraId,
  entries: AsyncIterable<{ readonly value: Listed }>,
): Promise<void> {
  const { folders, keep, drop, log } = deps
  const unlisted = new Set(await folders.starts(cameraId))
  for await (const { value } of entries) {
    const { startAt } = value
    const hasFile = unlisted.delete(startAt)
    try {
      if (!hasFile) await drop(cameraId, startAt)
      else if (value.isOpen) await mend(value)
    } catch (error) {
      log('error', 'recordings.not-repaired', { cameraId, startAt, error })
    }
  }
  for (const startAt of unlisted) {
    try {
      await mend({ cameraId: toCameraId(cameraId), startAt, endAt: startAt, bytes: 0, codecs: '' })
    } catch (error) {
      log('error', 'recordings.not-repaired', { cameraId, startAt, error })
    }
  }

  async function mend(value: Listed): Promise<void> {
    const { startAt } = value
    const end = await wholeEnd(folders, cameraId, startAt)
    if (end === undefined) return void (await drop(cameraId, startAt))
    await keep({ ...value, endAt: end.at + end.durationMs, bytes: endOf(end), isOpen: false })
    log('info', 'recordings.repaired', { cameraId, startAt, bytes: endOf(end) })
  }
}

/** Cuts off what a crash left behind the last fragment that opens. `undefined` when no picture is left. */
async function wholeEnd(folders: Folders, cameraId: string, startAt: number): Promise<Place | undefined> {
  const sealed = await folders.sealingOf(cameraId, startAt)
  const file = await open(folders.fileOf(cameraId, startAt), 'r+')
  try {
    const places: Place[] = []
    for await (const place of placesIn(file)) places.push(place)
    let last = places.pop()
    while (last !== undefined && (await readAt(file, sealed, last)).kind === 'lost') last = places.pop()
    if (last === undefined || last.number === 0) return undefined
    await file.truncate(endOf(last))
    return last
  } finally {
    await file.close()
  }
}
