/** The access token of a Google service account, by its signed assertion (RFC 7523 section 2.1). */
import { createPrivateKey } from 'node:crypto'
import { SignJWT } from 'jose'
import * as z from 'zod'
import { untilAborted } from 'transom-core/deadline'
import { boundedFetch } from 'transom-core/fetch'
import type { Clock } from 'transom-core/ports'
import { serviceTokenReply } from 'transom-core/wire/google'

/** The key file of a service account, as the Google Cloud console gives it; fields that we do not use pass unseen. */
export const serviceAccountKey = z.object({
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.url().default('https://oauth2.googleapis.com/token'),
})

/** The token of one service account, fetched when it is needed. */
export interface ServiceToken {
  /** A good token; waits no longer than the signal allows. Throws `TokenRefusal` when Google refuses the account. */
  get(signal: AbortSignal): Promise<string>
  /** The token was refused: the next `get` fetches another. */
  forget(): void
}

/** The token endpoint said no. `isFinal`: the key or the clock is wrong, and asking again will not help. */
export class TokenRefusal extends Error {
  override readonly name = 'TokenRefusal'
  readonly isFinal: boolean

  constructor(status: number, code: string) {
    super(`the token endpoint says ${status} ${code}`.trim())
    this.isFinal = status >= 400 && status < 500 && status !== 429
  }
}

const scope = 'https://www.googleapis.com/auth/homegraph'

/** Kept until a minute before it ends. Throws if the private key is not one: better at the start than at the first press. */
export function createServiceToken(deps: {
  readonly serviceAccount: z.infer<typeof serviceAccountKey>
  /** Milliseconds for one fetch. */
  readonly deadlineMs: number
  readonly clock: Clock
}): ServiceToken {
  const { serviceAccount, deadlineMs, clock } = deps
  const key = createPrivateKey(serviceAccount.private_key)
  const post = boundedFetch({ ms: deadlineMs })
  let kept: { readonly token: string; readonly until: number } | undefined
  let coming: Promise<string> | undefined

  return {
    async get(signal) {
      if (kept !== undefined && clock() < kept.until) return kept.token
      // Reports that go at once share one request, with a deadline of its own: a caller that gives up only stops waiting.
      coming ??= renew().finally(() => (coming = undefined))
      return untilAborted(coming, signal)
    },
    forget() {
      kept = undefined
    },
  }

  async function renew(): Promise<string> {
    kept = await fetchToken()
    return kept.token
  }

  async function fetchToken() {
    const { client_email: issuer, token_uri: audience, private_key_id: kid } = serviceAccount
    const now = clock()
    const assertion = await new SignJWT({ scope })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(kid !== undefined && { kid }) })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(Math.floor(now / 1000))
      .setExpirationTime(Math.floor(now / 1000) + 3600)
      .sign(key)
    const response = await post(audience, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
    })
    if (!response.ok) throw new TokenRefusal(response.status, refusalCode(await response.text()))
    const { access_token: token, expires_in: seconds } = serviceTokenReply.parse(await response.json())
    return { token, until: now + (seconds - 60) * 1000 }
  }
}

/** `error` of RFC 6749 section 5.2; the description beside it is not ours to log. */
function refusalCode(text: string): string {
  return /"error"\s*:\s*"([a-z_]{1,40})"/.exec(text)?.[1] ?? ''
}
