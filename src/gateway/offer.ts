/** Narrows a viewer's offer to what this camera can do, before werift answers it: one codec for each kind, no extensions. */
import type { H265Format } from './h265.ts'
import type { SoundCodec } from './media.ts'
import { withMids } from './mids.ts'
import { setAside, type Unserved } from './unserved.ts'

export interface NarrowedOffer {
  /** For werift: the sections that are served. */
  readonly sdp: string
  /** The other sections, which the answer rejects. */
  readonly unserved: readonly Unserved[]
  /** Mids of sections that came without one, which the answer does not name. */
  readonly givenMids: readonly string[]
  /** `none`: it asks for no picture, as an Echo without a screen. `unsupported`: for none that this camera can send. */
  readonly video: 'h264' | 'h265' | 'unsupported' | 'none'
  /** The profile that the answer names: the source's own where the offer allows it. */
  readonly profileLevelId: string
  /** The one codec of its audio sections. `none`: it wants no sound and sends none. `unsupported`: in no codec that is known here. */
  readonly audio: SoundCodec | 'unsupported' | 'none'
  /** It asks for sound, whether it can be sent or not. */
  readonly wantsSound: boolean
}

/**
 * werift takes the first codec of the right name; a browser offers H.264 six times over, and an Echo offers it without any
 * parameters. So the choice is made here: the offered H.264 nearest to the source's profile, with the parameters that the
 * answer shall carry written into it (RFC 6184 section 8.2.2: profile and packetization-mode of an answer are the offer's).
 * H.265 is chosen where the camera sends nothing else (`h265`) and the offer has room for it: H.264 would be encoded anew.
 * Of the codecs for sound it is the first, in the display's order (RFC 3264 section 5.1), that is in `playable`: what this
 * camera can send. Where there is none the display may still talk, in the first that is known. `hasChannel`: a data channel is
 * served, too.
 */
export function narrowOffer(
  sdp: string,
  sourceProfile: string,
  playable: readonly SoundCodec[] = ['opus'],
  h265?: H265Format,
  { hasChannel = false }: { readonly hasChannel?: boolean } = {},
): NarrowedOffer {
  const [whole = [], ...all] = splitSections(sdp)
  const { session: named, sections: withNames, given } = withMids(whole, all)
  const { parts, unserved } = setAside(named, withNames, hasChannel)
  const [session = [], ...bundled] = parts
  const sections = bundled.map(withPort)
  const audios = sections.filter((lines) => lines[0]?.startsWith('m=audio'))
  const formats = audios.toSorted((one, other) => Number(isLive(other)) - Number(isLive(one))).flatMap(soundFormats)
  const sound = (formats.find(({ codec }) => playable.includes(codec)) ?? formats[0])?.codec
  let chosen: Choice | undefined
  let wantsVideo = false
  const narrowed = sections.map((lines) => {
    const kind = /^m=(\w+)/.exec(lines[0] ?? '')?.[1]
    if (kind === 'audio') return narrowSound(lines, sound)
    if (kind !== 'video') return lines
    wantsVideo ||= isWanted(lines)
    const choice = (h265 && chooseH265(lines, h265)) ?? chooseH264(lines, sourceProfile)
    if (!choice || (chosen && chosen.codec !== choice.codec)) return lines
    chosen ??= choice
    const { payloadType, format } = choice
    const kept = keepPayloadTypes(lines, [payloadType, ...retransmissionOf(lines, payloadType)])
    return [...kept.filter((line) => !line.startsWith(`a=fmtp:${payloadType} `)), `a=fmtp:${payloadType} ${format}`]
  })
  return {
    sdp: [session, ...narrowed].map((lines) => lines.map((line) => `${line}\r\n`).join('')).join(''),
    unserved,
    givenMids: given,
    video: chosen?.codec ?? (wantsVideo ? 'unsupported' : 'none'),
    profileLevelId: chosen?.profileLevelId ?? sourceProfile,
    audio: audios.some(isLive) ? (sound ?? 'unsupported') : 'none',
    wantsSound: audios.some(isWanted),
  }
}

