/** How views went, counted by day. */
import { expect, test } from '@jest/globals'
import { unconfirmed, type SessionView } from '../../src/bridge/broker/view.ts'
import { createFigures } from '../../src/bridge/web/figures.ts'
import { accountId, cameraId, sessionId } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { figures as figuresSchema } from '../../src/core/wire/api.ts'

const dayMs = 24 * 3_600_000
const [anna, bob] = [accountId('anna'), accountId('bob')]
const noon = Date.parse('2026-11-28T12:00:00Z')
const cause = { code: 'camera_silent', message: '', advice: '' } as const

const viewOf = (startedAt: number, more: Partial<SessionView> = {}, pictureMs?: number): SessionView => ({
  id: sessionId('s'),
  assistant: 'alexa',
  cameraId: cameraId('front-door'),
  reference: 'r',
  phase: 'closed',
  startedAt,
  mayTalk: false,
  timeline: [
    { step: 'offer-received', at: startedAt },
    ...(pictureMs === undefined ? [] : [{ step: 'camera-connected', at: startedAt + pictureMs }]),
  ],
  ...more,
})

function house() {
  let now = noon
  const lines: string[] = []
  const store = createSqliteStore(':memory:', () => now)
  const figures = createFigures({ store, clock: () => now, log: (_level, event) => void lines.push(event) })
  return { figures, store, lines, setNow: (at: number) => (now = at) }
}

test('views are counted by day, assistant and outcome, those that go on not yet', async () => {
  const { figures } = house()
  figures.note(viewOf(noon - dayMs), anna)
  figures.note(viewOf(noon), anna)
  figures.note(viewOf(noon, { cause }), anna)
  figures.note(viewOf(noon, { hint: unconfirmed }), anna)
  figures.note(viewOf(noon, { assistant: 'google' }), anna)
  figures.note(viewOf(noon, { phase: 'connected' }), anna)
  figures.note(viewOf(noon), bob)
  await figures.settled()
  const told = await figures.of(anna)
  expect(figuresSchema.parse(told)).toEqual({
    days: [
      { day: '2026-11-27', assistant: 'alexa', fine: 1, unconfirmed: 0, failed: 0 },
      { day: '2026-11-28', assistant: 'alexa', fine: 1, unconfirmed: 1, failed: 1 },
      { day: '2026-11-28', assistant: 'google', fine: 1, unconfirmed: 0, failed: 0 },
    ],
    pictures: [],
  })
})

test('waits for the picture come back within three percent, over all days', async () => {
  const { figures } = house()
  for (let at = 1; at <= 100; at++) figures.note(viewOf(noon - (at % 3) * dayMs, {}, at * 10), anna)
  await figures.settled()
  const [picture] = (await figures.of(anna)).pictures
  expect(picture).toMatchObject({ assistant: 'alexa', views: 100 })
  expect(Math.abs(picture!.p50Ms / 500 - 1)).toBeLessThan(0.03)
  expect(Math.abs(picture!.p95Ms / 950 - 1)).toBeLessThan(0.03)
})

test('a picture that was there at once counts, and so does one that took a day', async () => {
  const { figures } = house()
  figures.note(viewOf(noon, {}, 0), anna)
  figures.note(viewOf(noon, {}, dayMs), anna)
  await figures.settled()
  const [picture] = (await figures.of(anna)).pictures
  expect(picture).toMatchObject({ views: 2, p50Ms: 1 })
  expect(Math.abs(picture!.p95Ms / dayMs - 1)).toBeLessThan(0.03)
})

test('of thirty days, and not of one more', async () => {
  const { figures, setNow } = house()
  figures.note(viewOf(noon), anna)
  await figures.settled()
  setNow(noon + 29 * dayMs)
  expect((await figures.of(anna)).days).toHaveLength(1)
  setNow(noon + 30 * dayMs)
  expect((await figures.of(anna)).days).toHaveLength(0)
})

test('a store that fails costs a figure and a line of the log, nothing else', async () => {
  const { figures, store, lines } = house()
  await store.close()
  figures.note(viewOf(noon), anna)
  await figures.settled()
  expect(lines).toEqual(['web.figures-lost'])
})
