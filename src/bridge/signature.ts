/** Signed requests: HMAC-SHA256 over the time and the body, refused when they are old or come a second time. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { BridgeError } from 'transom-core/errors'
import type { Clock, Store } from 'transom-core/ports'

/** The header field with the time in epoch seconds. */
export const timestampField = 'x-transom-timestamp'
/** The header field with the signature, beside `timestampField`. */
export const signatureField = 'x-transom-signature'

/** How far the sender's clock may be off; a signature is remembered until its time alone refuses it. */
const windowMs = 300_000

/** `v1=` and the HMAC in hex. `timestamp` is in epoch seconds, decimal; `body` is the body as it is sent. */
export function sign(key: string | Uint8Array, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')}`
}

/** What is checked of a request; `body` as it came. */
export interface SignedRequest {
  readonly timestamp: string
  readonly signature: string
  readonly body: string
}

/** Checks signatures, each accepted once. */
export interface Signatures {
  /**
   * Rejects with `BridgeError('unauthorized')` unless the request is signed with this key, now, and for the first time; what
   * another process, or this one before its restart, has accepted counts.
   */
  check(key: string | Uint8Array, request: SignedRequest): Promise<void>
  /** The request was not carried out: it may come again as it is. */
  forget(request: SignedRequest): Promise<void>
}

/** Only who holds a key gets a signature stored, each for ten minutes at most. */
export function createSignatures({ store, clock }: { readonly store: Store; readonly clock: Clock }): Signatures {
  const used = store.collection<Record<string, never>>('used-signature')
  return {
    async check(key, { timestamp, signature, body }) {
      const now = clock()
      if (!/^\d{1,12}$/.test(timestamp)) throw new BridgeError('unauthorized', `${timestampField} is in epoch seconds`)
      const at = Number(timestamp) * 1000
      if (Math.abs(now - at) > windowMs) {
        throw new BridgeError('unauthorized', `the request is signed for another time; here it is ${(now / 1000) | 0}`)
      }
      const expected = Buffer.from(sign(key, timestamp, body))
      const given = Buffer.from(signature)
      if (expected.length !== given.length || !timingSafeEqual(expected, given)) {
        throw new BridgeError('unauthorized', 'the signature is not right')
      }
      const isFirst = await used.put(signature, {}, { onlyIf: 'absent', expiresAt: at + windowMs + 1 })
      if (isFirst === undefined) throw new BridgeError('unauthorized', 'the same request was accepted before')
    },
    async forget({ signature }) {
      await used.remove(signature)
    },
  }
}