function splitSections(sdp: string): string[][] {
  const sections: string[][] = [[]]
  for (const line of sdp.split(/\r?\n/)) {
    if (line.startsWith('m=')) sections.push([])
    // Told that no candidate will follow, werift ends its checks before its own relay candidate is there to take part.
    if (line !== '' && line !== 'a=end-of-candidates') sections.at(-1)?.push(line)
  }
  return sections
}

/**
 * A section that lives only in its bundle is offered with port 0 (RFC 9143 section 6), which werift takes for a rejected one.
 * With the discard port (RFC 8840 section 4.1.1) it is offered like the others.
 */
function withPort(lines: readonly string[]): readonly string[] {
  if (!lines.includes('a=bundle-only')) return lines
  return lines.flatMap((line) => (line === 'a=bundle-only' ? [] : [line.replace(/^(m=\S+) 0 /, '$1 9 ')]))
}

interface Choice {
  readonly codec: 'h264' | 'h265'
  readonly payloadType: string
  /** Of H.264. */
  readonly profileLevelId?: string
  /** What `a=fmtp` says of it. */
  readonly format: string
}

/** RFC 7798 section 7.2.2: profile and tier of the answer are the offer's, which says up to which level it goes. */
function chooseH265(lines: readonly string[], { profileId, tierFlag, levelId }: H265Format): Choice | undefined {
  const payloadType = payloadTypesOf(lines, /^h265\/90000/i).find((payloadType) => {
    const offered = parametersOf(lines, payloadType)
    const numberOf = (name: string, usual: number) => Number(offered[name] ?? usual)
    return (
      numberOf('profile-space', 0) === 0 &&
      numberOf('profile-id', 1) === profileId &&
      numberOf('tier-flag', 0) >= tierFlag &&
      Math.max(numberOf('level-id', 93), numberOf('max-recv-level-id', 0)) >= levelId &&
      (offered['tx-mode'] ?? 'SRST').toUpperCase() === 'SRST'
    )
  })
  if (payloadType === undefined) return undefined
  // A stream of the main tier is one of the high tier as well.
  const tier = parametersOf(lines, payloadType)['tier-flag'] ?? '0'
  const format = `level-id=${levelId};profile-id=${profileId};tier-flag=${tier};tx-mode=SRST`
  return { codec: 'h265', payloadType, format }
}

function chooseH264(lines: readonly string[], sourceProfile: string): Choice | undefined {
  const offered = payloadTypesOf(lines, /^h264\/90000/i).map((payloadType) => {
    const parameters = parametersOf(lines, payloadType)
    return {
      payloadType,
      mode: parameters['packetization-mode'],
      profile: parameters['profile-level-id']?.toLowerCase(),
    }
  })
  // Without a mode an offer means mode 0 by the letter, but Echo devices write no fmtp at all and expect mode 1.
  const usable = offered.filter(({ mode, profile }) => mode === '1' || (mode === undefined && profile === undefined))
  const best =
    usable.find(({ profile }) => profile !== undefined && isSameProfile(profile, sourceProfile)) ??
    usable.find(({ profile }) => profile === undefined || isSameProfile(profile, '42e01f')) ??
    usable[0]
  if (!best) return undefined
  const isOwn = best.profile === undefined || isSameProfile(best.profile, sourceProfile)
  const profileLevelId = isOwn ? sourceProfile : (best.profile ?? sourceProfile)
  const format = `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profileLevelId}`
  return { codec: 'h264', payloadType: best.payloadType, profileLevelId, format }
}

/** RFC 6184 table 5, as far as cameras go: Constrained Baseline has two spellings of profile_idc 66 with constraint_set1. */
function isSameProfile(one: string, other: string): boolean {
  return profileName(one) === profileName(other)
}

function profileName(profileLevelId: string): string {
  const idc = profileLevelId.slice(0, 2)
  const constraints = Number.parseInt(profileLevelId.slice(2, 4), 16)
  const isConstrained = (constraints & 0x40) !== 0
  if (idc === '42' || idc === '4d') return isConstrained && idc === '42' ? 'constrained baseline' : idc
  return `${idc}${profileLevelId.slice(2, 4)}`
}

/** Port 0 rejects a section. */
function isLive(lines: readonly string[]): boolean {
  const port = /^m=\w+ (\d+) \S+ \d/.exec(lines[0] ?? '')?.[1]
  return port !== undefined && port !== '0' && !lines.includes('a=inactive')
}

