/** Keeps oidc-provider's records in the `Store`: tokens, codes and sessions under the hash of their secret only. */
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider'
import type { Clock, Collection, Store } from 'transom-core/ports'
import { allowedRedirectUris } from '../client.ts'
import type { Clients, Registration } from './clients.ts'
import type { Ended } from './ended.ts'
import { secretKey } from '../record-key.ts'
import { createRefreshFamilies, type RefreshFamilies } from './rotation.ts'

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
  Grant: (grant) => grant.accountId,
  AccessToken: (token) => token.grantId,
  AuthorizationCode: (code) => code.grantId,
  RefreshToken: (token) => token.grantId,
  Interaction: ({ session, result }) => result?.login?.accountId ?? session?.accountId,
}

/** Makes the adapter for each kind of record (`AccessToken`, `Grant`, …); each has a collection `oauth-<kind>`. */
export function createAdapterFactory({
  store,
  clock,
  clients,
  ...more
}: {
  readonly store: Store
  readonly clock: Clock
  readonly clients: Pick<Clients, 'find'>
  /** True where Google may link by assertions. */
  readonly hasStreamlined?: boolean
  /** Told of each link before its grant is destroyed. */
  readonly ended?: Pick<Ended, 'noteLink'>
  /** Called with each link whose grant was just destroyed. */
  readonly onLinkEnded?: (link: GrantFacts & { readonly accountId: string }) => void
}): AdapterFactory {
  return (kind) => {
    if (kind === 'Client') return createClientAdapter(clients, more.hasStreamlined ?? false)
    const records = store.collection<AdapterPayload>(`oauth-${kind}`)
    const families =
      kind === 'RefreshToken'
        ? createRefreshFamilies(records, store.collection('oauth-refresh-family'), clock)
        : undefined
    const adapter = createAdapter(kind, records, clock, families)
    if (kind === 'Session') return withUids(adapter, store, clock)
    if (kind !== 'Grant') return adapter
    return {
      ...adapter,
      async destroy(id) {
        await more.ended?.noteLink(id)
        const gone = await records.take(id)
        if (gone !== undefined)
          more.onLinkEnded?.({ ...factsOf(id, gone.value), accountId: gone.value.accountId ?? '' })
      },
    }
  }
}

export interface GrantFacts {
  readonly grantId: string
  readonly clientId: string
  /** Epoch milliseconds. */
  readonly madeAt: number
  /** True when its code was redeemed; before, it is only a promise, which passes. */
  readonly isLink: boolean
}

/** What an account granted, to one client or to all, newest first. */
export async function grantsOf(store: Store, account: string, clientId?: string): Promise<readonly GrantFacts[]> {
  const grants = store.collection<AdapterPayload>('oauth-Grant')
  const found: GrantFacts[] = []
  for await (const { id, value } of grants.all(account))
    if (clientId === undefined || value.clientId === clientId) found.push(factsOf(id, value))
  return found.sort((a, b) => b.madeAt - a.madeAt)
}

function factsOf(grantId: string, { clientId = '', iat = 0, exp = 0, savedAt, isLink }: AdapterPayload): GrantFacts {
  const madeAt = typeof savedAt === 'number' ? savedAt : iat * 1000
  // Grants from before the flag are told apart by how long they last.
  return { grantId, clientId, madeAt, isLink: typeof isLink === 'boolean' ? isLink : exp - iat > 365 * 24 * 3600 }
}

const readOnly = () => Promise.reject(new Error('clients are not written through the provider'))

/** Clients are read from the registry and written by nobody here. */
function createClientAdapter(clients: Pick<Clients, 'find'>, hasStreamlined: boolean): Adapter {
  return {
    async find(id) {
      const found = await clients.find(id)
      return found && clientMetadata(found, hasStreamlined && found.assistant === 'google')
    },
    findByUid: () => Promise.resolve(undefined),
    findByUserCode: () => Promise.resolve(undefined),
    upsert: readOnly,
    consume: readOnly,
    destroy: readOnly,
    revokeByGrantId: readOnly,
  }
}

/** RFC 7591 metadata. The secret's place holds no secret: `provider.ts` compares hashes. */
function clientMetadata(
  { clientId, redirectUris, assistant, tenant, name, secrets }: Registration,
  isStreamlined: boolean,
): AdapterPayload {
  const isPublic = secrets.length === 0
  return {
    client_id: clientId,
    ...(isPublic ? {} : { client_secret: 'kept as a hash' }),
    redirect_uris: allowedRedirectUris({ assistant, redirectUris }),
    // "Basic" also lets the secret come in the body.
    token_endpoint_auth_method: isPublic
      ? 'none'
      : assistant === 'google'
        ? 'client_secret_post'
        : 'client_secret_basic',
    grant_types: ['authorization_code', 'refresh_token', ...(isStreamlined ? [jwtBearer] : [])],
    response_types: ['code'],
    // Not `form_post`: it needs a script, which our pages forbid.
    response_modes: ['query', 'fragment'],
    assistant,
    secrets,
    ...(tenant === undefined ? {} : { tenant }),
    ...(name === undefined ? {} : { client_name: name }),
  }
}

