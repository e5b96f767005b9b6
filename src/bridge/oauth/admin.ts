/** The operator's API: people, clients, keys, links and shares. Whoever mounts it decides who may use it. */
import express, { type Request, type Router } from 'express'
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import type { Sharing } from './account-actions.ts'
import { answerJson } from './answer-json.ts'
import type { Audit } from './audit.ts'
import type { Clients } from './clients.ts'
import type { Keyring } from './keyring.ts'
import type { Links } from './links.ts'
import { nobody } from './sign-in.ts'
import type { Tickets } from './tickets.ts'
import { tenantName, type User, type Users } from './users.ts'

export interface AdminDeps {
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
const hours = z.number().int().min(1).max(8760).optional()
const tenant = tenantName.optional()
const newPerson = z.object({ login: z.string(), password: z.string(), name: z.string(), tenant })
const person = z.object({ login: z.string(), tenant })
const unlinking = person.extend({ assistant: z.enum(['alexa', 'google']) })
const invitation = z.object({ tenant, hours })
const reset = person.extend({ hours })
const sharePlace = z.object({ camera: z.string().min(1).max(256), owner: z.string(), guest: z.string(), tenant })
const newShare = sharePlace.extend({ mayTalk: z.boolean().default(false) })
const newClient = z.object({
  clientId: z.string().optional(),
  assistant: z.enum(['alexa', 'google', 'other']),
  redirectUris: z.array(z.string()),
  tenant,
  name: z.string().optional(),
  isPublic: z.boolean().optional(),
})
const rotation = z
  .object({
    overlapMs: z
      .number()
      .int()
      .min(0)
      .max(365 * 24 * hourMs)
      .optional(),
  })
  .default({})

export function createAdmin(deps: AdminDeps): Router {
  const admin = express.Router()
  admin.use(express.json({ limit: '32kb' }))
  addPeople(admin, deps)
  addLinksAndShares(admin, deps)
  addClientsAndKeys(admin, deps)
  return admin
}

function addPeople(admin: Router, { users, tickets, audit, issuer }: AdminDeps): void {
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
      const { tenant, hours = 72 } = invitation.parse(req.body ?? {})
      const code = await tickets.issue({ kind: 'invitation', ...(tenant && { tenant }) }, hours * hourMs)
      res.status(201).json({ link: `${issuer}/welcome/${code}` })
    }),
  )
  admin.post(
    '/resets',
    answerJson(async (req, res) => {
      const { hours = 24, ...whose } = reset.parse(req.body)
      const { accountId } = await userOf(users, whose)
      const code = await tickets.issue({ kind: 'reset', accountId }, hours * hourMs)
      res.status(201).json({ link: `${issuer}/welcome/${code}` })
    }),
  )
  // Without a login: what was tried with logins that nobody has.
  admin.get(
    '/history',
    answerJson(async (req, res) => {
      const account = req.query['login'] === undefined ? nobody : (await userOf(users, personOf(req))).accountId
      res.json({ history: await audit.read(account, 100) })
    }),
  )
}

function addLinksAndShares(admin: Router, { users, links, sharing }: AdminDeps): void {
  admin.get(
    '/links',
    answerJson(async (req, res) => {
      const { accountId } = await userOf(users, personOf(req))
      res.json({ links: await links.list(accountId) })
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
      const { camera, owner, guest, mayTalk, tenant } = newShare.parse(req.body)
      const [from, to] = [await userOf(users, { login: owner, tenant }), await userOf(users, { login: guest, tenant })]
      await sharing?.share(from.accountId, camera, to.accountId, mayTalk)
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
    answerJson(async (_req, res) => void res.json({ clients: await clients.list() })),
  )
  admin.post(
    '/clients',
    answerJson(async (req, res) => {
      const { clientId, tenant, name, isPublic, ...facts } = newClient.parse(req.body)
      const optional = { ...(clientId && { clientId }), ...(tenant && { tenant }), ...(name && { name }) }
      res.status(201).json(await clients.add({ ...facts, ...optional, ...(isPublic && { isPublic }) }))
    }),
  )
  admin.post(
    '/clients/:id/rotate',
    answerJson(async (req, res) => {
      const { overlapMs } = rotation.parse(req.body ?? {})
      res.json(await clients.rotate(String(req.params['id']), overlapMs))
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
    answerJson(async (_req, res) => void res.json({ keys: await keyring.list() })),
  )
  admin.post(
    '/keys/rotate',
    answerJson(async (_req, res) => void res.json(await keyring.rotate())),
  )
}

const personOf = (req: Request) => person.parse(req.query)

async function userOf(users: Users, { login, tenant }: z.infer<typeof person>): Promise<User> {
  const user = await users.find(login, tenant)
  if (user === undefined) throw new BridgeError('invalid_request', `there is no user ${login}`)
  return user
}
