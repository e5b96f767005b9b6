/** Keeps oidc-provider's records in the `Store`: tokens, codes and sessions under the hash of their secret only. */
import { hash } from 'node:crypto'
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider'
import type { Clock, Collection, Store, Stored } from '../ports.ts'

/**
 * How long after its first use a code that comes again is only refused, in seconds. RFC 6749 section 4.1.2 wants a second
 * use denied, always, and the tokens of the first use revoked if possible. A platform that repeats its request because an
 * answer was slow, or sends it twice at once, would lose the link it has just made. A thief gains nothing from the delay:
 * the code alone is worthless without the client's secret. Later a repetition has no such excuse, and revokes the grant.
 */
const replayGraceS = 30

/** An expired access token stays known for this long, to be told apart from one that never was ours. */
const expiredTokenMemoryS = 24 * 3600

/** How a record can be found besides by its id. Kinds that are not named here are only found by id. */
const groupOf: Readonly<Record<string, (payload: AdapterPayload) => string | undefined>> = {
  Session: (session) => session.uid,
  Grant: (grant) => grant.accountId,
  AccessToken: (token) => token.grantId,
  AuthorizationCode: (code) => code.grantId,
  RefreshToken: (token) => token.grantId,
}

/** Makes the adapter for each kind of record (`AccessToken`, `Grant`, …); each has a collection `oauth-<kind>`. */
export function createAdapterFactory(store: Store, clock: Clock): AdapterFactory {
  return (kind) => createAdapter(kind, store.collection<AdapterPayload>(`oauth-${kind}`), clock)
}

/** What an account granted to a client, newest first. */
export async function grantsOf(store: Store, account: string, clientId: string): Promise<readonly string[]> {
  const grants = store.collection<AdapterPayload>('oauth-Grant')
  const found: { id: string; madeAt: number }[] = []
  await eachOfGroup(grants, account, async ({ id, value }) => {
    if (value.clientId === clientId) found.push({ id, madeAt: value.iat ?? 0 })
  })
  return found.sort((a, b) => b.madeAt - a.madeAt).map(({ id }) => id)
}

function createAdapter(kind: string, records: Collection<AdapterPayload>, clock: Clock): Adapter {
  const nowS = () => Math.floor(clock() / 1000)
  // A grant's id opens nothing by itself and is needed to find what hangs on it; every other id is a secret.
  const keyOf = (id: string) => (kind === 'Grant' ? id : hash('sha256', id, 'base64url'))
  const placeOf = (payload: AdapterPayload, expiresAt: number | undefined) => {
    const group = groupOf[kind]?.(payload)
    return { ...(group === undefined ? {} : { group }), ...(expiresAt === undefined ? {} : { expiresAt }) }
  }

  return {
    async upsert(id, payload, expiresIn) {
      const memoryS = kind === 'AccessToken' ? expiredTokenMemoryS : 0
      const expiresAt = expiresIn === undefined ? undefined : clock() + (expiresIn + memoryS) * 1000
      await records.put(keyOf(id), withoutSecrets(payload), placeOf(payload, expiresAt))
    },
    async find(id) {
      // A grant id from a token or a session record is ours; whatever is longer was never handed out.
      const value = id.length > 0 && id.length <= 4096 ? (await records.get(keyOf(id)))?.value : undefined
      if (value === undefined) return undefined
      const isRepeatedSoon = kind === 'AuthorizationCode' && nowS() - Number(value.consumed) < replayGraceS
      return isRepeatedSoon ? undefined : { ...value, jti: id }
    },
    async findByUid(uid) {
      const [found] = await records.list(uid, { limit: 1 })
      return found?.value
    },
    // Only the device flow has user codes, and it is off.
    findByUserCode: () => Promise.resolve(undefined),
    async consume(id) {
      const key = keyOf(id)
      const stored = await records.get(key)
      if (stored && stored.value.consumed === undefined) {
        const value = { ...stored.value, consumed: nowS() }
        const place = placeOf(value, stored.expiresAt)
        if (await records.put(key, value, { ...place, onlyIf: { version: stored.version } })) return
      }
      // Two requests had it at once, and this is the second.
      throw new errors.InvalidGrant('already consumed')
    },
    async destroy(id) {
      await records.remove(keyOf(id))
    },
    async revokeByGrantId(grantId) {
      await eachOfGroup(records, grantId, (record) => records.remove(record.id))
    },
  }
}

async function eachOfGroup(
  records: Collection<AdapterPayload>,
  group: string,
  visit: (record: Stored<AdapterPayload>) => Promise<void>,
): Promise<void> {
  for (let after: string | undefined; ;) {
    const page = await records.list(group, after === undefined ? {} : { after })
    await Promise.all(page.map(visit))
    after = page.at(-1)?.id
    if (after === undefined) return
  }
}

/** Takes out the id (it is the token, the code, the cookie) and the session cookie that an interaction carries along. */
function withoutSecrets(payload: AdapterPayload): AdapterPayload {
  const { jti: _id, session, ...rest } = payload
  if (session === undefined) return rest
  const { cookie: _cookie, ...ofSession } = session
  return { ...rest, session: ofSession }
}
