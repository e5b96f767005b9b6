/** Puts candidates that a camera sent after its answer into the answer, for a caller who can take one message only. */
import { maxPayload } from './message.ts'

/** True when more may follow this answer: its camera trickles and did not say that it is done, or it names no address yet. */
export function isUnfinished(answer: string): boolean {
  const sdp = sdpOf(answer)
  if (sdp === undefined || /^a=end-of-candidates/im.test(sdp)) return false
  return /^a=ice-options:(.*[ ,])?trickle([\s,]|$)/im.test(sdp) || !/^a=candidate:/im.test(sdp)
}

/** True for the message by which a camera says that no candidate follows (W3C WebRTC section 4.8.1: an empty one). */
export function isLastCandidate(payload: string): boolean {
  const candidate = parse(payload)?.['candidate']
  return candidate === null || (typeof candidate === 'string' && valueOf(candidate) === '')
}

/**
 * The answer with these candidates (payloads as they came) in the media sections they are for, each once, and without the
 * promise that more will come. What is no candidate, or does not fit into a payload any more, is left out; an answer that
 * cannot be read stays as it is.
 */
export function foldCandidates(answer: string, candidates: readonly string[]): string {
  const sdp = sdpOf(answer)
  if (sdp === undefined) return answer
  const write = (sections: readonly Section[]) => {
    const text = sections.map(({ lines }) => lines.join('\r\n')).join('\r\n')
    return Buffer.from(JSON.stringify({ ...parse(answer), sdp: `${text}\r\n` })).toString('base64')
  }
  const sections = split(sdp)
  let folded = write(sections)
  for (const payload of candidates) {
    const found = readCandidate(payload)
    const section = found && sectionOf(sections, found)
    if (!section || section.lines.some((line) => sameCandidate(line, found.line))) continue
    section.lines.push(found.line)
    const longer = write(sections)
    if (longer.length > maxPayload) section.lines.pop()
    else folded = longer
  }
  return folded
}

interface Section {
  readonly mid: string | undefined
  readonly lines: string[]
}

interface Candidate {
  readonly line: string
  readonly mid: string | undefined
  readonly index: number | undefined
}

/** The session's part first, then one for each m-line. */
function split(sdp: string): Section[] {
  return sdp
    .trimEnd()
    .split(/\r?\n(?=m=)/)
    .map((text) => ({
      mid: /^a=mid:(\S+)/im.exec(text)?.[1],
      lines: text.split(/\r?\n/).flatMap(withoutTrickle),
    }))
}

/** Options stand apart by blanks (RFC 8839 section 5.6); libdatachannel writes commas. */
function withoutTrickle(line: string): readonly string[] {
  const [, given] = /^a=ice-options:(.*)$/i.exec(line) ?? []
  if (given === undefined) return [line]
  const options = given.split(/[ ,]+/).filter((option) => option !== '' && option.toLowerCase() !== 'trickle')
  return options.length > 0 ? [`a=ice-options:${options.join(' ')}`] : []
}

function readCandidate(payload: string): Candidate | undefined {
  const { candidate, sdpMid, sdpMLineIndex } = parse(payload) ?? {}
  if (typeof candidate !== 'string') return undefined
  // One line, a candidate by RFC 8839 section 5.1: nothing else may get into the SDP this way.
  const value = valueOf(candidate)
  if (!/^[\x20-\x7e]{1,500}$/.test(value) || !/ typ /i.test(value)) return undefined
  return {
    line: `a=candidate:${value}`,
    // Some write the mid as a number, and the index as a text.
    mid: textOf(sdpMid),
    index: /^\d{1,3}$/.test(textOf(sdpMLineIndex) ?? '') ? Number(sdpMLineIndex) : undefined,
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : undefined
}

/** What a camera says of a candidate, whether it writes the attribute's name before it or not. */
function valueOf(candidate: string): string {
  return candidate.trim().replace(/^(a=)?(candidate:)?/i, '')
}

/** By mid, else by index, else the first, which with bundled media is the only one that counts. */
function sectionOf(sections: readonly Section[], { mid, index }: Candidate): Section | undefined {
  const media = sections.slice(1)
  return media.find((section) => mid !== undefined && section.mid === mid) ?? media[index ?? 0] ?? media[0]
}

/** Foundation, component, transport, priority, address and port: a candidate is told again with other extensions after them. */
function sameCandidate(line: string, other: string): boolean {
  return head(line) === head(other)
}

const head = (text: string) => text.split(' ').slice(0, 6).join(' ').toLowerCase()

function sdpOf(answer: string): string | undefined {
  const sdp = parse(answer)?.['sdp']
  return typeof sdp === 'string' ? sdp : undefined
}

function parse(payload: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'))
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
