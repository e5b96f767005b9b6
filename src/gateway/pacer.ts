/** Spreads what is sent at once, so that a key frame or a whole group of pictures does not overflow a buffer on the path. */

/** So many packets leave in each tick: 20 kB at once, and 32 Mbit/s. */
const burst = 16
const tickMs = 5
/** More where much waits: the last packet of the longest group that is kept leaves within two seconds. */
const share = 0.01

export interface Pacer {
  /** Each of `sends` sends one packet: now if it may leave now, otherwise by a timer, in their order. `isUrgent`: before those that wait. */
  add(sends: readonly (() => void)[], isUrgent?: boolean): void
  /** Forgets what waits; may be called again. */
  close(): void
}

export function createPacer(): Pacer {
  let queue: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let left = 0
  let filledAt = -Infinity

  const fill = () => {
    left = Math.max(burst, Math.ceil(queue.length * share))
    filledAt = performance.now()
  }
  const flush = () => {
    const due = queue.splice(0, left)
    left -= due.length
    timer = queue.length > 0 ? setTimeout(tick, tickMs) : undefined
    for (const send of due) send()
  }
  const tick = () => {
    fill()
    flush()
  }
  return {
    add(sends, isUrgent = false) {
      queue = isUrgent ? sends.concat(queue) : queue.concat(sends)
      if (timer) return
      if (performance.now() - filledAt >= tickMs) fill()
      flush()
    },
    close() {
      clearTimeout(timer)
      timer = undefined
      queue = []
    },
  }
}
