/** What a process has under way or has put off: who asks is told when it is done, and it ends with the process. */

export interface Work {
  run(work: Promise<void>): void
  /** Calls in so many milliseconds, at once if there are none; not any more once it is closed. */
  after(ms: number, then: () => void): void
  /** Nothing runs, and nothing waits for its time. */
  isIdle(): boolean
  isClosed(): boolean
  /** Resolves when the claim holds; it is looked at each time that something ends or begins. */
  until(claim: () => boolean): Promise<void>
  /** Drops what is put off, and waits for what runs. May be called again. */
  close(): Promise<void>
}

export function createWork(): Work {
  const timers = new Set<NodeJS.Timeout>()
  const underWay = new Set<Promise<void>>()
  let waiting: { readonly claim: () => boolean; readonly resolve: () => void }[] = []
  let isClosed = false

  function look(): void {
    const { true: done = [], false: open = [] } = Object.groupBy(waiting, ({ claim }) => `${claim()}` as const)
    waiting = open
    for (const { resolve } of done) resolve()
  }

  return {
    run(work) {
      const running = work.finally(() => {
        underWay.delete(running)
        look()
      })
      underWay.add(running)
    },
    after(ms, then) {
      if (isClosed) return
      if (ms <= 0) return then()
      const timer = setTimeout(() => {
        timers.delete(timer)
        then()
        look()
      }, ms)
      timers.add(timer)
    },
    isIdle: () => underWay.size === 0 && timers.size === 0,
    isClosed: () => isClosed,
    async until(claim) {
      if (!claim()) await new Promise<void>((resolve) => waiting.push({ claim, resolve }))
    },
    async close() {
      isClosed = true
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      await Promise.all(underWay)
      look()
    },
  }
}
