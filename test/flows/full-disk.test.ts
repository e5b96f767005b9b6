/** A bridge whose disk has no more room: it refuses what it cannot keep, says so, and goes on when there is room again. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readSettings } from '../../src/simulator/settings.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'transom-full-'))
let bridge: ChildProcess
let said = ''
/** Called with each piece the bridge prints: its pipes are read later than its replies. */
const listeners = new Set<() => void>()

beforeAll(async () => {
  bridge = spawn(process.execPath, ['src/transom/main.ts'], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      TRANSOM_DATA: dataDir,
      TRANSOM_PORT: '0',
      TRANSOM_SIGNALING_PORT: '0',
      TRANSOM_DOORBELL: 'off',
      TRANSOM_CONSOLE: 'off',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const listen = (chunk: Buffer) => {
    said += chunk.toString()
    for (const listener of listeners) listener()
  }
  bridge.stdout?.on('data', listen)
  bridge.stderr?.on('data', listen)
  await untilSaid('Transom is running')
})
afterAll(async () => {
  if (bridge.exitCode === null) {
    bridge.kill('SIGTERM')
    await once(bridge, 'exit')
  }
  rmSync(dataDir, { recursive: true, force: true })
})

/** Ends when the bridge has printed `text`; rejects with all it printed when it ends before. */
const untilSaid = (text: string) =>
  new Promise<void>((resolve, reject) => {
    const look = () => {
      if (!said.includes(text)) return
      listeners.delete(look)
      resolve()
    }
    listeners.add(look)
    bridge.once('exit', () => reject(new Error(`the bridge ended without "${text}":\n${said}`)))
    look()
  })

/** No file may grow beyond that: the kernel's own way to fail a write, as a full disk does. */
const limitFiles = (bytes: string) => execFileSync('prlimit', ['--pid', `${bridge.pid}`, `--fsize=${bytes}:unlimited`])

// Only Linux lets the limit of a running process be changed.
const onLinux = process.platform === 'linux' ? test : test.skip
onLinux(
  'a press is refused with 503 and when to come again, /healthz says why, and it heals by itself',
  async () => {
    const { bridge: url, cameraKeys } = readSettings(dataDir)
    const press = (eventId: string) =>
      fetch(`${url}/cameras/front-door/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${cameraKeys?.['front-door']}` },
        body: JSON.stringify({ kind: 'press', eventId, at: Date.now() }),
      })
    expect((await press('before')).status).toBe(202)
    limitFiles('1')
    const refused = await press('while-full')
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([503, 5])
    const text = await refused.text()
    expect(JSON.parse(text)).toMatchObject({ error: expect.stringMatching(/^(no_room|store_failed)$/) })
    // Where the bridge keeps its files is for its log, which names the remedy, too.
    expect(text).not.toContain(dataDir)
    await untilSaid(`${join(dataDir, 'transom.db')} `)

    const health = await fetch(`${url}/healthz`)
    expect([health.status, await health.json()]).toMatchObject([
      503,
      { status: 'failing', cause: JSON.parse(text).error },
    ])

    limitFiles('unlimited')
    expect((await press('while-full')).status).toBe(202)
    expect(bridge.exitCode).toBeNull()
  },
  60_000,
)
