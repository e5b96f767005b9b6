/** The load model against a small fleet that really runs, event by event: the packaged functions on counted surroundings. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { functionsOfFleet, measure } from '../../bench/fleet/measure.ts'
import { counters } from '../../bench/fleet/meter.ts'
import { causedPerSecond } from '../../bench/fleet/model.ts'
import { profiles } from '../../bench/fleet/profiles.ts'
import { runSmall } from '../../bench/fleet/small-run.ts'
import { createFleet, type Fleet } from './fleet.ts'
import { seeded } from './seeded.ts'

const patience = 600_000
let fleet: Fleet
beforeAll(async () => {
  fleet = await createFleet(functionsOfFleet)
}, patience)
afterAll(async () => fleet.close(), patience)

/** Arrivals are random: of 2,000 cameras in a minute about 2,000 events, of which no counter is known better than this. */
const tolerance = 0.1
/** Fewer of anything say nothing: their chance is wider than the tolerance. */
const fewest = 400

test(
  'what 2,000 cameras ask in a minute of Halloween is what the model says of them',
  async () => {
    const size = { cameras: 2_000, linked: 0.3 }
    const profile = { ...profiles.halloween, coldShare: 0.01 }
    const seconds = 60
    const measured = await measure(fleet, 3)
    const expected = causedPerSecond(measured, profile, size)
    const { counts, happened } = await runSmall(fleet, { size, profile, seconds, random: seeded(18) })
    expect(happened).toBeGreaterThan(1_500)
    const compared = counters.filter((counter) => expected[counter] * seconds >= fewest)
    expect(compared).toEqual(
      expect.arrayContaining(['invocations', 'apiRequests', 'dynamoCalls', 'readUnits', 'writeUnits', 'indexUnits']),
    )
    const off = compared.map((counter): [string, number] => [
      counter,
      counts[counter] / (expected[counter] * seconds) - 1,
    ])
    expect(off.filter(([, share]) => Math.abs(share) > tolerance)).toEqual([])
    // Nothing is asked for that the model does not know.
    expect(counters.filter((counter) => counts[counter] > 0 && expected[counter] === 0)).toEqual([])
  },
  patience,
)
