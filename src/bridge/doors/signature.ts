/** Signed requests: HMAC-SHA256 over the time and the body, refused when they are old or come a second time. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { BridgeError } from 'transom-core/errors'
import type { Clock } from 'transom-core/ports'

export const timestampField = 'x-transom-timestamp'
export const signatureField = 'x-transom-signature'

/** How far the sender's clock may be off; a signature is remembered until its time alone refuses it. */
const windowMs = 300_000
/** Valid signatures of one window: a thousand in a second and some more, in about 50 MB. */
const mostRemembered = 400_000

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
  /** By their timestamps. */
  const seen = new Map<string, Set<string>>()
  let remembered = 0
  let lookedAt = 0

  function forgetLapsed(now: number): void {
    // Once a second is enough: timestamps are no finer.
    if (now - lookedAt < 1_000) return
    lookedAt = now
    for (const [timestamp, signatures] of seen) {
      if (now - Number(timestamp) * 1000 <= windowMs) continue
      seen.delete(timestamp)
      remembered -= signatures.size
    }
  }

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
      forgetLapsed(now)
      const ofThatSecond = seen.get(timestamp) ?? new Set()
      if (ofThatSecond.has(signature)) throw new BridgeError('unauthorized', 'the same request was accepted before')
      if (remembered >= mostRemembered) throw new BridgeError('rate_limited')
      seen.set(timestamp, ofThatSecond.add(signature))
      remembered += 1
    },
    forget({ timestamp, signature }) {
      if (seen.get(timestamp)?.delete(signature)) remembered -= 1
    },
  }
}
