/** The lines that offers and answers are written with. */
import type { Codec } from './formats.ts'
import type { Attribute, Description, Media } from './sdp.ts'

/** A description of these lines, each ended by CRLF, after the session part that says nothing. */
export function describe(origin: string, lines: readonly string[]): string {
  return ['v=0', `o=- ${origin} IN IP4 127.0.0.1`, 's=-', 't=0 0', ...lines, ''].join('\r\n')
}

/** One line for each group that has a mid left. */
export function bundleLines(groups: Description['groups']): readonly string[] {
  return groups.flatMap((mids) => (mids.length === 0 ? [] : [`a=group:BUNDLE ${mids.join(' ')}`]))
}

/** A section that keeps its place although there is nothing in it (RFC 3264 section 6: port 0). */
export function rejectedLines(media: Media): readonly string[] {
  return [
    `m=${media.kind} 0 ${media.protocol} ${media.formats.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    ...midLine(media),
    'a=inactive',
  ]
}

/** The section's own mid, if it has one. */
export function midLine(media: Media): readonly string[] {
  return media.mid === undefined ? [] : [`a=mid:${media.mid}`]
}

/** The lines that describe a codec: rtpmap, feedback, parameters. */
export function codecLines(codec: Codec): readonly string[] {
  const channels = codec.channels > 1 ? `/${codec.channels}` : ''
  return [
    `a=rtpmap:${codec.payload} ${codec.name}/${codec.clockRate}${channels}`,
    ...codec.feedback.map((feedback) => `a=rtcp-fb:${codec.payload} ${feedback}`),
    ...(codec.parameters === '' ? [] : [`a=fmtp:${codec.payload} ${codec.parameters}`]),
  ]
}

/** The attribute as a line, without line end. */
export function attributeLine(attribute: Attribute): string {
  return attribute.value === '' ? `a=${attribute.name}` : `a=${attribute.name}:${attribute.value}`
}
