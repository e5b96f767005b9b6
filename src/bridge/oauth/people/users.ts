/** The accounts that people sign in to: one record for each login, in the collection `user`. */
import { hash, randomUUID } from 'node:crypto'
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import { faultsOf } from 'transom-core/wire/faults'
import { type AccountId, accountId, type Clock, type Store } from 'transom-core/ports'
import { tenantName } from 'transom-core/wire/operator'
import { shownShape } from 'transom-core/wire/registration'
import { isPersonFault, UnfitPerson, type PersonFault } from './person-faults.ts'
import { createHashing, hashPassword, passwordProblem, verifyPassword } from './password.ts'

export interface User {
  /** Random, so that a login can change and says nothing to an assistant. */
  readonly accountId: AccountId
  /** As the person wrote it when signing up; of somebody else's user, what the identity provider calls the person. */
  readonly login: string
  readonly name: string
  readonly tenant?: string
  /** The login is what the person typed: as an e-mail address it proves nothing. */
  readonly isSelfNamed?: true
  /** Epoch milliseconds of the last change of the password: a session from before it has ended. */
  readonly passwordSince?: number
  /** Epoch milliseconds: passkeys from before it have ended. */
  readonly passkeysSince?: number
}

/** A user, and when the account was made: epoch milliseconds. */
export interface ListedUser extends User {
  readonly createdAt: number
}

/** A person at another identity provider: `sub` is only unique with its issuer (OpenID Connect Core section 5.7). */
export interface Identity {
  readonly issuer: string
  readonly subject: string
}

export interface NewUser {
  readonly login: string
  readonly password: string
  readonly name: string
  readonly tenant?: string
  /** The person chose the login, and nobody has looked whether it is theirs where it is an e-mail address. */
  readonly isSelfNamed?: true
}

export interface Users {
  /** Throws `BridgeError` `invalid_request` when the login is taken or a field is not acceptable. */
  create(user: NewUser): Promise<AccountId>
  find(login: string, tenant?: string): Promise<User | undefined>
  findByAccount(id: string): Promise<User | undefined>
  /** The user when login and password fit. Takes as long when there is no such user. */
  authenticate(login: string, password: string, tenant?: string): Promise<User | undefined>
  /**
   * `endsPasskeys`: those made until now sign in no more. Throws `BridgeError` `invalid_request`, with a sentence for whoever
   * chose it, when the password is not acceptable, or nobody signs in to the account by one.
   */
  setPassword(account: AccountId, password: string, options?: { readonly endsPasskeys: boolean }): Promise<void>
  findByIdentity(identity: Identity): Promise<User | undefined>
  /** The account of a person whom another provider vouches for; made at the first time. */
  ofIdentity(identity: Identity, described: { login: string; name: string; tenant?: string }): Promise<User>
  /** From now on this identity is this account's. False when it is somebody else's already. */
  bindIdentity(account: AccountId, identity: Identity): Promise<boolean>
  /** Everybody, in the order of their accounts' ids: at most `limit` of those after the account `after`. */
  list(page: { readonly limit: number; readonly after?: string | undefined }): Promise<readonly ListedUser[]>
  /** Removes the account with its login and its identities; no account is no error. What else is kept of it is not looked at. */
  remove(account: AccountId): Promise<void>
}

/** Longest login (an e-mail address, RFC 5321), in characters. */
export const longestLogin = 254

/** Each message is a `PersonFault`. */
const newUser = z.object({
  login: z
    .string()
    .trim()
    .min(1, 'login_missing' satisfies PersonFault)
    .regex(/^\P{C}+$/u, 'login_characters' satisfies PersonFault)
    // A path of the API names people by their logins, and `.` and `..` are no names in a path (RFC 3986 section 5.2.4).
    .refine((login) => !/^\.{0,2}$/.test(canonicalLogin(login)), 'login_reserved' satisfies PersonFault)
    .refine((login) => canonicalLogin(login).length <= longestLogin, 'login_long' satisfies PersonFault),
  password: z.string(),
  name: z
    .string()
    .trim()
    .min(1, 'name_missing' satisfies PersonFault)
    .max(100, 'name_long' satisfies PersonFault)
    .regex(shownShape, 'name_characters' satisfies PersonFault),
  tenant: tenantName.optional(),
})

