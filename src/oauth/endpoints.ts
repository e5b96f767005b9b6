/** The endpoints beside oidc-provider's own: userinfo, and for the operator introspection and the clients' API. */
import { hash, timingSafeEqual } from 'node:crypto'
import express, { type Request, type RequestHandler, type Response, type Router } from 'express'
import { z } from 'zod'
import { BridgeError } from '../errors.ts'
import type { VerifyToken } from '../ports.ts'
import type { Audit } from './audit.ts'
import type { Clients } from './clients.ts'
import type { Keyring } from './keyring.ts'
import type { Tickets } from './tickets.ts'
import type { TokenFacts } from './tokens.ts'
import type { Users } from './users.ts'

export interface EndpointDeps {
  readonly verify: VerifyToken
  /** What is known of a token, without a verdict cached before. `undefined` when it is not good. */
  readonly inspect: (token: string) => Promise<TokenFacts | undefined>
  readonly users: Users
  readonly clients: Clients
  readonly keyring: Keyring
  readonly tickets: Tickets
  readonly audit: Audit
  readonly issuer: string
  /** Opens the operator's endpoints; without it they do not exist. */
  readonly operatorKey: string | undefined
}

const newClient = z.object({
  clientId: z.string().optional(),
  assistant: z.enum(['alexa', 'google', 'other']),
  redirectUris: z.array(z.string()),
  tenant: z.string().optional(),
  name: z.string().optional(),
  isPublic: z.boolean().optional(),
})
const rotation = z
  .object({
    overlapMs: z
      .number()
      .int()
      .min(0)
      .max(30 * 24 * 3_600_000)
      .optional(),
  })
  .default({})

export function createEndpoints(deps: EndpointDeps): Router {
  const { verify, inspect, users, clients, keyring, tickets, audit, operatorKey, issuer } = deps
  const router = express.Router()
  const form = express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 10 })

  // OpenID Connect Core section 5.3, for any access token of ours: oidc-provider's own refuses those made for an API.
  router.all(
    '/userinfo',
    answer(async (req, res) => {
      if (req.method !== 'GET' && req.method !== 'POST') return void res.status(405).set('allow', 'GET, POST').end()
      const { accountId } = await verify(bearerOf(req))
      const user = await users.findByAccount(accountId)
      if (user === undefined) throw new BridgeError('unauthorized', 'the account no longer exists')
      res.json({ sub: user.accountId, name: user.name, preferred_username: user.login })
    }),
  )
  if (operatorKey === undefined) return router

  // RFC 7662. Section 2.2: a token that is not good is `active: false`, whatever the reason, and nothing more.
  router.post(
    '/introspection',
    operatorOnly(operatorKey),
    form,
    answer(async (req, res) => {
      const { token } = z.object({ token: z.string().max(8192) }).parse(req.body ?? {})
      const facts = await inspect(token)
      if (facts === undefined) return void res.json({ active: false })
      const { grant, expiresAt, kind } = facts
      res.json({
        active: true,
        iss: issuer,
        sub: grant.accountId,
        client_id: grant.clientId,
        scope: grant.scopes.join(' '),
        ...(expiresAt === undefined ? {} : { exp: Math.floor(expiresAt / 1000) }),
        token_type: kind === 'access' ? 'Bearer' : 'refresh_token',
      })
    }),
  )

  const admin = express.Router()
  admin.use(operatorOnly(operatorKey), express.json({ limit: '32kb' }))
  admin.get(
    '/clients',
    answer(async (_req, res) => void res.json({ clients: await clients.list() })),
  )
  admin.post(
    '/clients',
    answer(async (req, res) => {
      const { clientId, tenant, name, isPublic, ...facts } = newClient.parse(req.body)
      const optional = { ...(clientId && { clientId }), ...(tenant && { tenant }), ...(name && { name }) }
      res.status(201).json(await clients.add({ ...facts, ...optional, ...(isPublic && { isPublic }) }))
    }),
  )
  admin.post(
    '/clients/:id/rotate',
    answer(async (req, res) => {
      const { overlapMs } = rotation.parse(req.body ?? {})
      res.json(await clients.rotate(String(req.params['id']), overlapMs))
    }),
  )
  admin.delete(
    '/clients/:id',
    answer(async (req, res) => {
      await clients.remove(String(req.params['id']))
      res.status(204).end()
    }),
  )
  admin.get(
    '/keys',
    answer(async (_req, res) => void res.json({ keys: await keyring.list() })),
  )
  admin.post(
    '/keys/rotate',
    answer(async (_req, res) => void res.json(await keyring.rotate())),
  )
  admin.post(
    '/users',
    answer(async (req, res) => {
      const { tenant, ...person } = newPerson.parse(req.body)
      res.status(201).json({ accountId: await users.create({ ...person, ...(tenant && { tenant }) }) })
    }),
  )
  admin.post(
    '/invitations',
    answer(async (req, res) => {
      const { tenant, hours = 72 } = invitation.parse(req.body ?? {})
      const code = await tickets.issue({ kind: 'invitation', ...(tenant && { tenant }) }, hours * hourMs)
      res.status(201).json({ link: `${issuer}/welcome/${code}` })
    }),
  )
  admin.post(
    '/resets',
    answer(async (req, res) => {
      const { login, tenant, hours = 24 } = reset.parse(req.body)
      const user = await users.find(login, tenant)
      if (user === undefined) throw new BridgeError('invalid_request', 'no such user')
      const code = await tickets.issue({ kind: 'reset', accountId: user.accountId }, hours * hourMs)
      res.status(201).json({ link: `${issuer}/welcome/${code}` })
    }),
  )
  admin.get(
    '/history/:account',
    answer(async (req, res) => void res.json({ history: await audit.read(String(req.params['account']), 100) })),
  )
  router.use('/admin', admin)
  return router
}

const hourMs = 3_600_000
const hours = z.number().int().min(1).max(8760).optional()
const tenant = z.string().optional()
const invitation = z.object({ tenant, hours })
const reset = z.object({ login: z.string(), tenant, hours })
const newPerson = z.object({ login: z.string(), password: z.string(), name: z.string(), tenant })

function operatorOnly(key: string): RequestHandler {
  // Hashes are of one length, so the comparison says nothing about it.
  const right = hash('sha256', key, 'buffer')
  return (req, res, next) => {
    if (timingSafeEqual(hash('sha256', bearerOf(req), 'buffer'), right)) return next()
    res.status(401).set('www-authenticate', 'Bearer').json({ error: 'invalid_token' })
  }
}

function bearerOf(req: Request): string {
  return /^Bearer +([\w.~+/-]+=*) *$/i.exec(req.headers.authorization ?? '')?.[1] ?? ''
}

function answer(handle: (req: Request, res: Response) => Promise<void>): RequestHandler {
  return async (req, res, next) => {
    try {
      await handle(req, res)
    } catch (error) {
      if (error instanceof z.ZodError) {
        res.status(400).json({ error: 'invalid_request', error_description: z.prettifyError(error) })
      } else if (error instanceof BridgeError && error.code === 'invalid_request') {
        res.status(400).json({ error: 'invalid_request', error_description: error.message })
      } else if (error instanceof BridgeError && /^(unauthorized|token_expired)$/.test(error.code)) {
        // RFC 6750 section 3.1.
        res.status(401).set('www-authenticate', 'Bearer error="invalid_token"').json({ error: 'invalid_token' })
      } else {
        next(error)
      }
    }
  }
}
