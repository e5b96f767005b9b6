/** What a camera describes: its tracks, read from its SDP (RFC 8866, RFC 2326 appendix C), leniently and within bounds. */
export interface Track {
  readonly kind: 'video' | 'audio' | 'other'
  readonly payloadType: number
  /** Upper case, as in `a=rtpmap`: `H264`, `PCMU`, `MPEG4-GENERIC`, … */
  readonly encoding: string
  readonly clockRate: number
  readonly channels: number
  /** Of all its `a=fmtp`, with names in lower case. */
  readonly parameters: ReadonlyMap<string, string>
  /** Where it is set up: absolute. */
  readonly url: string
  /** The camera plays it instead of sending it: ONVIF's back channel (Streaming Specification section 5.3). */
  readonly isBackChannel: boolean
}

export interface Description {
  readonly tracks: readonly Track[]
  /** What PLAY and TEARDOWN name. */
  readonly url: string
}

/** More than any camera has. */
const maxTracks = 32
const maxSdp = 262_144

/** RFC 3551 table 4 and 5: payload types that need no `a=rtpmap`. */
const fixedTypes: Readonly<Record<number, string>> = {
  0: 'PCMU/8000',
  8: 'PCMA/8000',
  9: 'G722/8000',
  10: 'L16/44100/2',
  11: 'L16/44100/1',
  26: 'JPEG/90000',
}

/** What some cameras write instead of the names that are registered (RFC 3551 section 7, RFC 7798 section 7.1). */
const otherNames: Readonly<Record<string, string>> = {
  G711U: 'PCMU',
  ULAW: 'PCMU',
  MULAW: 'PCMU',
  G711A: 'PCMA',
  ALAW: 'PCMA',
  HEVC: 'H265',
  'H.265': 'H265',
  'H.264': 'H264',
  MJPEG: 'JPEG',
}

/** `base`: the URL that relative controls stand on: Content-Base, Content-Location, or that of the request. */
export function readDescription(sdp: string, base: string): Description {
  const sections: string[][] = [[]]
  for (const line of sdp.slice(0, maxSdp).split(/\r\n|\r|\n/)) {
    if (line.startsWith('m=')) {
      if (sections.length > maxTracks) break
      sections.push([])
    }
    sections.at(-1)?.push(line.trim())
  }
  const [session = [], ...media] = sections
  const control = valueOf(session, 'control')
  const url = control === undefined || control === '*' ? base : resolve(base, control)
  return { url, tracks: media.flatMap((lines) => readTrack(lines, base)) }
}

function readTrack(lines: readonly string[], base: string): Track[] {
  const [, name, types = ''] = /^m=(\w+)\s+\S+\s+\S+\s*(.*)$/.exec(lines[0] ?? '') ?? []
  const payloadType = Number(types.split(/\s+/)[0])
  if (name === undefined || types === '' || !Number.isInteger(payloadType) || payloadType > 127) return []
  const isOf = (value: string) => /^\d+(?=\s)/.exec(value)?.[0] === String(payloadType)
  const mapped = valuesOf(lines, 'rtpmap').find(isOf)
  const map = mapped?.replace(/^\d+\s+/, '') ?? fixedTypes[payloadType] ?? ''
  const [encoding = '', clockRate = '', channels = '1'] = map.split('/')
  return [
    {
      kind: name === 'video' || name === 'audio' ? name : 'other',
      payloadType,
      encoding: otherNames[encoding.toUpperCase()] ?? encoding.toUpperCase(),
      clockRate: Number(clockRate) > 0 ? Number(clockRate) : 90_000,
      channels: Number(channels) === 2 ? 2 : 1,
      parameters: readParameters(valuesOf(lines, 'fmtp').filter(isOf)),
      url: resolve(base, valueOf(lines, 'control') ?? ''),
      isBackChannel: lines.includes('a=sendonly'),
    },
  ]
}

export function readParameters(fmtps: readonly string[]): ReadonlyMap<string, string> {
  const pairs = fmtps.flatMap((fmtp) => fmtp.replace(/^\S+\s+/, '').split(';'))
  return new Map(
    pairs.flatMap((pair) => {
      const equals = pair.indexOf('=')
      return equals > 0 ? [[pair.slice(0, equals).trim().toLowerCase(), pair.slice(equals + 1).trim()] as const] : []
    }),
  )
}

/** As cameras and their clients do it, not RFC 3986: a relative control is appended, behind a query too. */
function resolve(base: string, control: string): string {
  if (control === '' || control === '*') return base
  if (/^rtsps?:\/\//i.test(control)) return control
  if (control.startsWith('/'))
    return base.replace(/^(rtsps?:\/\/[^/?#]*).*$/is, (_, origin: string) => origin + control)
  return `${base.replace(/\/$/, '')}/${control}`
}

const valuesOf = (lines: readonly string[], name: string): string[] =>
  lines.flatMap((line) => (line.startsWith(`a=${name}:`) ? [line.slice(name.length + 3).trim()] : []))
const valueOf = (lines: readonly string[], name: string): string | undefined => valuesOf(lines, name)[0]
