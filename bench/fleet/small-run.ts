/** A small fleet, event by event: what the load model says of it can be compared with what it really asked. */
import type { Fleet } from '../../test/fleet/fleet.ts'
import { createService } from './home.ts'
import { metered, sum, type Counts } from './meter.ts'
import { operations, viewFirstChannel } from './operations.ts'
import { camerasWith, linkings, ratesOf, type FleetSize, type Kind, type Linking, type Profile } from './profiles.ts'

interface Happening {
  readonly at: number
  readonly kind: Kind
  readonly linking: Linking
}

/**
 * What `seconds` of this fleet ask, everything in the order in which it happens, each event at a household of its own.
 * `random` as `Math.random`. Schedules do not run.
 */
export async function runSmall(
  fleet: Fleet,
  given: {
    readonly size: FleetSize
    readonly profile: Profile
    readonly seconds: number
    readonly random: () => number
  },
): Promise<{ readonly counts: Counts; readonly happened: number }> {
  const { profile, random } = given
  const service = createService(fleet, () => random() < profile.coldShare)
  await viewFirstChannel(fleet, service)
  const spends: Counts[] = []
  const happenings = happeningsOf(given)
  for (const { kind, linking } of happenings) {
    const { run } = await operations[kind](fleet, service, linking)
    service.made()
    const { counts } = await metered(fleet, async () => {
      await run()
      return service.made()
    })
    spends.push(counts)
  }
  await service.close()
  return { counts: sum(spends.map((counts) => ({ counts, times: 1 }))), happened: happenings.length }
}

/** Arrivals at random instants, each kind at its own rate. */
export function happeningsOf(given: Parameters<typeof runSmall>[1]): readonly Happening[] {
  const { size, profile, seconds, random } = given
  const all: Happening[] = []
  for (const linking of linkings) {
    for (const [kind, perHour] of Object.entries(ratesOf(profile, linking)) as [Kind, number][]) {
      const perSecond = (camerasWith(size, linking) * perHour) / 3_600
      // What lies between two arrivals of a Poisson process is exponential.
      for (let at = next(perSecond); at < seconds; at += next(perSecond)) all.push({ at, kind, linking })
    }
  }
  return all.toSorted((a, b) => a.at - b.at)

  function next(perSecond: number): number {
    return -Math.log(1 - random()) / perSecond
  }
}
