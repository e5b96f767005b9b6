/** Tells who stands behind an access token: JWTs by signature, without a read; opaque ones by the store; both only while linked. */
import { hash } from 'node:crypto'
import { createLocalJWKSet, errors, type JWK, jwtVerify } from 'jose'
import type { Provider } from 'oidc-provider'
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import { accountId, type Clock, type Grant, type Store, type VerifyToken } from 'transom-core/ports'
import { secretKey } from '../record-key.ts'

/** What is known of a good token. */
export interface TokenFacts {
  readonly kind: 'access' | 'refresh'
  readonly grant: Grant
  readonly grantId: string
  /** Epoch milliseconds; absent for a refresh token, which does not age. */
  readonly expiresAt?: number
}

export interface TokenReader {
  readonly verify: VerifyToken
  /** The same without what was believed before, and without a look at what has ended. */
  read(token: string): Promise<AccessClaims>
}

export interface TokenEvents {
  /** True for a link, or a client, that has ended: as far as this process knows, and without a read. */
  readonly hasEnded: (token: {
    readonly grantId: string
    readonly clientId: string
    readonly issuedAt: number
  }) => boolean
  /** True while this process may lack a signing key of another: then an unknown one is no verdict on a token. */
  readonly mayLackKeys: () => boolean
  /** A token of this link was used. */
  readonly onUse: (grantId: string, clientId: string) => void
}

export interface TokenRules {
  readonly issuer: string
  readonly audience: string
  /** Public keys, ES256. */
  readonly keys: readonly JWK[]
}

/** An opaque token is believed this long without another look into the store. A JWT is believed to its end. */
const believedMs = 60_000
const mostBelieved = 10_000
/** Ours are 43 characters or some 700; nothing much longer is worth hashing. */
const longestToken = 4096

const accessTokenClaims = z.object({
  sub: z.string().min(1),
  client_id: z.string().min(1),
  scope: z.string().default(''),
  exp: z.number(),
  iat: z.number(),
  grant_id: z.string().min(1),
  client_kind: z.enum(['alexa', 'google', 'other', 'console']).optional(),
})

/** Of an opaque token, as the authorization server keeps it. */
const storedToken = z.object({
  kind: z.literal('AccessToken'),
  aud: z.string(),
  accountId: z.string().min(1),
  clientId: z.string().min(1),
  grantId: z.string().min(1),
  scope: z.string().default(''),
  exp: z.number(),
  iat: z.number(),
})

/** What an access token says, signed or opaque. */
export interface AccessClaims {
  readonly grant: Grant
  readonly grantId: string
  /** Epoch milliseconds. */
  readonly issuedAt: number
  readonly expiresAt: number
}

