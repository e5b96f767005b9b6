/** Follows a stream of the bridge for as long as it is wanted, and begins again when it breaks. */
import type { Api } from './api.ts'
import { readEvents, type ServerSent } from './server-sent.ts'

/** The bridge says something at least every 15 s, if only a comment. */
const silenceMs = 35_000
const longestPauseMs = 10_000

/** `onState`: whether the stream stands. Returns what ends it. */
export function follow(
  api: Pick<Api, 'stream'>,
  path: string,
  onEvent: (event: ServerSent) => void,
  onState: (isUp: boolean) => void = () => undefined,
): () => void {
  const end = new AbortController()
  void run()
  return () => end.abort()

  async function run(): Promise<void> {
    let pauseMs = 500
    while (!end.signal.aborted) {
      const began = performance.now()
      await listen().catch(() => undefined)
      if (end.signal.aborted) return
      onState(false)
      pauseMs = performance.now() - began > 5_000 ? 500 : Math.min(pauseMs * 2, longestPauseMs)
      await pause(pauseMs)
    }
  }

  async function listen(): Promise<void> {
    const silence = new AbortController()
    let timer = setTimeout(() => silence.abort(), silenceMs)
    try {
      const body = await api.stream(path, AbortSignal.any([end.signal, silence.signal]))
      onState(true)
      for await (const event of readEvents(listened(body))) onEvent(event)
    } finally {
      clearTimeout(timer)
    }

    /** The same bytes; each of them puts off the end. */
    async function* listened(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
      const reader = body.getReader()
      try {
        for (;;) {
          const { done, value } = await reader.read()
          if (done) return
          clearTimeout(timer)
          timer = setTimeout(() => silence.abort(), silenceMs)
          yield value
        }
      } finally {
        // Also when it broke: nobody reads on.
        await reader.cancel().catch(() => undefined)
      }
    }
  }

  async function pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const over = new AbortController()
    const timer = setTimeout(resolve, ms)
    addEventListener('online', () => resolve(), { signal: over.signal })
    end.signal.addEventListener('abort', () => resolve(), { signal: over.signal })
    await promise
    clearTimeout(timer)
    over.abort()
  }
}
