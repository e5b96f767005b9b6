/** The arithmetic of the load model, on operations whose cost is made up. */
import { describe, expect, test } from '@jest/globals'
import { fleetArguments, usage } from '../../bench/fleet/arguments.ts'
import { listsBehind, type Measured } from '../../bench/fleet/measure.ts'
import { countsOf, type Counter } from '../../bench/fleet/meter.ts'
import { causedPerSecond, loadOf, reportOf } from '../../bench/fleet/model.ts'
import { printed } from '../../bench/fleet/print.ts'
import { camerasWith, linkings, profileNames, profiles, ratesOf } from '../../bench/fleet/profiles.ts'
import { quotas } from '../../bench/fleet/quotas.ts'
import { happeningsOf } from '../../bench/fleet/small-run.ts'
import { seeded } from './seeded.ts'

const counts = (given: Partial<Record<Counter, number>>) => countsOf((counter) => given[counter] ?? 0)
const nothing = counts({})
const profile = { ...profiles.halloween, pressesPerHour: 3_600, coldShare: 0.25, stuckShare: 0 }
const list = 'list outbox#press-'

/** Presses alone cost anything, and only at houses that are linked with both assistants. */
const measured: Measured = {
  cells: [
    {
      kind: 'press',
      linking: 'both',
      warm: counts({ invocations: 1, homeGraph: 1, writeUnits: 4 }),
      cold: counts({ invocations: 1, coldStarts: 1, homeGraph: 1, writeUnits: 8 }),
      shared: new Map([[list, { reads: 0, writes: 2 }]]),
    },
  ],
  sweep: nothing,
  stuck: nothing,
  reconcile: nothing,
  spread: new Map([[list, 64]]),
}
const size = { cameras: 1_000, linked: 0.4 }

describe('the load of a fleet', () => {
  test('is what one operation costs, times how often it is done, in warm and in new environments', () => {
    // 60 cameras of the 400 linked ones, each pressed once a second.
    const load = causedPerSecond(measured, profile, size)
    expect(load.invocations).toBeCloseTo(60)
    expect(load.coldStarts).toBeCloseTo(15)
    expect(load.writeUnits).toBeCloseTo(60 * 5)
  })

  test('grows with the fleet', () => {
    const [once, twice] = [size, { ...size, cameras: 2_000 }].map((each) => loadOf(measured, profile, each))
    expect(twice!.counts.homeGraph).toBeCloseTo(2 * once!.counts.homeGraph)
    expect(twice!.hottestList).toBeCloseTo(2 * once!.hottestList)
  })

  test('is spread over the keys of a list that is cut in many', () => {
    expect(loadOf(measured, profile, size).hottest.list).toEqual({ key: list, spread: 64, perSecond: (60 * 2) / 64 })
    const whole = { ...measured, spread: new Map([[list, 1]]) }
    expect(loadOf(whole, profile, size).hottestList).toBeCloseTo(120)
  })

  test('has the sweep each minute, and the reconciliation of every account that Google knows in a day', () => {
    const scheduled = { ...measured, cells: [], sweep: counts({ readUnits: 60 }), reconcile: counts({ homeGraph: 2 }) }
    const load = loadOf(scheduled, profile, { cameras: 864_000, linked: 1 })
    expect(load.counts.readUnits).toBeCloseTo(1)
    expect(load.counts.homeGraph).toBeCloseTo(0.4 * 10 * 2)
  })
})

