/** How much anybody may have at once, and how often: queues, rates, patience with wrong keys, room for strangers. */
import type { LogFieldsOf } from './log-events.ts'
import type { Socket } from 'node:net'
import { isIPv6 } from 'node:net'
import { BridgeError } from './errors.ts'
import type { Clock, Log } from './ports.ts'

// ── At once ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Lets a bounded number of works run and a bounded number wait: see `createQueue`. */
export interface Queue {
  /** Does the work in its turn. Throws `BridgeError` `rate_limited`, with the work not begun, when too many wait. */
  run<R>(work: () => Promise<R>): Promise<R>
}

/** For work that is dear: `atOnce` of it runs, `waiting` more wait for it. `retryAfterMs` is what a refusal advises. */
export function createQueue(limits: {
  readonly atOnce: number
  readonly waiting: number
  readonly retryAfterMs: number
}): Queue {
  const queue: (() => void)[] = []
  let running = 0
  return {
    async run(work) {
      if (running >= limits.atOnce) {
        const { waiting, retryAfterMs } = limits
        if (queue.length >= waiting) throw new BridgeError('rate_limited', 'too many at once', { retryAfterMs })
        // Whoever leaves hands the place over, so that nobody who comes meanwhile takes it.
        await new Promise<void>((resolve) => void queue.push(resolve))
      } else running += 1
      try {
        return await work()
      } finally {
        const next = queue.shift()
        if (next === undefined) running -= 1
        else next()
      }
    },
  }
}

/** Bounds what one owner has running at once: see `createShares`. */
export interface Shares {
  /** Does the work if its owner has fewer than `most` running. Throws `BridgeError` `rate_limited`, with it not begun. */
  run<R>(owner: string, work: () => Promise<R>): Promise<R>
}

/**
 * Bounds what one owner has running at once, so that none takes all the places of a queue: `most` works each.
 * `retryAfterMs` is what a refusal advises.
 */
export function createShares(limits: { readonly most: number; readonly retryAfterMs: number }): Shares {
  const running = new Map<string, number>()
  return {
    async run(owner, work) {
      const before = running.get(owner) ?? 0
      if (before >= limits.most)
        throw new BridgeError('rate_limited', 'too many of one', { retryAfterMs: limits.retryAfterMs })
      running.set(owner, before + 1)
      try {
        return await work()
      } finally {
        const left = (running.get(owner) ?? 1) - 1
        if (left > 0) running.set(owner, left)
        else running.delete(owner)
      }
    },
  }
}

// ── How often ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** So many at a time, and so many more each second. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Token buckets by name: see `createRates`. */
export interface Rates {
  /** Takes one token of the bucket of this name; false when it is empty. */
  tryTake(name: string, rate: Rate): boolean
  /** Forgets the buckets that are full again. Happens by itself, too, when there are many. */
  sweep(): void
}

interface Bucket {
  tokens: number
  readonly rate: Rate
  at: number
}

/** Names may come from outside: at this number the full buckets go, and if none is full, the oldest. */
const mostBuckets = 20_000

/** Makes token buckets by name, in this process's memory. A bucket that nobody has used is full. */
export function createRates(clock: Clock): Rates {
  const buckets = new Map<string, Bucket>()
  function sweep(): void {
    const now = clock()
    for (const [name, bucket] of buckets) if (filled(bucket, now) >= bucket.rate.burst) buckets.delete(name)
  }
  /** A tenth at a time, so that a flood of new names does not sweep for each of them. */
  function makeRoom(): void {
    sweep()
    for (const oldest of buckets.keys()) {
      if (buckets.size < mostBuckets * 0.9) return
      buckets.delete(oldest)
    }
  }
  return {
    sweep,
    tryTake(name, rate) {
      const now = clock()
      let bucket = buckets.get(name)
      if (bucket === undefined) {
        if (buckets.size >= mostBuckets) makeRoom()
        buckets.set(name, (bucket = { tokens: rate.burst, rate, at: now }))
      }
      return takeToken(bucket, now)
    },
  }
}

