/** `/api`: the bridge for its own page, and for a vendor's app that shows cameras by `transom-player`. */
import { Router, type Request, type RequestHandler } from 'express'
import { mayViewRecordings, opens, type Authorized } from '../authority.ts'
import { BridgeError } from 'transom-core/errors'
import { cameraId, type AccountId, type Camera } from 'transom-core/ports'
import type { CameraRow, Cameras, DisplayEvent, Figures as FiguresAnswer, Me } from 'transom-core/wire/api'
import type { Feed } from './feed.ts'
import type { Figures } from './figures.ts'
import { createActivityRoutes } from './activity.ts'
import { createManageRoutes, type ManageDeps } from './manage.ts'
import type { Person } from './person.ts'
import { createPushRoutes, type PushRouteDeps } from './push-routes.ts'
import { answerError, Refused } from './refusals.ts'
import type { CameraLists, Rows } from './rows.ts'
import { createRecordingRoutes, type RecordingDeps } from './recordings.ts'
import { createSourceRoutes, type SourceDeps } from './sources.ts'
import { createViewRoutes, type ViewDeps } from './views.ts'

export interface ApiDeps
  extends
    ViewDeps,
    Omit<ManageDeps & SourceDeps & PushRouteDeps, 'ownerOf'>,
    Omit<RecordingDeps, 'cameraOf' | 'noteView'> {
  readonly recordings: RecordingDeps['recordings']
  readonly rows: Rows
  readonly visible: CameraLists
  /** Absent where nothing stays open: on AWS Lambda. */
  readonly feed: Feed | undefined
  /** Absent where nothing is counted: there, too. */
  readonly figures: Pick<Figures, 'of'> | undefined
  readonly grantOf: (request: Request) => Promise<Authorized>
  /** What the displays of an account are told that the page may play; absent where it may play none. Returns how to stop. */
  readonly hearDisplays: ((account: AccountId, tell: (event: DisplayEvent) => void) => () => void) | undefined
}

export function createApi(deps: ApiDeps): Router {
  const {
    grantOf,
    people,
    rows,
    feed,
    figures,
    registrations,
    networkCameras,
    mayNameSource,
    recordings,
    hearDisplays,
    log,
  } = deps
  const router = Router()
  router.get('/me', async (request, response) => {
    const grant = await grantOf(request)
    const person = await people.findByAccount(grant.accountId)
    const isOwn = opens(grant, 'page')
    const { name = '', login = grant.accountId } = person ?? {}
    const canRegister = isOwn && registrations !== undefined
    const canSimulate = isOwn && hearDisplays !== undefined
    const canNameSource = canRegister && networkCameras !== undefined && mayNameSource(person)
    const canRecord = canRegister && recordings !== undefined
    const canNotify = isOwn && deps.push !== undefined
    const more = {
      ...(canNotify && { canNotify }),
      ...(canNameSource && { canNameSource }),
      ...(canRecord && { canRecord }),
    }
    response.json({ name, login, canRegister, canSimulate, ...more } satisfies Me)
  })

  router.get('/cameras', async (request, response) => {
    const { accountId } = await grantOf(request)
    response.json({ cameras: await rows.list(accountId) } satisfies Cameras)
  })

  router.get('/cameras/:id', async (request, response) => {
    const { accountId } = await grantOf(request)
    const camera = await rows.find(accountId, cameraId(request.params.id))
    if (camera === undefined) throw new BridgeError('camera_not_found')
    response.json(camera satisfies CameraRow)
  })

  router.get('/figures', async (request, response) => {
    const { accountId } = await grantOf(request)
    if (figures === undefined) throw new Refused('not_supported', 'on AWS views are counted by CloudWatch: docs/aws.md')
    response.json((await figures.of(accountId)) satisfies FiguresAnswer)
  })

  router.get('/stream', async (request, response) => {
    const grant = await grantOf(request)
    if (feed === undefined)
      throw new Refused('not_supported', 'nothing is streamed from AWS Lambda: ask for the lists again instead')
    const { accountId } = grant
    // One stream for both: over HTTP/1.1 a browser opens six connections, for all its windows together.
    const also =
      opens(grant, 'page') && hearDisplays
        ? (tell: (event: DisplayEvent) => void) => hearDisplays(accountId, tell)
        : undefined
    feed.open(response, accountId, () => grantOf(request), also)
  })

  router.use(createViewRoutes(deps))
  router.use(createManageRoutes({ ...deps, ownerOf }))
  router.use(createSourceRoutes({ ...deps, ownerOf }))
  router.use(createPushRoutes({ ...deps, ownerOf }))
  router.use(createActivityRoutes(deps))
  router.use(createRecordingRoutes({ ...deps, cameraOf, noteView }))
  router.use(() => {
    throw new Refused('not_found', 'no such resource')
  })
  router.use(answerError(log))
  return router

  /** Guests see recordings where their share allows it, and delete none. */
  async function cameraOf(request: Request, what: 'read' | 'change'): Promise<Camera> {
    const [cameras, { accountId }] =
      what === 'read' ? [deps.visible, await grantOf(request)] : [deps.own, await ownerOf(request)]
    const camera = await cameras.find(accountId, cameraId(String(request.params['id'])))
    if (camera === undefined) throw new BridgeError('camera_not_found')
    if (!mayViewRecordings(camera))
      throw new Refused('forbidden', 'the owner of this camera does not share its recordings with you')
    return camera
  }

  /** Who sees their own leaves no trace. */
  async function noteView(camera: Camera, at?: number): Promise<void> {
    if (camera.sharedBy !== undefined) await deps.noteGuestView(camera, at)
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
    'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '600',
  })
  response.status(204).end()
}
