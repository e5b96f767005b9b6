/** Which comings and goings of a camera are news. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { createPresenceNews, createPresenceReports, createSourceFaults } from '../../src/bridge/cameras/presence.ts'
import { createCameraStates } from '../../src/bridge/cameras/states.ts'
import type { PresenceReport } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { frontDoor } from '../alexa/world.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

function setUp() {
  const told: string[] = []
  const news = createPresenceNews(async (channel, isOnline, at) => void told.push(`${channel} ${isOnline} ${at}`))
  return { told, news }
}

test('a camera that comes is told at once, one that goes when it stays away', () => {
  const { told, news } = setUp()
  news.changed('door', true, 1)
  expect(told).toEqual(['door true 1'])
  news.changed('door', false, 2)
  jest.advanceTimersByTime(1_999)
  expect(told).toHaveLength(1)
  jest.advanceTimersByTime(1)
  expect(told).toEqual(['door true 1', 'door false 2'])
})

test('a camera that reconnects was never away', () => {
  const { told, news } = setUp()
  news.changed('door', false, 1)
  news.changed('garden', false, 1)
  jest.advanceTimersByTime(1_000)
  news.changed('door', true, 2)
  jest.advanceTimersByTime(10_000)
  expect(told).toEqual(['garden false 1'])
})

test('closed, it forgets who is away', () => {
  const { told, news } = setUp()
  news.changed('door', false, 1)
  news.close()
  news.close()
  expect(jest.getTimerCount()).toBe(0)
  expect(told).toEqual([])
})

test('a camera that is away is so for the reason that its gateway gave, until it gives none', () => {
  let online = false
  const faults = createSourceFaults(() => ({ online, sinceAt: 1 }))
  const fault = { code: 'source_password', message: 'refused' } as const
  const channel = { channelName: 'door', road: 'viewer' } as const
  expect([faults.note('door', { fault }), faults.note('door', { fault: { ...fault } })]).toEqual([true, false])
  expect(faults.presence(channel)).toEqual({ online: false, sinceAt: 1, fault })
  expect(faults.presence({ ...channel, channelName: 'garden' })).toEqual({ online: false, sinceAt: 1 })
  online = true
  expect(faults.presence(channel)).toEqual({ online: true, sinceAt: 1 })
  online = false
  expect(faults.note('door', {})).toBe(true)
  expect(faults.presence(channel)).toEqual({ online: false, sinceAt: 1 })
})

test('what is encoded anew, and its cost, is said while the camera is there', () => {
  let online = true
  const gateway = createSourceFaults(() => ({ online, sinceAt: 1 }))
  const channel = { channelName: 'door', road: 'viewer' } as const
  const say = (percent: number) => gateway.note('door', { reencoding: { of: 'H.265', percent } })
  expect([say(40), say(40), say(60)]).toEqual([true, false, true])
  expect(gateway.presence(channel)).toMatchObject({ reencoding: { of: 'H.265', percent: 60 } })
  online = false
  expect(gateway.presence(channel)).not.toHaveProperty('reencoding')
})

test('the servers that fail a camera are said while it is there, too, and until they are back', () => {
  const gateway = createSourceFaults(() => ({ online: true, sinceAt: 1 }))
  const failedServers = [{ url: 'turn:relay.example:3478', message: 'no reply' }]
  const channel = { channelName: 'door', road: 'viewer' } as const
  expect([
    gateway.note('door', { failedServers }),
    gateway.note('door', { failedServers: [...failedServers] }),
  ]).toEqual([true, false])
  expect(gateway.presence(channel)).toEqual({ online: true, sinceAt: 1, failedServers })
  expect(gateway.note('door', {})).toBe(true)
  expect(gateway.presence(channel)).toEqual({ online: true, sinceAt: 1 })
})

test('why its events do not arrive is said whether it is online or not', () => {
  let online = true
  const gateway = createSourceFaults(() => ({ online, sinceAt: 1 }))
  const channel = { channelName: 'door', road: 'viewer' } as const
  const eventsFault = { code: 'source_password', message: 'cam refuses the user name or the password' } as const
  expect([gateway.note('door', { eventsFault }), gateway.note('door', { eventsFault })]).toEqual([true, false])
  expect(gateway.presence(channel)).toEqual({ online: true, sinceAt: 1, eventsFault })
  online = false
  expect(gateway.presence(channel)).toEqual({ online: false, sinceAt: 1, eventsFault })
})

const minute = 60_000
const on = (at: number, version?: number): PresenceReport => ({
  isOnline: true,
  at,
  ...(version !== undefined && { version }),
})
const off = (at: number, version?: number): PresenceReport => ({ ...on(at, version), isOnline: false })

/** Reports these in this order, at noon of some day, and resolves with what was told and what is kept. */
async function reported(...reports: readonly PresenceReport[]) {
  const now = 1_732_000_000_000
  const store = createSqliteStore(':memory:', () => now)
  const states = createCameraStates({ store, clock: () => now })
  const told: string[] = []
  const receive = createPresenceReports({
    states,
    tell: async (_camera, isOnline, at) => void told.push(`${isOnline ? 'on' : 'off'} ${at - now}`),
    clock: () => now,
  })
  for (const report of reports) await receive(frontDoor, { ...report, at: report.at + now })
  const { presence } = await states.of(frontDoor)
  await store.close()
  return { told, isOnline: presence?.isOnline }
}

test.each<readonly [string, readonly PresenceReport[], readonly string[], boolean]>([
  ['comes and goes', [on(-9), off(-5), on(-1)], ['on -9', 'off -5', 'on -1'], true],
  ['is said to be there again and again', [on(-9), on(-5), on(-1)], ['on -9'], true],
  ['is told of late', [off(-1), on(-5)], ['off -1'], false],
  ['connects, and the end of the connection before is told late', [on(-9, 1), on(-5, 2), off(-4, 1)], ['on -9'], true],
  ['is told of out of order within one connection', [off(-5, 1), on(-9, 1)], ['off -5'], false],
  ['goes in the millisecond in which it came', [on(-5, 1), off(-5, 1)], ['on -5', 'off -5'], false],
  [
    'is back after an hour, when versions begin again',
    [off(-61 * minute, 7), on(-1, 0)],
    [`off ${-61 * minute}`, 'on -1'],
    true,
  ],
  ['has a clock that is ahead', [on(minute)], ['on 0'], true],
])('a camera that %s', async (_case, reports, told, isOnline) => {
  expect(await reported(...reports)).toEqual({ told, isOnline })
})

test('the report of a change is told again when it comes again: the first time may have failed half-way', async () => {
  expect(await reported(on(-9, 1), off(-5, 1), off(-5, 1))).toMatchObject({ told: ['on -9', 'off -5', 'off -5'] })
})
