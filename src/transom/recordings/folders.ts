/** Where recordings lie: a folder for each camera and day, with a key of its own, wrapped by that of the data directory. */
import { createHash, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { seal, unseal } from 'transom-core/seal'
import type { Sealing } from './sealed-file.ts'

export interface Folders {
  /** Of a recording: the path of its file, and of the picture that stands for it. */
  fileOf(cameraId: string, startAt: number): string
  pictureOf(cameraId: string, startAt: number): string
  /** What seals it. Makes the folder and its key where `isNew`. Throws when the key is missing or was wrapped by another. */
  sealingOf(cameraId: string, startAt: number, isNew?: 'new'): Promise<Sealing>
  /** The starts of all recordings of a camera whose files are there. */
  starts(cameraId: string): Promise<ReadonlySet<number>>
  /** Deletes the files of a recording, and the key of its day with the last of them. */
  remove(cameraId: string, startAt: number): Promise<void>
  removeAll(cameraId: string): Promise<void>
}

const ending = '.rec'

/** `root`: the folder of all recordings. `sealing`: 32 bytes that wrap the keys; without them a copy of the folder opens nothing. */
export function createFolders(root: string, sealing: KeyObject): Folders {
  const known = new Map<string, Promise<KeyObject>>()
  // Ids may hold dots and be longer than a file name.
  const cameraFolder = (cameraId: string) =>
    join(root, createHash('sha256').update(cameraId).digest('hex').slice(0, 32))
  const dayFolder = (cameraId: string, startAt: number) => join(cameraFolder(cameraId), dayOf(startAt))

  async function keyOf(cameraId: string, startAt: number, isNew: boolean): Promise<KeyObject> {
    const folder = dayFolder(cameraId, startAt)
    const path = join(folder, 'key')
    const context = `recordings of ${cameraId} ${dayOf(startAt)}`
    if (isNew && !existsSync(path)) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      // Whole or not at all: without it the recordings of the day are lost.
      const file = await open(`${path}.new`, 'w', 0o600)
      try {
        await file.writeFile(seal(sealing, context, randomBytes(32).toString('base64')))
        await file.datasync()
      } finally {
        await file.close()
      }
      await rename(`${path}.new`, path)
      await syncFolder(folder)
    }
    const key = unseal(sealing, context, await readFile(path, 'utf8'))
    if (key === undefined)
      throw new Error(`${path} was made with another key: restore certificates and secrets with it`)
    return createSecretKey(key, 'base64')
  }

  const folders: Folders = {
    fileOf: (cameraId, startAt) => join(dayFolder(cameraId, startAt), `${startAt}${ending}`),
    pictureOf: (cameraId, startAt) => join(dayFolder(cameraId, startAt), `${startAt}.still`),
    async sealingOf(cameraId, startAt, isNew) {
      const day = dayFolder(cameraId, startAt)
      // Two recordings of a new day may begin at once.
      const made = known.get(day) ?? keyOf(cameraId, startAt, isNew === 'new')
      known.set(day, made)
      made.catch(() => known.delete(day))
      return { key: await made, context: `${cameraId} ${startAt}` }
    },
    async starts(cameraId) {
      const days = await namesIn(cameraFolder(cameraId))
      const files = await Promise.all(days.map((day) => namesIn(join(cameraFolder(cameraId), day))))
      return new Set(
        files.flat().flatMap((name) => (name.endsWith(ending) ? [Number(name.slice(0, -ending.length))] : [])),
      )
    },
    async remove(cameraId, startAt) {
      await rm(folders.fileOf(cameraId, startAt), { force: true })
      await rm(folders.pictureOf(cameraId, startAt), { force: true })
      const day = dayFolder(cameraId, startAt)
      if ((await namesIn(day)).some((name) => name.endsWith(ending))) return
      known.delete(day)
      await rm(join(day, 'key'), { force: true })
      await rmdir(day).catch(() => undefined)
    },
    async removeAll(cameraId) {
      const folder = cameraFolder(cameraId)
      for (const day of known.keys()) if (day.startsWith(folder)) known.delete(day)
      await rm(folder, { recursive: true, force: true })
    },
  }
  return folders
}

/** In UTC, so that no change of the clocks makes a day twice. */
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** A new name in a folder survives a crash once the folder itself is on the disk. Windows has no such thing. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const file = await open(folder, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
