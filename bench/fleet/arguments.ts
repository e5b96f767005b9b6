/** What `npm run fleet` is given. */
import { parseArgs } from 'node:util'
import { profileNames, profiles, type FleetSize, type ProfileName } from './profiles.ts'

export const usage = `npm run fleet -- [--cameras 3000000] [--linked 0.3] [--peak halloween] [--rounds 8] [--json]

  --cameras N    cameras of the fleet, a whole number from 1 to 1000000000
  --linked S     share of them whose owner has linked an assistant, from 0 to 1
  --peak NAME    what the quotas must hold:
${profileNames.map((name) => `                 ${name.padEnd(10)} ${profiles[name].about}`).join('\n')}
  --rounds N     measurements of each operation, a whole number from 1 to 100
  --json         prints JSON
  --help         prints this text

The cost is always that of ordinary days.`

export interface FleetArguments {
  readonly size: FleetSize
  readonly peak: ProfileName
  readonly rounds: number
  readonly isJson: boolean
}

/** The arguments, read and checked; `fault` is a sentence for whoever typed them. */
export function fleetArguments(given: readonly string[]): FleetArguments | 'help' | { readonly fault: string } {
  let values
  try {
    values = parsed(given)
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
  if (values.help) return 'help'
  const [cameras, linked, rounds] = [number(values.cameras), number(values.linked), number(values.rounds)]
  const peak = profileNames.find((name) => name === values.peak)
  if (!Number.isInteger(cameras) || cameras < 1 || cameras > 1e9)
    return { fault: `--cameras must be a whole number from 1 to 1000000000, not "${values.cameras}".` }
  if (!(linked >= 0 && linked <= 1)) return { fault: `--linked must be a number from 0 to 1, not "${values.linked}".` }
  if (peak === undefined) return { fault: `--peak must be one of ${profileNames.join(', ')}, not "${values.peak}".` }
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100)
    return { fault: `--rounds must be a whole number from 1 to 100, not "${values.rounds}".` }
  return { size: { cameras, linked }, peak, rounds, isJson: values.json }
}

/** NaN also for what `Number` takes for 0. */
const number = (text: string): number => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN)

function parsed(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cameras: { type: 'string', default: '3000000' },
      linked: { type: 'string', default: '0.3' },
      peak: { type: 'string', default: 'halloween' },
      rounds: { type: 'string', default: '8' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  return values
}
