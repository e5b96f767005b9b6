/** The whole house as a user runs it: real processes, a data directory of its own, any free ports. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../until.ts'

const root = join(import.meta.dirname, '..', '..')
const startMs = 60_000
const bridgeProgram: readonly string[] = ['src/transom/main.ts']
/** What the log says when the built-in doorbell is online. */
export const doorbellIsOnline = '"channelName":"front-door","online":true'
/** Longer than any of its programs works; what does not end is killed. */
const endMs = 60_000

/** Each answer may take as long as the simulator waits for it: a flow is not about a machine that stands still for a second. */
export const patient = { TRANSOM_ALEXA_BUDGET_MS: '6000', TRANSOM_GOOGLE_BUDGET_MS: '6000' }

export interface House {
  readonly dataDir: string
  /** What the running program has printed so far: its pipes are read later than its replies. */
  printed(): string
  /** Resolves when the running program has printed it. */
  untilPrinted(text: string): Promise<void>
  /**
   * Starts `npm start`'s program, or another with its arguments; resolves with what it said when it says that it runs, and
   * the built-in doorbell, for which the program itself waits some seconds only, is online. Calls share its `env`.
   */
  start(env?: Readonly<Record<string, string>>, program?: readonly string[]): Promise<string>
  /** Stops it as Ctrl-C does, or by another signal; resolves with its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  /** Ends it as the kernel does, at once (SIGKILL). */
  kill(): Promise<void>
  /** The process of the bridge that runs. */
  pid(): number | undefined
  /** Whether it still runs. */
  isRunning(): boolean
  /** Runs `npm run call`'s program with `--json`; resolves with what it printed and its exit code. */
  call(...args: readonly string[]): Promise<{ readonly code: number | null; readonly report: Report }>
  /** Ends what runs and removes the data. */
  close(): Promise<void>
}

/** As much of the simulator's report as the flows look at. */
export interface Report {
  readonly ok: boolean
  readonly cameraId: string | null
  readonly answerMs: number | null
  readonly ring: { readonly announcedMs: number; readonly firstFrameMs: number } | null
  readonly video: {
    readonly codec: string | null
    readonly profileLevelId: string | null
    readonly frames: number
    readonly decoded: number | null
    readonly reason: string | null
  }
  readonly audioIn: { readonly codec: string | null; readonly packets: number }
  readonly audioOut: { readonly packets: number; readonly heardByCamera: number | null; readonly reason: string | null }
  readonly cause: { readonly code: string; readonly message: string } | null
  readonly bridgeTimeline: readonly { readonly step: string; readonly atMs: number }[]
}

export function createHouse(): House {
  const dataDir = mkdtempSync(join(tmpdir(), 'transom-'))
  const base = {
    ...process.env,
    ...patient,
    NODE_OPTIONS: '',
    TRANSOM_DATA: dataDir,
    TRANSOM_PORT: '0',
    TRANSOM_SIGNALING_PORT: '0',
  }
  let bridge: ChildProcess | undefined
  let given: Readonly<Record<string, string>> = {}
  let said = ''

  async function stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    const running = bridge
    bridge = undefined
    if (running === undefined) return null
    if (running.exitCode !== null) return running.exitCode
    const gone = exitOf(running)
    running.kill(signal)
    return gone
  }

  async function untilPrinted(text: string): Promise<void> {
    await until(
      () => said.includes(text),
      () => said,
    )
  }

  return {
    dataDir,
    printed: () => said,
    untilPrinted,
    async start(env = {}, program = bridgeProgram) {
      const started = spawn(process.execPath, program, {
        cwd: root,
        env: { ...base, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      bridge = started
      given = env
      said = ''
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      const timer = setTimeout(() => reject(new Error(`the bridge did not start in ${startMs} ms:\n${said}`)), startMs)
      const listen = (chunk: Buffer): void => {
        said += chunk.toString()
        if (said.includes('Transom is running')) resolve(said)
      }
      started.stdout.on('data', listen)
      started.stderr.on('data', listen)
      started.once('exit', (code) => reject(new Error(`the bridge ended with ${code}:\n${said}`)))
      const greeting = await promise.finally(() => clearTimeout(timer))
      const hasDoorbell = program === bridgeProgram && env['TRANSOM_DOORBELL'] !== 'off' && !env['TRANSOM_SOURCE']
      if (hasDoorbell) await untilPrinted(doorbellIsOnline)
      return greeting
    },
    stop,
    pid: () => bridge?.pid,
    isRunning: () => bridge !== undefined && bridge.exitCode === null && bridge.signalCode === null,
    async kill() {
      const running = bridge
      bridge = undefined
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
      const gone = exitOf(running)
      running.kill('SIGKILL')
      await gone
    },
    async call(...args) {
      const child = spawn(process.execPath, ['src/simulator/main.ts', '--json', '--seconds', '1', ...args], {
        cwd: root,
        env: { ...base, ...given },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let printed = ''
      child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
      const code = await exitOf(child)
      return { code, report: JSON.parse(printed) as Report }
    },
    async close() {
      await stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    reject(new Error(`the process did not end in ${endMs} ms`))
  }, endMs)
  child.once('close', (code) => resolve(code))
  return promise.finally(() => clearTimeout(timer))
}
