/** Who may read `/metrics`: whoever shows a key, and on the machine itself anybody, unless a setting says otherwise. */
import { Router, type Request } from 'express'
import { operatorOnly } from 'transom-bridge/oauth/provider/endpoints'
import type { WrongKeys } from 'transom-core/admission'
import type { Config } from './config.ts'
import type { Metrics } from './metrics.ts'

/** The route `/metrics`; `undefined` where it is turned off. */
export function createMetricsDoor(deps: {
  readonly metrics: Pick<Metrics, 'read'>
  readonly config: Pick<Config, 'metrics' | 'behindProxy' | 'publicUrl'>
  /** Each opens it, beside a key of its own. */
  readonly operatorKeys: readonly string[]
  readonly wrongKeys: WrongKeys
}): Router | undefined {
  const { metrics, config } = deps
  const { access, key } = config.metrics
  if (access === 'off') return undefined
  const withKey = operatorOnly(deps.wrongKeys, ...deps.operatorKeys, ...(key === undefined ? [] : [key]))
  const router = Router()
  router.get('/metrics', (request, response, next) => {
    if (access === 'open' || (!hasProxy(config) && isFromHere(request))) return next()
    return withKey(request, response, next)
  })
  router.get('/metrics', async (_request, response) => {
    const { contentType, text } = await metrics.read()
    response.type(contentType).send(text)
  })
  return router
}

/** The bridge itself speaks plain HTTP. Behind a proxy on this machine, strangers come from a local address as well. */
const hasProxy = ({ behindProxy, publicUrl }: Pick<Config, 'behindProxy' | 'publicUrl'>): boolean =>
  behindProxy > 0 || publicUrl?.startsWith('https:') === true

const forwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via', 'cf-connecting-ip']

function isFromHere({ socket, headers }: Request): boolean {
  const isLocal = /^(::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '')
  return isLocal && forwarded.every((name) => headers[name] === undefined)
}
