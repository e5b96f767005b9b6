/** The figures for Prometheus: what is counted, once each, and that docs, dashboard and alerts name what there is. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { SessionView } from '../../src/bridge/broker/view.ts'
import { cameraId, sessionId } from '../../src/core/ports.ts'
import { version } from '../../src/core/version.ts'
import { createMetrics, type Metrics } from '../../src/transom/metrics.ts'
import { createJournal, noon } from '../alexa/world.ts'

const docs = join(import.meta.dirname, '..', '..', 'docs')
const open = (): Metrics => createMetrics(() => noon)

/** The value of one series as Prometheus would read it. */
async function valueOf(metrics: Metrics, series: string): Promise<number | undefined> {
  const { text } = await metrics.read()
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

const view: SessionView = {
  id: sessionId('s1'),
  assistant: 'alexa',
  cameraId: cameraId('front-door'),
  reference: 'r',
  phase: 'offered',
  startedAt: noon,
  timeline: [{ step: 'offer-received', at: noon }],
  mayTalk: false,
}
const answered: SessionView = { ...view, phase: 'answered', answerMs: 240 }
const connected: SessionView = {
  ...answered,
  phase: 'connected',
  timeline: [...view.timeline, { step: 'camera-connected', at: noon + 400 }],
}
const cause = { code: 'media_failed', message: 'm', advice: 'a' } as const

describe('a session', () => {
  test('is counted once in each figure, however often it is told', async () => {
    const metrics = open()
    for (const one of [view, answered, answered, connected, connected]) metrics.session(one)
    expect(await valueOf(metrics, 'transom_sessions_total{assistant="alexa",cause="ok"}')).toBeUndefined()
    for (let times = 0; times < 3; times++) metrics.session({ ...connected, phase: 'closed' })
    expect(await valueOf(metrics, 'transom_offers_total{assistant="alexa"}')).toBe(1)
    expect(await valueOf(metrics, 'transom_sessions_total{assistant="alexa",cause="ok"}')).toBe(1)
    expect(await valueOf(metrics, 'transom_answer_seconds_sum{assistant="alexa"}')).toBe(0.24)
    expect(await valueOf(metrics, 'transom_answer_seconds_count{assistant="alexa"}')).toBe(1)
    expect(await valueOf(metrics, 'transom_picture_seconds_sum{assistant="alexa"}')).toBe(0.4)
    expect(await valueOf(metrics, 'transom_picture_seconds_count{assistant="alexa"}')).toBe(1)
  })

  test('counts under its first cause, also when it is closed later', async () => {
    const metrics = open()
    metrics.session({ ...answered, cause })
    metrics.session({ ...answered, cause, phase: 'closed' })
    expect(await valueOf(metrics, 'transom_sessions_total{assistant="alexa",cause="media_failed"}')).toBe(1)
    expect(await valueOf(metrics, 'transom_sessions_total{assistant="alexa",cause="ok"}')).toBeUndefined()
  })

  test('of which nobody reports whether it was seen is neither a success nor a failure', async () => {
    const metrics = open()
    const hint = { code: 'unconfirmed', message: 'm', advice: 'a' } as unknown as NonNullable<SessionView['hint']>
    metrics.session({ ...answered, assistant: 'google', phase: 'closed', hint })
    expect(await valueOf(metrics, 'transom_sessions_total{assistant="google",cause="unconfirmed"}')).toBe(1)
  })

  test('counts again when its display uses the reference for a new attempt', async () => {
    const metrics = open()
    metrics.session(view)
    metrics.session({ ...view, startedAt: noon + 5 })
    expect(await valueOf(metrics, 'transom_offers_total{assistant="alexa"}')).toBe(2)
  })

  test('of an earlier process is not counted', async () => {
    const metrics = open()
    metrics.session({ ...connected, startedAt: noon - 1, phase: 'closed' })
    expect(await valueOf(metrics, 'transom_offers_total{assistant="alexa"}')).toBeUndefined()
    expect(await valueOf(metrics, 'transom_sessions_total{assistant="alexa",cause="ok"}')).toBeUndefined()
  })

  test('is remembered only as long as memory allows', async () => {
    const metrics = open()
    for (let index = 0; index <= 10_000; index++) metrics.session({ ...view, id: sessionId(`s${index}`) })
    metrics.session({ ...view, id: sessionId('s10000') })
    expect(await valueOf(metrics, 'transom_offers_total{assistant="alexa"}')).toBe(10_001)
    metrics.session({ ...view, id: sessionId('s0') })
    expect(await valueOf(metrics, 'transom_offers_total{assistant="alexa"}')).toBe(10_002)
  })
})

describe('a line of the log', () => {
  const event = { id: 'e', destination: 'alexa', lane: 'press', cameraId: 'front-door', attempts: 1 }

  test('is counted and passed on unchanged', async () => {
    const metrics = open()
    const { lines, log } = createJournal()
    metrics.counted(log)('info', 'outbox.delivered', { ...event, ms: 150 })
    expect(lines).toMatchObject([{ event: 'outbox.delivered' }])
    const delivered = 'transom_outbox_events_total{destination="alexa",lane="press",outcome="delivered"}'
    expect(await valueOf(metrics, delivered)).toBe(1)
    expect(await valueOf(metrics, 'transom_press_announced_seconds_sum{destination="alexa"}')).toBe(0.15)
  })

  test.each([
    ['outbox.dropped', 'dropped'],
    ['outbox.stale', 'stale'],
    ['outbox.retry', 'retry'],
  ] as const)('%s is an event that was %s', async (name, outcome) => {
    const metrics = open()
    metrics.counted(() => {})('warn', name, { ...event, lane: 'report' })
    const series = `transom_outbox_events_total{destination="alexa",lane="report",outcome="${outcome}"}`
    expect(await valueOf(metrics, series)).toBe(1)
    expect(await valueOf(metrics, 'transom_press_announced_seconds_count{destination="alexa"}')).toBeUndefined()
  })

  test('a press counts when it is new, with its delay, which is never less than none', async () => {
    const metrics = open()
    const log = metrics.counted(() => {})
    const press = { cameraId: 'front-door', eventId: '1', isNew: true, isFresh: true, delayMs: -40 }
    log('info', 'cameras.press', press)
    log('info', 'cameras.press', { ...press, isNew: false })
    log('info', 'cameras.press', { ...press, isFresh: false, delayMs: 60_000 })
    expect(await valueOf(metrics, 'transom_presses_total{fresh="true"}')).toBe(1)
    expect(await valueOf(metrics, 'transom_presses_total{fresh="false"}')).toBe(1)
    expect(await valueOf(metrics, 'transom_press_delay_seconds_sum')).toBe(60)
  })

  test.each(['outbox.store-failed', 'health.store-failed', 'broker.session-not-saved'] as const)(
    '%s is a failure of the store',
    async (name) => {
      const metrics = open()
      metrics.counted(() => {})('error', name)
      expect(await valueOf(metrics, 'transom_store_failures_total')).toBe(1)
    },
  )
})

test('what has a state is read at each look', async () => {
  const metrics = open()
  let isOnline = true
  metrics.watch({
    cameras: async () => [
      undefined,
      { online: isOnline, sinceAt: 0 },
      { online: false, sinceAt: 0, fault: { code: 'source_password', message: 'm' } },
    ],
    waiting: () => ({ press: 1, report: 7 }),
    counts: () => ({ negotiating: 2, viewers: 3, signalingSockets: 4 }),
    databasePath: import.meta.filename,
  })
  expect(await valueOf(metrics, 'transom_cameras{state="online",cause=""}')).toBe(1)
  isOnline = false
  expect(await valueOf(metrics, 'transom_cameras{state="online",cause=""}')).toBe(0)
  expect(await valueOf(metrics, 'transom_cameras{state="offline",cause=""}')).toBe(1)
  expect(await valueOf(metrics, 'transom_cameras{state="offline",cause="source_password"}')).toBe(1)
  expect(await valueOf(metrics, 'transom_cameras{state="unknown",cause=""}')).toBe(1)
  expect(await valueOf(metrics, 'transom_outbox_waiting{lane="report"}')).toBe(7)
  expect(await valueOf(metrics, 'transom_offers_waiting')).toBe(2)
  expect(await valueOf(metrics, 'transom_viewers')).toBe(3)
  expect(await valueOf(metrics, 'transom_signaling_sockets')).toBe(4)
  expect(await valueOf(metrics, 'transom_store_bytes')).toBeGreaterThan(1_000)
  expect(await valueOf(metrics, 'transom_store_free_bytes')).toBeGreaterThan(0)
  expect(await valueOf(metrics, `transom_info{version="${version}"}`)).toBe(1)
})

const named = (file: string): ReadonlySet<string> =>
  new Set(
    [...readFileSync(join(docs, file), 'utf8').matchAll(/\btransom_\w+/g)].map(([name]) =>
      name.replace(/(?<=_seconds)_(bucket|sum|count)$/, ''),
    ),
  )

async function known(): Promise<readonly string[]> {
  const metrics = open()
  metrics.watch({
    cameras: async () => [],
    waiting: () => ({ press: 0, report: 0 }),
    counts: () => ({ negotiating: 0, viewers: 0, signalingSockets: 0 }),
    databasePath: import.meta.filename,
  })
  const { text } = await metrics.read()
  return [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name = '']) => name)
}

