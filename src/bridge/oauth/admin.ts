/** The operator's API: people, clients, keys, links and shares. Whoever mounts it decides who may use it. */
import express, { type Request, type Router } from 'express'
import type * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import {
  maybePerson,
  peoplePage,
  personPlace,
  personRemoval,
  newClient,
  newPerson,
  newShare,
  passwordReset,
  person,
  personInvitation,
  rotation,
  sharePlace,
  unlinking,
  type AccountLinks,
  type Clients as ClientList,
  type History,
  type MadeClient,
  type NewSecret,
  type People,
  type SigningKeys,
  type SigningKeyState,
} from 'transom-core/wire/operator'
import type { Accounts } from './provider/accounts.ts'
import type { Sharing } from './people/sharing.ts'
import { answerJson } from './answer-json.ts'
import type { Audit } from './people/audit.ts'
import type { Clients } from './provider/clients.ts'
import type { Keyring } from './provider/keyring.ts'
import type { Links } from './provider/links.ts'
import { nobody } from './people/sign-in.ts'
import type { Tickets } from './people/tickets.ts'
import type { User, Users } from './people/users.ts'

export interface AdminDeps {
  readonly accounts: Accounts
  readonly users: Users
  readonly clients: Clients
  readonly keyring: Keyring
  readonly tickets: Tickets
  readonly audit: Audit
  readonly links: Pick<Links, 'list' | 'endAssistant'>
  readonly sharing: Sharing | undefined
  readonly issuer: string
}

const hourMs = 3_600_000
export function createAdmin(deps: AdminDeps): Router {
  const admin = express.Router()
  admin.use(express.json({ limit: '32kb' }))
  addPeople(admin, deps)
  addLinksAndShares(admin, deps)
  addClientsAndKeys(admin, deps)
  return admin
}

function addPeople(admin: Router, { accounts, users, tickets, audit, issuer }: AdminDeps): void {
  admin.get(
    '/users',
    answerJson(async (req, res) => {
      const { after, limit } = peoplePage.parse(req.query)
      res.json({ people: [...(await users.list({ limit, after }))] } satisfies People)
    }),
  )
  admin.delete(
    '/users/:login',
    answerJson(async (req, res) => {
      const { tenant, last } = personRemoval.parse(req.query)
      const user = await userOf(users, { login: String(req.params['login']), tenant })
      if (last !== 'true' && (await users.list({ limit: 2 })).length < 2)
        throw new BridgeError(
          'invalid_request',
          `${user.login} is the last user of this bridge: say that this is meant (last=true)`,
        )
      await accounts.remove(user, 'by the operator')
      res.status(204).end()
    }),
  )
  admin.get(
    '/users/:login/export',
    answerJson(async (req, res) => {
      const { tenant } = personPlace.parse(req.query)
      res.json(await accounts.export(await userOf(users, { login: String(req.params['login']), tenant })))
    }),
  )
  admin.post(
    '/users',
    answerJson(async (req, res) => {
      const { tenant, ...given } = newPerson.parse(req.body)
      res.status(201).json({ accountId: await users.create({ ...given, ...(tenant && { tenant }) }) })
    }),
  )
  admin.post(
    '/invitations',
    answerJson(async (req, res) => {
      const { tenant, hours = 72 } = personInvitation.parse(req.body ?? {})
      const code = await tickets.issue({ kind: 'invitation', ...(tenant && { tenant }) }, hours * hourMs)
      res.status(201).json({ link: `${issuer}/welcome/${code}` })
    }),
  )
  admin.post(
    '/resets',
    answerJson(async (req, res) => {
      const { hours = 24, ...whose } = passwordReset.parse(req.body)
      const { accountId } = await userOf(users, whose)
      const code = await tickets.issue({ kind: 'reset', accountId }, hours * hourMs)
      res.status(201).json({ link: `${issuer}/welcome/${code}` })
    }),
  )
  // Without a login: what was tried with logins that nobody has.
  admin.get(
    '/history',
    answerJson(async (req, res) => {
      const { login, tenant } = maybePerson.parse(req.query)
      const account = login === undefined ? nobody : (await userOf(users, { login, tenant })).accountId
      res.json({ history: await audit.read(account, 100) } satisfies History)
    }),
  )
}

function addLinksAndShares(admin: Router, { users, links, sharing }: AdminDeps): void {
  admin.get(
    '/links',
    answerJson(async (req, res) => {
      const { accountId } = await userOf(users, personOf(req))
      res.json({ links: await links.list(accountId) } satisfies AccountLinks)
    }),
  )
  admin.post(
    '/links/end',
    answerJson(async (req, res) => {
      const { assistant, ...whose } = unlinking.parse(req.body)
      await links.endAssistant((await userOf(users, whose)).accountId, assistant)
      res.status(204).end()
    }),
  )
  admin.post(
    '/shares',
    answerJson(async (req, res) => {
      const { camera, owner, guest, tenant, ...rights } = newShare.parse(req.body)
      const [from, to] = [await userOf(users, { login: owner, tenant }), await userOf(users, { login: guest, tenant })]
      await sharing?.share(from.accountId, camera, to.accountId, rights)
      res.status(204).end()
    }),
  )
  admin.post(
    '/shares/end',
    answerJson(async (req, res) => {
      const { camera, owner, guest, tenant } = sharePlace.parse(req.body)
      const [from, to] = [await userOf(users, { login: owner, tenant }), await userOf(users, { login: guest, tenant })]
      await sharing?.unshare(from.accountId, camera, to.accountId)
      res.status(204).end()
    }),
  )
}

function addClientsAndKeys(admin: Router, { clients, keyring }: AdminDeps): void {
  admin.get(
    '/clients',
    answerJson(async (_req, res) => void res.json({ clients: await clients.list() } satisfies ClientList)),
  )
  admin.post(
    '/clients',
    answerJson(async (req, res) => {
      const { clientId, tenant, name, isPublic, ...facts } = newClient.parse(req.body)
      const optional = { ...(clientId && { clientId }), ...(tenant && { tenant }), ...(name && { name }) }
      const made: MadeClient = await clients.add({ ...facts, ...optional, ...(isPublic && { isPublic }) })
      res.status(201).json(made)
    }),
  )
  admin.post(
    '/clients/:id/rotate',
    answerJson(async (req, res) => {
      const { overlapMs } = rotation.parse(req.body ?? {})
      res.json((await clients.rotate(String(req.params['id']), overlapMs)) satisfies NewSecret)
    }),
  )
  admin.delete(
    '/clients/:id',
    answerJson(async (req, res) => {
      await clients.remove(String(req.params['id']))
      res.status(204).end()
    }),
  )
  admin.get(
    '/keys',
    answerJson(async (_req, res) => void res.json({ keys: await keyring.list() } satisfies SigningKeys)),
  )
  admin.post(
    '/keys/rotate',
    answerJson(async (_req, res) => void res.json((await keyring.rotate()) satisfies SigningKeyState)),
  )
}

const personOf = (req: Request) => person.parse(req.query)

async function userOf(users: Users, { login, tenant }: z.infer<typeof person>): Promise<User> {
  const user = await users.find(login, tenant)
  if (user === undefined) throw new BridgeError('invalid_request', `there is no user ${login}`)
  return user
}
