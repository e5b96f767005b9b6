/** What our SQLite store costs over bare prepared statements, as ratios within one run. Usage: node bench/store.ts */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createSqliteStore } from '../src/core/store/sqlite.ts'

const rounds = 7
const records = 200
/** About the size of a session's record without its SDP. */
const value = {
  cameraId: 'front-door',
  phase: 'answered',
  timeline: Array.from({ length: 8 }, (_, at) => ({ at, step: 'step' })),
}
const group = 'account'

const directory = mkdtempSync(join(tmpdir(), 'transom-bench-'))
const store = createSqliteStore(join(directory, 'store.sqlite'), Date.now)
const sessions = store.collection<typeof value>('session')
const bare = new DatabaseSync(join(directory, 'bare.sqlite'))
bare.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
bare.exec('CREATE TABLE record (id TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL) STRICT')
const upsert = bare.prepare(`INSERT INTO record VALUES (?, 1, ?)
  ON CONFLICT (id) DO UPDATE SET version = version + 1, value = excluded.value`)
const select = bare.prepare('SELECT version, value FROM record WHERE id = ?')
const update = bare.prepare('UPDATE record SET version = version + 1, value = ? WHERE id = ? AND version = ?')

let version = 0
const verbs = {
  put: {
    ours: (id: string) => sessions.put(id, value, { group }),
    bare: async (id: string) => upsert.run(id, JSON.stringify(value)),
  },
  get: {
    ours: (id: string) => sessions.get(id),
    bare: async (id: string) => JSON.parse(String(select.get(id)?.['value'])) as unknown,
  },
  'conditional put': {
    ours: (id: string) => sessions.put(id, value, { group, onlyIf: { version } }),
    bare: async (id: string) => update.run(JSON.stringify(value), id, version),
  },
}

/** Each round runs every verb on both, side by side, so that what else the machine does hits both. */
const opsPerSecond = Object.values(verbs).map(() => ({ ours: [] as number[], bare: [] as number[] }))
try {
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, verb] of Object.values(verbs).entries()) {
      // Round by round each record is put once, then put at that version: two versions further.
      version = 2 * round + 1
      opsPerSecond[index]?.ours.push(await measure(verb.ours))
      opsPerSecond[index]?.bare.push(await measure(verb.bare))
    }
  }
  if ((await sessions.get('session-0'))?.version !== 2 * rounds) throw new Error('a put of the bench was refused')
  for (const [index, name] of Object.keys(verbs).entries()) {
    const { ours = [], bare = [] } = opsPerSecond[index] ?? {}
    const ratio = median(ours.map((ops, round) => ops / (bare[round] ?? ops)))
    console.log(`${name}: ${Math.round(median(ours))} ops/s, ${ratio.toFixed(2)} of bare node:sqlite`)
  }
} finally {
  await store.close()
  bare.close()
  rmSync(directory, { recursive: true })
}

async function measure(verb: (id: string) => Promise<unknown>): Promise<number> {
  const from = performance.now()
  for (let n = 0; n < records; n += 1) await verb(`session-${n}`)
  return (records / (performance.now() - from)) * 1000
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
