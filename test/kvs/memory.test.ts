/** What a new process finds of channels that another one has looked up: the calls to KVS that are left are counted. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { ChannelMemory } from '../../src/kvs/known-channels.ts'
import { createKvsSignaling } from '../../src/kvs/signaling.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { frameOf, startFakeKvs, type FakeKvs } from './fake-kvs.ts'
import { all } from './all.ts'
import { until } from '../until.ts'

const viewer = { channelName: 'door', road: 'viewer' } as const
const describeAndGet = ['/describeSignalingChannel', '/getSignalingChannelEndpoint']
const ice = '/v1/get-ice-server-config'
const month = 30 * 24 * 3_600_000

let fake: FakeKvs
let memory: ChannelMemory
let logged: string[]
let now: number
let opened: ReturnType<typeof createKvsSignaling>[]

beforeEach(async () => {
  fake = await startFakeKvs()
  fake.script.frame = (socket) => {
    socket.send(frameOf('SDP_ANSWER', { type: 'answer', sdp: 'v=0\r\ns=answer\r\n' }))
    socket.close()
  }
  logged = []
  now = 1_800_000_000_000
  opened = []
  memory = createSqliteStore(':memory:', () => now).collection('kvs-channel')
})
afterEach(async () => {
  await Promise.all(opened.map(async (one) => one.close()))
  await until(async () => (await fake.connections()) === 0)
  await fake.close()
})

/** A view in an environment that has just started: what it asks of KVS. */
async function view(): Promise<readonly string[]> {
  const deps = { memory, clock: () => now, log: (_level: string, event: string) => void logged.push(event) }
  const signaling = createKvsSignaling(fake.access, deps)
  opened.push(signaling)
  fake.log.length = 0
  await signaling.iceServers(viewer, AbortSignal.timeout(60_000))
  expect(await all(signaling.offer(viewer, 'display-1', 'v=0\r\n', AbortSignal.timeout(60_000)))).toHaveLength(1)
  return [...fake.log]
}
const isRemembered = async () => (await memory.get('door')) !== undefined

test('a channel is looked up once for all processes: a view in a new one makes one REST call, for ICE servers', async () => {
  expect(await view()).toEqual([...describeAndGet, ice, 'upgrade'])
  await until(isRemembered)
  expect(await view()).toEqual([ice, 'upgrade'])
  now += month - 1
  expect(await view()).toEqual([ice, 'upgrade'])
  now += 1
  expect(await view()).toEqual([...describeAndGet, ice, 'upgrade'])
})

test('a channel that was made anew is looked up once more, and remembered as it is now', async () => {
  await view()
  await until(isRemembered)
  fake.recreate()
  expect(await view()).toEqual([ice, ...describeAndGet, ice, 'upgrade'])
  expect(logged).toEqual(['kvs.endpoints-stale'])
  await until(async () => (await memory.get('door'))?.version === 2)
  expect(await view()).toEqual([ice, 'upgrade'])
})

test('a refusal makes us look again, but not where that was done a moment ago', async () => {
  await view()
  await until(isRemembered)
  let refusals = 1
  fake.script.rest = (path) =>
    path === ice && refusals-- > 0 ? { status: 403, type: 'AccessDeniedException' } : undefined
  await expect(view()).rejects.toMatchObject({ code: 'signaling_failed' })
  expect(fake.log).toEqual([ice])
  refusals = 1
  now += 60_000
  expect(await view()).toEqual([ice, ...describeAndGet, ice, 'upgrade'])
})

test('a memory that fails costs a lookup, and no view', async () => {
  memory = { get: () => Promise.reject(new Error('down')), put: () => Promise.reject(new Error('down')) }
  expect(await view()).toEqual([...describeAndGet, ice, 'upgrade'])
  await until(() => logged.length === 2)
  expect(logged).toEqual(['kvs.channel-not-remembered', 'kvs.channel-not-remembered'])
})
