/** The command line of the simulator. */

import { parseArgs } from 'node:util'
import { surfaces, type Surface } from './google.ts'
import type { AssistantName, Settings } from './settings.ts'

export const usage = `Plays an Echo Show or a Nest Hub against a running bridge, over public HTTP only.

  npm run call -- --assistant alexa|google [options]

  --surface NAME     google only: hub, chromecast (has no WebRTC) or phone (default: hub)
  --ring             presses the bell first, and receives the event as Amazon or Google would
  --camera ID        the camera to show (default: the first one discovered)
  --seconds N        how long media flows (default: 3)
  --repeat N         makes N calls in a row with one linked account (default: 1)
  --json             prints one JSON object and nothing else (npm run -s call …: npm itself is silent, too)
  --bridge URL       the bridge (default: as simulator.json says)
  --login L --password P
                     the user whose account is linked (default: the demo user of simulator.json)
  --help             this text

simulator.json is written by the bridge into its data directory: TRANSOM_DATA, or ./data.
Exit status: 0 all was well, 1 the call failed with the cause printed, 2 wrong usage.`

export interface Arguments {
  readonly assistant: AssistantName
  readonly surface: Surface
  readonly ring: boolean
  readonly camera: string | undefined
  readonly seconds: number
  readonly repeat: number
  readonly json: boolean
  readonly bridge: string | undefined
  readonly login: string | undefined
  readonly password: string | undefined
}

/** Reads the arguments; `undefined` asks for the usage text. Throws an `Error` that says what is wrong with them. */
export function readArguments(args: readonly string[]): Arguments | undefined {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      assistant: { type: 'string' },
      surface: { type: 'string', default: 'hub' },
      ring: { type: 'boolean', default: false },
      camera: { type: 'string' },
      seconds: { type: 'string', default: '3' },
      repeat: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      bridge: { type: 'string' },
      login: { type: 'string' },
      password: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { assistant, ring, camera, json, bridge, login, password } = values
  if (assistant !== 'alexa' && assistant !== 'google') {
    throw new Error(`--assistant must be alexa or google${assistant === undefined ? '' : `, not ${assistant}`}`)
  }
  if (bridge !== undefined && !/^https?:$/.test(URL.parse(bridge)?.protocol ?? ''))
    throw new Error(`--bridge ${bridge} is not an http URL`)
  const surface = surfaces.find((name) => name === values.surface)
  if (surface === undefined || (surface !== 'hub' && assistant !== 'google'))
    throw new Error(`--surface ${values.surface}: Google has ${surfaces.join(', ')}; Alexa has none to choose`)
  const seconds = numberOf('seconds', values.seconds, 0.1, 3600)
  const repeat = numberOf('repeat', values.repeat, 1, 100_000)
  if (!Number.isInteger(repeat)) throw new Error('--repeat must be a whole number')
  return { assistant, surface, ring, camera, seconds, repeat, json, bridge, login, password }
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= least && value <= most) return value
  throw new Error(`--${name} must be a number from ${least} to ${most}, not ${text}`)
}

/** The settings with what the command line says otherwise. */
export function overridden(settings: Settings, { bridge, login, password }: Arguments): Settings {
  return {
    ...settings,
    bridge: (bridge ?? settings.bridge).replace(/\/+$/, ''),
    user: { login: login ?? settings.user.login, password: password ?? settings.user.password },
  }
}
