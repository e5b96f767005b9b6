/** Keys that somebody else publishes (RFC 7517 section 5), fetched when a token is signed with one that is not known yet. */
import { createRemoteJWKSet, customFetch, type FetchImplementation } from 'jose'
import { boundedFetch } from 'transom-core/fetch'

const fetchMs = 3_000
/** The largest key sets of large providers have some 20 KiB. */
const mostBytes = 256 * 1024

/** For `jwtVerify`. One fetch at a time, and after a good one none for 30 s. `fetch` differs in tests only. */
export function remoteKeys(
  url: string,
  fetch: FetchImplementation = boundedFetch({ ms: fetchMs, maxBytes: mostBytes }),
): ReturnType<typeof createRemoteJWKSet> {
  return createRemoteJWKSet(new URL(url), {
    timeoutDuration: fetchMs,
    cooldownDuration: 30_000,
    cacheMaxAge: 10 * 60_000,
    [customFetch]: fetch,
  })
}
