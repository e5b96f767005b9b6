/** The operator's API on the running bridge, for the command line: whoever can read the data directory may use it. */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import express, { Router, type RequestHandler } from 'express'
import { z } from 'zod'
import { BridgeError } from '../errors.ts'
import { bearerToken } from '../google/http.ts'
import { registrationRequest } from '../wire/registration.ts'
import type { Registrations } from './registrations.ts'

/** Where the bridge is and the token of this run: what `operator.json` in the data directory holds. */
export const operatorAccess = z.object({ url: z.url(), token: z.string().min(1) })
export type OperatorAccess = z.infer<typeof operatorAccess>

export const operatorToken = (): string => randomBytes(32).toString('base64url')

/** The routes, to be mounted where the access says. Refusals are thrown as `BridgeError` for the application's own handler. */
export function createOperatorRoutes(registrations: Registrations, admin: RequestHandler, token: string): Router {
  const router = Router()
  router.use((request, _response, next) => {
    const given = Buffer.from(bearerToken(request.headers) ?? '')
    const wanted = Buffer.from(token)
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      throw new BridgeError('unauthorized', 'the token is not the one in operator.json')
    }
    next()
  })
  // People, clients, keys, links and shares: the same API that a deployment in the cloud opens by its operator key.
  router.use('/admin', admin)
  router.use(express.json({ limit: '16kb' }))
  router.get('/cameras', async (request, response) => {
    const { owner } = read(z.object({ owner: z.string().default('demo') }), request.query)
    response.json({ cameras: await registrations.list(owner) })
  })
  router.post('/cameras', async (request, response) => {
    const { owner, ...camera } = read(registrationRequest, request.body)
    response.status(201).json(await registrations.add(camera, await registrations.ownerOf(owner)))
  })
  router.delete('/cameras/:id', async (request, response) => {
    await registrations.remove(request.params.id)
    response.status(204).end()
  })
  router.post('/cameras/:id/keys', async (request, response) => {
    const { replace } = read(z.object({ replace: z.boolean().default(false) }), request.body ?? {})
    response.status(201).json(await registrations.issueKey(request.params.id, replace))
  })
  router.delete('/keys/:accessKeyId', async (request, response) => {
    await registrations.revokeKey(request.params.accessKeyId)
    response.status(204).end()
  })
  return router
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new BridgeError('invalid_request', z.prettifyError(parsed.error))
  return parsed.data
}