/** Makes the bucket of one owner, who holds it: a function that takes one token, false when there is none. */
export function createBucket(rate: Rate, clock: Clock): () => boolean {
  const bucket = { tokens: rate.burst, rate, at: clock() }
  return () => takeToken(bucket, clock())
}

function takeToken(bucket: Bucket, now: number): boolean {
  bucket.tokens = filled(bucket, now)
  bucket.at = now
  if (bucket.tokens < 1) return false
  bucket.tokens -= 1
  return true
}

/** A clock that was set back gives nothing. */
function filled({ tokens, rate, at }: Bucket, now: number): number {
  return Math.min(rate.burst, tokens + (Math.max(0, now - at) / 1_000) * rate.perSecond)
}

// ── Wrong keys ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whoever sent a request: `ip` is the client's own address where a trusted proxy says so, as Express's `request.ip`. */
export interface Sender {
  readonly socket: Socket
  readonly ip?: string | undefined
}

/** Patience with wrong keys, shared by all doors that accept keys: see `createWrongKeys`. */
export interface WrongKeys {
  /**
   * To be awaited before a wrong key is refused: at once for the first of an address, later for all that follow. Only who
   * is wrong waits, so a right key from the same address notices nothing. Throws `rate_limited` when too many wait.
   */
  refuse(sender: Sender, what: LogFieldsOf<'admission.wrong-key'>): Promise<void>
}

const wrongKeyRate: Rate = { perSecond: 1, burst: 20 }
const slowedMs = 1_000
const mostSlowed = 200

/** `what`, logged with each refusal that is not slowed, names the door: those are enough to see whose key it is. */
export function createWrongKeys(deps: { readonly clock: Clock; readonly log: Log }): WrongKeys {
  const rates = createRates(deps.clock)
  let slowed = 0
  return {
    async refuse({ socket, ip = socket.remoteAddress ?? '' }, what) {
      if (rates.tryTake(networkOf(ip), wrongKeyRate)) return deps.log('warn', 'admission.wrong-key', what)
      if (slowed >= mostSlowed) throw new BridgeError('rate_limited', 'too many wrong keys', { retryAfterMs: slowedMs })
      slowed += 1
      await whileOpen(socket, slowedMs)
      slowed -= 1
    },
  }
}

/** Waits for `ms` milliseconds, or until the socket is closed. Never rejects. */
export function whileOpen(socket: Socket, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    socket.once('close', done)
    function done() {
      clearTimeout(timer)
      socket.off('close', done)
      resolve()
    }
  })
}

/** One subscriber is one address: a whole /64 in IPv6 (RFC 6177), the IPv4 address also when it comes mapped into IPv6. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    groups.push(...Array<string>(Math.max(0, 8 - groups.length - after.length)).fill('0'), ...after)
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}

// ── Connections ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Connections that have not proved who they are, or have not said what they want, by a name of theirs. */
export interface Strangers {
  /** Takes a connection in; when there are too many the oldest stranger is cut, so that nobody is locked out by others. */
  enter(name: string, socket: Socket): void
  /** The connection belongs to somebody known from now on, or is gone. */
  leave(name: string): void
}

/** Address and port: the socket that TLS reads from and the one that it gives to HTTP are two objects, and this is one. */
export const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/**
 * Keeps at most `most` sockets of clients that have not proved who they are; one more ends the oldest. Never throws.
 */
export function createStrangers(most: number): Strangers {
  const strangers = new Map<string, Socket>()
  return {
    enter(name, socket) {
      strangers.delete(name)
      strangers.set(name, socket)
      if (strangers.size <= most) return
      for (const [oldest, its] of strangers) {
        strangers.delete(oldest)
        its.destroy()
        return
      }
    },
    leave: (name) => void strangers.delete(name),
  }
}
