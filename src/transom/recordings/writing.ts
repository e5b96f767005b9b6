/** Recordings that are being written: each a file and an entry in the list, camera by camera in turn. */
import { dirname } from 'node:path'
import { BridgeError } from 'transom-core/errors'
import type {
  CameraId,
  Collection,
  Fragment,
  Log,
  Recording,
  RecordingChange,
  RecordingListener,
  Recordings,
} from 'transom-core/ports'
import { createTurns } from 'transom-core/store/verbs'
import { syncFolder, type Folders } from './folders.ts'
import { onDisk } from './on-disk.ts'
import { mostBytes, openWriter, type SealedWriter } from './sealed-file.ts'

/** As the store lists it, in the group of its camera and in the order of its start. */
export type Listed = Omit<Recording, 'isOpen'> & { readonly isOpen?: true }

export interface Writing extends Pick<Recordings, 'begin' | 'append' | 'end' | 'remove' | 'isRecording' | 'follow'> {
  /** What is listed, as it is by now. */
  live(kept: Listed): Recording
  /** Deletes it within a turn of its camera. */
  drop(cameraId: CameraId, startAt: number): Promise<boolean>
  keep(recording: Recording): Promise<unknown>
  /** Nothing else of this camera is written or deleted meanwhile: what is deleted and what begins share the key of a day. */
  inTurn<T>(cameraId: CameraId, work: () => Promise<T>): Promise<T>
  /** Ends all. May be called again. */
  close(): Promise<void>
}

interface Open {
  readonly writer: SealedWriter
  recording: Recording
  /** The number of the next fragment. */
  next: number
  /** Ends it when nothing comes any more. */
  readonly silence: NodeJS.Timeout
}

/** A gateway that cannot reach the bridge gives a fragment up sooner: whoever sends none for so long has left without a word. */
const silenceMs = 120_000

/** In the order of time when sorted as text, until the year 33658. */
export const idOf = (cameraId: string, startAt: number): string => `${cameraId}#${String(startAt).padStart(15, '0')}`

export function createWriting(deps: {
  readonly listed: Collection<Listed>
  readonly cameras: Collection<{ readonly cameraId: CameraId }>
  readonly folders: Folders
  readonly log: Log
}): Writing {
  const { listed, cameras, folders, log } = deps
  const open = new Map<string, Open>()
  const inTurn = createTurns()
  const listeners = new Set<RecordingListener>()
  const tell = (cameraId: CameraId, startAt: number, change: RecordingChange): void => {
    for (const listener of listeners) listener({ cameraId, startAt }, change)
  }

  const keep = ({ isOpen, ...recording }: Recording) =>
    listed.put(
      idOf(recording.cameraId, recording.startAt),
      { ...recording, ...(isOpen && { isOpen }) },
      { group: recording.cameraId },
    )

  async function openFile(recording: Recording, init: Buffer): Promise<void> {
    const { cameraId, startAt } = recording
    const sealed = await folders.sealingOf(cameraId, startAt, 'new')
    await cameras.put(cameraId, { cameraId }, { group: 'all' })
    await keep(recording)
    const path = folders.fileOf(cameraId, startAt)
    const writer = await openWriter(path, sealed, 0)
    const silence = setTimeout(() => void endSilent(recording), silenceMs)
    silence.unref()
    open.set(idOf(cameraId, startAt), { writer, recording, next: 1, silence })
    await writer.append({ number: 0, at: startAt, durationMs: 0, data: init })
    await syncFolder(dirname(path))
  }

  async function begin(recording: Recording, init: Buffer): Promise<void> {
    const { cameraId, startAt } = recording
    const id = idOf(cameraId, startAt)
    if (open.has(id)) return
    if ((await listed.get(id)) !== undefined)
      throw new BridgeError('invalid_request', `the recording ${startAt} is over: begin another`)
    try {
      await onDisk(() => openFile(recording, init))
    } catch (error) {
      await drop(cameraId, startAt).catch(() => false)
      throw error
    }
    tell(cameraId, startAt, 'begun')
  }

  const end = (cameraId: CameraId, startAt: number): Promise<void> =>
    inTurn(cameraId, () => onDisk(() => finish(idOf(cameraId, startAt))))

  function endSilent({ cameraId, startAt }: Recording): Promise<void> {
    return end(cameraId, startAt).catch((error: unknown) => log('error', 'recordings.not-ended', { cameraId, error }))
  }

  async function append(cameraId: CameraId, startAt: number, fragment: Fragment): Promise<void> {
    const one = open.get(idOf(cameraId, startAt))
    if (one === undefined) throw new BridgeError('invalid_request', `the recording ${startAt} is not open`)
    const { number, at, durationMs, data } = fragment
    if (number < one.next) return
    if (number > one.next)
      throw new BridgeError('invalid_request', `fragment ${one.next} comes next, and not ${number}`)
    if (data.length > mostBytes) throw new BridgeError('invalid_request', 'the fragment is too large')
    await onDisk(() => one.writer.append(fragment))
    one.next += 1
    one.silence.refresh()
    const endAt = Math.max(one.recording.endAt, at + durationMs)
    one.recording = { ...one.recording, endAt, bytes: one.writer.size() }
  }

  async function finish(id: string): Promise<void> {
    const one = open.get(id)
    if (one === undefined) return
    open.delete(id)
    clearTimeout(one.silence)
    await one.writer.close()
    await keep({ ...one.recording, isOpen: false })
    tell(one.recording.cameraId, one.recording.startAt, 'ended')
  }

  async function drop(cameraId: CameraId, startAt: number): Promise<boolean> {
    const id = idOf(cameraId, startAt)
    const one = open.get(id)
    open.delete(id)
    clearTimeout(one?.silence)
    await one?.writer.close()
    // The files first: what is listed and is not there is found by the next start, the other way round nobody would look.
    await folders.remove(cameraId, startAt)
    return (await listed.take(id)) !== undefined
  }

  return {
    begin: (cameraId, startAt, codecs, init) =>
      inTurn(cameraId, () => begin({ cameraId, startAt, endAt: startAt, isOpen: true, bytes: 0, codecs }, init)),
    append: (cameraId, startAt, fragment) => inTurn(cameraId, () => append(cameraId, startAt, fragment)),
    end,
    async remove(cameraId, startAt) {
      const isGone = await inTurn(cameraId, () => onDisk(() => drop(cameraId, startAt)))
      if (isGone) tell(cameraId, startAt, 'removed')
      return isGone
    },
    isRecording: (cameraId) => [...open.values()].some(({ recording }) => recording.cameraId === cameraId),
    follow(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    live: (kept) => open.get(idOf(kept.cameraId, kept.startAt))?.recording ?? { ...kept, isOpen: false },
    drop,
    keep,
    inTurn,
    async close() {
      for (const [id, { recording }] of open)
        await inTurn(recording.cameraId, () => finish(id)).catch((error: unknown) =>
          log('error', 'recordings.not-ended', { cameraId: recording.cameraId, error }),
        )
    },
  }
}
