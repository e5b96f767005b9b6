/**
 * 200 calls in a row against the embedded bridge: what they leave behind in memory, handles and the store.
 * Run with `npm run bench:soak [-- CALLS]`; exits 1 when something has grown. The simulator runs in a process of its own.
 */
import { spawnSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { readConfig } from '../src/transom/config.ts'
import { startEmbedded } from '../src/transom/embedded.ts'

const calls = Number(process.argv[2] ?? 200)
const warmUp = 60
/** Allowed: what the allocator and the compiler still add after the warm-up. */
const mostHeapRatio = 1.25

const dataDir = mkdtempSync(join(tmpdir(), 'transom-soak-'))
const env = { TRANSOM_DATA: dataDir, TRANSOM_PORT: '0', TRANSOM_SIGNALING_PORT: '0', TRANSOM_VIEWS_CONNECTED: '100' }
const house = await startEmbedded(readConfig(env), Date.now, () => {})

async function call(assistant: string, count: number): Promise<number> {
  const args = ['src/simulator/main.ts', '--assistant', assistant, '--repeat', `${count}`, '--seconds', '0.3', '--json']
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  await new Promise((resolve) => child.once('close', resolve))
  const report = JSON.parse(printed) as { calls: { ok: boolean; cause: object | null; timeline: object[] }[] }
  const bad = report.calls.filter(({ ok }) => !ok)
  for (const { cause, timeline } of bad) console.log(assistant, cause, timeline)
  return count - (report.calls.length - bad.length)
}

/** Waits until every viewer has left, then looks. */
async function snapshot(): Promise<Record<string, number>> {
  const giveUpAt = Date.now() + 60_000
  while (house.counts().viewers + house.counts().negotiating > 0 && Date.now() < giveUpAt) {
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  globalThis.gc?.()
  await new Promise((resolve) => setTimeout(resolve, 500))
  globalThis.gc?.()
  const handles: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1
  const database = new DatabaseSync(join(dataDir, 'transom.db'), { readOnly: true })
  const live =
    'SELECT kind, count(*) AS n FROM record WHERE value IS NOT NULL AND (expires_at IS NULL OR expires_at > ?) GROUP BY kind'
  const records = Object.fromEntries(
    database
      .prepare(live)
      .all(Date.now())
      .map((row) => [`records: ${String(row.kind)}`, Number(row.n)]),
  )
  database.close()
  const { viewers, negotiating, signalingSockets } = house.counts()
  return {
    'heap MB': Math.round(process.memoryUsage().heapUsed / 1e5) / 10,
    'RSS MB': Math.round(process.memoryUsage().rss / 1e6),
    viewers,
    negotiating,
    'signaling sockets': signalingSockets,
    'file descriptors': Number(spawnSync('sh', ['-c', `ls /proc/${process.pid}/fd | wc -l`]).stdout.toString()),
    ...Object.fromEntries(Object.entries(handles).map(([kind, count]) => [`handles: ${kind}`, count])),
    ...records,
  }
}

let failed = 0
for (const assistant of ['alexa', 'google']) failed += await call(assistant, warmUp / 2)
const before = await snapshot()
for (const assistant of ['alexa', 'google']) failed += await call(assistant, calls / 2)
const after = await snapshot()

console.log(`${calls} calls after ${warmUp} to warm up; ${failed} failed`)
const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
console.table(Object.fromEntries(names.map((name) => [name, { before: before[name] ?? 0, after: after[name] ?? 0 }])))
const grown = names.filter((name) => {
  const [was, is] = [before[name] ?? 0, after[name] ?? 0]
  if (name === 'heap MB') return is > was * mostHeapRatio
  // A log by its nature: each link and unlink of the simulator is an entry, until it is old.
  if (name === 'records: audit') return is > was + 4
  // The history of an account: each call is one session, up to 2,000 (test/broker holds that).
  if (name === 'records: session') return is > was + calls
  // Timers and idle connections come and go; descriptors are what leaks.
  if (name === 'RSS MB' || /Timeout|Immediate|TCPSocketWrap|TLSWrap|records: (oauth-|stream-token)/.test(name))
    return is > was * 1.5 + 10
  return is > was + 2
})
console.log(grown.length === 0 ? 'nothing has grown' : `grown: ${grown.join(', ')}`)
await house.close()
rmSync(dataDir, { recursive: true, force: true })
process.exit(failed === 0 && grown.length === 0 ? 0 : 1)
