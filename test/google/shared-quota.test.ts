/** The quota of Home Graph that the processes of a fleet share: one bucket in the store. */
import { beforeEach, describe, expect, test } from '@jest/globals'
import { createSharedQuota } from '../../src/bridge/google/quota.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import type { Store } from '../../src/core/ports.ts'
import { wrapped } from '../store/wrapped.ts'

const perMinute = 400
let now: number
let store: Store
let counted: { get: number; put: number }
let logged: string[]
beforeEach(() => {
  now = 1_800_000_000_000
  counted = { get: 0, put: 0 }
  logged = []
  store = wrapped(
    createSqliteStore(':memory:', () => now),
    (_kind, inner) => ({
      ...inner,
      get: (id) => (++counted.get, inner.get(id)),
      put: (...args) => (++counted.put, inner.put(...args)),
    }),
  )
})
const open = (its: Store = store) =>
  createSharedQuota({ store: its, clock: () => now, log: (_level, event) => void logged.push(event), perMinute })

describe('a quota in the store', () => {
  test('is one for all processes: at three times what Google allows, no minute sees more of them together', async () => {
    const fleet = [open(), open(), open()]
    const reported: number[] = []
    let presses = 0
    const until = now + 90_000
    for (; now < until; now += 50)
      for (const one of fleet) {
        if (now % 1_500 === 0) presses += (await one.take('press')) === 0 ? 1 : 0
        if ((await one.take('report')) === 0) reported.push(now)
      }
    expect(presses).toBe(180)
    // Each press of three a second and a half has its place; reports have what is left, and use it.
    for (const from of reported) {
      const inMinute = reported.filter((at) => at >= from && at < from + 60_000).length
      expect(inMinute + 120).toBeLessThanOrEqual(perMinute)
    }
    expect(reported.length).toBeGreaterThan(150)
  })

  test('that has nothing left costs a read, and says to come back in a while, not all at once', async () => {
    const quota = open()
    while ((await quota.take('report')) === 0);
    Object.assign(counted, { get: 0, put: 0 })
    const waits = await Promise.all(Array.from({ length: 40 }, async () => open().take('report')))
    expect(counted.put).toBe(0)
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(5_000)
    expect(new Set(waits.map(Math.floor)).size).toBeGreaterThan(10)
  })

  test('is asked once for all calls that a process has waiting', async () => {
    const quota = open()
    expect(await Promise.all(Array.from({ length: 20 }, async () => quota.take('report')))).toEqual(Array(20).fill(0))
    expect(counted.put).toBeLessThanOrEqual(2)
  })

  test('that Google says is used up stops the reports of every process, and no press', async () => {
    await open().exhausted(30_000)
    expect(await open().take('report')).toBeGreaterThanOrEqual(30_000)
    expect(await open().take('press')).toBe(0)
    now += 30_000
    expect(await open().take('report')).toBe(0)
  })

  test('whose store fails lets presses go and reports wait, and says so', async () => {
    const broken = wrapped(store, (_kind, inner) => ({ ...inner, get: () => Promise.reject(new Error('down')) }))
    const quota = open(broken)
    expect(await quota.take('press')).toBe(0)
    expect(await quota.take('report')).toBeGreaterThanOrEqual(5_000)
    await quota.exhausted(1_000)
    expect(logged).toEqual(Array(3).fill('google.quota-unknown'))
  })
})
