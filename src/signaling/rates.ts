/** How often something may be done: one token bucket for each name, in memory. */
import type { Clock } from '../ports.ts'
import { ServiceError } from './service-error.ts'

/** So many at a time, and so many more each second. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

export interface Rates {
  /** Takes one token of the bucket of this name. Throws `ClientLimitExceededException` when it is empty. */
  take(name: string, rate: Rate): void
  /** The same, where nothing is refused: false when the bucket is empty. */
  tryTake(name: string, rate: Rate): boolean
  /** Forgets the buckets that are full again; called now and then. */
  sweep(): void
}

interface Bucket {
  tokens: number
  readonly rate: Rate
  at: number
}

export function createRates(clock: Clock): Rates {
  const buckets = new Map<string, Bucket>()
  const tryTake = (name: string, rate: Rate): boolean => {
    const now = clock()
    let bucket = buckets.get(name)
    if (bucket === undefined) buckets.set(name, (bucket = { tokens: rate.burst, rate, at: now }))
    return takeToken(bucket, now)
  }
  return {
    tryTake,
    take(name, rate) {
      if (tryTake(name, rate)) return
      throw new ServiceError('ClientLimitExceededException', `Rate exceeded: ${rate.perSecond} a second.`)
    },
    sweep() {
      const now = clock()
      for (const [name, bucket] of buckets) if (filled(bucket, now) >= bucket.rate.burst) buckets.delete(name)
    },
  }
}

/** A bucket of one owner, who holds it himself: false when it is empty. */
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