/** RFC 7523 section 2.1; what Google's streamlined linking asks by. */
export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

function createAdapter(
  kind: string,
  records: Collection<AdapterPayload>,
  clock: Clock,
  families: RefreshFamilies | undefined,
): Adapter {
  const nowS = () => Math.floor(clock() / 1000)
  // A grant's id opens nothing by itself and is needed to find what hangs on it; every other id is a secret.
  const keyOf = (id: string) => (kind === 'Grant' ? id : secretKey(id))
  const placeOf = (payload: AdapterPayload, expiresAt: number | undefined) => {
    const group = groupOf[kind]?.(payload)
    return { ...(group === undefined ? {} : { group }), ...(expiresAt === undefined ? {} : { expiresAt }) }
  }

  return {
    async upsert(id, payload, expiresIn) {
      const memoryS = kind === 'AccessToken' ? expiredTokenMemoryS : 0
      const expiresAt = expiresIn === undefined ? undefined : clock() + (expiresIn + memoryS) * 1000
      // Grants are saved when promised and when redeemed; their own time is in whole seconds, too coarse to order them.
      const value = kind === 'Grant' ? { ...withoutSecrets(payload), savedAt: clock() } : withoutSecrets(payload)
      await records.put(keyOf(id), value, placeOf(payload, expiresAt))
    },
    async find(id) {
      // A grant id from a token or a session record is ours; whatever is longer was never handed out.
      const value = id.length > 0 && id.length <= 4096 ? (await records.get(keyOf(id)))?.value : undefined
      if (value === undefined) return undefined
      const isRepeatedSoon = kind === 'AuthorizationCode' && nowS() - Number(value.consumed) < replayGraceS
      if (isRepeatedSoon) return undefined
      return { ...(families === undefined ? value : await families.judge(value)), jti: id }
    },
    // Only sessions are found so, below.
    findByUid: () => Promise.resolve(undefined),
    // Only the device flow has user codes, and it is off.
    findByUserCode: () => Promise.resolve(undefined),
    async consume(id) {
      const key = keyOf(id)
      const stored = await records.get(key)
      if (stored && stored.value.consumed === undefined) {
        const value = { ...stored.value, consumed: nowS() }
        const place = placeOf(value, stored.expiresAt)
        if (await records.put(key, value, { ...place, onlyIf: { version: stored.version } })) {
          await families?.used(value, key, stored.expiresAt)
          return
        }
      }
      // A refresh token may be used by several requests at once; `rotation.ts` has judged this one already.
      if (families !== undefined) return
      // Two requests had it at once, and this is the second.
      throw new errors.InvalidGrant('already consumed')
    },
    async destroy(id) {
      await records.remove(keyOf(id))
    },
    async revokeByGrantId(grantId) {
      for await (const { id } of records.all(grantId)) await records.remove(id)
      await families?.forget(grantId)
    },
  }
}

/**
 * A session is asked for by its uid right after it was written, when a list may still be a moment behind: so the uid has a
 * record of its own, which says under which hash the session is kept.
 */
function withUids(adapter: Adapter, store: Store, clock: Clock): Adapter {
  const uids = store.collection<{ readonly key: string }>('oauth-session-uid')
  const sessions = store.collection<AdapterPayload>('oauth-Session')
  return {
    ...adapter,
    async upsert(id, payload, expiresIn) {
      await adapter.upsert(id, payload, expiresIn)
      const place = expiresIn === undefined ? {} : { expiresAt: clock() + expiresIn * 1000 }
      if (payload.uid !== undefined) await uids.put(payload.uid, { key: secretKey(id) }, place)
    },
    async findByUid(uid) {
      const found = await uids.get(uid)
      const session = found && (await sessions.get(found.value.key))?.value
      return session?.uid === uid ? session : undefined
    },
  }
}

/** Ends a session by its uid: the id that the browser has of it is known to the browser alone. */
export async function destroySession(store: Store, uid: string): Promise<void> {
  const found = await store.collection<{ readonly key: string }>('oauth-session-uid').take(uid)
  if (found !== undefined) await store.collection('oauth-Session').remove(found.value.key)
}

/** Takes out the id (it is the token, the code, the cookie) and the session cookie that an interaction carries along. */
function withoutSecrets(payload: AdapterPayload): AdapterPayload {
  const { jti: _id, session, ...rest } = payload
  if (session === undefined) return rest
  const { cookie: _cookie, ...ofSession } = session
  return { ...rest, session: ofSession }
}
