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
      parameters: mergeParameters(parameters.get(format)),
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

/** One line is allowed for each format (RFC 8866 section 6.15); of several, libwebrtc takes the last word on each parameter. */
function mergeParameters(lines: readonly string[] = []): string {
  if (lines.length < 2) return lines[0] ?? ''
  const byName = new Map<string, string>()
  for (const part of lines
    .join(';')
    .split(';')
    .map((one) => one.trim())) {
    const name = part.split('=')[0]?.trim().toLowerCase()
    if (name) byName.set(name, part)
  }
  return [...byName.values()].join(';')
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
 * An Echo offers H.264 without fmtp. By RFC 6184 that is packetization mode 0 and baseline; what it takes is mode 1 in any
 * profile, so the camera is told the mode, and names its own profile.
 */
export const h264Open = 'level-asymmetry-allowed=1;packetization-mode=1'

/** What H.264 is that says nothing of itself (RFC 6184: baseline), in the packetization mode that was asked for. */
const h264Plain = `${h264Open};profile-level-id=42e01f`

/**
 * The codec of an answer as both sides mean it; undefined when `answered` cannot be the answer to `offered`: another encoding,
 * or another value of a parameter that both must share. One that the answer leaves out is taken as accepted and written out,
 * for a display reads its absence as the default. All others, Opus's among them (RFC 7587 section 7.1), belong to the side
 * that names them.
 */
export function agreedCodec(answered: Codec, offered: Codec): Codec | undefined {
  if (!sameCodec(answered, offered)) return undefined
  if (isBareH264(answered)) return { ...answered, parameters: offered.parameters || h264Plain }
  const rules = shared.get(offered.name.toLowerCase())
  if (rules === undefined) return answered
  // A bare offer of H.264 leaves everything open; what is not said is as the camera was told.
  const isOpen = isBareH264(offered)
  const [asked, said] = [parametersOf(isOpen ? { parameters: h264Open } : offered), parametersOf(answered)]
  const agreed = new Map(said)
  for (const { name, usual, agree = same } of rules) {
    const [value, wanted] = [said.get(name), asked.get(name)]
    const both = value === undefined || isOpen ? (value ?? wanted) : agree(value, wanted ?? usual ?? value)
    if (both !== undefined) agreed.set(name, both)
    else if (value !== undefined) return undefined
  }
  return { ...answered, parameters: [...agreed].map(([name, value]) => `${name}=${value}`).join(';') }
}

interface SharedParameter {
  readonly name: string
  /** What an offer means that leaves it out; any value, if there is none. */
  readonly usual?: string
  /** What the display is told, or undefined when the answer's value does not fit the offer's. Default: they must be the same. */
  readonly agree?: (answered: string, offered: string) => string | undefined
}

/** Parameters that an answer repeats or whose format it drops: RFC 6184 section 8.2.2, RFC 7798 section 7.2.2, RFC 4588 section 8.6. */
const shared: ReadonlyMap<string, readonly SharedParameter[]> = new Map([
  [
    'h264',
    [
      { name: 'packetization-mode', usual: '0' },
      { name: 'profile-level-id', agree: agreedProfile },
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
  ['progressive high', '64', 0x08, 0xf7],
  ['constrained high', '64', 0x0c, 0xf3],
]

/**
 * The other profiles whose streams a decoder of this one decodes (H.264 annex A.2). Baseline is among them everywhere: it is
 * Constrained Baseline but for flexible macroblock order, arbitrary slice order and redundant slices, which no camera's
 * encoder writes and no browser's decoder reads. Cameras that say `42001f` forgot a flag, and are decoded.
 */
const h264Subsets: ReadonlyMap<string, readonly string[]> = new Map([
  ['constrained baseline', ['baseline']],
  ['baseline', ['constrained baseline']],
  ['main', ['constrained baseline', 'baseline']],
  ['extended', ['constrained baseline', 'baseline']],
  ['high', ['constrained baseline', 'baseline', 'main', 'progressive high', 'constrained high']],
  ['progressive high', ['constrained baseline', 'baseline', 'constrained high']],
  ['constrained high', ['constrained baseline', 'baseline']],
])

/**
 * An answer has to repeat the offered profile (RFC 6184 section 8.2.2). Cameras name their encoder's under whatever payload
 * type they chose; where that is a subset of the offered one, the display is told the profile that it offered, at the
 * camera's level: a stream of the subset is one of that profile, too.
 */
function agreedProfile(answered: string, offered: string): string | undefined {
  const own = h264Profile(answered)
  const wanted = h264Profile(offered)
  if (own === wanted) return answered
  return h264Subsets.get(wanted)?.includes(own) === true ? `${offered.slice(0, 4)}${answered.slice(4)}` : undefined
}

function h264Profile(profileLevelId: string): string {
  const id = profileLevelId.toLowerCase()
  if (!/^[0-9a-f]{6}$/.test(id)) return id
  const bits = Number.parseInt(id.slice(2, 4), 16)
  const known = h264Profiles.find(
    ([, idc, ones, zeros]) => id.startsWith(idc) && (bits & ones) === ones && (bits & zeros) === 0,
  )
  return known?.[0] ?? id.slice(0, 4)
}

function same(answered: string, offered: string): string | undefined {
  return answered.toLowerCase() === offered.toLowerCase() ? answered : undefined
}

/** The parameters by name; names have no case (RFC 4855 section 3). */
export function parametersOf({ parameters }: Pick<Codec, 'parameters'>): ReadonlyMap<string, string> {
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
