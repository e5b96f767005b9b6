/** `transom doctor`: checks what a call needs, and says what to change. */
import type { OperatorAccess } from 'transom-bridge/operator/operator'
import type { Clock } from 'transom-core/ports'
import { readConfig, type Config } from '../config.ts'
import { bridgeChecks } from './bridge-checks.ts'
import { cameraChecks } from './camera-checks.ts'
import { bad, good, runChecks, type Finding } from './check.ts'
import { dataChecks } from './data-checks.ts'
import { httpsChecks } from './https-checks.ts'
import { iceChecks } from './ice-checks.ts'
import { reachChecks } from './reach-checks.ts'
import { vendorChecks } from './vendor-checks.ts'

/** Whom everybody's clock is compared with: Amazon refuses us by it. */
const clockOfAmazon = 'https://api.amazon.com/'

export interface DoctorDeps {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The running bridge of this data directory; undefined when none runs. */
  readonly access: OperatorAccess | undefined
  readonly clock: Clock
  /** Default: Amazon's. */
  readonly clockUrl?: string
}

/** Runs every check that the settings ask for. Never rejects: bad settings are a finding, and then the only one. */
export async function examine({
  env,
  access,
  clock,
  clockUrl = clockOfAmazon,
}: DoctorDeps): Promise<readonly Finding[]> {
  const config = configOf(env)
  if ('id' in config) return [config]
  const { dataDir, doorbell } = config
  const cameras = await cameraChecks(dataDir, doorbell.isOn ? doorbell.source : '', access, clock)
  const found = await runChecks([
    ...dataChecks(dataDir, clock),
    ...bridgeChecks(config, access),
    ...reachChecks(config, access !== undefined, clock, clockUrl),
    ...httpsChecks(config, access !== undefined, clock),
    ...iceChecks(config, clock),
    ...vendorChecks(config, clock),
    ...cameras,
  ])
  return [settingsAreGood, ...found]
}

/** Only what this version needs to start: the settings, and what is in the data directory. Never rejects. */
export async function checkData(env: DoctorDeps['env'], clock: Clock): Promise<readonly Finding[]> {
  const config = configOf(env)
  return 'id' in config ? [config] : [settingsAreGood, ...(await runChecks(dataChecks(config.dataDir, clock)))]
}

const settingsAreGood = good('settings', 'all are known and valid')

function configOf(env: DoctorDeps['env']): Config | Finding {
  try {
    return readConfig(env)
  } catch (error) {
    const remedy = 'Correct these variables, in the environment or in .env; docs/settings.md has all of them.'
    return bad('settings', error instanceof Error ? error.message : String(error), remedy)
  }
}

/** The findings on a terminal. */
export function printFindings(findings: readonly Finding[]): string {
  const rows = findings.map(({ id, ok, detail, remedy }) => {
    const line = `${ok ? 'ok  ' : 'FAIL'}  ${id}: ${detail}`
    return remedy === undefined ? line : `${line}\n      ${remedy}`
  })
  const failed = findings.filter(({ ok }) => !ok).length
  return [...rows, '', failed === 0 ? 'All is well.' : `${failed} of ${findings.length} checks failed.`].join('\n')
}
