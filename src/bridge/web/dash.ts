/** DASH (ISO 23009-1) of what was recorded, as text: a period for each stretch, with pictures and sound each by itself. */
import { ratesOf, type Programme, type Stretch } from './stretches.ts'
import type { Track } from './tracks.ts'

/** What changes of a manifest while it is live. */
export interface LiveManifest {
  /** Instants in the manifest count from here. */
  readonly from: number
  readonly now: number
  readonly windowMs: number
}

/** A player asks again so often. */
const eachS = 2
/** Sound of the gateway, roughly; the index does not part it from the pictures. */
const soundRate = 64_000

/** The manifest; a static one where it is over or `live` is absent. `target`: seconds of the longest fragment. */
export function manifest(programme: Programme, target: number, live: LiveManifest | undefined): string {
  const { stretches, isOver } = programme
  const { peak } = ratesOf(stretches, target * 1_000)
  const starts = live === undefined ? undefined : startsOf(stretches, live.from)
  const endMs = stretches.reduce((end, stretch, index) => (starts?.[index] ?? end) + lengthOf(stretch), 0)
  const attributes = {
    xmlns: 'urn:mpeg:dash:schema:mpd:2011',
    profiles: 'urn:mpeg:dash:profile:isoff-live:2011',
    minBufferTime: secondsOf(target * 1_000),
    maxSegmentDuration: secondsOf(target * 1_000),
    ...(live && !isOver
      ? {
          type: 'dynamic',
          availabilityStartTime: new Date(live.from).toISOString(),
          publishTime: new Date(live.now).toISOString(),
          minimumUpdatePeriod: `PT${eachS}S`,
          timeShiftBufferDepth: secondsOf(live.windowMs),
          suggestedPresentationDelay: secondsOf(3 * target * 1_000),
        }
      : { type: 'static', mediaPresentationDuration: secondsOf(endMs) }),
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<MPD${attributesOf(attributes)}>`,
    ...stretches.map((stretch, index) => periodOf(stretch, peak, starts?.[index])),
    ...(live && !isOver
      ? [`  <UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="${new Date(live.now).toISOString()}"/>`]
      : []),
    '</MPD>\n',
  ].join('\n')
}

/** Where each period begins: at its time, and never before the end of the one before it, though the camera's clock stepped back. */
function startsOf(stretches: readonly Stretch[], from: number): readonly number[] {
  let end = 0
  return stretches.map((stretch) => {
    const start = Math.max(end, (stretch.fragments[0]?.at ?? from) - from)
    end = start + lengthOf(stretch)
    return start
  })
}

const lengthOf = ({ fragments }: Stretch): number => fragments.reduce((sum, { durationMs }) => sum + durationMs, 0)

function periodOf(stretch: Stretch, peak: number, start: number | undefined): string {
  const { recording, codecs, fragments } = stretch
  const [first] = fragments
  const id = `${recording}-${first?.number ?? 0}`
  const time = start === undefined ? { duration: secondsOf(lengthOf(stretch)) } : { start: secondsOf(start) }
  const [video = '', ...sound] = codecs === '' ? [] : codecs.split(',')
  return [
    `  <Period${attributesOf({ id, ...time })}>`,
    setOf('video', video, peak, stretch),
    ...(sound[0] === undefined ? [] : [setOf('audio', sound[0], soundRate, stretch)]),
    '  </Period>',
  ].join('\n')
}

function setOf(track: Track, codec: string, bandwidth: number, { recording, fragments, past }: Stretch): string {
  const folder = `${recording}/$RepresentationID$`
  const template = {
    timescale: '1000',
    initialization: `${folder}/init.mp4`,
    media: `${folder}/$Number$.m4s`,
    startNumber: `${fragments[past]?.number ?? 0}`,
    presentationTimeOffset: `${(fragments[0]?.at ?? recording) - recording}`,
  }
  const set = { contentType: track, mimeType: `${track}/mp4`, segmentAlignment: 'true', startWithSAP: '1' }
  return [
    `    <AdaptationSet${attributesOf(set)}>`,
    `      <SegmentTemplate${attributesOf(template)}>`,
    '        <SegmentTimeline>',
    ...fragments.slice(past).map(({ at, durationMs }) => `          <S t="${at - recording}" d="${durationMs}"/>`),
    '        </SegmentTimeline>',
    '      </SegmentTemplate>',
    `      <Representation${attributesOf({ id: track, bandwidth: `${bandwidth}`, ...(codec !== '' && { codecs: codec }) })}/>`,
    '    </AdaptationSet>',
  ].join('\n')
}

/** None of the values needs escaping: numbers, times, names of ours and of codecs (RFC 6381). */
const attributesOf = (attributes: Readonly<Record<string, string>>): string =>
  Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${value}"`)
    .join('')

/** `xs:duration`. */
const secondsOf = (ms: number): string => `PT${(ms / 1_000).toFixed(3)}S`