const isWanted = (lines: readonly string[]): boolean => isLive(lines) && !lines.includes('a=sendonly')

interface SoundFormat {
  readonly payloadType: string
  readonly codec: SoundCodec
}

/** Payload types that need no `a=rtpmap` (RFC 3551 section 6). */
const staticTypes: ReadonlyMap<string, string> = new Map([
  ['0', 'PCMU/8000'],
  ['8', 'PCMA/8000'],
])

/** What a section has of the codecs that are known here, in the order of its `m=` line. */
function soundFormats(lines: readonly string[]): readonly SoundFormat[] {
  const [, , , ...payloadTypes] = lines[0]?.split(' ') ?? []
  return payloadTypes.flatMap((payloadType) => {
    const prefix = `a=rtpmap:${payloadType} `
    const said = lines.find((line) => line.startsWith(prefix))?.slice(prefix.length)
    const name = (said ?? staticTypes.get(payloadType) ?? '').trim().toUpperCase()
    const codec = soundNames.find(([pattern]) => pattern.test(name))?.[1]
    return codec ? [{ payloadType, codec }] : []
  })
}

const soundNames: readonly (readonly [pattern: RegExp, codec: SoundCodec])[] = [
  [/^OPUS\/48000/, 'opus'],
  [/^PCMU\/8000(\/1)?$/, 'PCMU'],
  [/^PCMA\/8000(\/1)?$/, 'PCMA'],
]

/** With this codec alone, spelled out; Opus parameters say what their sender likes to receive, and are not echoed (RFC 7587 section 7.1). */
function narrowSound(lines: readonly string[], sound: SoundCodec | undefined): readonly string[] {
  const format = soundFormats(lines).find(({ codec }) => codec === sound)
  if (!format) return lines
  const { payloadType } = format
  const isAbout = (line: string) => /^a=(rtpmap|fmtp):/.test(line) && line.split(/[: ]/)[1] === payloadType
  const rtpmap = lines.find((line) => line.startsWith(`a=rtpmap:${payloadType} `))
  const kept = keepPayloadTypes(lines, [payloadType]).filter((line) => !isAbout(line))
  return [...kept, rtpmap ?? `a=rtpmap:${payloadType} ${staticTypes.get(payloadType)}`]
}

function payloadTypesOf(lines: readonly string[], codec: RegExp): readonly string[] {
  return lines.flatMap((line) => {
    const [, payloadType, encoding] = /^a=rtpmap:(\d+) (\S+)/.exec(line) ?? []
    return payloadType !== undefined && encoding !== undefined && codec.test(encoding) ? [payloadType] : []
  })
}

function retransmissionOf(lines: readonly string[], payloadType: string): readonly string[] {
  return payloadTypesOf(lines, /^rtx\/90000/i).filter((rtx) => parametersOf(lines, rtx)['apt'] === payloadType)
}

/** Of all its `a=fmtp` lines: some write several. */
function parametersOf(lines: readonly string[], payloadType: string): Readonly<Record<string, string>> {
  const prefix = `a=fmtp:${payloadType} `
  const pairs = lines
    .flatMap((line) => (line.startsWith(prefix) ? line.slice(prefix.length).split(';') : []))
    .map((pair) => pair.trim().split('='))
  return Object.fromEntries(pairs.flatMap(([name, value]) => (name && value ? [[name.toLowerCase(), value]] : [])))
}

/** Feedback that is understood here; all else (transport-wide congestion control, REMB) would only cost packets. */
const feedback = /^a=rtcp-fb:\S+ (nack|nack pli|ccm fir)$/

/** The section with these payload types only; all of them when none is to be kept, which then rejects the section. */
function keepPayloadTypes(lines: readonly string[], kept: readonly string[]): string[] {
  if (kept.length === 0) return [...lines]
  return lines.flatMap((line) => {
    if (line.startsWith('m=')) return [[...line.split(' ').slice(0, 3), ...kept].join(' ')]
    const named = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+) /.exec(line)?.[1]
    if (named !== undefined && !kept.includes(named)) return []
    if (line.startsWith('a=rtcp-fb:') && !feedback.test(line)) return []
    if (line.startsWith('a=extmap:') && !line.endsWith('urn:ietf:params:rtp-hdrext:sdes:mid')) return []
    return [line]
  })
}