describe('the names of the metrics', () => {
  test('begin with transom_, and each of ours is in docs/operating.md', async () => {
    const names = await known()
    expect(names.filter((name) => !name.startsWith('transom_'))).toEqual([])
    const documented = named('operating.md')
    const ours = names.filter((name) => !/^transom_(process|nodejs)_/.test(name))
    expect(ours.length).toBeGreaterThan(15)
    expect(ours.filter((name) => !documented.has(name))).toEqual([])
  })

  test.each(['operating.md', 'monitoring/grafana.json', 'monitoring/alerts.yml'])(
    '%s names none that is not there',
    async (file) => {
      const names = new Set(await known())
      const found = [...named(file)].filter((name) => !/^transom_(process|nodejs)_$/.test(name))
      expect(found.length).toBeGreaterThan(5)
      expect(found.filter((name) => !names.has(name))).toEqual([])
    },
  )

  test('the dashboard is JSON, and each of its panels asks for something', () => {
    const dashboard: { readonly panels: readonly { readonly id: number; readonly targets: readonly unknown[] }[] } =
      JSON.parse(readFileSync(join(docs, 'monitoring/grafana.json'), 'utf8'))
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    expect(dashboard.panels.every(({ targets }) => targets.length > 0)).toBe(true)
  })
})
