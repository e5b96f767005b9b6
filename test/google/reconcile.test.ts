/** Reconciling: what Home Graph believes is compared with what is true, and mended. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { scheduleReconcile } from '../../src/bridge/google/reconcile.ts'
import { accountId, cameraId } from '../../src/core/ports.ts'
import { ada, camera } from './fake-house.ts'
import { openHome } from './home.ts'
import { until } from '../until.ts'

let home: Awaited<ReturnType<typeof openHome>>
beforeEach(async () => {
  home = await openHome()
  await home.sync()
})
afterEach(async () => {
  await home.close()
  expect(home.google.complaints).toEqual([])
})

const calls = () => home.google.calls.map(({ call }) => call)
const asked = () => home.google.calls.filter(({ call }) => call === 'sync').map(({ account }) => account)
const nothing = { accounts: 1, unlinked: 0, resynced: 0, reported: 0, failed: 0, isComplete: true }

test('when all is as Google believes, nothing is sent', async () => {
  expect(await home.reconcile()).toEqual(nothing)
  expect(calls()).toEqual(['sync', 'query'])
})

test('a lost report is sent again', async () => {
  home.house.online = false
  expect(await home.reconcile()).toEqual({ ...nothing, reported: 1 })
  expect(home.google.states.get(ada)).toEqual({ 'bell-1': { online: false } })
  expect(await home.reconcile()).toEqual(nothing)
})

test('a state that was never reported is', async () => {
  home.google.states.delete(ada)
  expect(await home.reconcile()).toMatchObject({ reported: 1 })
})

test.each([
  ['was added', () => [camera(), camera({ id: cameraId('cam-2') })]],
  ['was removed', () => []],
  ['was renamed', () => [camera({ name: 'Back door' })]],
  ['took the place of another', () => [camera({ id: cameraId('cam-2') })]],
])('a camera that %s makes Google ask again', async (_, cameras) => {
  home.house.cameras = cameras()
  expect(await home.reconcile()).toMatchObject({ resynced: 1 })
  expect(calls()).toContain('requestSync')
})

test('a user whom Google does not know is unlinked', async () => {
  home.google.unlinked.add(ada)
  expect(await home.reconcile()).toMatchObject({ unlinked: 1 })
  expect(await home.reconcile()).toMatchObject({ accounts: 0 })
})

test('a user whom Google has just asked for, and may not have taken in, is left alone', async () => {
  home.google.unlinked.add(ada)
  await home.links.open(ada)
  expect(await home.reconcile()).toEqual(nothing)
  expect(calls()).toEqual([])
})

test('one account that fails keeps no other from its round', async () => {
  await home.links.open(accountId('account-bob'))
  home.house.now += 60_000
  home.google.script.push(500)
  expect(await home.reconcile()).toMatchObject({ accounts: 2, failed: 1 })
})

test('hundreds of linked accounts are all looked at', async () => {
  for (let index = 0; index < 250; index += 1) await home.links.open(accountId(`account-${index}`))
  home.house.now += 60_000
  home.google.script.push(...Array.from({ length: 251 }, () => 500))
  expect(await home.reconcile()).toMatchObject({ accounts: 251, failed: 251 })
})

describe('a round', () => {
  beforeEach(async () => {
    for (let index = 0; index < 30; index += 1) await home.links.open(accountId(`account-${index + 10}`))
    home.house.now += 60_000
  })

  test('that is cut short is gone on with, by whoever comes next, and leaves nobody out', async () => {
    // Google knows only Ada: each of the others is one 404, after which it is unlinked and the round goes on.
    const stop = new AbortController()
    const untilSome = until(() => asked().length > 10).then(() => stop.abort())
    const first = await home.reconcile(stop.signal)
    await untilSome
    expect(first).toMatchObject({ isComplete: false })
    expect(first.accounts).toBeGreaterThanOrEqual(8)
    expect(first.accounts).toBeLessThan(31)
    const second = await home.reconcile()
    expect(second).toMatchObject({ isComplete: true, accounts: expect.any(Number) })
    expect(new Set(asked()).size).toBe(31)
    expect(await home.reconcile()).toMatchObject({ isComplete: true, accounts: 1 })
  })

  test('is not begun a second time while one goes on, and not for ever if that one died', async () => {
    home.google.script.push('hang')
    const dead = home.reconcile()
    await until(() => home.google.script.length === 0)
    expect(await home.reconcile()).toMatchObject({ accounts: 0, isComplete: false })
    home.house.now += 180_001
    expect(await home.reconcile()).toMatchObject({ isComplete: true })
    // Back from the dead it finds the round taken, and lets go of it.
    expect((await dead).accounts).toBe(8)
  })

  test('goes on after an account whose cameras cannot be read', async () => {
    home.google.devices.set('account-10', [])
    const { list } = home.cameras
    home.cameras.list = async () => Promise.reject(new Error('the store is broken'))
    expect(await home.reconcile()).toMatchObject({ accounts: 31, failed: 2, isComplete: true })
    home.cameras.list = list
  })
})

test('rounds come by schedule, survive a failure, and end at once', async () => {
  let rounds = 0
  const scheduled = scheduleReconcile(
    async () => {
      rounds += 1
      if (rounds === 1) throw new Error('once')
      return nothing
    },
    { everyMs: 5, log: () => {} },
  )
  await until(() => rounds > 2)
  await scheduled.close()
  const atClose = rounds
  await scheduled.close()
  expect(rounds).toBe(atClose)
})
