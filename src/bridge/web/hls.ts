/** HLS (RFC 8216bis) of what was recorded, as text: the playlist that names the codecs, and the one that names the fragments. */
import { codecsOf, ratesOf, shownOf, type Programme } from './stretches.ts'

/** Seconds: what the longest fragment rounds to (section 4.4.3.1). */
export const targetOf = ({ stretches }: Pick<Programme, 'stretches'>): number =>
  stretches.reduce(
    (most, { fragments }) => fragments.reduce((longest, one) => Math.max(longest, secondsOf(one.durationMs)), most),
    1,
  )

const secondsOf = (ms: number): number => Math.round(ms / 1_000)

/** The multivariant playlist. `target`: seconds, as in the media playlist that lies beside it at `media`. */
export function multivariantPlaylist(programme: Programme, target: number, media: string): string {
  const { peak, mean } = ratesOf(programme.stretches, target * 1_000)
  const codecs = codecsOf(programme.stretches)
  const attributes = [
    `BANDWIDTH=${peak}`,
    `AVERAGE-BANDWIDTH=${mean}`,
    // What came in a file without an entry, after a crash, has none; a player then looks for itself.
    ...(codecs.length > 0 ? [`CODECS="${codecs.join(',')}"`] : []),
  ]
  return linesOf(
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    `#EXT-X-STREAM-INF:${attributes.join(',')}`,
    media,
  )
}

/** The media playlist. `target`: seconds; no fragment may round to more. */
export function mediaPlaylist(
  { stretches, past, isOver }: Programme,
  target: number,
  kind: 'recorded' | 'live',
): string {
  return linesOf(
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${target}`,
    `#EXT-X-MEDIA-SEQUENCE:${past.fragments}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${past.stretches}`,
    ...(kind === 'recorded' ? ['#EXT-X-PLAYLIST-TYPE:VOD'] : []),
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...stretches.flatMap((stretch, index) => {
      const shown = shownOf(stretch)
      const folder = `${stretch.recording}/all`
      return [
        // Media is timed from the start of its recording.
        ...(index > 0 ? ['#EXT-X-DISCONTINUITY'] : []),
        `#EXT-X-MAP:URI="${folder}/init.mp4"`,
        `#EXT-X-PROGRAM-DATE-TIME:${new Date(shown[0]?.at ?? 0).toISOString()}`,
        ...shown.flatMap(({ number, durationMs }) => [
          `#EXTINF:${(durationMs / 1_000).toFixed(3)},`,
          `${folder}/${number}.m4s`,
        ]),
      ]
    }),
    ...(isOver ? ['#EXT-X-ENDLIST'] : []),
  )
}

const linesOf = (...lines: readonly string[]): string => `${lines.join('\n')}\n`
