/** Reads an SDP answer as strictly as a display that cannot ask back, and lists everything that is wrong with it. */

import { isIPv4, isIPv6 } from 'node:net'
import { CallError } from './causes.ts'
import { isSameProfile } from './h264-profile.ts'

/** What the display takes out of a good answer. */
export interface Answer {
  readonly ufrag: string
  readonly password: string
  readonly fingerprint: { readonly algorithm: string; readonly value: string }
  /** DTLS role of the camera. */
  readonly setup: 'active' | 'passive'
  /** Candidate-attributes without `a=`. */
  readonly candidates: readonly string[]
  readonly audio: AnsweredMedia
  /** Undefined for a display that offered none: an Echo without a screen. */
  readonly video: (AnsweredMedia & { readonly profileLevelId: string | undefined }) | undefined
}

export interface AnsweredMedia {
  readonly payloadType: number
  /** The encoding name as the answer spells it. */
  readonly codec: string
  /** True when the camera takes media from the display in this section. */
  readonly takes: boolean
}

export interface AnswerRules {
  /** Alexa's media servers have IPv4 addresses only. */
  readonly ipv4Only: boolean
}

interface Section {
  readonly kind: string
  readonly port: string
  readonly proto: string
  readonly formats: readonly string[]
  readonly lines: readonly string[]
}

interface Sdp {
  readonly session: readonly string[]
  readonly sections: readonly Section[]
}

/** Checks the answer against the offer it belongs to. Throws `answer_invalid` with every problem found. */
export function readAnswer(offerText: string, answerText: string, rules: AnswerRules): Answer {
  const offer = parse(offerText)
  const answer = parse(answerText)
  const problems = [
    ...checkText(answerText, answer),
    ...checkSession(offer, answer),
    ...answer.sections.flatMap((section, index) => {
      const offered = offer.sections[index]
      if (offered === undefined) return []
      const label = `m=${section.kind} (${index})`
      return checkSection(answer, section, offered, rules).map((problem) => `${label}: ${problem}`)
    }),
  ]
  const accepted = answer.sections.filter(({ port }) => port !== '0')
  const audio = accepted.find(({ kind }) => kind === 'audio')
  const video = accepted.find(({ kind }) => kind === 'video')
  const transport = accepted[0]
  if (problems.length > 0 || audio === undefined || transport === undefined) {
    throw new CallError('answer_invalid', problems.join('; '))
  }
  const [algorithm = '', value = ''] = (effective(answer, transport, 'fingerprint') ?? '').split(' ')
  return {
    ufrag: effective(answer, transport, 'ice-ufrag') ?? '',
    password: effective(answer, transport, 'ice-pwd') ?? '',
    fingerprint: { algorithm, value },
    setup: effective(answer, transport, 'setup') === 'active' ? 'active' : 'passive',
    candidates: values(transport.lines, 'candidate').map((rest) => `candidate:${rest}`),
    audio: mediaOf(answer, audio),
    video: video && { ...mediaOf(answer, video), profileLevelId: profileOf(video, video.formats[0] ?? '') },
  }
}

function parse(text: string): Sdp {
  const session: string[] = []
  const sections: { head: string; lines: string[] }[] = []
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('m=')) sections.push({ head: line.slice(2), lines: [] })
    else if (line !== '') (sections.at(-1)?.lines ?? session).push(line)
  }
  return {
    session,
    sections: sections.map(({ head, lines }) => {
      const [kind = '', port = '', proto = '', ...formats] = head.split(' ')
      return { kind, port, proto, formats, lines }
    }),
  }
}

