/** The list of sessions: what the address says of it, and what becomes of it while it is looked at. */
import { expect, test } from '@jest/globals'
import { dayOf, spanOf } from '../../src/console/activity.ts'
import type { SessionRow } from '../../src/console/api.ts'
import { byDayOf, successOf } from '../../src/console/figures.ts'
import { hrefs, readRoute } from '../../src/console/route.ts'
import {
  queryOf,
  readSessionFilter,
  renewedSessions,
  withChange,
  writeSessionFilter,
  type SessionFilter,
} from '../../src/console/sessions.ts'

const row = (id: string, startedAt: number, more: Partial<SessionRow> = {}): SessionRow => ({
  id,
  assistant: 'alexa',
  cameraId: 'front-door',
  reference: id,
  phase: 'closed',
  startedAt,
  mayTalk: false,
  ...more,
})
const ids = (rows: readonly SessionRow[]) => rows.map(({ id }) => id).join(' ')
const day = (date: string, fine: number, unconfirmed: number, failed: number) =>
  ({ day: date, assistant: 'alexa', fine, unconfirmed, failed }) as const
const cause = { code: 'camera_silent', message: '', advice: '' } as const

test('filter and place are kept in the address, whatever is in them', () => {
  const filters: readonly SessionFilter[] = [
    {},
    { assistant: 'console', outcome: 'failed', day: '2026-11-28' },
    { cameraId: 'a&b=c ?#/ü', find: 'offline + 100 %' },
  ]
  for (const filter of filters) {
    expect(readSessionFilter(writeSessionFilter(filter))).toEqual(filter)
    expect(readRoute(hrefs.sessionsOf(filter, 17))).toEqual({ screen: 'sessions', filter, at: 17 })
    expect(readRoute(hrefs.sessionsOf(filter))).toEqual({ screen: 'sessions', filter })
    expect(readRoute(hrefs.sessionFrom('s/1', filter))).toEqual({ screen: 'session', sessionId: 's/1', filter })
  }
  expect(readSessionFilter('assistant=siri&outcome=great&day=2026-02-30&camera=&find=&more=1')).toEqual({})
  expect(readRoute('#/sessions?at=-3')).toEqual({ screen: 'sessions', filter: {} })
})

test('the bridge is asked for a day from midnight to midnight, and for no words', () => {
  const day = '2026-03-29'
  const asked = new URLSearchParams(queryOf({ day, find: 'words', cameraId: 'a b' }, { limit: 50, after: 'x' }))
  const { from, to } = spanOf(day)!
  expect(Object.fromEntries(asked)).toEqual({ camera: 'a b', from: `${from}`, to: `${to}`, limit: '50', after: 'x' })
})

test('a session that is new or changes takes its place, and leaves where it does not fit any more', () => {
  const list = { sessions: [row('c', 30), row('a', 10)] }
  const part = { ...list, next: 'after-a' }
  const after = (change: SessionRow, filter: SessionFilter = {}) => ids(withChange(list, change, filter).sessions)
  expect(after(row('b', 20))).toBe('c b a')
  expect(after(row('d', 40))).toBe('d c a')
  expect(ids(withChange({ sessions: [] }, row('d', 40), {}).sessions)).toBe('d')
  expect(after(row('z', 5))).toBe('c a z')
  // What is older than all that was fetched comes with its page.
  expect(withChange(part, row('z', 5), {})).toEqual(part)
  expect(withChange(list, row('a', 10, { cause }), {}).sessions[1]).toMatchObject({ cause })
  expect(after(row('a', 40))).toBe('a c')
  expect(after(row('a', 10, { cause }), { outcome: 'fine' })).toBe('c')
  expect(after(row('g', 40, { assistant: 'google' }), { assistant: 'alexa' })).toBe('c a')
  expect(after(row('d', 40), { day: dayOf(40) })).toBe('d c a')
  expect(after(row('d', 40), { day: '2026-11-28' })).toBe('c a')
})

test('the first page again keeps what was fetched beyond it, each once', () => {
  const before = { sessions: [row('c', 30), row('b', 20), row('a', 10)], next: 'after-a' }
  const grown = renewedSessions(before, { sessions: [row('d', 40), row('c', 30)], next: 'after-c' })
  expect([ids(grown.sessions), grown.next]).toEqual(['d c b a', 'after-a'])
  const whole = renewedSessions(before, { sessions: [row('d', 40)] })
  expect([ids(whole.sessions), whole.next]).toEqual(['d', undefined])
})

test('success is the share of what is known; days without a view have their place, too', () => {
  expect(successOf([day('2026-11-28', 3, 5, 1)])).toBe(0.75)
  expect(successOf([day('2026-11-28', 0, 5, 0)])).toBeUndefined()
  const days = byDayOf(
    [day('2026-11-28', 1, 2, 3), day('2026-11-28', 1, 0, 0), day('2026-10-30', 1, 0, 0)],
    Date.parse('2026-11-28T23:59:00Z'),
  )
  expect(days).toHaveLength(30)
  expect(days.at(-1)).toEqual({ at: Date.parse('2026-11-28T12:00:00Z'), fine: 2, unconfirmed: 2, failed: 3 })
  expect(days[0]).toEqual({ at: Date.parse('2026-10-30T12:00:00Z'), fine: 1, unconfirmed: 0, failed: 0 })
})
