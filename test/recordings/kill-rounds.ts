/**
 * Kills a process with SIGKILL at any instant while it records, and looks whether what it acknowledged is there, the list and
 * the files agree, and nothing that was deleted came back.
 */
import { spawn } from 'node:child_process'
import { createHash, createSecretKey } from 'node:crypto'
import { globSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { cameraId, type Recording } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createRecordings, type KeptRecordings } from '../../src/transom/recordings/recordings.ts'

export interface KillOutcome {
  readonly acknowledged: number
  readonly removed: number
  /** Kills before the process had begun to record say nothing. */
  readonly useful: number
  readonly faults: readonly string[]
}

/** By camera, start and number: the hash of what was kept. */
type Known = Map<string, string>

export async function killRounds(rounds: number, seed: number): Promise<KillOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'transom-kills-'))
  const random = createRandom(seed)
  const known: Known = new Map()
  const faults: string[] = []
  let [acknowledged, removed, useful] = [0, 0, 0]
  try {
    for (let round = 0; round < rounds; round += 1) {
      const said = await runAndKill(folder, 1_800_000_000_000 + round * 3_600_000, random() * 250)
      const gone = new Set<string>()
      for (const [word, name, startAt, number, hash] of said) {
        if (word === 'kept') known.set(`${name} ${startAt} ${number}`, hash ?? '')
        // Between the two nobody has promised anything.
        if (word === 'removing')
          for (const key of known.keys()) if (key.startsWith(`${name} ${startAt} `)) known.delete(key)
        if (word === 'removed') gone.add(`${name} ${startAt}`)
      }
      const kept = said.filter(([word]) => word === 'kept').length
      acknowledged += kept
      removed += gone.size
      if (kept > 0) useful += 1
      const found = await lookAfter(folder, known, gone)
      faults.push(...found.map((fault) => `round ${round}: ${fault}`))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return { acknowledged, removed, useful, faults }
}

/** The lines that it said whole, in words. Killed so long after it has started. */
function runAndKill(folder: string, firstAt: number, afterMs: number): Promise<readonly (readonly string[])[]> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, 'kill-writer.ts')
    const child = spawn(process.execPath, [script, folder, `${firstAt}`], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    let complaint = ''
    child.stderr.on('data', (data: Buffer) => (complaint += data.toString()))
    child.stdout.on('data', (data: Buffer) => {
      if (said === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
      said += data.toString()
    })
    child.on('error', reject)
    child.on('close', (_code, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(`it ended by itself: ${complaint}`))
      // What is behind the last line end was cut off by the kill.
      resolve(
        said
          .split('\n')
          .slice(0, -1)
          .map((line) => line.split(' ')),
      )
    })
  })
}

async function lookAfter(folder: string, known: Known, gone: ReadonlySet<string>): Promise<readonly string[]> {
  const store = createSqliteStore(join(folder, 'list.db'), Date.now)
  const root = join(folder, 'files')
  const sealing = createSecretKey(Buffer.alloc(32, 7))
  const recordings = createRecordings({ store, root, sealing, log: () => undefined })
  const faults: string[] = []
  try {
    await recordings.start()
    const missing = new Map(known)
    const files = new Map(globSync('*/*/*.rec', { cwd: root }).map((name) => [name, statSync(join(root, name)).size]))
    let listed = 0
    for (const name of ['door', 'gate'])
      for (const recording of await recordings.list(cameraId(name), { from: 0, to: Infinity, limit: 1_000_000 })) {
        listed += 1
        if (gone.has(`${name} ${recording.startAt}`)) faults.push(`${name} ${recording.startAt} came back`)
        faults.push(...(await faultsOf(recordings, recording, missing)))
        const sizes = [...files]
          .filter(([file]) => basename(file) === `${recording.startAt}.rec`)
          .map(([, size]) => size)
        if (!sizes.includes(recording.bytes))
          faults.push(
            `${name} ${recording.startAt} has ${recording.bytes} octets in the list, and ${sizes.join('/')} on the disk`,
          )
      }
    if (listed !== files.size) faults.push(`${listed} recordings are listed, and ${files.size} files are there`)
    faults.push(...[...missing.keys()].map((key) => `${key} was acknowledged, and is lost`))
  } finally {
    await recordings.close()
    await store.close()
  }
  return faults
}

/** Takes what is there from `missing`. */
async function faultsOf(recordings: KeptRecordings, recording: Recording, missing: Known): Promise<readonly string[]> {
  const faults: string[] = []
  const { cameraId: name, startAt } = recording
  let endAt = startAt
  for await (const one of recordings.read(recording)) {
    const key = `${name} ${startAt} ${one.number}`
    if (one.kind === 'lost') faults.push(`${key} cannot be read: ${one.fault}`)
    else if (missing.has(key) && missing.get(key) !== createHash('sha256').update(one.data).digest('hex'))
      faults.push(`${key} is another`)
    endAt = Math.max(endAt, one.at + one.durationMs)
    missing.delete(key)
  }
  if (recording.isOpen) faults.push(`${name} ${startAt} is open, and nobody records it`)
  if (endAt !== recording.endAt)
    faults.push(`${name} ${startAt} ends at ${recording.endAt} in the list, and at ${endAt}`)
  return faults
}

/** Park and Miller's: the same row for the same seed. */
function createRandom(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
