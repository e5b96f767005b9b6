/**
 * Figures for Prometheus. What the log already reports is counted from its lines, sessions from their records, and what has a
 * state is read when somebody asks. Names and labels are documented in docs/operating.md, and a test holds them to it.
 */
import { statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { SessionView } from 'transom-bridge/broker/view'
import type { LogEvent } from 'transom-core/log-events'
import { lineMetrics, samplesOf, type Sample } from 'transom-core/log-samples'
import type { ChannelPresence, Clock, Log } from 'transom-core/ports'
import { version } from 'transom-core/version'

/** What is read at each look. */
export interface MetricSources {
  /** Each registered camera. `undefined`: nobody can know whether it is connected. */
  cameras(): Promise<readonly (ChannelPresence | undefined)[]>
  /** Events that the assistants are still to be told. */
  waiting(): Readonly<Record<'press' | 'report', number>>
  /** Offers that wait for their answer, displays that the gateways of this bridge show a camera, WebSockets of signaling. */
  counts(): { readonly negotiating: number; readonly viewers: number; readonly signalingSockets: number }
  /** The file of the store. */
  readonly databasePath: string
}

/** The figures of one process. */
export interface Metrics {
  /** A log that counts each line and passes it on. */
  counted(log: Log): Log
  /** Counts what is new in a session; must be given each of its changes. */
  session(view: SessionView): void
  /** Reads these at each look from now on. */
  watch(sources: MetricSources): void
  /** In the text format of Prometheus, with its media type. */
  read(): Promise<{ readonly contentType: string; readonly text: string }>
}

/** An assistant gives up after 5 to 8 seconds. */
const viewSeconds = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8]
const pressSeconds = [0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 30]
/** So many sessions are remembered, lest one be counted twice. */
const mostSessions = 10_000

