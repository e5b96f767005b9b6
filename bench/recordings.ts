/**
 * What recording costs: one camera of 2 Mbit/s beside `ffmpeg -c copy -f segment` and a bare copy of the file, sixteen at
 * once, the list of a day among many, the start of HLS, and the first picture of a clip over WebRTC. Usage: npm run bench:recordings [-- FRAGMENTS]
 */
import { spawnSync } from 'node:child_process'
import { createSecretKey, randomBytes } from 'node:crypto'
import { copyFileSync, globSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mediaPlaylist, targetOf } from '../src/bridge/web/hls.ts'
import { stretchesOf, wholeOf } from '../src/bridge/web/stretches.ts'
import { cameraId } from '../src/core/ports.ts'
import { createSqliteStore } from '../src/core/store/sqlite.ts'
import { createRecordings } from '../src/transom/recordings/recordings.ts'
import { measureRecordedPictures } from './gateway/recorded-picture.ts'

const fragments = Number(process.argv[2] ?? 1_000_000)
const fragmentMs = 4_000
/** 2 Mbit/s. */
const fragmentBytes = 1_000_000
/** A recording of five minutes. */
const each = 75
const dayMs = 86_400_000
const startAt = Date.UTC(2026, 0, 1)

const folder = mkdtempSync(join(tmpdir(), 'transom-bench-'))
const store = createSqliteStore(join(folder, 'list.db'), Date.now)
const root = join(folder, 'recordings')
const sealing = createSecretKey(randomBytes(32))
const recordings = createRecordings({ store, root, sealing, log: () => undefined })
const init = randomBytes(1_200)
const data = randomBytes(fragmentBytes)

async function record(name: string, from: number, count: number): Promise<void> {
  const id = cameraId(name)
  await recordings.begin(id, from, 'avc1.42e01f', init)
  for (let number = 1; number <= count; number += 1) {
    const at = from + (number - 1) * fragmentMs
    await recordings.append(id, from, { number, at, durationMs: fragmentMs, data })
  }
  await recordings.end(id, from)
}

/** CPU milliseconds of this process. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

/** CPU milliseconds of a process of its own. */
function cpuOfFfmpeg(args: readonly string[]): number | undefined {
  const { stderr, status } = spawnSync('ffmpeg', ['-y', '-v', 'info', '-benchmark', ...args], { encoding: 'utf8' })
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? []
  return status === 0 && user !== undefined ? (Number(user) + Number(system)) * 1_000 : undefined
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
const say = (what: string, figure: string) => console.log(`${what.padEnd(58)} ${figure}`)

try {
  const seconds = (each * fragmentMs) / 1_000
  const ours = await cpuOf(() => record('one', startAt, each))
  const written = globSync('*/*/*.rec', { cwd: root }).reduce((sum, name) => sum + statSync(join(root, name)).size, 0)
  const plain = join(folder, 'plain')
  writeFileSync(plain, Buffer.concat(Array.from({ length: each }, () => data)))
  const bare = await cpuOf(async () => copyFileSync(plain, `${plain}.copy`))
  const film = join(folder, 'film.mp4')
  const source = ['-f', 'lavfi', '-i', `testsrc2=s=640x360:r=15:d=${seconds / 5}`, '-b:v', '2M', '-g', '60', film]
  spawnSync('ffmpeg', ['-y', '-v', 'error', ...source])
  const segmenter = ['-i', film, '-c', 'copy', '-f', 'segment', '-segment_time', '4', join(folder, 'part%d.mp4')]
  const peer = cpuOfFfmpeg(segmenter)
  say('keeping 2 Mbit/s: of a core', `${((ours / (seconds * 1_000)) * 100).toFixed(2)} % (limit 3)`)
  say('  over a bare copy of the file', (ours / bare).toFixed(1))
  if (peer !== undefined) say('  over ffmpeg -c copy -f segment', (ours / (peer * 5)).toFixed(1))
  say('octets written for each that was recorded', `${(written / (each * fragmentBytes)).toFixed(4)} (limit 1.2)`)

  const names = Array.from({ length: 16 }, (_, index) => `of-sixteen-${index}`)
  const beganAt = performance.now()
  await Promise.all(names.map((name) => record(name, startAt, 15)))
  const tookMs = performance.now() - beganAt
  const kept = await Promise.all(
    names.map(async (name) => (await recordings.list(cameraId(name), { from: 0, to: Infinity }))[0]),
  )
  const whole = (await Promise.all(kept.map(async (one) => (one ? recordings.fragments(one) : [])))).flat().length
  say('sixteen cameras at once: fragments kept of those sent', `${whole} of ${names.length * 15}`)
  say('  faster than they come by', ((15 * fragmentMs) / tookMs).toFixed(1))

  const one = (await recordings.list(cameraId('one'), { from: 0, to: Infinity }))[0]
  const startMs = median(
    await Promise.all(
      Array.from({ length: 9 }, async () => {
        const from = performance.now()
        const programme = wholeOf(
          await stretchesOf(recordings, cameraId('one'), { from: startAt, to: startAt + dayMs }),
        )
        mediaPlaylist(programme, targetOf(programme), 'recorded')
        if (one) await Promise.all([recordings.fragment(one, 0), recordings.fragment(one, 1)])
        return performance.now() - from
      }),
    ),
  )
  say('HLS of five minutes: playlist, head and first fragment', `${startMs.toFixed(1)} ms (limit 1000)`)

  const { recorded, live } = await measureRecordedPictures()
  say('first picture of a clip over WebRTC, from anywhere in it', `${recorded.toFixed(0)} ms (limit 300)`)
  say('  over a live view of the same camera', (recorded / live).toFixed(2))

  const list = store.collection('recording')
  const id = cameraId('many')
  const listDay = async (from: number) => {
    const times: number[] = []
    for (let round = 0; round < 21; round += 1) {
      const at = performance.now()
      await recordings.list(id, { from, to: from + dayMs, limit: 1_000 })
      times.push(performance.now() - at)
    }
    return median(times)
  }
  const put = async (first: number, end: number) => {
    for (let index = first; index < end; index += 1) {
      const from = startAt + index * each * fragmentMs
      const value = {
        cameraId: id,
        startAt: from,
        endAt: from + each * fragmentMs,
        bytes: 75_000_000,
        codecs: 'avc1.42e01f',
      }
      await list.put(`${id}#${String(from).padStart(15, '0')}`, value, { group: id })
    }
  }
  const all = Math.floor(fragments / each)
  const perDay = dayMs / (each * fragmentMs)
  const last = startAt + (all - perDay) * each * fragmentMs
  await put(all - perDay, all)
  const alone = await listDay(last)
  await put(0, all - perDay)
  const among = await listDay(last)
  say(`the list of a day (${perDay}) among ${fragments} fragments`, `${among.toFixed(1)} ms (limit 20)`)
  say('  over the same with nothing older', (among / alone).toFixed(2))
} finally {
  await recordings.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
}
