/** Recordings in a folder of their own, and fragments that are no media: what a file holds is nobody's business but the player's. */
import { createSecretKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cameraId, type Fragment, type ReadFragment, type Recording, type Store } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createRecordings, type KeptRecordings } from '../../src/transom/recordings/recordings.ts'

export const door = cameraId('front-door')
export const gate = cameraId('..')
export const startAt = Date.UTC(2026, 10, 28, 21, 14)
export const sealing = createSecretKey(Buffer.alloc(32, 7))
export const init = Buffer.from('ftyp and moov')

/** Two seconds each, one after the other. */
export function fragment(number: number, text = `fragment ${number}`, from = startAt): Fragment {
  return { number, at: from + (number - 1) * 2_000, durationMs: 2_000, data: Buffer.from(text) }
}

export interface World {
  readonly root: string
  readonly store: Store
  readonly recordings: KeptRecordings
  /** Another process on the same folder and list; nothing was closed before. */
  again(key?: typeof sealing): KeptRecordings
  close(): Promise<void>
}

export function createWorld(): World {
  const folder = mkdtempSync(join(tmpdir(), 'transom-recordings-'))
  const root = join(folder, 'recordings')
  const store = createSqliteStore(':memory:', Date.now)
  const open = (key = sealing) => createRecordings({ store, root, sealing: key, log: () => undefined })
  const recordings = open()
  return {
    root,
    store,
    recordings,
    again: open,
    async close() {
      await recordings.close()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Records so many fragments, and leaves the recording open. */
export async function record(recordings: KeptRecordings, count: number, from = startAt, id = door): Promise<Recording> {
  await recordings.begin(id, from, 'avc1.42e01f,opus', init)
  for (let number = 1; number <= count; number += 1)
    await recordings.append(id, from, fragment(number, undefined, from))
  return (await recordings.find(id, from))!
}

/** What can be read: the text of each fragment, or its fault. */
export async function texts(read: AsyncIterable<ReadFragment>): Promise<readonly string[]> {
  const found: string[] = []
  for await (const one of read) found.push(one.kind === 'lost' ? `! ${one.fault}` : one.data.toString())
  return found
}
