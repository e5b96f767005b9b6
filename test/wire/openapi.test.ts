/** The OpenAPI document is valid, complete, and says the same as the bridge's routes. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Router } from 'express'
import { createHttpApp } from '../../src/bridge/doors/http.ts'
import { createCameraRecords } from '../../src/bridge/operator/camera-records.ts'
import { createOperatorRoutes } from '../../src/bridge/operator/operator.ts'
import { openApiDocument } from '../../src/core/openapi/document.ts'
import { createAnnouncements } from '../../src/simulator/announcements.ts'
import { createSimulatorCloud } from '../../src/simulator/cloud.ts'
import { createGatewayKeys } from '../../src/transom/gateway-keys.ts'
import { createRecordingRoutes } from '../../src/bridge/web/recordings.ts'
import { createGatewayAdmin } from '../../src/transom/gateway-routes.ts'
import { createPage } from '../../src/transom/page.ts'
import { createWebhookRoutes } from '../../src/transom/webhook-routes.ts'
import { openWholeHouse, type WholeHouse } from '../app/whole-house.ts'
import { conform, conformEvent } from './conform.ts'

const document = openApiDocument()
const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })),
)

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator({ strict: false })
  expect(await validator.validate(JSON.parse(JSON.stringify(document)))).toEqual({ valid: true })
  expect(validator.version).toBe('3.1')
})

test('its version is that of the packages', () => {
  const manifest = readFileSync(new URL('../../src/core/package.json', import.meta.url), 'utf8')
  expect(JSON.parse(manifest)).toMatchObject({ version: document.info.version })
})

test('every operation has a name of its own, and names the parameters of its path', () => {
  const names = operations.map(({ operation }) => operation.operationId)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  for (const { name, path, operation } of operations) {
    const inPath = (operation.parameters ?? []).flatMap((one: { readonly in?: string; readonly name?: string }) =>
      one.in === 'path' ? [one.name] : [],
    )
    expect([name, inPath]).toEqual([name, [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)])
  }
})

test('every operation says by which door it is opened', () => {
  const schemes = new Set(Object.keys(document.components?.securitySchemes ?? {}))
  const named = operations.flatMap(({ operation }) =>
    (operation.security ?? []).flatMap((one: object) => Object.keys(one)),
  )
  expect(new Set(named)).toEqual(schemes)
})

/** As much of a layer of Express's router as is read here. */
interface Layer {
  readonly rawPath: string
  readonly route?: { readonly path: string | readonly string[]; readonly methods: Readonly<Record<string, boolean>> }
  readonly handle: { readonly stack?: readonly Layer[] }
}

/** `GET /path/{id}` of every route. A handler for all methods counts as the POST that it answers. */
function routesOf(router: { readonly stack?: readonly Layer[] }, mount = ''): readonly string[] {
  return (router.stack ?? []).flatMap(({ rawPath, route, handle }) => {
    if (route === undefined) return routesOf(handle, rawPath === '/' ? mount : `${mount}${rawPath}`)
    const all = Object.keys(route.methods)
    const methods = '_all' in route.methods || all.length > 9 ? ['POST'] : all.map((method) => method.toUpperCase())
    return [route.path]
      .flat()
      .flatMap((path) =>
        methods.map((method) => `${method} ${mount}${path}`.replaceAll(/(?<!\\):(\w+)/g, '{$1}').replaceAll('\\', '')),
      )
  })
}

const never = () => Promise.reject(new Error('nobody asks'))

function everyRoute({ bridge, store }: WholeHouse): readonly string[] {
  const { linking } = bridge
  const registrations = createCameraRecords(bridge.cameras, 'https://bridge.example')
  const client = { clientId: 'a', clientSecret: 'b' }
  const cloud = createSimulatorCloud({
    bridge: 'http://localhost:9',
    publicUrl: 'http://localhost:9',
    forwarderSecret: undefined,
    clients: { alexa: client, google: client },
    pageAccount: never,
    linkAccount: never,
    announcements: createAnnouncements(),
    clock: Date.now,
    log: () => {},
  })
  const gateways = createGatewayAdmin({
    gateways: { isConnected: () => false, removed: never },
    keys: createGatewayKeys(store, 'k', Date.now),
  })
  const options = {
    operator: createOperatorRoutes({
      keys: ['k'],
      registrations,
      linking,
      eventDoor: bridge,
      gateways,
      recordings: createRecordingRoutes({
        cameraOf: never,
        noteView: never,
        moments: never,
        recordings: undefined,
        pauseRecording: undefined,
        addresses: bridge.mediaAddresses,
        clock: Date.now,
      }),
      broker: bridge.broker,
      admin: bridge.oauth.admin,
    }),
    page: createPage({ directory: '.', publicUrl: 'http://localhost:9', missing: () => '' }),
    simulator: { router: cloud.router, hear: cloud.hear },
    webhooks: {
      addresses: { of: never, roll: never },
      router: createWebhookRoutes({
        webhooks: { opens: never, happens: never },
        wrongKeys: { refuse: never },
        log: () => {},
      }),
    },
    skillId: 'amzn1.ask.skill.x',
    metrics: Router().get('/metrics', () => {}),
    clock: Date.now,
  }
  // With a forwarder's secret some doors are others.
  const apps = [undefined, 's'.repeat(32)].map((forwarderSecret) =>
    createHttpApp(bridge, () => {}, { ...options, forwarderSecret }),
  )
  return [...new Set(apps.flatMap((app) => routesOf(app.router as unknown as { readonly stack: readonly Layer[] })))]
}

test('it has every route of the bridge, and no other', async () => {
  await using house = await openWholeHouse({ TRANSOM_CONSOLE: 'on' })
  expect([...everyRoute(house)].toSorted()).toEqual(operations.map(({ name }) => name).toSorted())
})

test('a route that is mounted anywhere is found', () => {
  const inner = Router().get('/:id/x', () => {})
  const outer = Router()
    .use('/a', Router().use(inner))
    .all('/b', () => {})
  expect(routesOf(outer as unknown as { readonly stack: readonly Layer[] })).toEqual(['GET /a/{id}/x', 'POST /b'])
})

describe('an answer that the document does not have', () => {
  const headers = new Headers({ 'content-type': 'application/json; charset=utf-8' })
  const me = { name: '', login: 'a', canRegister: true, canSimulate: true }
  const answer = { method: 'GET', path: '/api/me?x=1', status: 200, headers, body: me }

  test('is found, whatever is wrong with it', () => {
    expect(() => conform(answer)).not.toThrow()
    for (const wrong of [
      { status: 201 },
      { body: { ...me, more: 1 } },
      { body: { login: 'a' } },
      { headers: new Headers({ 'content-type': 'text/plain' }) },
      { status: 404, body: { error: 'no_such_code', message: '' } },
      { path: '/api/you' },
      { method: 'DELETE' },
      { method: 'DELETE', path: '/api/cameras/x', status: 204 },
    ])
      expect(() => conform({ ...answer, ...wrong })).toThrow()
    expect(() => conform({ ...answer, status: 404, body: { error: 'not_found', message: '' } })).not.toThrow()
    expect(() => conformEvent({ event: 'press', data: { id: 'x' } })).toThrow('the event press')
  })
})
