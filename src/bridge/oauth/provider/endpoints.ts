/** The endpoints beside oidc-provider's own: userinfo, and for the operator introspection and the API. */
import { hash, timingSafeEqual } from 'node:crypto'
import express, { type RequestHandler, type Router } from 'express'
import * as z from 'zod'
import { answerJson } from '../answer-json.ts'
import type { WrongKeys } from 'transom-core/admission'
import { BridgeError } from 'transom-core/errors'
import { bearerToken } from '../../http.ts'
import type { VerifyToken } from 'transom-core/ports'
import type { TokenFacts } from './tokens.ts'
import type { Users } from '../people/users.ts'

/** What these endpoints ask. */
export interface EndpointDeps {
  readonly verify: VerifyToken
  /** What is known of a token, without a verdict cached before. `undefined` when it is not good. */
  readonly inspect: (token: string) => Promise<TokenFacts | undefined>
  readonly users: Users
  readonly issuer: string
  /** The operator's API (`admin.ts`). */
  readonly admin: RequestHandler
  readonly wrongKeys: WrongKeys
  /** Opens the operator's endpoints; without it they do not exist. */
  readonly operatorKey: string | undefined
}

/** Makes their router, to be mounted at the issuer. */
export function createEndpoints(deps: EndpointDeps): Router {
  const { verify, inspect, users, operatorKey, wrongKeys, issuer } = deps
  const router = express.Router()
  const form = express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 10 })

  // OpenID Connect Core section 5.3, for any access token of ours: oidc-provider's own refuses those made for an API.
  router.all(
    '/userinfo',
    answerJson(async (req, res) => {
      if (req.method !== 'GET' && req.method !== 'POST') return void res.status(405).set('allow', 'GET, POST').end()
      const { accountId } = await verify(bearerToken(req.headers) ?? '')
      const user = await users.findByAccount(accountId)
      if (user === undefined) throw new BridgeError('unauthorized', 'the account no longer exists')
      res.json({ sub: user.accountId, name: user.name, preferred_username: user.login })
    }),
  )
  if (operatorKey === undefined) return router

  // RFC 7662. Section 2.2: a token that is not good is `active: false`, whatever the reason, and nothing more.
  router.post(
    '/introspection',
    operatorOnly(wrongKeys, operatorKey),
    form,
    answerJson(async (req, res) => {
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

  router.use('/admin', operatorOnly(wrongKeys, operatorKey), deps.admin)
  return router
}

/** Lets in whoever shows one of the keys; refuses others later and later. */
export function operatorOnly(wrongKeys: WrongKeys, ...keys: readonly string[]): RequestHandler {
  // Hashes are of one length, so the comparison says nothing about it.
  const right = keys.map((key) => hash('sha256', key, 'buffer'))
  return async (req, res, next) => {
    const given = hash('sha256', bearerToken(req.headers) ?? '', 'buffer')
    if (right.some((one) => timingSafeEqual(given, one))) return next()
    await wrongKeys.refuse(req, { door: 'operator' })
    const refusal = { error: 'invalid_token', error_description: 'this is not the key of the operator' }
    res.status(401).set('www-authenticate', 'Bearer').json(refusal)
  }
}
