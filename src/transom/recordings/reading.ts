/** What was recorded, read again: fragments, the picture that stands for them, and one file of them all. */
import { open, readFile, writeFile, type FileHandle } from 'node:fs/promises'
import { BridgeError } from 'transom-core/errors'
import type { Clip, KeptFragment, Log, ReadFragment, Recording } from 'transom-core/ports'
import { seal, unseal } from 'transom-core/seal'
import type { Folders } from './folders.ts'
import type { Stretch } from './mp4.ts'
import { onDisk } from './on-disk.ts'
import { endOf, placesIn, readAt, type Place } from './sealed-file.ts'

/** A clip is made in memory. */
const mostInClip = 50
const mostClipBytes = 512 * 1_024 * 1_024
const tooLong = 'this is more than fits into one file: ask for a shorter time'

/** As `Recordings.read`. */
export async function* readFragments(
  folders: Folders,
  { cameraId, startAt, isOpen }: Recording,
  { from = -Infinity, to = Infinity }: { readonly from?: number; readonly to?: number } = {},
): AsyncGenerator<ReadFragment> {
  const sealed = await onDisk(() => folders.sealingOf(cameraId, startAt))
  const file = await onDisk(() => open(folders.fileOf(cameraId, startAt), 'r'))
  try {
    let last: Place | undefined
    for await (const place of placesIn(file)) {
      last = place
      const isWanted = place.number === 0 || (place.at < to && place.at + place.durationMs > from)
      if (isWanted) yield await onDisk(() => readAt(file, sealed, place))
    }
    if (isOpen || (await file.stat()).size === (last ? endOf(last) : 0)) return
    const { number, at, durationMs } = last ?? { number: -1, at: startAt, durationMs: 0 }
    yield { kind: 'lost', number: number + 1, at: at + durationMs, durationMs: 0, fault: 'what follows cannot be read' }
  } finally {
    await file.close()
  }
}

/** As `Recordings.fragments`: the heads alone are read. */
export async function listFragments(
  folders: Folders,
  { cameraId, startAt }: Recording,
): Promise<readonly KeptFragment[]> {
  const found: KeptFragment[] = []
  await withFile(folders.fileOf(cameraId, startAt), async (file) => {
    for await (const { number, at, durationMs, sealedBytes, isMisplaced } of placesIn(file))
      if (number > 0 && !isMisplaced) found.push({ number, at, durationMs, bytes: sealedBytes })
  })
  return found
}

/** As `Recordings.fragment`. */
export async function readFragment(
  folders: Folders,
  { cameraId, startAt }: Recording,
  wanted: number,
): Promise<ReadFragment | undefined> {
  const sealed = await onDisk(() => folders.sealingOf(cameraId, startAt))
  return withFile(folders.fileOf(cameraId, startAt), async (file) => {
    for await (const place of placesIn(file)) if (place.number === wanted) return readAt(file, sealed, place)
    return undefined
  })
}

const withFile = <T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> =>
  onDisk(async () => {
    const file = await open(path, 'r')
    try {
      return await work(file)
    } finally {
      await file.close()
    }
  })

/** Seals the picture that stands for a recording, and puts it beside it. */
export async function writePicture(folders: Folders, { cameraId, startAt }: Recording, jpeg: Buffer): Promise<void> {
  const { key, context } = await folders.sealingOf(cameraId, startAt)
  const sealed = seal(key, pictureOf(context), jpeg.toString('base64'))
  await onDisk(() => writeFile(folders.pictureOf(cameraId, startAt), sealed, { mode: 0o600 }))
}

/** `undefined` where there is none that can be opened. */
export async function readPicture(folders: Folders, { cameraId, startAt }: Recording): Promise<Buffer | undefined> {
  const sealed = await readFile(folders.pictureOf(cameraId, startAt), 'utf8').catch(() => undefined)
  if (sealed === undefined) return undefined
  const { key, context } = await onDisk(() => folders.sealingOf(cameraId, startAt))
  const text = unseal(key, pictureOf(context), sealed)
  return text === undefined ? undefined : Buffer.from(text, 'base64')
}

const pictureOf = (context: string): string => `${context} still`

/** As `Recordings.clip`, of these recordings. Parts that cannot be read are left out. */
export async function joinClip(
  found: readonly Recording[],
  read: (recording: Recording) => AsyncIterable<ReadFragment>,
  log: Log,
  options?: { readonly isSilent?: boolean },
): Promise<Clip | undefined> {
  const bytes = found.reduce((sum, one) => sum + one.bytes, 0)
  if (found.length > mostInClip || bytes > mostClipBytes) throw new BridgeError('invalid_request', tooLong)
  const stretches: Stretch[] = []
  const codecs = new Set<string>()
  let from = Infinity
  let to = -Infinity
  for (const recording of found) {
    const { cameraId, startAt } = recording
    let failed = 0
    let init: Buffer | undefined
    const fragments: Buffer[] = []
    for await (const fragment of read(recording)) {
      if (fragment.kind === 'lost') failed += 1
      else if (fragment.number === 0) init = fragment.data
      else {
        fragments.push(fragment.data)
        from = Math.min(from, fragment.at)
        to = Math.max(to, fragment.at + fragment.durationMs)
      }
    }
    if (failed > 0) log('error', 'recordings.damaged', { cameraId, startAt, failed })
    if (init === undefined || fragments.length === 0) continue
    stretches.push({ init, fragments })
    codecs.add(recording.codecs)
  }
  if (codecs.size > 1)
    throw new BridgeError(
      'invalid_request',
      'the camera’s codecs changed within this time: ask for each part by itself',
    )
  if (stretches.length === 0) return undefined
  // Loaded for whoever exports a recording: it is 2 MB of code.
  const { toMp4 } = await import('./mp4.ts')
  return { from, to, mp4: await toMp4(stretches, options) }
}
