/** Tells who stands behind an access token: JWTs by signature, opaque ones by the store, both only while linked. */
import { hash } from 'node:crypto'
import { createLocalJWKSet, errors, type JWK, jwtVerify } from 'jose'
import type { Provider } from 'oidc-provider'
import { z } from 'zod'
import { BridgeError } from '../errors.ts'
import { accountId, type Clock, type Grant, type VerifyToken } from '../ports.ts'

export interface TokenVerifier {
  readonly verify: VerifyToken
  /** Forgets what was verified for a grant that is gone, so that it ends at once here and within a minute elsewhere. */
  forget(grantId: string): void
}

export interface TokenRules {
  readonly issuer: string
  readonly audience: string
  /** Public keys, ES256. */
  readonly keys: readonly JWK[]
}

/** A verified token is believed this long without another look into the store: revocation bites within a minute. */
const believedMs = 60_000
const mostBelieved = 10_000
/** Ours are 43 characters or some 700; nothing much longer is worth hashing. */
const longestToken = 4096

const accessTokenClaims = z.object({
  sub: z.string().min(1),
  client_id: z.string().min(1),
  scope: z.string().default(''),
  exp: z.number(),
  grant_id: z.string().min(1),
})

/** What both kinds of token say. */
interface Claims {
  readonly grant: Grant
  readonly grantId: string
  readonly expiresAt: number
}

export function createTokenVerifier(provider: Provider, rules: TokenRules, clock: Clock): TokenVerifier {
  const keys = createLocalJWKSet({ keys: [...rules.keys] })
  const believed = new Map<string, Claims & { readonly until: number }>()

  return {
    async verify(token) {
      if (token.length === 0 || token.length > longestToken) throw new BridgeError('unauthorized')
      const key = hash('sha256', token, 'base64url')
      const known = believed.get(key)
      if (known && known.until > clock()) return known.grant
      believed.delete(key)

      const claims = token.includes('.') ? await readJwt(token) : await readOpaque(token)
      await requireLink(claims)
      believed.set(key, { ...claims, until: Math.min(claims.expiresAt, clock() + believedMs) })
      dropOldest(believed)
      return claims.grant
    },
    forget(grantId) {
      for (const [key, { grantId: other }] of believed) if (other === grantId) believed.delete(key)
    },
  }

  /** RFC 9068 section 4; the algorithm is fixed here, not taken from the token. */
  async function readJwt(token: string): Promise<Claims> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer: rules.issuer,
        audience: rules.audience,
        currentDate: new Date(clock()),
      })
      const { sub, client_id: clientId, scope, exp, grant_id: grantId } = accessTokenClaims.parse(payload)
      return { grant: grantFor(sub, clientId, scope), grantId, expiresAt: exp * 1000 }
    } catch (cause) {
      // jose checks the signature before any claim, and the time last: an expired token was ours.
      if (cause instanceof errors.JWTExpired) throw new BridgeError('token_expired', undefined, { cause })
      if (cause instanceof errors.JOSEError || cause instanceof z.ZodError) {
        throw new BridgeError('unauthorized', 'the access token does not verify', { cause })
      }
      throw cause
    }
  }

  async function readOpaque(token: string): Promise<Claims> {
    const found = await provider.AccessToken.find(token, { ignoreExpiration: true })
    const { accountId: sub, clientId, grantId, exp } = found ?? {}
    if (!found || !sub || !clientId || !grantId || exp === undefined || found.aud !== rules.audience) {
      throw new BridgeError('unauthorized', 'no such access token')
    }
    if (exp * 1000 <= clock()) throw new BridgeError('token_expired')
    return { grant: grantFor(sub, clientId, found.scope ?? ''), grantId, expiresAt: exp * 1000 }
  }

  /** A token outlives its link on paper; unlinking removes the grant, and with it every token at its next check. */
  async function requireLink({ grant, grantId }: Claims): Promise<void> {
    const link = await provider.Grant.find(grantId)
    if (!link || link.accountId !== grant.accountId || link.clientId !== grant.clientId) {
      throw new BridgeError('unauthorized', 'the link of this access token was removed')
    }
  }
}

function grantFor(sub: string, clientId: string, scope: string): Grant {
  return { accountId: accountId(sub), clientId, scopes: scope === '' ? [] : scope.split(' ') }
}

function dropOldest(believed: Map<string, unknown>): void {
  if (believed.size <= mostBelieved) return
  for (const key of believed.keys()) {
    believed.delete(key)
    return
  }
}
