/** What is recorded of a camera, which may change while people look at it. */
import { isDeepStrictEqual } from 'node:util'
import type { RecordWish } from 'transom-core/wire/gateway'
import type { Recorder, RecorderDeps } from './recorder.ts'

export interface Recording {
  /** Records by this wish from now on; without one, nothing. What is being recorded by another one ends. */
  set(wish: RecordWish | undefined): void
  /** Something happened now. */
  happened(): void
  /** Ends what is being recorded. May be called again. */
  close(): Promise<void>
}

/** Records nothing yet. The recorder, and what it needs, is loaded with the first wish. */
export function createRecording(deps: Omit<RecorderDeps, 'wish'>): Recording {
  let recorder: Recorder | undefined
  let current: RecordWish | undefined
  let isClosed = false
  /** One wish after the other: two recorders would begin one recording twice. */
  let latest: Promise<void> = Promise.resolve()

  async function replace(wish: RecordWish | undefined): Promise<void> {
    const before = recorder
    recorder = undefined
    await before?.close()
    if (wish === undefined || isClosed) return
    const { startRecorder } = await import('./recorder.ts')
    recorder = startRecorder({ ...deps, wish })
  }
  const set = (wish: RecordWish | undefined) => {
    if (isDeepStrictEqual(wish, current)) return
    current = wish
    latest = latest
      .then(() => replace(wish))
      .catch((error: unknown) => deps.log('error', 'gateway.recording-failed', { error }))
  }

  return {
    set,
    // By a wish that was told before, though its recorder may be on its way.
    happened: () => void latest.then(() => recorder?.happened()),
    async close() {
      isClosed = true
      set(undefined)
      await latest
    },
  }
}
