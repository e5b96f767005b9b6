/** The story of a view: several clocks, one axis. */
import { describe, expect, test } from '@jest/globals'
import { en } from '../../src/console/language/en.ts'
import { createFormats } from '../../src/console/language/formats.ts'
import { alignClocks, labelOf, rowsOf, storyOf, summaryOf } from '../../src/console/timeline.ts'

const bridge = [
  { step: 'offer-received', at: 1_000 },
  { step: 'answer-sent', at: 1_100 },
]
const display = [
  { step: 'offer-posted', at: 990 },
  { step: 'answer-received', at: 1_130 },
  { step: 'first-frame', at: 1_400 },
]
const later = (ms: number) => display.map((step) => ({ ...step, at: step.at + ms }))

describe('clocks', () => {
  test('that agree are left alone', () => {
    expect(alignClocks(display, bridge)).toEqual(display)
  })

  test.each([3_600_000, -5_000, 60, -40])('that differ by %i ms are laid middle on middle', (ms) => {
    expect(alignClocks(later(ms), bridge)).toEqual(later(-10))
  })

  test.each([
    ['without an answer', display.slice(0, 1), bridge],
    ['without the bridge’s word', later(5_000), []],
  ])('%s nothing is known, and nothing is moved', (_name, told, by) => {
    expect(alignClocks(told, by)).toEqual(told)
  })
})

describe('rows', () => {
  const rows = rowsOf(storyOf({ bridge, display, cloud: [{ step: 'account linked', at: 900 }] }), en.story)

  test('are in the order of what happened, whoever tells it', () => {
    expect(rows.map(({ label, teller, atMs, tookMs }) => [label, teller, atMs, tookMs])).toEqual([
      ['Account linked', 'cloud', 0, 0],
      ['Offer sent', 'display', 90, 90],
      ['Offer received', 'bridge', 100, 10],
      ['Answer sent', 'bridge', 200, 100],
      ['Answer received', 'display', 230, 30],
      ['First frame shown', 'display', 500, 270],
    ])
  })

  test('fill the axis, each beginning where the one before ends', () => {
    for (const [index, { from, size }] of rows.entries()) {
      expect(from + size).toBeCloseTo(rows[index + 1]?.from ?? 1)
    }
  })

  test('of a long wait are cut, and say so, but tell its true length', () => {
    const [, , last] = rowsOf(storyOf({ bridge: [...bridge, { step: 'ended', at: 601_100 }] }), en.story)
    expect(last).toMatchObject({ isCut: true, tookMs: 600_000, atMs: 600_100 })
    expect(last!.from).toBeGreaterThan(0.05)
  })

  test('of nothing, and of one instant, are no division by zero', () => {
    expect(rowsOf([], en.story)).toEqual([])
    expect(rowsOf(storyOf({ bridge: bridge.slice(0, 1) }), en.story)[0]).toMatchObject({ from: 0, size: 0 })
  })
})

test('a step of a newer bridge is told in its own words', () => {
  expect(labelOf({ teller: 'bridge', step: 'camera-woken-up' }, en.story)).toBe('Camera woken up')
})

test.each([
  [[], {}, 'Nothing has happened yet'],
  [[{ step: 'view-asked', at: 0 }], {}, 'No picture yet: what has happened so far'],
  [
    [
      { step: 'view-asked', at: 1_000 },
      { step: 'first-frame', at: 1_460 },
    ],
    { route: 'direct', height: 720 } as const,
    'Picture after 0.5 s, direct, 720p',
  ],
  [
    [
      { step: 'view-asked', at: 1_000 },
      { step: 'first-frame', at: 3_000 },
    ],
    { route: 'relay' } as const,
    'Picture after 2.0 s, by a relay',
  ],
])('a view in one line: %j', (steps, link, line) => {
  expect(summaryOf(steps, link, en.story, createFormats('en', en))).toBe(line)
})