function checkText(text: string, { session, sections }: Sdp): string[] {
  const problems: string[] = []
  if (/(^|[^\r])\n/.test(text) || /\r(?!\n)/.test(text)) problems.push('a line does not end with CRLF')
  if (!text.endsWith('\r\n')) problems.push('the last line has no end')
  if (/(\r?\n){2}/.test(text)) problems.push('it has an empty line')
  const order = session.map((line) => line[0]).join('')
  // RFC 8866 section 5: the order of the session lines is fixed.
  if (!/^vosi?u?e*p*c?b*(t+r*)+z?k?a*$/.test(order)) problems.push(`the session lines are in the order ${order}`)
  if (session[0] !== 'v=0') problems.push('it does not begin with v=0')
  const all = [...session, ...sections.flatMap(({ lines }) => lines)]
  const odd = all.find((line) => !/^[a-z]=\S/.test(line))
  if (odd !== undefined) problems.push(`"${odd.slice(0, 40)}" is not an SDP line`)
  if (all.some((line) => /^a=ice-options:.*\btrickle\b/.test(line))) problems.push('it promises trickle ICE')
  if (values(session, 'candidate').length > 0) problems.push('a candidate stands outside the media sections')
  return problems
}

function checkSession(offer: Sdp, answer: Sdp): string[] {
  const problems: string[] = []
  const shape = (sdp: Sdp): string => sdp.sections.map(({ kind }) => kind).join(', ')
  if (shape(answer) !== shape(offer)) problems.push(`the sections are ${shape(answer)}, offered were ${shape(offer)}`)
  const isGrouped = values(offer.session, 'group').some((value) => value.startsWith('BUNDLE'))
  const mids = answer.sections.filter(({ port }) => port !== '0').map(({ lines }) => values(lines, 'mid')[0])
  const group = values(answer.session, 'group').find((value) => value.startsWith('BUNDLE'))
  const bundled = group?.split(' ').slice(1) ?? []
  // Both displays have one transport only, so every accepted section must be in the bundle if they offered one (RFC 8843
  // section 7.3); if not, there is none, and the same transport in all.
  if (!isGrouped && group === undefined) return problems
  if (bundled.length !== mids.length || mids.some((mid) => mid === undefined || !bundled.includes(mid))) {
    problems.push(`BUNDLE is "${bundled.join(' ')}", the accepted sections are "${mids.join(' ')}"`)
  }
  return problems
}

