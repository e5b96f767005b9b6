/** HLS and DASH as text: the rules of RFC 8216bis hold for any fragments, also while they come and a window slides over them. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { KeptFragment } from '../../src/core/ports.ts'
import { manifest } from '../../src/bridge/web/dash.ts'
import { mediaPlaylist, multivariantPlaylist, targetOf } from '../../src/bridge/web/hls.ts'
import { liveOf, ratesOf, wholeOf, type Stretch } from '../../src/bridge/web/stretches.ts'

const startAt = Date.UTC(2026, 9, 25, 0, 59, 50)

/** Of fragments of these durations, one after the other. */
function stretch(recording: number, durations: readonly number[], codecs = 'avc1.42e01f,opus', first = 1): Stretch {
  let at = recording
  const fragments = durations.map((durationMs, index): KeptFragment => {
    const one = { number: first + index, at, durationMs, bytes: durationMs * 250 }
    at += durationMs
    return one
  })
  return { recording, codecs, fragments, past: 0 }
}

interface Segment {
  readonly uri: string
  readonly seconds: number
  readonly sequence: number
  readonly discontinuity: number
  readonly at: number
  readonly map: string
}

/** Reads a media playlist as a client does, and refuses what RFC 8216bis section 4 does not allow. */
function read(text: string) {
  expect(text.startsWith('#EXTM3U\n')).toBe(true)
  const tag = (name: string) => new RegExp(`^#EXT-X-${name}:(.*)$`, 'm').exec(text)?.[1]
  const target = Number(tag('TARGETDURATION'))
  let sequence = Number(tag('MEDIA-SEQUENCE'))
  let discontinuity = Number(tag('DISCONTINUITY-SEQUENCE'))
  let at = NaN
  let seconds = NaN
  let map = ''
  const segments: Segment[] = []
  for (const line of text.split('\n')) {
    if (line === '#EXT-X-DISCONTINUITY') discontinuity += 1
    at = line.startsWith('#EXT-X-PROGRAM-DATE-TIME:') ? Date.parse(line.slice(line.indexOf(':') + 1)) : at
    map = /^#EXT-X-MAP:URI="(.*)"$/.exec(line)?.[1] ?? map
    seconds = Number(/^#EXTINF:([\d.]+),$/.exec(line)?.[1] ?? seconds)
    if (line === '' || line.startsWith('#')) continue
    segments.push({ uri: line, seconds, sequence, discontinuity, at, map })
    expect(Math.round(seconds)).toBeLessThanOrEqual(target)
    sequence += 1
    at += seconds * 1_000
  }
  return { target, segments, isOver: text.endsWith('#EXT-X-ENDLIST\n'), kind: tag('PLAYLIST-TYPE') }
}

const recorded = (stretches: readonly Stretch[]) => {
  const programme = wholeOf(stretches)
  return read(mediaPlaylist(programme, targetOf(programme), 'recorded'))
}

describe('HLS of what was recorded', () => {
  test('has each fragment once, in order, with its time', () => {
    const { segments, isOver, kind } = recorded([stretch(startAt, [4_000, 4_000, 2_066])])
    expect({ isOver, kind }).toEqual({ isOver: true, kind: 'VOD' })
    expect(segments.map(({ uri, seconds, at }) => [uri, seconds, at - startAt])).toEqual([
      [`${startAt}/all/1.m4s`, 4, 0],
      [`${startAt}/all/2.m4s`, 4, 4_000],
      [`${startAt}/all/3.m4s`, 2.066, 8_000],
    ])
  })

  test.each([
    ['a gap', stretch(startAt + 600_000, [2_000])],
    ['a change of the codecs', stretch(startAt + 4_000, [2_000], 'avc1.640028')],
    ['a part that is lost', stretch(startAt, [2_000], 'avc1.42e01f', 3)],
    ['a clock that was put back', stretch(startAt - 3_600_000, [2_000])],
  ])('after %s goes on with a discontinuity, an initialization segment and the time of its own', (_what, next) => {
    const { segments } = recorded([stretch(startAt, [4_000]), next])
    const at = next.fragments[0]!.at
    expect(segments[1]).toMatchObject({ discontinuity: 1, at, map: `${next.recording}/all/init.mp4` })
  })

  test('is true to the hour that comes twice when the clocks are put back', () => {
    // 25 October 2026, 03:00 in Berlin is 02:00 again.
    const { segments } = recorded([
      stretch(
        startAt,
        Array.from({ length: 5 }, () => 5_000),
      ),
    ])
    expect(segments.map(({ at }) => at)).toEqual([0, 1, 2, 3, 4].map((index) => startAt + index * 5_000))
  })

  test.each([
    [[4_000, 4_499], 4],
    [[4_000, 4_500], 5],
    [[66], 1],
  ])('of fragments of %j ms has the target duration %i', (durations, target) => {
    expect(recorded([stretch(startAt, durations)]).target).toBe(target)
  })

  test('names every codec, and rates that no half target duration is above', () => {
    const stretches = [stretch(startAt, [4_000, 66]), stretch(startAt + 10_000, [4_000], 'avc1.640028,opus')]
    const text = multivariantPlaylist(wholeOf(stretches), 4, 'media.m3u8')
    expect(text).toContain('BANDWIDTH=2000000,AVERAGE-BANDWIDTH=2000000,CODECS="avc1.42e01f,opus,avc1.640028"')
    expect(text.trimEnd().split('\n').at(-1)).toBe('media.m3u8')
  })

  test('a short fragment of many octets does not make the rate', () => {
    const short: KeptFragment = { number: 2, at: startAt + 4_000, durationMs: 10, bytes: 100_000 }
    const one = stretch(startAt, [4_000])
    const { peak } = ratesOf([{ ...one, fragments: [...one.fragments, short] }], 4_000)
    expect(peak).toBe(Math.ceil((1_100_000 * 8_000) / 4_010))
  })
})

const rules = { windowMs: 60_000, longestMs: 6_499, isOpen: true, now: startAt }

describe('HLS of what is recorded now', () => {
  test('ends where a fragment is longer than it said at first', () => {
    const { stretches, isOver } = liveOf([stretch(startAt, [4_000, 7_000, 4_000])], rules)
    expect(stretches.map(({ fragments }) => fragments.length)).toEqual([1])
    expect(isOver).toBe(true)
  })

  test('ends at a gap that looks like its end, whenever it is asked', () => {
    const [first, second] = [stretch(startAt, [4_000]), stretch(startAt + 60_000, [4_000])]
    const closed = { ...rules, isOpen: false }
    expect(liveOf([first], { ...closed, now: startAt + 34_000 }).isOver).toBe(false)
    expect(liveOf([first], { ...closed, now: startAt + 34_001 }).isOver).toBe(true)
    expect(liveOf([first, second], { ...rules, now: startAt + 65_000 })).toMatchObject({
      isOver: true,
      stretches: [{ recording: startAt }],
    })
  })

  test('keeps the number and the discontinuity of every segment while its window slides, and takes none back', () => {
    const recordings = fc.array(fc.array(fc.integer({ min: 66, max: 6_499 }), { minLength: 1, maxLength: 30 }), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(
        recordings,
        fc.array(fc.integer({ min: 0, max: 29_999 }), { minLength: 6, maxLength: 6 }),
        (all, gaps) => {
          let from = startAt
          const stretches = all.map((durations, index) => {
            const one = stretch(from, durations)
            from += durations.reduce((sum, ms) => sum + ms, 0) + 1 + gaps[index]!
            return one
          })
          const known = new Map<string, Segment>()
          let before = 0
          // As they come, one fragment after the other.
          for (const [index, one] of stretches.entries())
            for (let count = 1; count <= one.fragments.length; count += 1) {
              const so = [...stretches.slice(0, index), { ...one, fragments: one.fragments.slice(0, count) }]
              const { segments, target, isOver, kind } = read(mediaPlaylist(liveOf(so, rules), 6, 'live'))
              expect({ target, isOver, kind }).toEqual({ target: 6, isOver: false, kind: undefined })
              for (const segment of segments) {
                const same = known.get(segment.uri) ?? segment
                expect(segment).toEqual({ ...same, at: expect.closeTo(same.at, 3) })
                known.set(segment.uri, segment)
              }
              const first = segments[0]!.sequence
              expect(first).toBeGreaterThanOrEqual(before)
              before = first
            }
          const sequences = [...known.values()].map(({ sequence }) => sequence)
          expect(sequences).toEqual(sequences.map((_, index) => index))
        },
      ),
      { numRuns: 30 },
    )
  })
})

const periods = (text: string) =>
  [...text.matchAll(/<Period id="([^"]*)" (\w+)="PT([\d.]+)S"/g)].map((one) => one.slice(1))

describe('DASH', () => {
  test('of what was recorded has a period for each stretch, without the time between them', () => {
    const text = manifest(
      wholeOf([stretch(startAt, [4_000, 2_000]), stretch(startAt + 60_000, [4_000], 'avc1.640028')]),
      4,
      undefined,
    )
    expect(text).toContain('type="static" mediaPresentationDuration="PT10.000S"')
    expect(periods(text)).toEqual([
      [`${startAt}-1`, 'duration', '6.000'],
      [`${startAt + 60_000}-1`, 'duration', '4.000'],
    ])
    expect(text.match(/contentType="audio"/g)).toHaveLength(1)
    expect(text.match(/<S /g)).toHaveLength(5)
  })

  test('of a part begins with the fragment that is wanted', () => {
    const one = stretch(startAt, [4_000, 4_000], 'avc1.42e01f')
    const text = manifest(wholeOf([{ ...one, fragments: one.fragments.slice(1) }]), 4, undefined)
    expect(text).toContain('startNumber="2" presentationTimeOffset="4000"')
    expect(text).toContain('<S t="4000" d="4000"/>')
  })

  test('of what is recorded now keeps a period where it was while the window slides', () => {
    const one = stretch(
      startAt,
      Array.from({ length: 30 }, () => 4_000),
    )
    const live = { from: startAt - 10_000, now: startAt + 120_000, windowMs: 60_000 }
    const text = manifest(liveOf([one], rules), 6, live)
    expect(text).toContain('type="dynamic"')
    expect(text).toContain('<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014"')
    expect(periods(text)).toEqual([[`${startAt}-1`, 'start', '10.000']])
    expect(text).toContain('startNumber="16" presentationTimeOffset="0"')
    expect(text.match(/<S t="60000"/g)).toHaveLength(2)
  })

  test('a clock that was put back moves no period before the end of another', () => {
    const both = [stretch(startAt, [4_000]), stretch(startAt + 1_000, [4_000])]
    const live = { from: startAt, now: startAt + 5_000, windowMs: 60_000 }
    expect(periods(manifest(liveOf(both, rules), 6, live)).map(([, , start]) => start)).toEqual(['0.000', '4.000'])
  })
})
