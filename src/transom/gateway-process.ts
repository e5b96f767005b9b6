/** The gateway beside the bridge: a process of its own, begun again when it ends, so that no camera's media can end the bridge. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { isLogEvent, type LogEvent, type LogFieldsOf } from 'transom-core/log-events'
import type { Log } from 'transom-core/ports'

const firstRetryMs = 200
const lastRetryMs = 15_000
const lastingMs = 10_000
/** What it may take to say goodbye to its viewers and cameras. */
const closeMs = 800
/**
 * V8 lets short-lived objects, here packets, fill 48 MB before it looks at them; in 12 MB the same packets take less memory
 * for each viewer, and no more time. glibc, on its side, would give each of FFmpeg's threads a heap of its own.
 */
const youngSpace = '--max-semi-space-size=4'

export interface GatewayProcess {
  /** The id of the process that runs now. */
  pid(): number | undefined
  /** Ends it, and begins none again. May be called again. */
  close(): Promise<void>
}

/** A line of the gateway's log, as `createLog` writes it. */
const line = z.looseObject({
  at: z.string(),
  level: z.enum(['info', 'warn', 'error']),
  event: z.custom<LogEvent>(isLogEvent),
})
/** Of the same build as ours: they are what its compiler let it write. */
const logFields = z.custom<LogFieldsOf<LogEvent>>((value) => typeof value === 'object')

/**
 * Starts the gateway against the bridge at this URL, with its key on stdin: nothing secret stands in the list of processes
 * or in the environment. It ends when stdin does, and so also with a bridge that was killed. Its log becomes part of ours.
 */
export function startGatewayProcess(deps: {
  readonly bridge: string
  readonly key: string
  readonly log: Log
  readonly program?: string
}): GatewayProcess {
  const { bridge, key, log, program = fileURLToPath(import.meta.resolve('transom-gateway/main')) } = deps
  let retryMs = firstRetryMs
  let retry: NodeJS.Timeout | undefined
  let running: ChildProcess | undefined
  let isClosed = false

  function start(): void {
    const startedAt = performance.now()
    const child = spawn(process.execPath, [youngSpace, program, '--bridge', bridge, '--supervised'], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { MALLOC_ARENA_MAX: '2', ...process.env },
    })
    running = child
    // It may be gone before it has read anything.
    child.stdin.on('error', () => undefined)
    child.stdin.write(`${key}\n`)
    createInterface({ input: child.stderr }).on('line', (text) => passOn(text, log))
    let isOver = false
    const onEnd = (reason: LogFieldsOf<'transom.gateway-ended'>) => {
      if (isOver) return
      isOver = true
      running = undefined
      if (isClosed) return
      if (performance.now() - startedAt > lastingMs) retryMs = firstRetryMs
      log('error', 'transom.gateway-ended', { ...reason, retryMs })
      retry = setTimeout(start, retryMs)
      retryMs = Math.min(retryMs * 2, lastRetryMs)
    }
    child.once('error', ({ message }) => onEnd({ error: message }))
    child.once('spawn', () => log('info', 'transom.gateway-started', { pid: child.pid }))
    child.once('exit', (code, signal) => onEnd({ exitCode: code, signal }))
  }

  start()
  return {
    pid: () => running?.pid,
    async close() {
      isClosed = true
      clearTimeout(retry)
      const child = running
      if (child === undefined) return
      const { promise, resolve } = Promise.withResolvers<void>()
      child.once('exit', () => resolve())
      const timer = setTimeout(() => child.kill('SIGKILL'), closeMs)
      child.stdin?.end()
      await promise
      clearTimeout(timer)
    },
  }
}

/** What is no line of its log was written by Node or by a library, and mostly says why it ended. */
function passOn(text: string, log: Log): void {
  const parsed = line.safeParse(parse(text))
  if (!parsed.success)
    return text.trim() === '' ? undefined : log('warn', 'transom.gateway-said', { text: text.slice(0, 500) })
  const { at: _at, level, event, ...fields } = parsed.data
  log(level, event, logFields.parse(fields))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
