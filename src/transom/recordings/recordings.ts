/** Recordings on this machine: sealed files with a list in the store. What is acknowledged survives a crash at any instant. */
import type { KeyObject } from 'node:crypto'
import { createQueue } from 'transom-core/admission'
import type { CameraId, Log, Recording, Recordings, Store } from 'transom-core/ports'
import { createFolders } from './folders.ts'
import { onDisk } from './on-disk.ts'
import { joinClip, listFragments, readFragment, readFragments, readPicture, writePicture } from './reading.ts'
import { repair } from './repair.ts'
import { createWriting, idOf, type Listed } from './writing.ts'

/** Longer than a recording may be, so that those which begin before a span and reach into it are found. */
const longestMs = 10 * 60_000
const defaultLimit = 100
/** Each is made in memory, and may be large. */
const clipsAtOnce = { atOnce: 2, waiting: 8, retryAfterMs: 5_000 }

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
  const writing = createWriting({ listed, cameras, folders, log })
  const clips = createQueue(clipsAtOnce)
  const { begin, append, end, remove, isRecording, follow, live, drop, keep, inTurn, close } = writing

  const recordings: KeptRecordings = {
    begin,
    append,
    end,
    remove,
    isRecording,
    follow,
    close,

    async list(cameraId, { from, to, limit = defaultLimit, after }) {
      const found: Recording[] = []
      const start = idOf(cameraId, Math.max(from - longestMs, after ?? 0, 0))
      for await (const { value } of listed.all(cameraId, { after: start })) {
        if (value.startAt >= to || found.length >= limit) break
        const recording = live(value)
        if (recording.endAt > from) found.push(recording)
      }
      return found
    },

    async find(cameraId, startAt) {
      const kept = await listed.get(idOf(cameraId, startAt))
      return kept && live(kept.value)
    },

    fragments: (recording) => listFragments(folders, recording),
    fragment: (recording, number) => readFragment(folders, recording, number),
    read: (recording, span) => readFragments(folders, recording, span),

    clip: (cameraId, span, options) =>
      clips.run(async () => {
        // Enough to see that it is too much for one file.
        const found = await recordings.list(cameraId, span)
        return joinClip(found, (recording) => recordings.read(recording, span), log, options)
      }),

    putPicture: (recording, jpeg) => writePicture(folders, recording, jpeg),
    picture: (recording) => readPicture(folders, recording),

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
        for await (const { value: kept } of listed.all(value.cameraId)) yield live(kept)
    },

    async start() {
      for await (const { value } of cameras.all('all'))
        await inTurn(value.cameraId, () =>
          repair({ folders, keep, drop, log }, value.cameraId, listed.all(value.cameraId)),
        )
    },
  }
  return recordings
}