function checkSection(answer: Sdp, section: Section, offered: Section, rules: AnswerRules): string[] {
  // Of two sections of a kind a display needs one; all others must be accepted, but for a data channel.
  const isSurplus = answer.sections.some(({ kind, port }) => kind === section.kind && port !== '0')
  if (section.port === '0') return isSurplus || section.kind === 'application' ? [] : ['rejected']
  const [isRtp, wasRtp] = [section, offered].map(({ proto }) => /RTP\//.test(proto))
  return [
    ...checkPlace(section, offered),
    ...(isRtp && wasRtp ? [...checkFormats(section, offered), ...checkDirection(section, offered)] : []),
    ...checkSecurity(answer, section),
    ...(isRtp && values(section.lines, 'rtcp-mux').length === 0 ? ['no rtcp-mux'] : []),
    ...checkCandidates(section, rules),
  ]
}

function checkPlace(section: Section, offered: Section): string[] {
  const problems: string[] = []
  if (section.proto !== offered.proto) problems.push(`protocol ${section.proto}, offered was ${offered.proto}`)
  const [mid, offeredMid] = [section, offered].map(({ lines }) => values(lines, 'mid').join(' '))
  if (mid !== offeredMid) problems.push(`mid "${mid}", offered was "${offeredMid}"`)
  const strange = section.formats.filter((type) => !offered.formats.includes(type))
  if (strange.length > 0 || section.formats.length === 0)
    problems.push(`payload types ${section.formats.join(' ')} are not those offered`)
  return problems
}

function checkFormats(section: Section, offered: Section): string[] {
  const problems: string[] = []
  const [chosen = ''] = section.formats
  // A Hub takes VP8, too; an Echo does not offer it. G.711 is for displays that offer nothing else.
  const wanted =
    section.kind === 'video'
      ? ['H264/90000', 'VP8/90000']
      : ['opus/48000/2', ...(offersOpus(offered) ? [] : plainSound)]
  const encoding = rtpmap(section, chosen)
  if (!wanted.some((format) => format.toLowerCase() === encoding?.toLowerCase()))
    problems.push(`first format is ${encoding ?? 'unnamed'}, not ${wanted.join(' or ')}`)
  for (const type of section.formats) {
    const names = [rtpmap(section, type), rtpmap(offered, type)].map((name) => name?.toLowerCase())
    if (names[1] !== undefined && names[0] !== names[1])
      problems.push(`payload type ${type} is ${names[0]}, offered was ${names[1]}`)
  }
  if (/^h264\//i.test(encoding ?? '')) problems.push(...checkH264(section, offered, chosen))

  const extensions = values(offered.lines, 'extmap').map((value) => value.replace(/\/\w+ /, ' '))
  const strangeExtension = values(section.lines, 'extmap').find(
    (value) => !extensions.includes(value.replace(/\/\w+ /, ' ')),
  )
  if (strangeExtension !== undefined) problems.push(`extension "${strangeExtension}" was not offered`)
  // pion writes a blank behind feedback that has no parameter.
  const feedback = new Set(values(offered.lines, 'rtcp-fb').map((value) => value.trimEnd()))
  const strangeFeedback = values(section.lines, 'rtcp-fb').find((value) => !feedback.has(value))
  if (strangeFeedback !== undefined) problems.push(`feedback "${strangeFeedback}" was not offered`)
  return problems
}

const plainSound: readonly string[] = ['PCMU/8000', 'PCMA/8000']

const offersOpus = (offered: Section): boolean =>
  offered.formats.some((type) => /^opus\//i.test(rtpmap(offered, type) ?? ''))

/** RFC 6184 section 8.2.2: profile and packetization mode are not negotiable; absent ones in the offer (the Echo's) leave both open. */
function checkH264(section: Section, offered: Section, type: string): string[] {
  const parameters = fmtp(section, type)
  const asked = fmtp(offered, type)
  const problems: string[] = []
  const profile = parameters.get('profile-level-id')
  if (profile !== undefined && !/^[0-9a-f]{6}$/i.test(profile))
    problems.push(`profile-level-id "${profile}" is malformed`)
  if (asked.size === 0) return problems
  const [mode, askedMode] = [parameters, asked].map((map) => map.get('packetization-mode') ?? '0')
  if (mode !== askedMode) problems.push(`packetization-mode ${mode}, offered was ${askedMode}`)
  // Section 8.1: who names no profile means Baseline. Chromium drops a format whose constraint flags mean another one.
  const [said = '', wanted = ''] = [parameters, asked].map((map) => map.get('profile-level-id') ?? '42000a')
  if (!isSameProfile(said, wanted)) problems.push(`H264 profile ${said}, offered was ${wanted}`)
  return problems
}

function checkSecurity(answer: Sdp, section: Section): string[] {
  const problems: string[] = []
  const ufrag = effective(answer, section, 'ice-ufrag') ?? ''
  const password = effective(answer, section, 'ice-pwd') ?? ''
  const fingerprint = effective(answer, section, 'fingerprint') ?? ''
  const setup = effective(answer, section, 'setup') ?? ''
  // RFC 8839 section 5.4, and the four characters more that every browser accepts.
  if (!/^[\w+/=#-]{4,256}$/.test(ufrag)) problems.push('ice-ufrag is missing or malformed')
  if (!/^[\w+/=#-]{22,256}$/.test(password)) problems.push('ice-pwd is missing or malformed')
  if (!/^sha-256 [0-9A-F]{2}(:[0-9A-F]{2}){31}$/i.test(fingerprint)) problems.push('no SHA-256 fingerprint')
  if (!['active', 'passive'].includes(setup)) problems.push(`setup is "${setup}", not active or passive`)
  const first = answer.sections.find(({ port }) => port !== '0') ?? section
  const differs = ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup'].filter(
    (name) => effective(answer, section, name) !== effective(answer, first, name),
  )
  if (differs.length > 0) problems.push(`${differs.join(', ')} differ from the first section of the bundle`)
  return problems
}

function checkDirection(section: Section, offered: Section): string[] {
  const sends = { sendrecv: true, sendonly: true, recvonly: false, inactive: false }
  const direction = directionOf(section)
  const problems: string[] = []
  if (section.lines.filter((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.test(line)).length > 1) {
    problems.push('more than one direction')
  }
  if (!sends[direction]) problems.push(`it is ${direction}: the camera sends nothing`)
  const takes = direction === 'sendrecv' || direction === 'recvonly'
  // RFC 3264 section 6.1.
  if (takes && !sends[directionOf(offered)]) problems.push(`${direction} does not fit ${directionOf(offered)}`)
  return problems
}

const candidateForm = /^\S{1,32} (\d{1,3}) (udp|tcp) \d{1,10} (\S+) (\d{1,5}) typ (host|srflx|prflx|relay)( .*)?$/i

function checkCandidates(section: Section, rules: AnswerRules): string[] {
  const candidates = values(section.lines, 'candidate')
  const problems: string[] = []
  if (!candidates.some((value) => / udp /i.test(value))) problems.push('it has no UDP candidate')
  const seen = new Set<string>()
  for (const value of candidates) {
    const [, component, transport = '', address = '', port = '', type = '', rest = ''] = candidateForm.exec(value) ?? []
    const known = `${transport} ${address} ${port} ${type} ${rest}`.toLowerCase()
    if (component === undefined) problems.push('a candidate is malformed')
    else if (component !== '1') problems.push(`a candidate is for component ${component}`)
    else if (address.endsWith('.local')) problems.push('a candidate has a .local name')
    else if (rules.ipv4Only ? !isIPv4(address) : !isIPv4(address) && !isIPv6(address))
      problems.push(`a candidate has no ${rules.ipv4Only ? 'IPv4' : 'IP'} address`)
    else if (/^tcp$/i.test(transport) && !/ tcptype (active|passive|so)\b/.test(rest))
      problems.push('a TCP candidate has no tcptype')
    else if (seen.has(known)) problems.push('a candidate stands there twice')
    seen.add(known)
  }
  return [...new Set(problems)]
}

function mediaOf(answer: Sdp, section: Section): AnsweredMedia {
  const [type = ''] = section.formats
  const direction = directionOf(section)
  const codec = rtpmap(section, type)?.split('/')[0] ?? ''
  return { payloadType: Number(type), codec, takes: direction === 'sendrecv' || direction === 'recvonly' }
}

const profileOf = (section: Section, type: string): string | undefined =>
  fmtp(section, type).get('profile-level-id')?.toLowerCase()

function directionOf({ lines }: Section): 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive' {
  if (lines.includes('a=inactive')) return 'inactive'
  if (lines.includes('a=sendonly')) return 'sendonly'
  return lines.includes('a=recvonly') ? 'recvonly' : 'sendrecv'
}

/** The values of an attribute, in order; '' for a property attribute. */
function values(lines: readonly string[], name: string): string[] {
  const prefix = `a=${name}`
  return lines
    .filter((line) => line === prefix || line.startsWith(`${prefix}:`))
    .map((line) => line.slice(prefix.length + 1))
}

/** An attribute that may stand in the section or, for all sections, above them. */
const effective = (sdp: Sdp, section: Section, name: string): string | undefined =>
  values(section.lines, name)[0] ?? values(sdp.session, name)[0]

const rtpmap = (section: Section, type: string): string | undefined =>
  values(section.lines, 'rtpmap')
    .find((value) => value.startsWith(`${type} `))
    ?.slice(type.length + 1)

function fmtp(section: Section, type: string): ReadonlyMap<string, string> {
  const line =
    values(section.lines, 'fmtp')
      .find((value) => value.startsWith(`${type} `))
      ?.slice(type.length + 1) ?? ''
  return new Map(
    line.split(';').flatMap((part) => {
      const [name = '', value = ''] = part.trim().split('=')
      return name === '' ? [] : [[name.toLowerCase(), value] as const]
    }),
  )
}