async function requireAcceptable(password: string, person: Pick<NewUser, 'login' | 'name'>): Promise<void> {
  const problem = await passwordProblem(password, person)
  if (problem !== undefined) throw new UnfitPerson(problem)
}

type UserRecord = User & { readonly passwordHash?: string; readonly createdAt: number }

export function createUsers(store: Store, clock: Clock): Users {
  const hashing = createHashing()
  const records = store.collection<UserRecord>('user')
  const identities = store.collection<{ readonly accountId: AccountId }>('oauth-identity')
  const get = async (login: string, tenant: string | undefined) => {
    const plain = canonicalLogin(login)
    return plain === '' || plain.length > longestLogin ? undefined : (await records.get(keyOf(plain, tenant)))?.value
  }
  /** A list may be a moment behind, and a person who has just signed up goes on at once. */
  const places = store.collection<{ readonly key: string }>('user-place')
  const keepPlace = (account: AccountId, key: string) => places.put(account, { key }, { group: placeList(account) })
  async function ofAccount(id: string) {
    const place = await places.get(id)
    // An account from before there were places.
    return place === undefined ? (await records.list(id, { limit: 1 }))[0] : records.get(place.value.key)
  }
  const byIdentity = async (identity: Identity) => {
    const key = identityKey(identity)
    const own = await records.get(ownKey(key))
    if (own !== undefined) return own.value
    const bound = await identities.get(key)
    return bound && (await ofAccount(bound.value.accountId))?.value
  }

  return {
    async create(input) {
      const parsed = newUser.safeParse(input)
      if (!parsed.success) {
        const faults = parsed.error.issues.map(({ message }) => message).filter(isPersonFault)
        throw faults.length > 0
          ? new UnfitPerson(...faults)
          : new BridgeError('invalid_request', faultsOf(parsed.error))
      }
      const { login, password, name, tenant } = parsed.data
      const { isSelfNamed } = input
      await requireAcceptable(password, { login, name })
      const account = accountId(randomUUID())
      const passwordHash = await hashing.run(() => hashPassword(password))
      const record = {
        accountId: account,
        login,
        name,
        passwordHash,
        createdAt: clock(),
        ...(tenant && { tenant }),
        ...(isSelfNamed && { isSelfNamed }),
      }
      const key = keyOf(canonicalLogin(login), tenant)
      // First the way back from the account: a record without it could sign in and be nobody.
      await keepPlace(account, key)
      const written = await records.put(key, record, { onlyIf: 'absent', group: account })
      if (written !== undefined) return account
      await places.remove(account)
      throw new UnfitPerson('login_taken')
    },
    find: async (login, tenant) => publicPart(await get(login, tenant)),
    findByAccount: async (id) => publicPart((await ofAccount(id))?.value),
    async authenticate(login, password, tenant) {
      const record = await get(login, tenant)
      const isRight = await hashing.run(() => verifyPassword(password, record?.passwordHash))
      return isRight ? publicPart(record) : undefined
    },
    async setPassword(account, password, { endsPasskeys } = { endsPasskeys: false }) {
      const stored = await ofAccount(account)
      if (stored?.value.passwordHash === undefined) {
        throw new UnfitPerson('no_password')
      }
      await requireAcceptable(password, stored.value)
      const passwordHash = await hashing.run(() => hashPassword(password))
      const now = clock()
      const value = { ...stored.value, passwordHash, passwordSince: now, ...(endsPasskeys && { passkeysSince: now }) }
      if (
        (await records.put(stored.id, value, { group: account, onlyIf: { version: stored.version } })) === undefined
      ) {
        throw new UnfitPerson('account_changed')
      }
    },
    findByIdentity: async (identity) => publicPart(await byIdentity(identity)),
    async ofIdentity(identity, { login, name, tenant }) {
      const known = await byIdentity(identity)
      if (known !== undefined) return userOf(known)
      const account = accountId(randomUUID())
      const shown = { login: shownName(login, longestLogin), name: shownName(name, 100) }
      const record = { accountId: account, ...shown, createdAt: clock(), ...(tenant !== undefined && { tenant }) }
      const key = ownKey(identityKey(identity))
      await keepPlace(account, key)
      if ((await records.put(key, record, { onlyIf: 'absent', group: account })) !== undefined) return userOf(record)
      await places.remove(account)
      // Somebody signed in twice at once, and the other was first.
      const other = await byIdentity(identity)
      if (other === undefined) throw new BridgeError('internal', 'an account came and went at once')
      return userOf(other)
    },
    async bindIdentity(account, identity) {
      const key = identityKey(identity)
      if ((await records.get(ownKey(key))) !== undefined) return false
      const written = await identities.put(key, { accountId: account }, { onlyIf: 'absent', group: account })
      return written !== undefined || (await identities.get(key))?.value.accountId === account
    },
    async list({ limit, after }) {
      const found: ListedUser[] = []
      for (const list of placeLists.filter((one) => after === undefined || one >= placeList(after))) {
        let last = after
        while (found.length < limit) {
          const page = await places.list(list, {
            limit: limit - found.length,
            ...(last !== undefined && { after: last }),
          })
          if (page.length === 0) break
          last = page.at(-1)?.id
          const users = await Promise.all(page.map(async ({ value }) => (await records.get(value.key))?.value))
          // A place is written before its account: one that has none, or whose login somebody else was given, is nobody's.
          const isOwn = (user: UserRecord | undefined, index: number) => user?.accountId === page[index]?.id
          found.push(...users.filter(isOwn).flatMap((user) => (user === undefined ? [] : [listed(user)])))
        }
      }
      return found
    },
    async remove(account) {
      for await (const { id } of identities.all(account)) await identities.remove(id)
      const stored = await ofAccount(account)
      if (stored !== undefined) await records.remove(stored.id)
      await places.remove(account)
    },
  }
}

