/** Who asks, by the access token of his request. */

import type { Request } from 'express'
import { BridgeError } from 'transom-core/errors'

/** Says whose token it is. Throws `BridgeError`: `unauthorized` or `token_expired`. */
export type AccountOf = (token: string) => Promise<string>

/** The token of the Authorization header; '' when there is none. */
export function bearerOf({ headers }: Pick<Request, 'headers'>): string {
  return /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
}

/** True for the ways in which a token is not good; anything else that is thrown is a failure of the house. */
export function isRefusal(thrown: unknown): boolean {
  return thrown instanceof BridgeError && (thrown.code === 'unauthorized' || thrown.code === 'token_expired')
}
