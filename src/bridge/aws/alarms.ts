/** What of the bridge on AWS wakes somebody: each alarm has a page in docs/runbook, and a graph on the dashboard. */
import type { functions } from './bundles.ts'
import type { metrics } from './metrics.ts'

/** One series of CloudWatch. Values in `Fn::Sub` syntax; without a namespace it is a metric of ours. */
interface Series {
  readonly id: string
  readonly namespace?: 'AWS/Lambda' | 'AWS/DynamoDB' | 'AWS/SQS'
  readonly metric: string
  readonly dimensions?: Readonly<Record<string, string>>
  readonly stat: 'Sum' | 'p95' | 'Maximum'
}

/** An alarm: `series`, put together by `expression` where they are several, against a threshold. */
export interface Alarm {
  /** In PascalCase, the name of the resource; in kebab-case, that of its page. */
  readonly page: string
  readonly says: string
  readonly expression?: string
  readonly series: readonly Series[]
  readonly when: 'above' | 'below'
  readonly threshold: number
  /** Of so many spans of five minutes in a row, all must be so. */
  readonly spans: number
}

const ours = (
  id: string,
  metric: keyof typeof metrics,
  dimensions: Series['dimensions'] = {},
  stat: Series['stat'] = 'Sum',
): Series => ({ id, metric, dimensions, stat })

const ofFunction = (name: (typeof functions)[number], metric: 'Errors' | 'Throttles'): Series => ({
  id: name,
  namespace: 'AWS/Lambda',
  metric,
  // The name that osls gives to the resource.
  dimensions: { FunctionName: `\${${name[0]?.toUpperCase()}${name.slice(1)}LambdaFunction}` },
  stat: 'Sum',
})

const ofTable = (id: string, metric: string, index?: string): Series => ({
  id,
  namespace: 'AWS/DynamoDB',
  metric,
  dimensions: { TableName: '${Table}', ...(index !== undefined && { GlobalSecondaryIndexName: index }) },
  stat: 'Sum',
})

/** Shares are asked of so many at least: one failure of two is no percentage. */
const fewest = 20

/** All of them; what is missing breaches none. */
export const alarms: readonly Alarm[] = [
  {
    page: 'view-success',
    says: 'Less than 97 % of views succeed',
    // What nobody reports is no failure, and a view that nobody ends has no outcome: what failed is counted, not what went well.
    expression: `IF(offers >= ${fewest}, 100 * (1 - (FILL(outcomes, 0) - FILL(ok, 0) - FILL(unconfirmed, 0)) / offers), 100)`,
    series: [
      ours('offers', 'transom_offers_total'),
      ours('outcomes', 'transom_sessions_total'),
      ours('ok', 'transom_sessions_total', { cause: 'ok' }),
      ours('unconfirmed', 'transom_sessions_total', { cause: 'unconfirmed' }),
    ],
    when: 'below',
    threshold: 97,
    spans: 2,
  },
  {
    page: 'answer-time',
    says: 'One view in twenty is answered after more than 2 s',
    series: [ours('answer', 'transom_answer_seconds', {}, 'p95')],
    when: 'above',
    threshold: 2,
    spans: 2,
  },
  {
    page: 'presses-late',
    says: 'More than 1 % of presses arrive too late to be announced',
    expression: `IF(FILL(late, 0) + FILL(fresh, 0) >= ${fewest}, 100 * FILL(late, 0) / (FILL(late, 0) + FILL(fresh, 0)), 0)`,
    series: [
      ours('late', 'transom_presses_total', { fresh: 'false' }),
      ours('fresh', 'transom_presses_total', { fresh: 'true' }),
    ],
    when: 'above',
    threshold: 1,
    spans: 2,
  },
  {
    page: 'presses-dropped',
    says: 'More than 1 % of presses were not announced by an assistant',
    expression: `IF(FILL(dropped, 0) + FILL(stale, 0) + FILL(delivered, 0) >= ${fewest}, 100 * (FILL(dropped, 0) + FILL(stale, 0)) / (FILL(dropped, 0) + FILL(stale, 0) + FILL(delivered, 0)), 0)`,
    series: [
      ours('dropped', 'transom_outbox_events_total', { lane: 'press', outcome: 'dropped' }),
      ours('stale', 'transom_outbox_events_total', { lane: 'press', outcome: 'stale' }),
      ours('delivered', 'transom_outbox_events_total', { lane: 'press', outcome: 'delivered' }),
    ],
    when: 'above',
    threshold: 1,
    spans: 1,
  },
  {
    page: 'functions-fail',
    says: 'Requests end without an answer',
    expression: 'FILL(alexa, 0) + FILL(http, 0) + FILL(events, 0)',
    series: [ofFunction('alexa', 'Errors'), ofFunction('http', 'Errors'), ofFunction('events', 'Errors')],
    when: 'above',
    threshold: 0,
    spans: 2,
  },
  {
    // A queue of dead letters would hold the schedule's empty events alone: what was not told is in the table.
    page: 'sweep-fails',
    says: 'What outlived a reply is not sent',
    expression: 'FILL(sweep, 0) + FILL(reconcile, 0)',
    series: [ofFunction('sweep', 'Errors'), ofFunction('reconcile', 'Errors')],
    when: 'above',
    threshold: 0,
    spans: 2,
  },
  {
    page: 'events-dead',
    says: 'Events of cameras were given up',
    series: [
      {
        id: 'dead',
        namespace: 'AWS/SQS',
        metric: 'ApproximateNumberOfMessagesVisible',
        dimensions: { QueueName: '${DeadEventQueue.QueueName}' },
        stat: 'Maximum',
      },
    ],
    when: 'above',
    threshold: 0,
    spans: 1,
  },
  {
    page: 'functions-throttled',
    says: 'Lambda turns requests away',
    expression: 'FILL(alexa, 0) + FILL(http, 0) + FILL(sweep, 0)',
    series: [ofFunction('alexa', 'Throttles'), ofFunction('http', 'Throttles'), ofFunction('sweep', 'Throttles')],
    when: 'above',
    threshold: 0,
    spans: 1,
  },
  {
    page: 'table-throttled',
    says: 'DynamoDB turns reads or writes away',
    expression: 'FILL(reads, 0) + FILL(writes, 0) + FILL(index, 0)',
    series: [
      ofTable('reads', 'ReadThrottleEvents'),
      ofTable('writes', 'WriteThrottleEvents'),
      ofTable('index', 'WriteThrottleEvents', 'byGroup'),
    ],
    when: 'above',
    threshold: 0,
    spans: 2,
  },
  {
    page: 'store-fails',
    says: 'Events or sessions cannot be written to the table',
    series: [ours('failures', 'transom_store_failures_total')],
    when: 'above',
    threshold: 0,
    spans: 1,
  },
  {
    page: 'home-graph-throttled',
    says: 'The quota of Home Graph is used up',
    series: [ours('throttles', 'transom_home_graph_throttles_total')],
    when: 'above',
    threshold: 0,
    spans: 6,
  },
  {
    page: 'grants-lost',
    says: 'Alexa cannot be notified for want of its permission',
    expression: 'FILL(missing, 0) + FILL(unreadable, 0)',
    // What customers revoke is their own affair.
    series: [
      ours('missing', 'transom_grant_failures_total', { failure: 'missing' }),
      ours('unreadable', 'transom_grant_failures_total', { failure: 'unreadable' }),
    ],
    when: 'above',
    threshold: 0,
    spans: 1,
  },
]