export function createTokenReader(store: Store, rules: TokenRules, events: TokenEvents, clock: Clock): TokenReader {
  const records = store.collection<unknown>('oauth-AccessToken')
  const keys = createLocalJWKSet({ keys: [...rules.keys] })
  const believed = new Map<string, AccessClaims & { readonly until: number }>()

  return {
    async verify(token) {
      if (!isSound(token)) throw new BridgeError('unauthorized')
      const key = hash('sha256', token, 'base64url')
      const known = believed.get(key)
      const claims = known && known.until > clock() ? known : await believe(key, token)
      // Whatever the token says of itself; the look at what has ended costs no read (`ended.ts`).
      const { clientId } = claims.grant
      if (events.hasEnded({ ...claims, clientId })) throw new BridgeError('unauthorized', 'its link was removed')
      events.onUse(claims.grantId, clientId)
      return claims.grant
    },
    read,
  }

  async function believe(key: string, token: string): Promise<AccessClaims> {
    believed.delete(key)
    const claims = await read(token)
    const until = isJwt(token) ? claims.expiresAt : Math.min(claims.expiresAt, clock() + believedMs)
    believed.set(key, { ...claims, until })
    dropOldest(believed)
    return claims
  }

  function read(token: string): Promise<AccessClaims> {
    return isJwt(token) ? readJwt(token) : readOpaque(token)
  }

  /** RFC 9068 section 4; the algorithm is fixed here, not taken from the token. */
  async function readJwt(token: string): Promise<AccessClaims> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer: rules.issuer,
        audience: rules.audience,
        currentDate: new Date(clock()),
      })
      const { grant_id: grantId, client_kind: clientKind, ...claims } = accessTokenClaims.parse(payload)
      const grant = grantFor(claims.sub, claims.client_id, claims.scope, grantId)
      const times = { issuedAt: claims.iat * 1000, expiresAt: claims.exp * 1000 }
      return { grant: { ...grant, ...(clientKind !== undefined && { clientKind }) }, grantId, ...times }
    } catch (cause) {
      // jose checks the signature before any claim, and the time last: an expired token was ours.
      if (cause instanceof errors.JWTExpired) throw new BridgeError('token_expired', undefined, { cause })
      // A refusal would cost the customer the link, and here the trouble is ours.
      if (cause instanceof errors.JWKSNoMatchingKey && events.mayLackKeys())
        throw new BridgeError('internal', 'the signing keys could not be read', { cause })
      if (cause instanceof errors.JOSEError || cause instanceof z.ZodError) {
        throw new BridgeError('unauthorized', 'the access token does not verify', { cause })
      }
      throw cause
    }
  }

  async function readOpaque(token: string): Promise<AccessClaims> {
    const found = storedToken.safeParse((await records.get(secretKey(token)))?.value)
    if (!found.success || found.data.aud !== rules.audience)
      throw new BridgeError('unauthorized', 'no such access token')
    const { accountId: sub, clientId, grantId, scope, exp, iat } = found.data
    if (exp * 1000 <= clock()) throw new BridgeError('token_expired')
    const grant = grantFor(sub, clientId, scope, grantId)
    return { grant, grantId, issuedAt: iat * 1000, expiresAt: exp * 1000 }
  }
}

/** Looks into the store, whatever was believed before. `undefined` for a token that is not good, of either kind. */
export function createInspection(
  provider: Pick<Provider, 'RefreshToken' | 'Grant'>,
  read: TokenReader['read'],
  isClient: (clientId: string) => Promise<boolean>,
): (token: string) => Promise<TokenFacts | undefined> {
  return async (token) => {
    if (!isSound(token)) return undefined
    try {
      const claims = await read(token)
      await requireLink(claims)
      return { kind: 'access', ...claims }
    } catch (error) {
      if (!(error instanceof BridgeError) || !isVerdict(error)) throw error
    }
    return isJwt(token) ? undefined : readRefresh(token)
  }

  async function readRefresh(token: string): Promise<TokenFacts | undefined> {
    const found = await provider.RefreshToken.find(token)
    const { accountId: sub, clientId, grantId } = found ?? {}
    if (!found || found.consumed || !sub || !clientId || !grantId) return undefined
    const facts = { grant: grantFor(sub, clientId, found.scope ?? '', grantId), grantId }
    try {
      await requireLink(facts)
    } catch (error) {
      if (error instanceof BridgeError && isVerdict(error)) return undefined
      throw error
    }
    return { kind: 'refresh', grant: facts.grant, grantId }
  }

  /** What the store says of the link itself, now. */
  async function requireLink({ grant, grantId }: Pick<AccessClaims, 'grant' | 'grantId'>): Promise<void> {
    const [link, isKnown] = await Promise.all([provider.Grant.find(grantId), isClient(grant.clientId)])
    if (!isKnown) throw new BridgeError('unauthorized', 'the client of this access token was removed')
    if (!link || link.accountId !== grant.accountId || link.clientId !== grant.clientId) {
      throw new BridgeError('unauthorized', 'the link of this access token was removed')
    }
  }
}

const isSound = (token: string): boolean => token.length > 0 && token.length <= longestToken
/** Ours that are opaque have no dots. */
const isJwt = (token: string): boolean => token.includes('.')
const isVerdict = ({ code }: BridgeError): boolean => code === 'unauthorized' || code === 'token_expired'

function grantFor(sub: string, clientId: string, scope: string, linkId: string): Grant {
  return { accountId: accountId(sub), clientId, scopes: scope === '' ? [] : scope.split(' '), linkId }
}

function dropOldest(believed: Map<string, unknown>): void {
  if (believed.size <= mostBelieved) return
  for (const key of believed.keys()) {
    believed.delete(key)
    return
  }
}
