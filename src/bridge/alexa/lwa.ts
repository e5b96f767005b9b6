/** Login with Amazon's token endpoint, where a skill gets the tokens for its event gateway (alexa-authorization.html). */
import { boundedFetch, whyFailed } from 'transom-core/fetch'
import type { Clock } from 'transom-core/ports'
import { lwaRefusal, lwaTokens } from 'transom-core/wire/alexa'

const TOKEN_URL = 'https://api.amazon.com/auth/o2/token'

/** A skill at Login with Amazon. */
export interface LwaClient {
  /** The pair on the skill's Permissions page, not the one of account linking. */
  readonly clientId: string
  readonly clientSecret: string
  /** Default: Amazon's own. */
  readonly tokenUrl?: string
}

/** What Login with Amazon said. */
export type LwaResult =
  | {
      readonly kind: 'tokens'
      readonly accessToken: string
      readonly refreshToken?: string
      readonly expiresAt: number
    }
  /** LWA said no, with a code of RFC 6749 section 5.2: `invalid_grant`, `invalid_client`, … */
  | { readonly kind: 'refused'; readonly error: string }
  /** No usable word from LWA; the same request may succeed later. */
  | { readonly kind: 'unavailable'; readonly reason: string }

/** Its token endpoint, as `createLwa` makes it. */
export interface Lwa {
  exchange(code: string, signal: AbortSignal): Promise<LwaResult>
  /** Takes no signal: several callers may be waiting for the same refresh. */
  refresh(refreshToken: string): Promise<LwaResult>
}

/** For each request: half of what Alexa waits for AcceptGrant, so that one that hangs leaves time for another. */
export const LWA_TIMEOUT_MS = 4_000

/** Makes the client of the token endpoint. Neither of its functions rejects. */
export function createLwa(client: LwaClient, clock: Clock): Lwa {
  const { clientId, clientSecret, tokenUrl = TOKEN_URL } = client
  const post = boundedFetch({ ms: LWA_TIMEOUT_MS })

  async function ask(fields: Record<string, string>, signal?: AbortSignal): Promise<LwaResult> {
    const askedAt = clock()
    try {
      const response = await post(tokenUrl, {
        method: 'POST',
        body: new URLSearchParams({ ...fields, client_id: clientId, client_secret: clientSecret }),
        headers: { accept: 'application/json' },
        ...(signal && { signal }),
      })
      // A body that is not JSON, or breaks off, says no more than the status does.
      const body: unknown = await response.json().catch(() => undefined)
      if (response.ok) {
        const tokens = lwaTokens.safeParse(body)
        if (!tokens.success) return { kind: 'unavailable', reason: `HTTP ${response.status} without tokens` }
        const { access_token, refresh_token, expires_in } = tokens.data
        return {
          kind: 'tokens',
          accessToken: access_token,
          ...(refresh_token !== undefined && { refreshToken: refresh_token }),
          expiresAt: askedAt + expires_in * 1000,
        }
      }
      const refusal = lwaRefusal.safeParse(body)
      const isFinal = response.status < 500 && response.status !== 429 && refusal.success
      return isFinal
        ? { kind: 'refused', error: refusal.data.error }
        : { kind: 'unavailable', reason: `HTTP ${response.status}` }
    } catch (thrown) {
      return { kind: 'unavailable', reason: whyFailed(thrown) }
    }
  }

  return {
    // No redirect_uri: the code was not asked for through a redirect.
    exchange: (code, signal) => ask({ grant_type: 'authorization_code', code }, signal),
    refresh: (token) => ask({ grant_type: 'refresh_token', refresh_token: token }),
  }
}

/** Why there are no tokens, in LWA's word or ours. */
export function whyNot(result: Exclude<LwaResult, { kind: 'tokens' }>): string {
  return result.kind === 'refused' ? result.error : result.reason
}
