/** Starts FFmpeg's client (`ffmpeg-client.ts`) beside the gateway. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

export interface FfmpegClient {
  readonly pid: number | undefined
  /** Milliseconds from its start, without that of the process, to its first key frame; NaN when none came within 30 seconds. */
  readonly firstPicture: Promise<number>
  close(): Promise<void>
}

export function startFfmpeg(url: string): FfmpegClient {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'ffmpeg-client.ts'), url], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => Number(text))
  const ended = once(child, 'exit')
  return {
    pid: child.pid,
    firstPicture: Promise.race([line, wait(30_000, Number.NaN, { ref: false })]),
    async close() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
