/** The door of webhooks, `/hooks/<camera>/<event>/<secret>`: for devices that show nobody what they are answered, so it is plain. */
import { Router, type Request, type Response } from 'express'
import type { WrongKeys } from 'transom-core/admission'
import { toBridgeError } from 'transom-core/errors'
import type { Log } from 'transom-core/ports'
import type { Webhooks } from './webhooks.ts'

/** Below `/hooks`. */
export function createWebhookRoutes(deps: {
  readonly webhooks: Pick<Webhooks, 'opens' | 'happens'>
  readonly wrongKeys: WrongKeys
  readonly log: Log
}): Router {
  const { webhooks, wrongKeys, log } = deps
  const router = Router()
  router.use((_request, response, next) => {
    response.set({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex' })
    next()
  })
  router.get('/:id/:event/:secret', answer)
  router.post('/:id/:event/:secret', answer)
  router.use((_request, response) => {
    say(response.set('allow', 'GET, POST, HEAD'), 405, 'Call this address with GET or POST.')
  })
  return router

  async function answer(request: Request<{ id: string; event: string; secret: string }>, response: Response) {
    // A check of the address, or a browser that looks ahead, rings nobody. Express has HEAD answered by what answers GET.
    if (request.method === 'HEAD') return void response.status(204).end()
    if (isAhead(request)) return say(response, 503, 'This address is not for looking ahead: nothing has happened.')
    const { id, event, secret } = request.params
    try {
      const found = await webhooks.opens(id, event, secret)
      if (found === undefined) {
        await wrongKeys.refuse(request, { door: 'webhook', cameraId: id.slice(0, 256) })
        return say(response, 404, 'This address is not valid: it was changed, or the camera was removed.')
      }
      await webhooks.happens(found.camera, found.event)
      say(response, 200, `${done[found.event]} ${found.camera.name}.`)
    } catch (thrown) {
      const { code, message, retryAfterMs = 1_000 } = toBridgeError(thrown)
      if (code === 'rate_limited') {
        response.set('retry-after', String(Math.ceil(retryAfterMs / 1_000)))
        return say(response, 429, `Too often: ${message}.`)
      }
      log('error', 'webhooks.failed', { cameraId: id.slice(0, 256), code, error: thrown })
      say(response, 503, 'The bridge could not keep it. Try again.')
    }
  }
}

const done = { press: 'Rang', motion: 'Motion noted at', person: 'Person noted at' } as const

const say = (response: Response, status: number, text: string): void =>
  void response.status(status).type('text/plain').send(`${text}\n`)

/** Fetch standard's `Sec-Purpose`, and what browsers sent before it. */
const isAhead = (request: Request): boolean =>
  ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some((name) =>
    /prefetch|preview|prerender/i.test(request.get(name) ?? ''),
  )
