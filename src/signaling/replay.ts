/** Which signatures were used already: a request that somebody recorded is worth nothing to them. */
import type { Clock, Log, Store, Stored } from 'transom-core/ports'
import { ServiceError } from './service-error.ts'
import type { Signature } from './sigv4.ts'

export interface ReplayMemory {
  /**
   * Notes that this key's signature, which is valid, was used. Throws `InvalidSignatureException` when it was used before,
   * by this process or an earlier one.
   */
  use(accessKeyId: string, signature: Signature): void
  /** Forgets the signatures that are too old to be valid; called now and then. */
  sweep(): void
}

/** A signature that was used, as it is stored; its id is the signature. */
interface Used {
  readonly accessKeyId: string
  readonly signedAt: number
  readonly firstAt: number
}

interface Entry {
  readonly signedAt: number
  readonly firstAt: number
  readonly validUntil: number
}

/** What one key has signed. */
interface Signed {
  /** By signature, oldest use first, because a Map keeps the order of insertion. */
  readonly used: Map<string, Entry>
  /** What was signed by then counts as used: it may be one of those that there was no room to remember. */
  closedUntil: number
}

/**
 * Dates of signatures have seconds only, so a client that asks the same twice within one second signs the same twice: the
 * C SDK describes its channel before and after it makes it, and a camera that lost its connection is back in 0.2 s. Whoever
 * signs anew for each request, as all SDKs do, has another signature after that.
 */
const sameMs = 2_000
/** Entries of one key, about 150 bytes each. A camera needs some 170: a connection an hour, signed for a week. */
const maxEntries = 10_000
/** No signature holds longer than the week that AWS allows a presigned URL. */
const longestMs = 7 * 86_400_000
const group = 'used'

/** Opens the memory with what earlier processes noted in the store. */
export async function openReplayMemory(store: Store, clock: Clock, log: Log): Promise<ReplayMemory> {
  const records = store.collection<Used>('signaling-signature')
  const keys = new Map<string, Signed>()

  const remember = (accessKeyId: string, signature: string, entry: Entry) => {
    let signed = keys.get(accessKeyId)
    if (signed === undefined) keys.set(accessKeyId, (signed = { used: new Map(), closedUntil: -Infinity }))
    signed.used.set(signature, entry)
    if (signed.used.size <= maxEntries) return
    for (const [oldest, { signedAt }] of signed.used) {
      signed.used.delete(oldest)
      signed.closedUntil = Math.max(signed.closedUntil, signedAt)
      return
    }
  }

  const earlier: Stored<Used>[] = []
  for await (const stored of records.all(group)) earlier.push(stored)
  for (const { id, value, expiresAt = 0 } of earlier.toSorted((a, b) => a.value.firstAt - b.value.firstAt)) {
    const { accessKeyId, signedAt, firstAt } = value
    remember(accessKeyId, id, { signedAt, firstAt, validUntil: expiresAt })
  }

  return {
    use(accessKeyId, { hex, signedAt, validUntil }) {
      const now = clock()
      // A string of its own: the one given is a piece of the whole request, and would keep all of it.
      const signature = Buffer.from(hex, 'hex').toString('base64url')
      const signed = keys.get(accessKeyId)
      const before = signed?.used.get(signature)
      if (before !== undefined && now - before.firstAt <= sameMs) return
      if (before !== undefined || signedAt <= (signed?.closedUntil ?? -Infinity)) {
        throw new ServiceError(
          'InvalidSignatureException',
          'The signature was used before. Sign each request by itself.',
        )
      }
      remember(accessKeyId, signature, { signedAt, firstAt: now, validUntil })
      // The answer does not wait for the disk, and a full one locks no camera out.
      records
        .put(signature, { accessKeyId, signedAt, firstAt: now }, { expiresAt: validUntil, group })
        .catch((cause: unknown) => log('warn', 'signaling.signature-not-noted', { accessKeyId, error: cause }))
    },
    sweep() {
      const now = clock()
      for (const [accessKeyId, { used, closedUntil }] of keys) {
        for (const [signature, { validUntil }] of used) if (validUntil <= now) used.delete(signature)
        if (used.size === 0 && closedUntil < now - longestMs) keys.delete(accessKeyId)
      }
    },
  }
}
