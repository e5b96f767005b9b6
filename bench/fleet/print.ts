/** The report as a person reads it. */
import type { Breaking, QuotaUse, Report } from './model.ts'
import { profiles, type FleetSize, type ProfileName } from './profiles.ts'

const short = (value: number): string =>
  value >= 100
    ? Math.round(value).toLocaleString('en-US')
    : value.toLocaleString('en-US', { maximumSignificantDigits: 2 })

const usd = (value: number): string => `$${value.toFixed(5)}`

const row = ({ name, used, limit, share, unit, isAdjustable }: QuotaUse): string =>
  [
    name.padEnd(36),
    short(used).padStart(10),
    (limit === null ? 'not stated' : short(limit)).padStart(12),
    (share === null ? '' : `${short(share * 100)} %`).padStart(12),
    `  ${unit}${limit === null ? '' : isAdjustable ? ', adjustable' : ', fixed'}`,
  ].join('')

function breaks(breaking: Breaking | null): string {
  if (breaking === null) return 'none'
  const { name, share, atCameras, atPressesPerSecond } = breaking
  const full = share > 1 ? `${short(share)} times full` : `${short(share * 100)} % full`
  return `${name}, ${full}: it holds ${short(atCameras)} cameras, or ${short(atPressesPerSecond)} presses a second`
}

/** Lines for a terminal. */
export function printed(report: Report, { cameras, linked }: FleetSize, peak: ProfileName): string {
  const { quotas, firstToBreak, firstHardToBreak, hottest, cost, costPerCameraMonth } = report
  return [
    `${cameras.toLocaleString('en-US')} cameras, ${linked * 100} % of them linked, ${peak}: ${profiles[peak].about}.`,
    '',
    `${'quota'.padEnd(36)}${'used'.padStart(10)}${'limit'.padStart(12)}${'share'.padStart(12)}`,
    ...quotas.toSorted((a, b) => (b.share ?? -1) - (a.share ?? -1)).map(row),
    '',
    `First to break:          ${breaks(firstToBreak)}.`,
    `First that nobody raises: ${breaks(firstHardToBreak)}.`,
    ...(['record', 'list', 'read'] as const).map(
      (kind) =>
        `Hottest ${kind}: ${hottest[kind].key || 'none is shared'}, spread over ${short(hottest[kind].spread)}, ${short(hottest[kind].perSecond)} units a second each.`,
    ),
    '',
    `Cost of a camera in a month of ordinary days: ${usd(costPerCameraMonth)}`,
    ...Object.entries(cost).map(([what, value]) => `  ${what.padEnd(20)}${usd(value)}`),
    '',
    'The rates, durations and prices are assumptions: --json lists them, bench/fleet/profiles.ts and quotas.ts hold them.',
  ].join('\n')
}
