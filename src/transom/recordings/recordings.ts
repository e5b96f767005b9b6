/** Recordings on this machine: sealed files with a list in the store. What is acknowledged survives a crash at any instant. */
import type { KeyObject } from 'node:crypto'
import { open, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BridgeError } from 'transom-core/errors'
import {
  cameraId as toCameraId,
  type CameraId,
  type Clip,
  type Log,
  type ReadFragment,
  type Recording,
  type Recordings,
  type Store,
} from 'transom-core/ports'
import { seal, unseal } from 'transom-core/seal'
import { createTurns } from 'transom-core/store/verbs'
import { createFolders, syncFolder, type Folders } from './folders.ts'
import { toMp4, type Stretch } from './mp4.ts'
import { endOf, mostBytes, openWriter, placesIn, readAt, type Place, type SealedWriter } from './sealed-file.ts'

/** As the store lists it, in the group of its camera and in the order of its start. */
type Listed = Omit<Recording, 'isOpen'> & { readonly isOpen?: true }

/** A recording that is being written. */
interface Writing {
  readonly writer: SealedWriter
  recording: Recording
  /** The number of the next fragment. */
  next: number
}

/** Longer than a recording may be, so that those which begin before a span and reach into it are found. */
export const longestMs = 10 * 60_000
const defaultLimit = 100
/** A clip is made in memory. */
const mostInClip = 50
const mostClipBytes = 512 * 1_024 * 1_024
const tooLong = 'this is more than fits into one file: ask for a shorter time'

/** The recordings of this machine. They keep a bridge's promise only after `start`. */
export interface KeptRecordings extends Recordings {
  /** Makes the list and the files agree with one another again, after a crash. */
  start(): Promise<void>
  /** All recordings, camera by camera, from the oldest on. */
  all(): AsyncIterable<Recording>
  /** Ends what is open. May be called again. */
  close(): Promise<void>
}

