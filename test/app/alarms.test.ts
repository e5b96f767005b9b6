/** Alarms and dashboard on AWS: each asks for what the code writes, and has its page in docs/runbook. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { alarms } from '../../src/bridge/aws/alarms.ts'
import { functions } from '../../src/bridge/aws/bundles.ts'
import { createCounted, metrics } from '../../src/bridge/aws/metrics.ts'
import { stackResources } from '../../src/bridge/aws/resources.ts'
import { dynamoTable } from '../../src/bridge/store/dynamo-table.ts'
import type { LogEvent } from '../../src/core/log-events.ts'

const docs = join(import.meta.dirname, '../../docs')
const read = (file: string): string => readFileSync(join(docs, file), 'utf8')

/** What the rooms log, as far as it makes a metric. */
const session = { sessionId: 's', assistant: 'google' }
const press = { destination: 'alexa', lane: 'press', ms: 1 }
const said: readonly (readonly [LogEvent, Readonly<Record<string, unknown>>])[] = [
  ['broker.session', { ...session, isNew: true, phase: 'answered', ms: 1 }],
  ['broker.session', { ...session, phase: 'closed', outcome: 'ok' }],
  ['broker.session', { ...session, phase: 'closed', outcome: 'unconfirmed' }],
  ['cameras.press', { isNew: true, isFresh: true, delayMs: 1 }],
  ['cameras.press', { isNew: true, isFresh: false, delayMs: 1 }],
  ['outbox.delivered', press],
  ['outbox.dropped', press],
  ['outbox.stale', press],
  ['google.home-graph', { call: 'report', isThrottled: true }],
  ['alexa.permission-missing', {}],
  ['alexa.grant-unreadable', {}],
  ['outbox.store-failed', {}],
]

/** Each series that comes of it, as CloudWatch names it. */
function emitted(): ReadonlySet<string> {
  const counted = createCounted('transom', () => 0)
  const series = said.flatMap(([event, fields]) => {
    counted.count(event, fields)
    const lines = JSON.parse(JSON.stringify(counted.flush())) as Record<string, string>[]
    return lines.flatMap((line) =>
      Object.entries(metrics)
        .filter(([name]) => name in line)
        .flatMap(([name, { dimensions }]) =>
          dimensions.map((set) =>
            seriesOf(
              name,
              set.map((one) => [one, line[one]]),
            ),
          ),
        ),
    )
  })
  return new Set(series)
}
const seriesOf = (metric: string, dimensions: readonly (readonly unknown[])[]): string =>
  JSON.stringify([metric, dimensions.map(String).sort()])

describe.each(alarms.map((alarm) => [alarm.page, alarm] as const))('the alarm %s', (page, { series, expression }) => {
  test('asks for metrics that the functions write, with these dimensions', () => {
    const known = emitted()
    const ours = series.filter(({ namespace }) => namespace === undefined)
    const asked = ours.map(({ metric, dimensions = {} }) => seriesOf(metric, Object.entries(dimensions)))
    expect(asked.filter((one) => !known.has(one))).toEqual([])
  })

  test('asks of AWS for resources that the stack has', () => {
    const fromAws = series.filter(({ namespace }) => namespace !== undefined)
    const refs = [...JSON.stringify(fromAws.map(({ dimensions }) => dimensions)).matchAll(/\$\{(\w+)(?:\.\w+)?\}/g)]
    const ofOsls = functions.map((name) => `${name[0]?.toUpperCase()}${name.slice(1)}LambdaFunction`)
    const there = [...ofOsls, ...Object.keys(stackResources())]
    expect(refs.map(([, ref]) => ref).filter((ref) => !there.includes(String(ref)))).toEqual([])
    expect(refs).toHaveLength(fromAws.length)
    const indexes = dynamoTable('t').GlobalSecondaryIndexes.map(({ IndexName }) => IndexName)
    const index = fromAws.flatMap(({ dimensions }) => dimensions?.['GlobalSecondaryIndexName'] ?? [])
    expect(index.filter((name) => !indexes.includes(name))).toEqual([])
  })

  test('puts all of its series together, and no other', () => {
    const ids = series.map(({ id }) => id)
    if (expression === undefined) expect(ids).toHaveLength(1)
    else expect(new Set(expression.match(/\b[a-z]\w*\b/g))).toEqual(new Set(ids))
  })

  test('has a page that says what it means, what to look at and what to do', () => {
    const headings = [...read(`runbook/${page}.md`).matchAll(/^## (.+)\n(?=\S)/gm)].map(([, heading]) => heading)
    expect(headings).toEqual(['What it means', 'What to look at', 'What to do'])
    expect(read('aws.md')).toContain(`(runbook/${page}.md)`)
  })
})

test('there is no page without its alarm, and a link leads to a page', () => {
  const pages = readdirSync(join(docs, 'runbook'))
  expect(pages.sort()).toEqual(alarms.map(({ page }) => `${page}.md`).sort())
  const links = pages.flatMap((page) =>
    [...read(`runbook/${page}`).matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, to]) => to),
  )
  expect(links.length).toBeGreaterThan(3)
  expect(links.filter((to) => !pages.includes(String(to)))).toEqual([])
})

test('what a page tells to search for in the log is an event or a metric that there is', () => {
  const known = read('log.md')
  const pages = readdirSync(join(docs, 'runbook')).map((page) => read(`runbook/${page}`))
  const events = pages.flatMap((text) => [
    ...text.matchAll(/[`"]((?:alexa|aws|broker|cameras|google|outbox)\.[\w-]+)[`"]/g),
  ])
  const named = pages.flatMap((text) => [...text.matchAll(/`(transom_\w+)`/g)])
  expect(events.length).toBeGreaterThan(8)
  expect(events.map(([, event]) => event).filter((event) => !known.includes(`\`${event}\``))).toEqual([])
  expect(named.map(([, name]) => name).filter((name) => !(String(name) in metrics))).toEqual([])
})

test('the stack has each alarm with its threshold, and a dashboard with a graph of each', () => {
  const { Dashboard, ...others } = stackResources()
  const made = Object.values(others).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm')
  expect(made).toHaveLength(alarms.length)
  expect(JSON.stringify(made)).toContain('docs/runbook/view-success.md')
  const { widgets }: { readonly widgets: readonly { readonly properties: { readonly title: string } }[] } = JSON.parse(
    Dashboard.Properties.DashboardBody['Fn::Sub'],
  )
  const titles = widgets.map(({ properties }) => properties.title)
  expect(titles).toEqual([...alarms.map(({ says }) => says), 'Views by outcome'])
})
