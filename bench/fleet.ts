/**
 * `npm run fleet -- --cameras 3000000 --linked 0.3 --peak halloween`: what a fleet asks of AWS, Amazon and Google. Measures what
 * one operation of each kind costs on the packaged Lambda functions, and multiplies.
 */
import { createFleet } from '../test/fleet/fleet.ts'
import { fleetArguments, usage } from './fleet/arguments.ts'
import { functionsOfFleet, measure } from './fleet/measure.ts'
import { reportOf } from './fleet/model.ts'
import { printed } from './fleet/print.ts'
import { profiles } from './fleet/profiles.ts'

const given = fleetArguments(process.argv.slice(2))
if (given === 'help') {
  console.log(usage)
} else if ('fault' in given) {
  console.error(`${given.fault}\n\n${usage}`)
  process.exitCode = 2
} else {
  const { size, peak, rounds, isJson } = given
  console.error('Measuring the packaged functions, which takes a minute or two …')
  const fleet = await createFleet(functionsOfFleet)
  try {
    const report = reportOf(await measure(fleet, rounds), profiles[peak], size)
    console.log(isJson ? JSON.stringify(report, undefined, 2) : printed(report, size, peak))
  } finally {
    await fleet.close()
  }
}
