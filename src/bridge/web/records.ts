/** `/api/sessions` and `/api/notices`: what happened, for whoever mends something. An assistant's token shows that assistant's. */
import { Router, type Request } from 'express'
import { cameraId, sessionId, type AccountId } from 'transom-core/ports'
import { wantedSessions, type Notices, type Session, type SessionRow, type Sessions } from 'transom-core/wire/api'
import { onlyAssistant, type Authorized } from '../authority.ts'
import type { Broker } from '../broker/broker.ts'
import type { SessionView } from '../broker/view.ts'
import { Refused } from './refusals.ts'
import { read } from './views.ts'

export interface RecordDeps {
  readonly grantOf: (request: Request) => Promise<Authorized>
  readonly broker: Pick<Broker, 'page' | 'view'>
  readonly notices: { list(accountId: AccountId): Promise<Notices['notices']> }
  /** A guest's login, for the owner of the camera. */
  readonly loginOf: (guest: AccountId) => Promise<string | undefined>
}

export function createRecords({ grantOf, broker, notices, loginOf }: RecordDeps): Router {
  const router = Router()
  const rowOf = createSessionRows(loginOf)

  router.get('/sessions', async (request, response) => {
    const grant = await grantOf(request)
    const { camera, ...wanted } = read(wantedSessions, request.query)
    const only = onlyAssistant(grant)
    const assistant = wanted.assistant ?? only
    const { views, next } =
      only === undefined || assistant === only
        ? await broker.page(grant.accountId, {
            ...wanted,
            ...(assistant && { assistant }),
            ...(camera !== undefined && { cameraId: cameraId(camera) }),
          })
        : { views: [] }
    const sessions = await Promise.all(views.map(rowOf))
    response.json({ sessions, ...(next !== undefined && { next }) } satisfies Sessions)
  })

  router.get('/sessions/:id', async (request, response) => {
    const grant = await grantOf(request)
    const view = await broker.view(grant.accountId, sessionId(request.params.id))
    if (view === undefined || (onlyAssistant(grant) ?? view.assistant) !== view.assistant)
      throw new Refused('session_not_found', 'no such session of this account')
    response.json({ ...(await rowOf(view)), timeline: view.timeline } satisfies Session)
  })

  router.get('/notices', async (request, response) => {
    const grant = await grantOf(request)
    const only = onlyAssistant(grant)
    const all = await notices.list(grant.accountId)
    const shown = all.filter(({ kind }) => only === undefined || kind.startsWith(`${only}_`))
    response.json({ notices: shown } satisfies Notices)
  })

  return router
}

/** How a session is listed: without its timeline, since the list is long, and the timelines are most of it. */
export function createSessionRows(loginOf: RecordDeps['loginOf']): (view: SessionView) => Promise<SessionRow> {
  return async ({ timeline: _timeline, guestId, ...row }) => {
    const guest = guestId && (await loginOf(guestId))
    return { ...row, ...(guest !== undefined && { guest }) }
  }
}
