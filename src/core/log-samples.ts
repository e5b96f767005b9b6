/** What the log reports, as numbers: the one source for `/metrics` and for the metrics of the Lambda functions. */
import type { LogEvent } from './log-events.ts'

/** One number of one metric. Its labels have few values: no id is among them. */
export interface Sample {
  readonly name: keyof typeof lineMetrics
  /** To be added to a total; of `…_seconds`, one observation. */
  readonly value: number
  readonly labels: Readonly<Record<string, string>>
}

/** The metrics that lines of the log make, with their labels and what they are. */
export const lineMetrics = {
  transom_presses_total: {
    help: 'Presses of doorbells; fresh="false": it was reported too late to be announced.',
    labels: ['fresh'],
  },
  transom_press_delay_seconds: { help: 'From the press to its being kept by the bridge.', labels: [] },
  transom_press_announced_seconds: {
    help: 'From the press to the moment when the assistant accepted it.',
    labels: ['destination'],
  },
  transom_outbox_events_total: {
    help: 'Events for the assistants by what became of them: delivered, dropped (refused), stale (too old), or retry (one attempt failed).',
    labels: ['destination', 'lane', 'outcome'],
  },
  transom_home_graph_throttles_total: {
    help: 'Calls of Home Graph that its quota refused, as Google or our own count of it says.',
    labels: ['call'],
  },
  transom_grant_failures_total: {
    help: 'Times that Alexa could not be notified of an account for want of its permission: missing (in the skill), revoked, or unreadable (sealed with another key).',
    labels: ['failure'],
  },
  transom_store_failures_total: {
    help: 'Times that the store could not be written when the bridge or the outbox tried.',
    labels: [],
  },
} as const

type Fields = Readonly<Record<string, unknown>>

const outcomes: Partial<Readonly<Record<LogEvent, string>>> = {
  'outbox.delivered': 'delivered',
  'outbox.dropped': 'dropped',
  'outbox.stale': 'stale',
  'outbox.retry': 'retry',
}
const grantFailures: Partial<Readonly<Record<LogEvent, string>>> = {
  'alexa.permission-missing': 'missing',
  'alexa.grant-forgotten': 'revoked',
  'alexa.grant-unreadable': 'unreadable',
}
const ofStore: ReadonlySet<LogEvent> = new Set([
  'outbox.store-failed',
  'health.store-failed',
  'broker.session-not-saved',
])

/** What one line of the log adds to which metric; most add nothing. */
export function samplesOf(event: LogEvent, fields: Fields): readonly Sample[] {
  const samples: Sample[] = []
  const add = (name: Sample['name'], labels: Sample['labels'] = {}, value = 1) => samples.push({ name, labels, value })
  const { lane, isNew, isFresh, isThrottled } = fields
  const destination = String(fields['destination'])
  const outcome = outcomes[event]
  if (outcome !== undefined) add('transom_outbox_events_total', { destination, lane: String(lane), outcome })
  if (event === 'outbox.delivered' && lane === 'press')
    add('transom_press_announced_seconds', { destination }, secondsOf(fields['ms']))
  if (event === 'cameras.press' && isNew === true) {
    add('transom_presses_total', { fresh: String(isFresh) })
    add('transom_press_delay_seconds', {}, secondsOf(fields['delayMs']))
  }
  if (event === 'google.home-graph' && isThrottled === true)
    add('transom_home_graph_throttles_total', { call: String(fields['call']) })
  const failure = grantFailures[event]
  if (failure !== undefined) add('transom_grant_failures_total', { failure })
  if (ofStore.has(event)) add('transom_store_failures_total')
  return samples
}

/** A camera's clock may be ahead of ours. */
const secondsOf = (ms: unknown): number => Math.max(0, Number(ms)) / 1_000