describe('the report', () => {
  const report = reportOf(measured, profile, size)

  test('names the quota that is filled first, and how large the fleet and its rate are by then', () => {
    expect(report.firstToBreak).toMatchObject({ name: 'Home Graph calls', share: expect.closeTo(0.6) })
    expect(report.firstToBreak).toMatchObject({ atCameras: 1_666, atPressesPerSecond: expect.closeTo(1_000 / 0.6) })
    expect(report.firstHardToBreak).toMatchObject({ name: 'DynamoDB hottest key of the index' })
  })

  test('has a source for every quota, and no share where no limit is stated', () => {
    expect(report.quotas.map(({ name }) => name)).toEqual(quotas.map(({ name }) => name))
    for (const { limit, share, used, source } of report.quotas) {
      expect(share).toBe(limit === null ? null : used / limit)
      expect(source).toMatch(/^https:|^no number/)
    }
  })

  test('is a price of ordinary days, whatever the peak', () => {
    const { costPerCameraMonth, cost } = reportOf(measured, profiles.ordinary, size)
    expect(report.costPerCameraMonth).toBe(costPerCameraMonth)
    expect(Object.values(cost).reduce((sum, each) => sum + each)).toBeCloseTo(costPerCameraMonth)
    expect(cost['KVS channel']).toBe(0.03)
  })

  test('is printed with every quota and the first to break', () => {
    const text = printed(report, size, 'halloween')
    for (const { name } of quotas) expect(text).toContain(name)
    expect(text).toContain('Home Graph calls, 60 % full: it holds 1,666 cameras')
  })

  test('breaks nothing where nothing is done', () => {
    const { firstToBreak } = reportOf({ ...measured, cells: [] }, profile, size)
    expect(firstToBreak).toBeNull()
  })
})

test('the households of a fleet are all of its cameras', () => {
  expect(linkings.reduce((sum, linking) => sum + camerasWith(size, linking), 0)).toBeCloseTo(size.cameras)
})

test.each(profileNames)('no rate of the profile %s is below nothing', (name) => {
  const rates = linkings.flatMap((linking) => Object.values(ratesOf(profiles[name], linking)))
  expect(rates.filter((rate) => !(rate >= 0))).toEqual([])
})

test.each([1, 16, 64])('%d lists are found behind what many records fall into', (lists) => {
  const random = seeded(lists)
  const seen = new Set(Array.from({ length: 1_000 }, () => Math.floor(random() * lists)))
  expect(listsBehind(1_000, seen.size)).toBe(lists)
})

test('no more lists are believed in than there were records', () => {
  expect(listsBehind(8, 8)).toBe(8)
})

test('events of a small fleet arrive in order, and as often as the profile says', () => {
  const given = { size: { cameras: 2_000, linked: 0.3 }, profile: profiles.halloween, seconds: 60, random: seeded(1) }
  const all = happeningsOf(given)
  expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).toSorted((a, b) => a - b))
  const presses = all.filter(({ kind }) => kind === 'press').length
  expect(Math.abs(presses - 400)).toBeLessThan(4 * Math.sqrt(400))
})

describe('the arguments', () => {
  test('have defaults', () => {
    expect(fleetArguments([])).toEqual({
      size: { cameras: 3_000_000, linked: 0.3 },
      peak: 'halloween',
      rounds: 8,
      isJson: false,
    })
  })

  test.each([
    [['--cameras', '0'], '--cameras must be a whole number from 1 to 1000000000, not "0".'],
    [['--cameras', '1.5'], '--cameras must be'],
    [['--cameras', 'many'], '--cameras must be'],
    [['--cameras', ''], '--cameras must be'],
    [['--cameras=-3'], '--cameras must be'],
    [['--linked', '1.1'], '--linked must be a number from 0 to 1, not "1.1".'],
    [['--linked', '30%'], '--linked must be'],
    [['--linked', ' '], '--linked must be'],
    [['--peak', 'easter'], '--peak must be one of ordinary, halloween, not "easter".'],
    [['--rounds', '0'], '--rounds must be a whole number from 1 to 100, not "0".'],
    [['--cameras'], "Option '--cameras <value>' argument missing"],
    [['--bells', '3'], "Unknown option '--bells'"],
    [['3'], "Unexpected argument '3'"],
  ])('%j are refused in a sentence', (given, sentence) => {
    expect(fleetArguments(given)).toEqual({ fault: expect.stringContaining(sentence) })
  })

  test('ask for help', () => {
    expect(fleetArguments(['--help', '--peak', 'easter'])).toBe('help')
    for (const name of profileNames) expect(usage).toContain(name)
  })
})
