/**
 * Metrics of the Lambda functions, as lines of their log in CloudWatch's embedded metric format (EMF): no call leaves for them.
 * They have the names of `/metrics`, in the namespace of the stack; docs/aws.md lists them.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import type { LogEvent } from 'transom-core/log-events'
import { samplesOf, type Sample } from 'transom-core/log-samples'
import type { Clock } from 'transom-core/ports'

type Fields = Readonly<Record<string, unknown>>
type Name = keyof typeof metrics
interface Observed {
  readonly name: Name
  readonly value: number
  readonly labels: Sample['labels']
}

/**
 * Each metric with the sets of dimensions under which CloudWatch keeps it. An alarm reads one set, and cannot add others up, so
 * there is one for whatever is to be added. No dimension has more than some dozen values, and none is an id: each combination costs.
 */
export const metrics = {
  transom_offers_total: { unit: 'Count', dimensions: [[], ['assistant']] },
  transom_sessions_total: { unit: 'Count', dimensions: [[], ['cause'], ['assistant', 'cause']] },
  transom_answer_seconds: { unit: 'Seconds', dimensions: [[], ['assistant']] },
  transom_presses_total: { unit: 'Count', dimensions: [['fresh']] },
  transom_press_delay_seconds: { unit: 'Seconds', dimensions: [[]] },
  transom_press_announced_seconds: { unit: 'Seconds', dimensions: [['destination']] },
  transom_outbox_events_total: {
    unit: 'Count',
    dimensions: [
      ['lane', 'outcome'],
      ['destination', 'lane', 'outcome'],
    ],
  },
  transom_home_graph_throttles_total: { unit: 'Count', dimensions: [[], ['call']] },
  transom_grant_failures_total: { unit: 'Count', dimensions: [['failure']] },
  transom_store_failures_total: { unit: 'Count', dimensions: [[]] },
} as const satisfies Readonly<
  Record<string, { readonly unit: 'Count' | 'Seconds'; readonly dimensions: readonly (readonly string[])[] }>
> &
  Readonly<Record<Sample['name'], unknown>>

/** The specification allows so many values of one metric in one line. */
const mostValues = 100

/** What one environment has counted and not yet written. */
export interface Counted {
  /** Counts a line of the log. */
  count(event: LogEvent, fields: Fields): void
  /** Lines of EMF with everything since the last call: one, or more where a dimension has more values than one. */
  flush(): readonly object[]
}

/** `namespace`: what keeps the metrics of this stack apart from those of others. */
export function createCounted(namespace: string, clock: Clock): Counted {
  let observed: Observed[] = []
  return {
    count: (event, fields) => void observed.push(...samplesOf(event, fields), ...sessionSamples(event, fields)),
    flush() {
      const documents = documentsOf(observed)
      observed = []
      return documents.map((document) => lineOf(document, namespace, clock()))
    },
  }
}

/** A session's line says what is new of it: other environments know what was before. */
function sessionSamples(event: LogEvent, fields: Fields): readonly Observed[] {
  if (event !== 'broker.session') return []
  const { isNew, phase, outcome } = fields
  const labels = { assistant: String(fields['assistant']) }
  return [
    ...(isNew === true ? [{ name: 'transom_offers_total', labels, value: 1 } as const] : []),
    ...(isNew === true && phase !== 'closed'
      ? [{ name: 'transom_answer_seconds', labels, value: Number(fields['ms']) / 1_000 } as const]
      : []),
    ...(typeof outcome === 'string'
      ? [{ name: 'transom_sessions_total', labels: { ...labels, cause: outcome }, value: 1 } as const]
      : []),
  ]
}

interface Document {
  readonly labels: Record<string, string>
  readonly values: Map<Name, number[]>
}

/** Puts together what may stand in one line: there, a dimension has one value, and a metric the same dimensions throughout. */
function documentsOf(observed: readonly Observed[]): readonly Document[] {
  const documents: Document[] = []
  for (const { name, labels, value } of observed) {
    const fits = ({ labels: theirs, values }: Document) =>
      Object.entries(labels).every(([label, word]) => (theirs[label] ?? word) === word) &&
      (values.get(name)?.length ?? 0) < mostValues
    let document = documents.find(fits)
    if (document === undefined) documents.push((document = { labels: {}, values: new Map() }))
    Object.assign(document.labels, labels)
    const values = document.values.get(name) ?? []
    // A total is one number.
    if (metrics[name].unit === 'Count') document.values.set(name, [(values[0] ?? 0) + value])
    else document.values.set(name, [...values, value])
  }
  return documents
}

function lineOf({ labels, values }: Document, Namespace: string, Timestamp: number): object {
  const CloudWatchMetrics = [...values.keys()].map((name) => ({
    Namespace,
    Dimensions: metrics[name].dimensions,
    Metrics: [{ Name: name, Unit: metrics[name].unit }],
  }))
  const numbers = [...values].map(([name, each]) => [name, each.length === 1 ? each[0] : each])
  return { _aws: { Timestamp, CloudWatchMetrics }, ...labels, ...Object.fromEntries(numbers) }
}
