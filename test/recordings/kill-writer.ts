/** A process that records two cameras until it is killed, and says on its output what was acknowledged. Arguments: folder, first instant. */
import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { cameraId } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createRecordings } from '../../src/transom/recordings/recordings.ts'

const [, , folder = '', first = '0'] = process.argv
const say = (...words: readonly (string | number)[]) => void writeSync(1, `${words.join(' ')}\n`)

const store = createSqliteStore(join(folder, 'list.db'), Date.now)
const sealing = createSecretKey(Buffer.alloc(32, 7))
const recordings = createRecordings({ store, root: join(folder, 'files'), sealing, log: () => undefined })
await recordings.start()
say('started')
await Promise.all(['door', 'gate'].map(record))

/** Recordings of four fragments, a still with each; of the older ones every other is deleted. */
async function record(name: string): Promise<never> {
  const camera = cameraId(name)
  for (let startAt = Number(first), count = 0; ; startAt += 4_000, count += 1) {
    await recordings.begin(camera, startAt, 'avc1.42e01f', Buffer.from('init'))
    for (let number = 1; number <= 4; number += 1) {
      const data = randomBytes(2_000 + number * 10_000)
      const fragment = { number, at: startAt + (number - 1) * 1_000, durationMs: 1_000, data }
      await recordings.append(camera, startAt, fragment)
      say('kept', name, startAt, number, createHash('sha256').update(data).digest('hex'))
    }
    const recording = await recordings.find(camera, startAt)
    if (recording) await recordings.putPicture(recording, Buffer.from('a JPEG'))
    await recordings.end(camera, startAt)
    if (count % 2 === 0) continue
    const old = startAt - 4_000
    say('removing', name, old)
    await recordings.remove(camera, old)
    say('removed', name, old)
  }
}
