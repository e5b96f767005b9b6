/** What a process holds once its garbage is collected, asked through its inspector: garbage that comes late is no leak. */
import { readdirSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import * as z from 'zod'
import { usageOf } from './house.ts'

export interface Held {
  readonly descriptors: number
  /** What the engine's heap holds in use, with buffers outside of it. */
  readonly 'heap MB': number
  readonly 'RSS MB': number
}

const targets = z.tuple([z.object({ webSocketDebuggerUrl: z.url() })], z.unknown())
const reply = z.object({ id: z.number(), result: z.record(z.string(), z.unknown()) })
const heapUsage = z.object({ usedSize: z.number(), backingStorageSize: z.number().optional() })

/**
 * A port for the inspector of processes that are spawned from now on. They open it at the first reading, not before; Node's
 * `--inspect-port` is handed down in NODE_OPTIONS.
 */
export async function chooseInspectorPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  process.env['NODE_OPTIONS'] = `${process.env['NODE_OPTIONS'] ?? ''} --inspect-port=127.0.0.1:${port}`
  return port
}

/** Collects the garbage of this process, which listens at this port, and reads what is left. */
export async function readHeld(pid: number | undefined, port: number): Promise<Held> {
  if (pid === undefined) throw new Error('there is no such process')
  // It begins to listen, or does already.
  process.kill(pid, 'SIGUSR1')
  const inspector = await connect(port)
  try {
    // What a collection finalizes lets go of more, which the next one takes.
    for (let times = 0; times < 4; times += 1) {
      await inspector.call('HeapProfiler.collectGarbage')
      await wait(250)
    }
    const { usedSize, backingStorageSize = 0 } = heapUsage.parse(await inspector.call('Runtime.getHeapUsage'))
    const heap = Math.round((usedSize + backingStorageSize) / 104_857.6) / 10
    return { descriptors: readdirSync(`/proc/${pid}/fd`).length, 'heap MB': heap, 'RSS MB': usageOf(pid).rss }
  } finally {
    inspector.close()
  }
}

async function connect(port: number) {
  const socket = new WebSocket(await findTarget(port))
  const waiting = new Map<number, (result: unknown) => void>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = reply.parse(JSON.parse(String(data)))
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error('the inspector hangs up')))
  })
  let last = 0
  return {
    async call(method: string): Promise<unknown> {
      const id = (last += 1)
      const answered = new Promise((resolve) => waiting.set(id, resolve))
      socket.send(JSON.stringify({ id, method }))
      const late = wait(20_000, undefined, { ref: false }).then(() => Promise.reject(new Error(`${method}: no reply`)))
      return Promise.race([answered, late])
    },
    close: () => socket.close(),
  }
}

async function findTarget(port: number): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    const response = await fetch(`http://127.0.0.1:${port}/json/list`).catch(() => undefined)
    if (response?.ok) return targets.parse(await response.json())[0].webSocketDebuggerUrl
    if (tries === 100) throw new Error('the process does not open its inspector')
    await wait(100)
  }
}
