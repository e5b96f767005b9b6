/** H.264 profiles by the six digits of `profile-level-id`, as a display tells them apart. */

/** RFC 6184 table 5: the digits of profile_idc, and the constraint flags that are 1 and 0 in this profile. */
const profiles: readonly (readonly [name: Profile, idc: string, ones: number, zeros: number])[] = [
  ['constrained baseline', '42', 0x40, 0x0f],
  ['constrained baseline', '4d', 0x80, 0x0f],
  ['constrained baseline', '58', 0xc0, 0x0f],
  ['baseline', '42', 0, 0x4f],
  ['baseline', '58', 0x80, 0x4f],
  ['main', '4d', 0, 0xaf],
  ['extended', '58', 0, 0xcf],
  ['high', '64', 0, 0xff],
  ['progressive high', '64', 0x08, 0xf7],
  ['constrained high', '64', 0x0c, 0xf3],
]

type Profile =
  | 'constrained baseline'
  | 'baseline'
  | 'main'
  | 'extended'
  | 'high'
  | 'progressive high'
  | 'constrained high'

/** What every decoder takes: no display's decoder reads what Baseline has beyond Constrained Baseline, and no camera writes it. */
const usual: readonly Profile[] = ['constrained baseline', 'baseline']

/** Streams that a decoder of this profile takes (H.264 annex A.2). */
const decodes: Readonly<Record<Profile, readonly Profile[]>> = {
  'constrained baseline': usual,
  baseline: usual,
  main: [...usual, 'main'],
  extended: [...usual, 'extended'],
  high: [...usual, 'main', 'progressive high', 'constrained high', 'high'],
  'progressive high': [...usual, 'constrained high', 'progressive high'],
  'constrained high': [...usual, 'constrained high'],
}

/** Whether both name one profile, whatever their levels are: the condition on an answer (RFC 6184 section 8.2.2). */
export function isSameProfile(one: string, other: string): boolean {
  const [mine, theirs] = [profileOf(one), profileOf(other)]
  return mine === undefined || theirs === undefined ? digitsOf(one) === digitsOf(other) : mine === theirs
}

/** Whether a decoder for what the answer announced can decode a stream with this SPS: no larger profile, no higher level. */
export function fitsProfile(stream: string, announced: string): boolean {
  const [mine, theirs] = [profileOf(stream), profileOf(announced)]
  const isKnown = mine !== undefined && theirs !== undefined
  const fits = isKnown ? decodes[theirs].includes(mine) : digitsOf(stream) === digitsOf(announced)
  return fits && levelOf(stream) <= levelOf(announced)
}

function profileOf(profileLevelId: string): Profile | undefined {
  const idc = digitsOf(profileLevelId).slice(0, 2)
  const flags = Number.parseInt(profileLevelId.slice(2, 4), 16)
  return profiles.find(
    ([, known, ones, zeros]) => known === idc && (flags & ones) === ones && (flags & zeros) === 0,
  )?.[0]
}

/** Profile and flags without the level. */
const digitsOf = (profileLevelId: string): string => profileLevelId.slice(0, 4).toLowerCase()

const levelOf = (profileLevelId: string): number => Number.parseInt(profileLevelId.slice(4, 6), 16)