/** The form in which two logins are compared: `Ｊosé ` and `josé` are the same person. */
export function canonicalLogin(login: string): string {
  return login.toWellFormed().normalize('NFKC').trim().toLowerCase().normalize('NFKC')
}

/** Logins and tenants hold no control characters, so nothing typed can be another tenant's key, or an identity's. */
const keyOf = (canonical: string, tenant: string | undefined): string =>
  tenant === undefined ? canonical : `${tenant}\n${canonical}`
const ownKey = (identity: string): string => `\n${identity}`

/** Ids of accounts are UUIDs. Spread, because in DynamoDB a list is one partition; one after the other they are in order. */
const placeList = (account: string): string => `people-${account.slice(0, 1)}`
const placeLists = Array.from({ length: 16 }, (_, index) => placeList(index.toString(16)))

function identityKey({ issuer, subject }: Identity): string {
  return hash('sha256', JSON.stringify([issuer, subject]), 'base64url')
}

/** What another provider says about a person is shown, so it is cut to what our pages can show. */
function shownName(text: string, most: number): string {
  return text.toWellFormed().replace(/\p{C}/gu, '').trim().slice(0, most) || '–'
}

function publicPart(record: UserRecord | undefined): User | undefined {
  return record && userOf(record)
}

function listed({ passwordHash: _hash, ...user }: UserRecord): ListedUser {
  return user
}

function userOf({ passwordHash: _hash, createdAt: _at, ...user }: UserRecord): User {
  return user
}
