/** What happened, in the reader's words: the address that keeps a filter, days of a calendar, and whether anybody answered. */
import { expect, test } from '@jest/globals'
import {
  answerOf,
  beginOf,
  dayOf,
  headOf,
  nextDay,
  readFilter,
  renewed,
  spanOf,
  withoutClip,
  writeFilter,
  type ActivityFilter,
} from '../../src/console/activity.ts'
import type { SessionRow } from '../../src/console/api.ts'
import { hrefs, readRoute } from '../../src/console/route.ts'
import type { ActivityEntry } from '../../src/core/wire/api.ts'

const hourMs = 3_600_000

test('a filter is kept in the address, whatever is in it', () => {
  const filters: readonly ActivityFilter[] = [
    {},
    { cameraId: 'front-door' },
    { cameraId: 'a&b=c ?#/ü', kind: 'press', day: '2026-11-28' },
    { kind: 'recorded' },
  ]
  for (const filter of filters) {
    expect(readFilter(writeFilter(filter).slice(1))).toEqual(filter)
    expect(readRoute(hrefs.activity(filter))).toEqual({ screen: 'activity', filter })
  }
  expect(readFilter('kind=sound&day=2026-02-30&camera=&more=1')).toEqual({})
})

test('a day is from midnight to midnight, also where the clocks change', () => {
  for (const day of ['2026-11-28', '2026-03-29', '2026-10-25', '2024-02-29', '2026-12-31']) {
    const { from, to } = spanOf(day)!
    expect([dayOf(from), dayOf(from - 1), dayOf(to - 1), dayOf(to)]).toEqual([
      day,
      nextDay(day, -1),
      day,
      nextDay(day, 1),
    ])
  }
  expect(nextDay('2026-12-31', 1)).toBe('2027-01-01')
  for (const day of ['', '2026-13-01', '2026-02-29', '28.11.2026', '2026-1-1']) expect(spanOf(day)).toBeUndefined()
})

const entry = (at: number, ...events: ActivityEntry['events'][number][]): ActivityEntry => ({
  cameraId: 'front-door',
  at,
  events,
  recording: { id: at, from: at, to: at + 20_000, isOpen: false, bytes: 1 },
})

test('a press tells more than a person, and a person more than motion', () => {
  const [motion, person, press] = [
    { kind: 'motion', at: 1 },
    { kind: 'person', at: 2 },
    { kind: 'press', at: 3 },
  ] as const
  expect(headOf(entry(1, motion, person, press))).toEqual(press)
  expect(headOf(entry(1, motion, person))).toEqual(person)
  expect(headOf(entry(1, motion))).toEqual(motion)
  expect(headOf(entry(7))).toEqual({ kind: 'recorded', at: 7 })
})

test('what was recorded is looked at from shortly before its event on, and never from outside of it', () => {
  const at = 1_000_000
  const withPress = (pressAt: number) => beginOf(entry(at, { kind: 'motion', at }, { kind: 'press', at: pressAt }))
  expect(withPress(at + 12_000)).toBe(at + 7_000)
  expect(withPress(at + 2_000)).toBe(at)
  // The camera was not recorded yet, or not any more.
  expect(withPress(at - 9_000)).toBe(at)
  expect(withPress(at + 60_000)).toBe(at + 15_000)
  expect(beginOf(entry(at))).toBe(at)
  const { recording: _recording, ...rest } = entry(at, { kind: 'press', at })
  expect(beginOf(rest)).toBeUndefined()
})

test('whether anybody answered is said where it can be known', () => {
  const press = { cameraId: 'front-door', at: 1_000_000_000 }
  const owner = { since: 0, now: press.at + hourMs, isOwner: true }
  const session = (more: Partial<SessionRow>) =>
    ({ cameraId: 'front-door', startedAt: press.at + 10_000, phase: 'closed', ...more }) as SessionRow
  const said = (more: Partial<SessionRow>) => answerOf(press, [session(more)], owner)
  expect(said({ heard: { packets: 3 } })).toBe('answered')
  expect(said({})).toBe('seen')
  expect(said({ phase: 'connected', heard: { packets: 0 } })).toBe('seen')
  expect(said({ phase: 'offered' })).toBe('nobody')
  expect(said({ cause: { code: 'camera_offline', message: '', advice: '' } })).toBe('nobody')
  expect(said({ cameraId: 'yard' })).toBe('nobody')
  expect(said({ startedAt: press.at - 1 })).toBe('nobody')
  expect(said({ startedAt: press.at + hourMs / 2 })).toBe('nobody')
  expect(answerOf(press, [], { ...owner, now: press.at + 30_000 })).toBeUndefined()
  // What was before the oldest session that the page has may have been answered.
  expect(answerOf(press, [], { ...owner, since: press.at + 1 })).toBeUndefined()
  expect(answerOf(press, [], { ...owner, isOwner: false })).toBeUndefined()
  // Who looks at what was recorded of the visit did not come to the door.
  expect(said({ recording: { from: press.at } })).toBe('nobody')
  // What was kept with the press holds when the sessions are gone.
  const longAgo = { ...owner, now: press.at + 29 * 24 * hourMs, since: press.at + hourMs }
  for (const answer of ['answered', 'seen', 'nobody'] as const)
    expect(answerOf({ ...press, answer }, [], longAgo)).toBe(answer)
  // And what came since it was asked for is more than what was kept then.
  expect(answerOf({ ...press, answer: 'nobody' }, [session({})], owner)).toBe('seen')
  expect(answerOf({ ...press, answer: 'nobody' }, [], { ...owner, now: press.at + 30_000 })).toBeUndefined()
})

const ats = ({ entries }: { readonly entries: readonly ActivityEntry[] }) => entries.map(({ at }) => at)

test('what is new is put before what was shown, and nothing stands twice', () => {
  const shown = { entries: [entry(50), entry(40), entry(30), entry(20)], next: 20 }
  const grown = renewed(shown, { entries: [entry(60), entry(50), entry(40)], next: 40 })
  expect([ats(grown), grown.next]).toEqual([[60, 50, 40, 30, 20], 20])
  const whole = renewed(shown, { entries: [entry(60)] })
  expect([ats(whole), whole.next]).toEqual([[60], undefined])
  const first = renewed({ entries: [entry(50)], next: 50 }, { entries: [entry(60), entry(50)], next: 50 })
  expect([ats(first), first.next]).toEqual([[60, 50], 50])
})

test('without its recording what happened stays, and what was only recorded goes', () => {
  const press = { kind: 'press', at: 1 } as const
  const left = withoutClip([entry(3, press), entry(2)], 'front-door', 3)
  expect(left.map(({ at, recording }) => [at, recording?.id])).toEqual([
    [3, undefined],
    [2, 2],
  ])
  expect(withoutClip(left, 'front-door', 2).map(({ at }) => at)).toEqual([3])
  expect(withoutClip(left, 'yard', 2)).toEqual(left)
})
