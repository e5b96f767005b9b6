/** Signed requests: HMAC-SHA256 over the time and the body, refused when they are old or come a second time. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { BridgeError } from '../errors.ts'
import type { Clock } from '../ports.ts'

export const timestampField = 'x-transom-timestamp'
export const signatureField = 'x-transom-signature'

/** How far the sender's clock may be off, and how long a signature is remembered. */
const windowMs = 300_000
/** Memory of a flood: more than this many valid signatures within the window are refused. */
const mostRemembered = 100_000

/** `v1=` and the HMAC in hex. `timestamp` is in epoch seconds, decimal; `body` is the body as it is sent. */
export function sign(key: string | Uint8Array, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex')}`
}

export interface SignedRequest {
  readonly timestamp: string
  readonly signature: string
  readonly body: string
}

export interface Signatures {
  /** Throws `BridgeError('unauthorized')` unless the request is signed with this key, now, and for the first time. */
  check(key: string | Uint8Array, request: SignedRequest): void
  /** The request was not carried out: it may come again as it is. */
  forget(request: SignedRequest): void
}

export function createSignatures(clock: Clock): Signatures {
  /** Signature to the instant from which on its timestamp alone refuses it; in the order of arrival. */
  const seen = new Map<string, number>()

  return {
    check(key, { timestamp, signature, body }) {
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
      for (const [old, until] of seen) {
        if (until > now) break
        seen.delete(old)
      }
      if (seen.has(signature)) throw new BridgeError('unauthorized', 'the same request was accepted before')
      if (seen.size >= mostRemembered) throw new BridgeError('rate_limited')
      // The latest instant at which this timestamp would still pass.
      seen.set(signature, now + 2 * windowMs)
    },
    forget: ({ signature }) => void seen.delete(signature),
  }
}
