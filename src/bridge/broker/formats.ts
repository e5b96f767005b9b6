/** Payload formats and their parameters: which of two descriptions of a codec mean the same one. */

/** A payload type with all that the section says about it. */
export interface Codec {
  readonly payload: number
  /** Encoding name as written, e.g. `H264`; compare with `sameCodec`. */
  readonly name: string
  readonly clockRate: number
  readonly channels: number
  /** Format parameters (`a=fmtp`), or '' when there are none. */
  readonly parameters: string
  /** RTCP feedback (`a=rtcp-fb`, RFC 4585), those for `*` included. */
  readonly feedback: readonly string[]
}

/** Payload types that need no `a=rtpmap` (RFC 3551 section 6); an Echo sends 0 and 8 without. */
const staticCodecs: Readonly<Record<number, readonly [name: string, clockRate: number]>> = {
  0: ['PCMU', 8_000],
  8: ['PCMA', 8_000],
  9: ['G722', 8_000],
}

/**
 * The codecs of a section with this format list and these attributes, in the list's order; payload types that are none or
 * name nothing are left out. At most `mostFeedback` feedback lines for each.
 */
export function readCodecs(
  formats: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
  mostFeedback: number,
): readonly Codec[] {
  const maps = byPayload(values.get('rtpmap'))
  const parameters = byPayload(values.get('fmtp'))
  const feedback = byPayload(values.get('rtcp-fb'))
  return [...new Set(formats)].flatMap((format) => {
    const payload = Number(format)
    if (!/^(0|[1-9]\d{0,2})$/.test(format) || payload > 127) return []
    const mapped = /^([^\s/]+)\/(\d{1,9})(?:\/(\d{1,2}))?$/.exec(maps.get(format)?.[0] ?? '')
    const [name, clockRate] =
      mapped === null ? (staticCodecs[payload] ?? []) : [mapped[1], Number.parseInt(mapped[2] ?? '', 10)]
    if (name === undefined || clockRate === undefined) return []
    return {
      payload,
      name,
      clockRate,
      // Opus has two channels in SDP, whatever it sends (RFC 7587 section 7).
      channels: name.toLowerCase() === 'opus' ? 2 : Number.parseInt(mapped?.[3] ?? '1', 10),
      parameters: parameters.get(format)?.[0] ?? '',
      feedback: [...(feedback.get(format) ?? []), ...(feedback.get('*') ?? [])].slice(0, mostFeedback),
    }
  })
}

/** The values `<payload> <rest>` as a map from payload to the rests. */
function byPayload(values: readonly string[] = []): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const value of values) {
    const space = value.indexOf(' ')
    if (space < 0) continue
    const rests = found.get(value.slice(0, space))
    const rest = value.slice(space + 1).trim()
    if (rests === undefined) found.set(value.slice(0, space), [rest])
    else rests.push(rest)
  }
  return found
}

/** True when the codec has this encoding name, in any case (RFC 4855). */
export function isNamed({ name }: Codec, wanted: string): boolean {
  return name.toLowerCase() === wanted
}

/** True when both name the same encoding: name without regard to case (RFC 4855), clock rate, and channels. */
export function sameCodec(a: Codec, b: Codec): boolean {
  return isNamed(a, b.name.toLowerCase()) && a.clockRate === b.clockRate && a.channels === b.channels
}

/** True for H.264 of which nothing is said. */
export function isBareH264(codec: Codec): boolean {
  return isNamed(codec, 'h264') && codec.parameters === ''
}

/**
 * True when `answered` can be the answer to `offered`: the same encoding, and the same value of each parameter that both sides
 * must share. A parameter that the answer leaves out is taken as accepted. All others, Opus's among them (RFC 7587 section
 * 7.1), belong to the side that names them.
 */
export function isAnswerTo(answered: Codec, offered: Codec): boolean {
  if (!sameCodec(answered, offered)) return false
  const [said, asked] = [parametersOf(answered), parametersOf(offered)]
  // An Echo offers H.264 without parameters and takes every profile in packetization mode 1.
  if (asked.size === 0) return true
  return (shared.get(offered.name.toLowerCase()) ?? []).every(({ name, usual, normal = plain }) => {
    const value = said.get(name)
    const wanted = asked.get(name) ?? usual
    return value === undefined || wanted === undefined || normal(value) === normal(wanted)
  })
}

interface SharedParameter {
  readonly name: string
  /** What an offer means that leaves it out; any value, if there is none. */
  readonly usual?: string
  readonly normal?: (value: string) => string
}

/** Parameters that an answer repeats or whose format it drops: RFC 6184 section 8.2.2, RFC 7798 section 7.2.2, RFC 4588 section 8.6. */
const shared: ReadonlyMap<string, readonly SharedParameter[]> = new Map([
  [
    'h264',
    [
      { name: 'packetization-mode', usual: '0' },
      { name: 'profile-level-id', normal: h264Profile },
    ],
  ],
  [
    'h265',
    [
      { name: 'profile-space', usual: '0' },
      { name: 'profile-id', usual: '1' },
      { name: 'tier-flag', usual: '0' },
      { name: 'tx-mode', usual: 'SRST' },
    ],
  ],
  ['rtx', [{ name: 'apt' }]],
])

/** RFC 6184 table 5: profile_idc, and the constraint bits that are fixed (1 and 0) for this profile; the level is not in it. */
const h264Profiles: readonly (readonly [name: string, idc: string, ones: number, zeros: number])[] = [
  ['constrained baseline', '42', 0x40, 0x0f],
  ['constrained baseline', '4d', 0x80, 0x0f],
  ['constrained baseline', '58', 0xc0, 0x0f],
  ['baseline', '42', 0, 0x4f],
  ['baseline', '58', 0x80, 0x4f],
  ['main', '4d', 0, 0xaf],
  ['extended', '58', 0, 0xcf],
  ['high', '64', 0, 0xff],
  ['constrained high', '64', 0x0c, 0xf3],
]

function h264Profile(profileLevelId: string): string {
  const id = profileLevelId.toLowerCase()
  if (!/^[0-9a-f]{6}$/.test(id)) return id
  const bits = Number.parseInt(id.slice(2, 4), 16)
  const known = h264Profiles.find(
    ([, idc, ones, zeros]) => id.startsWith(idc) && (bits & ones) === ones && (bits & zeros) === 0,
  )
  return known?.[0] ?? id.slice(0, 4)
}

function plain(value: string): string {
  return value.toLowerCase()
}

/** The parameters by name; names have no case (RFC 4855 section 3). */
export function parametersOf({ parameters }: Codec): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const part of parameters.split(';')) {
    const at = part.indexOf('=')
    if (at > 0) found.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim())
  }
  return found
}

/** Without the retransmission codecs (RFC 4588) whose repaired codec is not in the list. */
export function withoutOrphans(codecs: readonly Codec[]): readonly Codec[] {
  const kept = new Set(codecs.map(({ payload }) => `${payload}`))
  return codecs.filter((codec) => !isNamed(codec, 'rtx') || kept.has(parametersOf(codec).get('apt') ?? ''))
}

/** The encoding names of a section for whoever reads of it, each once: `H264, VP8`. */
export function namesOf(codecs: readonly Codec[]): string {
  const names = codecs.filter((codec) => !isNamed(codec, 'rtx')).map(({ name }) => name.toUpperCase())
  return [...new Set(names)].slice(0, 8).join(', ')
}
