/** Verify-only: a vendor's own authorization server issues the access tokens, and we check them by its published keys. */
import { errors, type FetchImplementation, jwtVerify } from 'jose'
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import { accessScope, accountId, type Clock, type VerifyToken } from 'transom-core/ports'
import { remoteKeys } from './key-set.ts'

export interface ForeignTokens {
  readonly issuer: string
  readonly audience: string
  /** Where its public keys are. */
  readonly jwksUrl: string
  /** The claim that names the account; default `sub`. */
  readonly accountClaim?: string
  /** The scope a token must have; none by default. */
  readonly scope?: string
  /** For tests: how the keys are fetched. */
  readonly fetch?: FetchImplementation
}

/** Signatures by a private key only: with a public key as its secret, an HMAC could be forged by anybody. */
const algorithms = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512']
const longestToken = 8192
const strings = z.union([z.string(), z.array(z.string()).transform((list) => list.join(' '))]).default('')
const claimsShape = z.looseObject({
  client_id: z.string().optional(),
  azp: z.string().optional(),
  scope: strings,
  scp: strings,
})

/**
 * Verifies JWT access tokens (RFC 9068, and the older habits around it: `azp` for the client, `scp` for scopes).
 * An ID token is refused where it says that it is one. Keys are fetched again when an unknown one appears, at most every 30 s.
 */
export function createForeignVerifier(options: ForeignTokens, clock: Clock): VerifyToken {
  const keys = remoteKeys(options.jwksUrl, options.fetch)
  const { issuer, audience, accountClaim = 'sub', scope: needed } = options

  return async (token) => {
    if (token.length === 0 || token.length > longestToken) throw new BridgeError('unauthorized')
    try {
      const currentDate = new Date(clock())
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        algorithms,
        issuer,
        audience,
        currentDate,
        requiredClaims: ['exp'],
      })
      const type = protectedHeader.typ?.toLowerCase().replace(/^application\//, '') ?? 'jwt'
      if (type !== 'jwt' && type !== 'at+jwt') throw new BridgeError('unauthorized', 'this JWT is no access token')
      const { scope, scp, ...claims } = claimsShape.parse(payload)
      // OpenID Connect Core section 2: only an ID token speaks of the nonce and of its access token's hash.
      if ('nonce' in claims || 'at_hash' in claims)
        throw new BridgeError('unauthorized', 'an ID token is no access token')
      const scopes = `${scope} ${scp}`.split(' ').filter((part) => part !== '')
      if (needed !== undefined && !scopes.includes(needed))
        throw new BridgeError('unauthorized', `the scope ${needed} is missing`)
      const account = claims[accountClaim]
      if (typeof account !== 'string' || account === '' || account.length > 256 || !account.isWellFormed()) {
        throw new BridgeError('unauthorized', `the claim ${accountClaim} names no account`)
      }
      // A vendor has scopes of its own: the audience, and `scope` where it is set, stand for ours.
      const clientId = claims.client_id ?? claims.azp ?? ''
      return { accountId: accountId(account), clientId, scopes: [...new Set([accessScope, ...scopes])] }
    } catch (cause) {
      if (cause instanceof BridgeError) throw cause
      if (cause instanceof errors.JWTExpired) throw new BridgeError('token_expired', undefined, { cause })
      // The key server being away is no verdict on the token: it must not cost the customer the link.
      if (cause instanceof errors.JWKSTimeout || !(cause instanceof errors.JOSEError || cause instanceof z.ZodError)) {
        throw new BridgeError('internal', 'the keys of the authorization server could not be fetched', { cause })
      }
      if (cause.constructor === errors.JOSEError) {
        throw new BridgeError('internal', 'the keys of the authorization server could not be fetched', { cause })
      }
      throw new BridgeError('unauthorized', 'the access token does not verify', { cause })
    }
  }
}
