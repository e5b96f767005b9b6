/** The accounts that people sign in to: one record for each login, in the collection `user`. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { BridgeError } from '../errors.ts'
import { type AccountId, accountId, type Clock, type Store } from '../ports.ts'
import { hashPassword, verifyPassword } from './password.ts'

export interface User {
  /** Random, so that a login can change and says nothing to an assistant. */
  readonly accountId: AccountId
  /** As the person wrote it when signing up. */
  readonly login: string
  readonly name: string
}

export interface Users {
  /** Throws `BridgeError` `invalid_request` when the login is taken or a field is not acceptable. */
  create(user: { login: string; password: string; name: string }): Promise<AccountId>
  find(login: string): Promise<User | undefined>
  findByAccount(id: string): Promise<User | undefined>
  /** The user when login and password fit. Takes as long when there is no such user. */
  authenticate(login: string, password: string): Promise<User | undefined>
}

/** Longest login (an e-mail address, RFC 5321) and password that the pages and `create` take, in characters. */
export const longestLogin = 254
export const longestPassword = 256

const newUser = z.object({
  login: z
    .string()
    .trim()
    .min(1)
    .regex(/^\P{C}+$/u, 'must not hold control characters')
    .refine((login) => canonicalLogin(login).length <= longestLogin, 'is too long'),
  password: z.string().min(8).max(longestPassword),
  name: z.string().trim().min(1).max(100),
})

type UserRecord = User & { readonly passwordHash: string; readonly createdAt: number }

export function createUsers(store: Store, clock: Clock): Users {
  const records = store.collection<UserRecord>('user')
  const get = async (login: string) => {
    const id = canonicalLogin(login)
    return id === '' || id.length > longestLogin ? undefined : (await records.get(id))?.value
  }
  return {
    async create(input) {
      const parsed = newUser.safeParse(input)
      if (!parsed.success) throw new BridgeError('invalid_request', z.prettifyError(parsed.error))
      const { login, password, name } = parsed.data
      const account = accountId(randomUUID())
      const record = { accountId: account, login, name, passwordHash: await hashPassword(password), createdAt: clock() }
      // The group is the way back from an account to its login, in the same single write.
      const written = await records.put(canonicalLogin(login), record, { onlyIf: 'absent', group: account })
      if (written === undefined) throw new BridgeError('invalid_request', 'this login is taken')
      return account
    },
    async find(login) {
      return publicPart(await get(login))
    },
    async findByAccount(id) {
      const [found] = await records.list(id, { limit: 1 })
      return publicPart(found?.value)
    },
    async authenticate(login, password) {
      const record = await get(login)
      return (await verifyPassword(password, record?.passwordHash)) ? publicPart(record) : undefined
    },
  }
}

/** The form in which two logins are compared: `Ｊosé ` and `josé` are the same person. */
export function canonicalLogin(login: string): string {
  return login.toWellFormed().normalize('NFKC').trim().toLowerCase().normalize('NFKC')
}

function publicPart(record: UserRecord | undefined): User | undefined {
  return record && { accountId: record.accountId, login: record.login, name: record.name }
}