/** Makes the figures, all zero. Sessions that began before `clock` said now were counted by an earlier process, or not at all. */
export function createMetrics(clock: Clock): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const since = clock()
  collectDefaultMetrics({ register: registry, prefix: 'transom_' })
  new Gauge({
    name: 'transom_info',
    help: 'The version of Transom; always 1.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1)
  const session = countSessions(registers, since)
  const count = countLines(registers)
  return {
    counted: (log) => (level, event, fields) => {
      count(event, fields ?? {})
      log(level, event, fields)
    },
    session,
    watch: (sources) => watch(registers, sources),
    read: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}

/** Each session once in each figure, whatever is said of it later. */
function countSessions(registers: Registry[], since: number): (view: SessionView) => void {
  const offers = new Counter({
    name: 'transom_offers_total',
    help: 'Views that a display asked for.',
    labelNames: ['assistant'],
    registers,
  })
  const sessions = new Counter({
    name: 'transom_sessions_total',
    help: 'Views by their outcome: the cause, as soon as one is known; at their end, ok, or unconfirmed where nobody reports whether media flowed.',
    labelNames: ['assistant', 'cause'],
    registers,
  })
  const labelNames = ['assistant'] as const
  const answer = new Histogram({
    name: 'transom_answer_seconds',
    help: 'From the offer of a display to the answer.',
    labelNames,
    buckets: viewSeconds,
    registers,
  })
  const picture = new Histogram({
    name: 'transom_picture_seconds',
    help: 'From the offer of a display to the first report, its own or the camera’s, that media flows.',
    labelNames,
    buckets: viewSeconds,
    registers,
  })
  const seen = new Map<string, Set<string>>()

  /** True the first time only. A display may use its reference for a new attempt, which is another session. */
  function once({ id, startedAt }: SessionView, what: string): boolean {
    const key = `${id} ${startedAt}`
    const known = seen.get(key) ?? new Set()
    if (known.has(what)) return false
    seen.set(key, known.add(what))
    for (const [oldest] of seen) {
      if (seen.size <= mostSessions) break
      seen.delete(oldest)
    }
    return true
  }

  return (view) => {
    const { assistant, startedAt, answerMs, timeline, cause, hint, phase } = view
    if (startedAt < since) return
    if (once(view, 'offer')) offers.inc({ assistant })
    if (answerMs !== undefined && once(view, 'answer')) answer.observe({ assistant }, answerMs / 1_000)
    const connected = timeline.find(({ step }) => step === 'display-connected' || step === 'camera-connected')
    if (connected && once(view, 'picture')) picture.observe({ assistant }, (connected.at - startedAt) / 1_000)
    const isKnown = cause !== undefined || phase === 'closed'
    if (isKnown && once(view, 'outcome')) sessions.inc({ assistant, cause: cause?.code ?? hint?.code ?? 'ok' })
  }
}

/** By the names of the log's events. */
function countLines(registers: Registry[]): (event: LogEvent, fields: Readonly<Record<string, unknown>>) => void {
  const shared = <Name extends Sample['name']>(name: Name) => ({
    name,
    help: lineMetrics[name].help,
    labelNames: lineMetrics[name].labels,
    registers,
  })
  const total = (name: Sample['name']) => {
    const counter = new Counter<string>(shared(name))
    return ({ labels, value }: Sample) => counter.inc(labels, value)
  }
  const seconds = (name: Sample['name']) => {
    const histogram = new Histogram<string>({ ...shared(name), buckets: pressSeconds })
    return ({ labels, value }: Sample) => histogram.observe(labels, value)
  }
  const figures: Readonly<Record<Sample['name'], (sample: Sample) => void>> = {
    transom_presses_total: total('transom_presses_total'),
    transom_press_delay_seconds: seconds('transom_press_delay_seconds'),
    transom_press_announced_seconds: seconds('transom_press_announced_seconds'),
    transom_outbox_events_total: total('transom_outbox_events_total'),
    transom_home_graph_throttles_total: total('transom_home_graph_throttles_total'),
    transom_grant_failures_total: total('transom_grant_failures_total'),
    transom_store_failures_total: total('transom_store_failures_total'),
  }
  return (event, fields) => {
    for (const sample of samplesOf(event, fields)) figures[sample.name](sample)
  }
}

function watch(registers: Registry[], sources: MetricSources): void {
  const cameras = new Gauge({
    name: 'transom_cameras',
    help: 'Cameras by state; cause: why one is offline, where its gateway has said so.',
    labelNames: ['state', 'cause'],
    registers,
    collect: async () => {
      const presences = await sources.cameras()
      cameras.reset()
      // Zero is a value, too: an alert compares with it.
      for (const state of ['online', 'offline']) cameras.set({ state, cause: '' }, 0)
      for (const presence of presences) {
        const state = presence === undefined ? 'unknown' : presence.online ? 'online' : 'offline'
        cameras.inc({ state, cause: presence?.fault?.code ?? '' })
      }
    },
  })
  const waiting = new Gauge({
    name: 'transom_outbox_waiting',
    help: 'Events that the assistants are still to be told.',
    labelNames: ['lane'],
    registers,
    collect: () => {
      for (const [lane, count] of Object.entries(sources.waiting())) waiting.set({ lane }, count)
    },
  })
  const now = (name: string, help: string, read: () => number | Promise<number>) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await read())
      },
    })
  now('transom_offers_waiting', 'Offers that wait for their answer.', () => sources.counts().negotiating)
  now('transom_viewers', 'Displays to which the gateways of this bridge show a camera.', () => sources.counts().viewers)
  now('transom_signaling_sockets', 'WebSockets of cameras and viewers at the signaling service.', () => {
    return sources.counts().signalingSockets
  })
  now('transom_store_bytes', 'Size of the store with its log.', () =>
    [sources.databasePath, `${sources.databasePath}-wal`]
      .map((path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, size) => sum + size),
  )
  now('transom_store_free_bytes', 'Room that is left on the disk of the store.', async () => {
    const { bavail, bsize } = await statfs(dirname(sources.databasePath))
    return bavail * bsize
  })
}
