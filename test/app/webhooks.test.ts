/** Webhooks: each address does its one thing, for whoever calls it and not for whoever looks at it. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { BridgeError } from '../../src/core/errors.ts'
import type { CameraNews } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createWebhookRoutes } from '../../src/transom/webhook-routes.ts'
import { createWebhooks } from '../../src/transom/webhooks.ts'
import { frontDoor } from '../alexa/world.ts'

let now = 1_000_000
const store = createSqliteStore(':memory:', () => now)
const news: CameraNews[] = []
const refused: string[] = []
const logged: string[] = []
let failure: Error | undefined
let held: PromiseWithResolvers<void> | undefined
let server: Server
let origin = ''

const open = () =>
  createWebhooks({
    secret: 'the-secret-of-this-data-directory',
    publicUrl: origin,
    find: async (id) => (id === frontDoor.id ? frontDoor : undefined),
    async receive(_camera, one) {
      await held?.promise
      if (failure) throw failure
      news.push(one)
    },
    store,
    clock: () => now,
    log: (_level, event) => void logged.push(event),
  })
let webhooks: ReturnType<typeof open>
const refuse = async (_socket: unknown, { door }: { readonly door: string }) => void refused.push(door)

beforeEach(async () => {
  now += 1_000_000
  failure = undefined
  held = undefined
  for (const list of [news, refused, logged]) list.length = 0
  const app = express()
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  webhooks = open()
  app.use(
    '/hooks',
    createWebhookRoutes({ webhooks, wrongKeys: { refuse }, log: (_l, event) => void logged.push(event) }),
  )
})
afterEach(async () => {
  await webhooks.forget(frontDoor.id)
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function call(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init)
  return { status: response.status, text: await response.text(), headers: response.headers }
}

test.each(['GET', 'POST'])(
  '%s makes the event of the address happen, says so, and leaves no trace in caches',
  async (method) => {
    const { press, person, motion } = await webhooks.of(frontDoor.id)
    const answer = await call(press, { method })
    expect(answer).toMatchObject({ status: 200, text: `Rang ${frontDoor.name}.\n` })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    await call(person, { method })
    await call(motion, { method, ...(method === 'POST' && { body: '{"kind":"battery","level":1}' }) })
    expect(news).toMatchObject([{ kind: 'press', at: now }, { kind: 'person' }, { kind: 'motion', isDetected: true }])
  },
)

test('who only looks rings nobody: HEAD, a browser that looks ahead, another method', async () => {
  const { press } = await webhooks.of(frontDoor.id)
  expect((await call(press, { method: 'HEAD' })).status).toBe(204)
  for (const [name, value] of [
    ['sec-purpose', 'prefetch;prerender'],
    ['purpose', 'prefetch'],
    ['x-moz', 'prefetch'],
  ] as const)
    expect((await call(press, { headers: { [name]: value } })).status).toBe(503)
  const put = await call(press, { method: 'PUT' })
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST, HEAD'])
  expect(news).toEqual([])
})

test('an address is good for nothing else: not for another event or camera, not cut, not after it was rolled', async () => {
  const { press, motion } = await webhooks.of(frontDoor.id)
  const secret = press.split('/').at(-1)
  expect(secret).toMatch(/^[\w-]{32}$/)
  expect(motion).not.toContain(secret)
  const wrong = [
    press.replace('/press/', '/motion/'),
    press.replace('/press/', '/battery/'),
    press.replace(`/${frontDoor.id}/`, '/back-door/'),
    press.replace(`/${frontDoor.id}/`, `/${'a'.repeat(600)}/`),
    press.replace(`/${frontDoor.id}/`, '/%20/'),
    press.slice(0, -1),
    `${press}x`,
  ]
  for (const url of wrong) expect((await call(url)).status).toBe(404)
  expect(refused).toEqual(wrong.map(() => 'webhook'))
  expect(logged).toEqual([])

  expect(await webhooks.of(frontDoor.id)).toMatchObject({ press })
  const rolled = await webhooks.roll(frontDoor.id)
  expect((await call(press)).status).toBe(404)
  expect((await call(rolled.press)).status).toBe(200)
  expect(news).toHaveLength(1)
})

test('an address lasts over a restart, and ends with its camera', async () => {
  const { press } = await webhooks.of(frontDoor.id)
  expect((await open().of(frontDoor.id)).press).toBe(press)
  await webhooks.forget(frontDoor.id)
  expect((await call(press)).status).toBe(404)
  expect((await webhooks.of(frontDoor.id)).press).not.toBe(press)
  await expect(webhooks.of('back-door')).rejects.toMatchObject({ code: 'camera_not_found' })
  await expect(webhooks.roll('back-door')).rejects.toMatchObject({ code: 'camera_not_found' })
})

test('a button that calls twice rings once, also at the same time, and again later', async () => {
  const { press } = await webhooks.of(frontDoor.id)
  await Promise.all([call(press), call(press)])
  now += 1_999
  await call(press)
  expect(news).toHaveLength(1)
  now += 2
  await call(press)
  expect(news).toHaveLength(2)
})

test('what is too often, and what cannot be kept, is answered so and may be tried again', async () => {
  const { press } = await webhooks.of(frontDoor.id)
  failure = new BridgeError('rate_limited', 'the button seems stuck', { retryAfterMs: 60_000 })
  const often = await call(press)
  expect([often.status, often.headers.get('retry-after')]).toEqual([429, '60'])
  failure = new Error(`disk I/O error at ${press}`)
  const broken = await call(press)
  expect(broken.status).toBe(503)
  expect(broken.text).not.toContain('disk')
  failure = undefined
  expect((await call(press)).status).toBe(200)
  expect(logged).toEqual(['webhooks.failed'])
})

test('motion ends half a minute after the last call, and with the bridge', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] })
  try {
    const { motion } = await webhooks.of(frontDoor.id)
    const found = await webhooks.opens(frontDoor.id, 'motion', motion.split('/').at(-1)!)
    await webhooks.happens(found!.camera, 'motion')
    await jest.advanceTimersByTimeAsync(20_000)
    now += 20_000
    await webhooks.happens(found!.camera, 'motion')
    await jest.advanceTimersByTimeAsync(20_000)
    expect(news).toHaveLength(1)
    await jest.advanceTimersByTimeAsync(10_000)
    expect(news).toMatchObject([{ isDetected: true }, { kind: 'motion', isDetected: false }])
    now += 20_000
    await webhooks.happens(found!.camera, 'motion')
    await webhooks.close()
    expect(news.slice(2)).toMatchObject([{ isDetected: true }, { isDetected: false }])
  } finally {
    jest.useRealTimers()
  }
})

test('motion that began before a kill ends at the next start, once, and a new one goes on', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] })
  try {
    const { motion } = await webhooks.of(frontDoor.id)
    const found = await webhooks.opens(frontDoor.id, 'motion', motion.split('/').at(-1)!)
    await webhooks.happens(found!.camera, 'motion')
    // Whoever was killed does nothing more: its timer is gone with it.
    jest.clearAllTimers()
    failure = new Error('the disk is full')
    await open().resume()
    expect(logged).toEqual(['webhooks.motion-not-ended'])
    failure = undefined
    const next = open()
    await next.resume()
    await next.resume()
    expect(news).toMatchObject([{ isDetected: true }, { kind: 'motion', isDetected: false }])
    await next.happens(found!.camera, 'motion')
    await next.resume()
    expect(news.slice(2)).toMatchObject([{ isDetected: true }])
    await next.close()
  } finally {
    jest.useRealTimers()
  }
})

test('a call that fails late leaves a later one alone, which stays one with those that follow', async () => {
  held = Promise.withResolvers()
  const late = webhooks.happens(frontDoor, 'press')
  const toFail = held
  held = undefined
  now += 2_000
  const next = webhooks.happens(frontDoor, 'press')
  await next
  toFail.reject(new BridgeError('internal', 'the store is busy'))
  await expect(late).rejects.toThrow('the store is busy')
  await webhooks.happens(frontDoor, 'press')
  expect(news).toHaveLength(1)
})