/** `root`: the folder of their files; `sealing`: 32 bytes that wrap their keys. */
export function createRecordings(deps: {
  readonly store: Store
  readonly root: string
  readonly sealing: KeyObject
  readonly log: Log
}): KeptRecordings {
  const { store, root, sealing, log } = deps
  const listed = store.collection<Listed>('recording')
  const cameras = store.collection<{ readonly cameraId: CameraId }>('recorded-camera')
  const folders = createFolders(root, sealing)
  const writing = new Map<string, Writing>()
  // What is deleted and what begins share the key of a day.
  const inTurn = createTurns()

  const keep = ({ isOpen, ...recording }: Recording) =>
    listed.put(
      idOf(recording.cameraId, recording.startAt),
      { ...recording, ...(isOpen && { isOpen }) },
      { group: recording.cameraId },
    )

  const live = (cameraId: CameraId, startAt: number, kept: Listed): Recording =>
    writing.get(idOf(cameraId, startAt))?.recording ?? { ...kept, isOpen: false }

  async function openFile(recording: Recording, init: Buffer): Promise<void> {
    const { cameraId, startAt } = recording
    const sealed = await folders.sealingOf(cameraId, startAt, 'new')
    await cameras.put(cameraId, { cameraId }, { group: 'all' })
    await keep(recording)
    const path = folders.fileOf(cameraId, startAt)
    const writer = await openWriter(path, sealed, 0)
    writing.set(idOf(cameraId, startAt), { writer, recording, next: 1 })
    await writer.append({ number: 0, at: startAt, durationMs: 0, data: init })
    await syncFolder(dirname(path))
  }

  async function finish(id: string): Promise<void> {
    const one = writing.get(id)
    if (one === undefined) return
    writing.delete(id)
    await one.writer.close()
    await keep({ ...one.recording, isOpen: false })
  }

  async function drop(cameraId: CameraId, startAt: number): Promise<boolean> {
    const id = idOf(cameraId, startAt)
    const one = writing.get(id)
    writing.delete(id)
    await one?.writer.close()
    // The files first: what is listed and is not there is found by the next start, the other way round nobody would look.
    await folders.remove(cameraId, startAt)
    return (await listed.take(id)) !== undefined
  }

  const recordings: KeptRecordings = {
    begin: (cameraId, startAt, codecs, data) =>
      inTurn(cameraId, async () => {
        const id = idOf(cameraId, startAt)
        if (writing.has(id)) return
        if ((await listed.get(id)) !== undefined)
          throw new BridgeError('invalid_request', `the recording ${startAt} is over: begin another`)
        try {
          await onDisk(() => openFile({ cameraId, startAt, endAt: startAt, isOpen: true, bytes: 0, codecs }, data))
        } catch (error) {
          await drop(cameraId, startAt).catch(() => false)
          throw error
        }
      }),

    append: (cameraId, startAt, fragment) =>
      inTurn(cameraId, async () => {
        const one = writing.get(idOf(cameraId, startAt))
        if (one === undefined) throw new BridgeError('invalid_request', `the recording ${startAt} is not open`)
        const { number, at, durationMs, data } = fragment
        if (number < one.next) return
        if (number > one.next)
          throw new BridgeError('invalid_request', `fragment ${one.next} comes next, and not ${number}`)
        if (data.length > mostBytes) throw new BridgeError('invalid_request', 'the fragment is too large')
        await onDisk(() => one.writer.append(fragment))
        one.next += 1
        const endAt = Math.max(one.recording.endAt, at + durationMs)
        one.recording = { ...one.recording, endAt, bytes: one.writer.size() }
      }),

    end: (cameraId, startAt) => inTurn(cameraId, () => onDisk(() => finish(idOf(cameraId, startAt)))),

    async list(cameraId, { from, to, limit = defaultLimit, after }) {
      const found: Recording[] = []
      const start = idOf(cameraId, Math.max(from - longestMs, after ?? 0))
      for await (const { value } of listed.all(cameraId, { after: start })) {
        if (value.startAt >= to || found.length >= limit) break
        const recording = live(cameraId, value.startAt, value)
        if (recording.endAt > from) found.push(recording)
      }
      return found
    },

    async find(cameraId, startAt) {
      const kept = await listed.get(idOf(cameraId, startAt))
      return kept && live(cameraId, startAt, kept.value)
    },

    read: (recording, span) => readFragments(folders, recording, span),

    async clip(cameraId, span) {
      const found = await recordings.list(cameraId, { ...span, limit: mostInClip + 1 })
      const bytes = found.reduce((sum, one) => sum + one.bytes, 0)
      if (found.length > mostInClip || bytes > mostClipBytes) throw new BridgeError('invalid_request', tooLong)
      return joinClip(found, (recording) => recordings.read(recording, span), log)
    },

    async putPicture({ cameraId, startAt }, jpeg) {
      const { key, context } = await folders.sealingOf(cameraId, startAt)
      const sealed = seal(key, `${context} still`, jpeg.toString('base64'))
      await onDisk(() => writeFile(folders.pictureOf(cameraId, startAt), sealed, { mode: 0o600 }))
    },

    async picture({ cameraId, startAt }) {
      const sealed = await readFile(folders.pictureOf(cameraId, startAt), 'utf8').catch(() => undefined)
      if (sealed === undefined) return undefined
      const { key, context } = await folders.sealingOf(cameraId, startAt)
      const text = unseal(key, `${context} still`, sealed)
      return text === undefined ? undefined : Buffer.from(text, 'base64')
    },

    remove: (cameraId, startAt) => inTurn(cameraId, () => onDisk(() => drop(cameraId, startAt))),

    removeAll: (cameraId) =>
      inTurn(cameraId, () =>
        onDisk(async () => {
          for await (const { value } of listed.all(cameraId)) await drop(cameraId, value.startAt)
          await folders.removeAll(cameraId)
          await cameras.remove(cameraId)
        }),
      ),

    async *all() {
      for await (const { value } of cameras.all('all'))
        for await (const { value: kept } of listed.all(value.cameraId)) yield live(value.cameraId, kept.startAt, kept)
    },

    async start() {
      for await (const { value } of cameras.all('all'))
        await inTurn(value.cameraId, () =>
          repair({ folders, keep, drop, log }, value.cameraId, listed.all(value.cameraId)),
        )
    },

    async close() {
      for (const [id, { recording }] of writing)
        await inTurn(recording.cameraId, () => finish(id)).catch((error: unknown) =>
          log('error', 'recordings.not-ended', { cameraId: recording.cameraId, error }),
        )
    },
  }
  return recordings
}

/** In the order of time when sorted as text, until the year 33658. */
const idOf = (cameraId: string, startAt: number): string => `${cameraId}#${String(startAt).padStart(15, '0')}`

async function* readFragments(
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
    yield { number: number + 1, at: at + durationMs, durationMs: 0, fault: 'what follows cannot be read' }
  } finally {
    await file.close()
  }
}

/** One file of what was recorded; parts that cannot be read are left out. */
async function joinClip(
  found: readonly Recording[],
  read: (recording: Recording) => AsyncIterable<ReadFragment>,
  log: Log,
): Promise<Clip | undefined> {
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
      if ('fault' in fragment) failed += 1
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
  return stretches.length === 0 ? undefined : { from, to, mp4: await toMp4(stretches) }
}

/** After a crash: what is listed without a file goes, what was open is ended where its file is whole, a file without an entry gets one. */
async function repair(
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
    while (last !== undefined && 'fault' in (await readAt(file, sealed, last))) last = places.pop()
    if (last === undefined || last.number === 0) return undefined
    await file.truncate(endOf(last))
    return last
  } finally {
    await file.close()
  }
}

/** What the disk says, in words of ours. */
async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof BridgeError) throw error
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const isFull = code === 'ENOSPC' || code === 'EDQUOT'
    throw new BridgeError(isFull ? 'no_room' : 'store_failed', 'recordings cannot be kept or read', { cause: error })
  }
}
