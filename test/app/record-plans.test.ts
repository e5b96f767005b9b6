/** What is to be recorded now: by wish, hours and pause; also over midnight and on the days on which clocks are set. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { Camera } from '../../src/core/ports.ts'
import type { WeekHours } from '../../src/core/week-hours.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createRecordPlans, isWithin, type RecordPlans } from '../../src/transom/record-plans.ts'
import { frontDoor } from '../alexa/world.ts'

const zone = 'Europe/Berlin'
/** An instant by the clock in Berlin, in winter. */
const winter = (text: string) => Date.parse(`${text}+01:00`)
const night: readonly WeekHours[] = [{ days: ['fri', 'sat'], from: '22:00', to: '06:00' }]
const work: readonly WeekHours[] = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' }]

describe('hours', () => {
  test.each([
    [work, '2026-11-27T08:00', true], // a Friday
    [work, '2026-11-27T07:59', false],
    [work, '2026-11-27T17:59', true],
    [work, '2026-11-27T18:00', false],
    [work, '2026-11-28T12:00', false],
    [night, '2026-11-27T21:59', false],
    [night, '2026-11-27T22:00', true],
    [night, '2026-11-28T05:59', true],
    [night, '2026-11-28T06:00', false],
    // Sunday's small hours belong to Saturday, Monday's to nobody.
    [night, '2026-11-29T03:00', true],
    [night, '2026-11-30T03:00', false],
    [[{ days: ['sun'], from: '23:00', to: '01:00' }], '2026-11-30T00:30', true],
    [[{ days: ['sat'], from: '00:00', to: '00:00' }], '2026-11-28T13:00', true],
    [[{ days: ['sat'], from: '00:00', to: '00:00' }], '2026-11-29T00:00', false],
  ] as const)('%j at %s: %s', (hours, at, isIn) => {
    expect(isWithin(hours, winter(at), zone)).toBe(isIn)
  })

  test('are those that the clock shows, on the days on which it is set, too', () => {
    const hours: readonly WeekHours[] = [{ days: ['sun'], from: '02:30', to: '03:30' }]
    // On 2026-03-29 it is 03:00 right after 01:59; on 2026-10-25 it is 02:30 twice.
    expect(['2026-03-29T00:59Z', '2026-03-29T01:00Z', '2026-03-29T01:29Z', '2026-03-29T01:30Z'].map(at)).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect(['2026-10-25T00:30Z', '2026-10-25T01:29Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z'].map(at)).toEqual([
      true,
      false,
      true,
      false,
    ])
    function at(text: string): boolean {
      return isWithin(hours, Date.parse(text), zone)
    }
  })
})

describe('a plan', () => {
  let plans: RecordPlans
  let changed: string[]
  const store = createSqliteStore(':memory:', Date.now)
  const open = () =>
    createRecordPlans({ store, timeZone: zone, onChange: (id) => void changed.push(id), clock: Date.now })
  const camera: Camera = { ...frontDoor, record: 'events' }

  beforeEach(async () => {
    jest.useFakeTimers({ now: winter('2026-11-27T17:58:30') })
    changed = []
    plans = await open()
  })
  afterEach(() => {
    plans.close()
    jest.useRealTimers()
  })

  test('is the usual one, or as the camera wishes; without a wish there is none', () => {
    expect(plans.wishOf(camera)).toEqual({ mode: 'events', beforeMs: 5_000, afterMs: 10_000, longestMs: 300_000 })
    const around = { before: 0, longest: 60 }
    expect(plans.wishOf({ ...camera, record: 'always', recordAround: around })).toEqual({
      mode: 'always',
      beforeMs: 0,
      afterMs: 10_000,
      longestMs: 60_000,
    })
    expect(plans.wishOf(frontDoor)).toBeUndefined()
  })

  test('is told to have changed when its hours begin and end, once', async () => {
    const timed: Camera = { ...camera, recordHours: work }
    expect(plans.wishOf(timed)).toBeDefined()
    await jest.advanceTimersByTimeAsync(60_000)
    expect(changed).toEqual([])
    await jest.advanceTimersByTimeAsync(30_000)
    expect(changed).toEqual([camera.id])
    expect(plans.wishOf(timed)).toBeUndefined()
    await jest.advanceTimersByTimeAsync(10 * 60_000)
    expect(changed).toEqual([camera.id])
    jest.setSystemTime(winter('2026-11-30T07:59:59'))
    await jest.advanceTimersByTimeAsync(61_000)
    expect(changed).toHaveLength(2)
    expect(plans.wishOf(timed)).toBeDefined()
  })

  test('is none while it is paused, which outlives a start', async () => {
    await plans.set(camera.id, true)
    await plans.set(camera.id, true)
    expect([plans.isPaused(camera.id), plans.wishOf(camera), changed]).toEqual([true, undefined, [camera.id]])
    plans.close()
    plans = await open()
    expect(plans.wishOf(camera)).toBeUndefined()
    await plans.set(camera.id, false)
    expect(plans.wishOf(camera)).toBeDefined()
    plans.close()
    plans = await open()
    expect(plans.isPaused(camera.id)).toBe(false)
  })
})
