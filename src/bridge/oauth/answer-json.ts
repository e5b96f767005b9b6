/** Replies of the endpoints that speak JSON: what is thrown becomes an error as OAuth writes them. */
import type { Request, RequestHandler, Response } from 'express'
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import { faultsOf } from 'transom-core/wire/faults'

export function answerJson(handle: (req: Request, res: Response) => Promise<void>): RequestHandler {
  return async (req, res, next) => {
    try {
      await handle(req, res)
    } catch (error) {
      if (error instanceof z.ZodError) {
        res.status(400).json({ error: 'invalid_request', error_description: faultsOf(error) })
      } else if (error instanceof BridgeError && error.code === 'invalid_request') {
        res.status(400).json({ error: 'invalid_request', error_description: error.message })
      } else if (error instanceof BridgeError && error.code === 'rate_limited') {
        res.set('retry-after', String(Math.ceil((error.retryAfterMs ?? 1_000) / 1_000)))
        res.status(429).json({ error: error.code, error_description: 'too many requests: please try again later' })
      } else if (error instanceof BridgeError && error.code === 'camera_not_found') {
        res.status(404).json({ error: error.code, error_description: 'this account has no such camera' })
      } else if (error instanceof BridgeError && /^(unauthorized|token_expired)$/.test(error.code)) {
        // RFC 6750 section 3.1.
        res.status(401).set('www-authenticate', 'Bearer error="invalid_token"').json({ error: 'invalid_token' })
      } else {
        next(error)
      }
    }
  }
}
