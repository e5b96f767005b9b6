/** What `/readyz` says: ready only while store, signaling and outbox work, each by its name when it does not. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Health } from '../../src/bridge/doors/health.ts'
import { createOutbox } from '../../src/bridge/outbox/outbox.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { startSignalingService, type SignalingService } from '../../src/signaling/service.ts'
import { createBridgeReadiness } from '../../src/transom/readiness.ts'

const clock = Date.now
const directory = mkdtempSync(join(tmpdir(), 'transom-ready-'))
const store = createSqliteStore(':memory:', clock)
const startService = (tls: { readonly kind: 'own' | 'none' }): Promise<SignalingService> =>
  startSignalingService({
    store,
    certificateDir: directory,
    host: '127.0.0.1',
    port: 0,
    tls,
    region: 'eu-west-1',
    iceServers: [{ urls: ['stun:127.0.0.1:9'] }],
    clock,
    log: () => {},
  })
let service: SignalingService
beforeAll(async () => {
  service = await startService({ kind: 'own' })
})
afterAll(async () => {
  await service.close()
  await store.close()
  rmSync(directory, { recursive: true })
})

const newOutbox = () => createOutbox({ store, deliver: {}, clock, log: () => {} })
async function runningOutbox() {
  const outbox = newOutbox()
  await outbox.start()
  return outbox
}
const good = async (): Promise<Health> => ({ status: 'ok' })

test('it is ready when all three work, with TLS and without', async () => {
  const outbox = await runningOutbox()
  const plain = await startService({ kind: 'none' })
  const checks = { store: { ok: true }, signaling: { ok: true }, outbox: { ok: true } }
  for (const one of [service, plain])
    expect(await createBridgeReadiness({ health: good, service: one, outbox, clock })()).toEqual({
      ready: true,
      checks,
    })
  await plain.close()
})

test.each([
  ['no_room', 'the disk is full'],
  ['store_failed', 'the store cannot be written'],
] as const)('a store with %s is named', async (cause, detail) => {
  const health = async (): Promise<Health> => ({ status: 'failing', cause })
  const outbox = await runningOutbox()
  expect(await createBridgeReadiness({ health, service, outbox, clock })()).toEqual({
    ready: false,
    checks: { store: { ok: false, detail }, signaling: { ok: true }, outbox: { ok: true } },
  })
})

test('a signaling service that does not answer is named, and asked again after five seconds', async () => {
  const gone = await startService({ kind: 'own' })
  await gone.close()
  let now = 0
  const { localEndpoint, ca } = gone
  const seen = { localEndpoint, ca }
  const readiness = createBridgeReadiness({
    health: good,
    service: {
      get localEndpoint() {
        return seen.localEndpoint
      },
      get ca() {
        return seen.ca
      },
    },
    outbox: await runningOutbox(),
    clock: () => now,
  })
  const found = await readiness()
  expect(found.ready).toBe(false)
  expect(found.checks['signaling']).toEqual({ ok: false, detail: 'the signaling service does not answer' })
  seen.localEndpoint = service.localEndpoint
  seen.ca = service.ca
  now = 4_999
  expect((await readiness()).ready).toBe(false)
  now = 5_000
  expect((await readiness()).ready).toBe(true)
})

test('an outbox that has not begun, or is closed, is named', async () => {
  const outbox = newOutbox()
  const look = async () =>
    (await createBridgeReadiness({ health: good, service, outbox, clock })()).checks['outbox']?.ok
  expect(await look()).toBe(false)
  await outbox.start()
  expect(await look()).toBe(true)
  await outbox.close()
  expect(await look()).toBe(false)
})
