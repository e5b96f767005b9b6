/** `/api`: the bridge for its own page, and for a vendor's app that shows cameras by `transom-player`. */
import { Router, type Request, type RequestHandler } from 'express'
import * as z from 'zod'
import { opens, type Authorized } from '../authority.ts'
import type { Broker, Wanted } from '../broker/broker.ts'
import { BridgeError } from 'transom-core/errors'
import { cameraId, sessionId, type AccountId } from 'transom-core/ports'
import type { Feed, Tell } from './feed.ts'
import { createManageRoutes, type ManageDeps, type Person } from './manage.ts'
import { answerError, Refused } from './refusals.ts'
import type { Rows } from './rows.ts'
import { createViewRoutes, read, type ViewDeps } from './views.ts'

export interface ApiDeps extends ViewDeps, Omit<ManageDeps, 'ownerOf'> {
  readonly broker: ViewDeps['broker'] & Pick<Broker, 'recent' | 'view'>
  readonly rows: Rows
  /** Absent where nothing stays open: on AWS Lambda. */
  readonly feed: Feed | undefined
  readonly grantOf: (request: Request) => Promise<Authorized>
  /** What the displays of an account are told that the page may play; absent where it may play none. Returns how to stop. */
  readonly hearDisplays: ((account: AccountId, tell: Tell) => () => void) | undefined
}

/** The query of both lists of sessions. */
const wantedSessions = z.object({
  limit: z.coerce.number().int().min(1).max(2000).optional(),
  assistant: z.enum(['alexa', 'google', 'console']).optional(),
  camera: z.string().max(256).optional(),
})

/** Throws `BridgeError('invalid_request')`. */
export function readWanted(query: unknown): Wanted {
  const { limit, assistant, camera } = read(wantedSessions, query)
  return {
    ...(limit !== undefined && { limit }),
    ...(assistant !== undefined && { assistant }),
    ...(camera !== undefined && { cameraId: cameraId(camera) }),
  }
}

export function createApi(deps: ApiDeps): Router {
  const { grantOf, people, broker, rows, feed, registrations, hearDisplays, log } = deps
  const router = Router()
  router.use(anyOrigin)

  router.get('/me', async (request, response) => {
    const grant = await grantOf(request)
    const person = await people.findByAccount(grant.accountId)
    const isOwn = opens(grant, 'page')
    const { name = '', login = grant.accountId } = person ?? {}
    const canRegister = isOwn && registrations !== undefined
    response.json({ name, login, canRegister, canSimulate: isOwn && hearDisplays !== undefined })
  })

  router.get('/cameras', async (request, response) => {
    const { accountId } = await grantOf(request)
    response.json({ cameras: await rows.list(accountId) })
  })

  router.get('/sessions', async (request, response) => {
    const { accountId } = await grantOf(request)
    const views = await broker.recent(accountId, readWanted(request.query))
    // The list is long, and the timelines are most of it: each comes when it is looked at.
    const sessions = views.map(({ timeline: _timeline, heard: _heard, ...row }) => withGuest(row))
    response.json({ sessions: await Promise.all(sessions) })
  })

  router.get('/sessions/:id', async (request, response) => {
    const { accountId } = await grantOf(request)
    const view = await broker.view(accountId, sessionId(request.params.id))
    if (view === undefined) throw new Refused('session_not_found', 'no such session of this account')
    response.json(await withGuest(view))
  })

  router.get('/stream', async (request, response) => {
    const grant = await grantOf(request)
    if (feed === undefined)
      throw new Refused('not_supported', 'nothing is streamed from AWS Lambda: ask for the lists again instead')
    const { accountId } = grant
    // One stream for both: over HTTP/1.1 a browser opens six connections, for all its windows together.
    const also = opens(grant, 'page') && hearDisplays ? (tell: Tell) => hearDisplays(accountId, tell) : undefined
    feed.open(response, accountId, () => grantOf(request), also)
  })

  router.use(createViewRoutes(deps))
  router.use(createManageRoutes({ ...deps, ownerOf }))
  router.use(() => {
    throw new Refused('not_found', 'no such resource')
  })
  router.use(answerError(log))
  return router

  /** The owner of a camera reads by which login a guest looked. */
  async function withGuest<T extends { readonly guestId?: AccountId }>({ guestId, ...view }: T) {
    return guestId === undefined ? view : { ...view, guest: (await people.findByAccount(guestId))?.login }
  }

  async function ownerOf(request: Request): Promise<Person> {
    const grant = await grantOf(request)
    if (!opens(grant, 'page'))
      throw new Refused('forbidden', 'cameras are managed on the page of the bridge; this token is for looking at them')
    const person = await people.findByAccount(grant.accountId)
    if (person === undefined) throw new BridgeError('unauthorized', 'the account no longer exists')
    return person
  }
}

/** The token is the authority, and no cookie counts here: a vendor's app on any origin may ask. */
export const anyOrigin: RequestHandler = (request, response, next) => {
  response.set({ 'access-control-allow-origin': '*', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  if (request.method !== 'OPTIONS') return next()
  response.set({
    'access-control-allow-methods': 'GET, POST, PUT, DELETE',
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '600',
  })
  response.status(204).end()
}
