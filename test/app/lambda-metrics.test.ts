/** Metrics of the Lambda functions: valid lines of EMF, each thing counted once, and each line with its request and session. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { createLambdaLog } from '../../src/bridge/aws/log.ts'
import { metrics } from '../../src/bridge/aws/metrics.ts'
import { lineMetrics } from '../../src/core/log-samples.ts'
import { logEvents, type LogEvent } from '../../src/core/log-events.ts'

const noon = Date.UTC(2026, 10, 28, 12)

/** The rules of the embedded metric format, as its specification has them for what we write. */
const emf = new Ajv({ strict: false }).compile<Line>({
  type: 'object',
  required: ['_aws'],
  properties: {
    _aws: {
      type: 'object',
      required: ['Timestamp', 'CloudWatchMetrics'],
      additionalProperties: false,
      properties: {
        Timestamp: { type: 'integer', minimum: 1_577_836_800_000 },
        CloudWatchMetrics: {
          type: 'array',
          items: {
            type: 'object',
            required: ['Namespace', 'Dimensions', 'Metrics'],
            additionalProperties: false,
            properties: {
              Namespace: { type: 'string', pattern: '^[\\w.#:/-]{1,255}$' },
              Dimensions: {
                type: 'array',
                minItems: 1,
                items: { type: 'array', maxItems: 30, items: { type: 'string', minLength: 1, maxLength: 250 } },
              },
              Metrics: {
                type: 'array',
                maxItems: 100,
                items: {
                  type: 'object',
                  required: ['Name'],
                  additionalProperties: false,
                  properties: {
                    Name: { type: 'string', minLength: 1, maxLength: 255 },
                    Unit: { enum: ['Count', 'Seconds'] },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
  additionalProperties: {
    anyOf: [
      { type: 'number' },
      { type: 'string', minLength: 1, maxLength: 1024 },
      { type: 'array', minItems: 1, maxItems: 100, items: { type: 'number' } },
    ],
  },
})

interface Line {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Dimensions: readonly (readonly string[])[]
      readonly Metrics: readonly { readonly Name: string }[]
    }[]
  }
  readonly [member: string]: unknown
}
type Said = readonly [LogEvent, Readonly<Record<string, unknown>>]

/** What an invocation writes that says this. */
async function written(...said: readonly Said[]) {
  const lines: Record<string, unknown>[] = []
  const { log, invoked } = createLambdaLog(
    (line) => lines.push(JSON.parse(line)),
    'transom-prod',
    () => noon,
  )
  const handler = invoked(async () => {
    for (const [event, fields] of said) log('info', event, fields)
  })
  await handler({}, { awsRequestId: 'r-1' })
  return {
    lines: lines.filter((line) => !('_aws' in line)),
    emf: lines.filter((line) => '_aws' in line),
    log,
    again: () => handler({}, { awsRequestId: 'r-2' }),
    all: lines,
  }
}

/** Checks a line, and that what it refers to is in it, as the specification demands beyond its schema. */
function checked(line: unknown): Line {
  if (!emf(line)) throw new Error(JSON.stringify(emf.errors))
  for (const { Dimensions, Metrics } of line._aws.CloudWatchMetrics) {
    for (const dimension of Dimensions.flat()) expect(line[dimension]).toEqual(expect.any(String))
    for (const { Name } of Metrics) expect([line[Name]].flat()).toEqual(expect.arrayContaining([expect.any(Number)]))
  }
  return line
}

const session = { sessionId: 's1', assistant: 'alexa', cameraId: 'door' }
const answered: Said = ['broker.session', { ...session, isNew: true, phase: 'answered', ms: 240 }]
const delivered: Said = ['outbox.delivered', { destination: 'alexa', lane: 'press', ms: 500 }]
const press: Said = ['cameras.press', { isNew: true, isFresh: true, delayMs: 120 }]
const everything: readonly Said[] = [
  answered,
  ['broker.session', { ...session, phase: 'closed', code: 'media_failed', outcome: 'media_failed', ms: 900 }],
  press,
  delivered,
  ['google.home-graph', { call: 'report', kind: 'failed', isThrottled: true }],
  ['alexa.grant-forgotten', { accountId: 'a' }],
  ['outbox.store-failed', {}],
]

describe('the metrics of an invocation', () => {
  test('are one line of EMF, each metric with its value and its dimensions', async () => {
    const { emf: lines } = await written(...everything)
    expect(lines).toHaveLength(1)
    const line = checked(lines[0])
    expect(line).toMatchObject({
      awsRequestId: 'r-1',
      assistant: 'alexa',
      cause: 'media_failed',
      transom_offers_total: 1,
      transom_sessions_total: 1,
      transom_answer_seconds: 0.24,
      transom_presses_total: 1,
      transom_press_delay_seconds: 0.12,
      transom_press_announced_seconds: 0.5,
      transom_home_graph_throttles_total: 1,
      transom_grant_failures_total: 1,
      transom_store_failures_total: 1,
    })
    const names = line._aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name))
    expect(names.sort()).toEqual(Object.keys(metrics).sort())
  })

  test('are written once, and not at all where there is nothing to count', async () => {
    const { log, again, all } = await written(press)
    all.length = 0
    log('info', 'alexa.answered', {})
    await again()
    expect(all.filter((line) => '_aws' in line)).toMatchObject([{ awsRequestId: 'r-2', transom_presses_total: 1 }])
    expect((await written(['alexa.answered', {}])).emf).toEqual([])
  })

  test('take another line where a dimension has a second value', async () => {
    const google: Said = ['outbox.delivered', { destination: 'google', lane: 'press', ms: 700 }]
    const { emf: lines } = await written(press, delivered, google, delivered)
    expect(lines.map((line) => checked(line))).toMatchObject([
      { destination: 'alexa', transom_outbox_events_total: 2, transom_press_announced_seconds: [0.5, 0.5] },
      { destination: 'google', transom_outbox_events_total: 1, transom_press_announced_seconds: 0.7 },
    ])
  })

  test('take another line for more than a hundred values', async () => {
    const { emf: lines } = await written(...Array.from({ length: 101 }, () => press))
    const counts = lines.map((line) => [checked(line)['transom_press_delay_seconds']].flat().length)
    expect(counts).toEqual([100, 1])
  })

  test('are written when it fails, too', async () => {
    const lines: string[] = []
    const { log, invoked } = createLambdaLog(
      (line) => lines.push(line),
      'transom-prod',
      () => noon,
    )
    const failing = invoked(async () => {
      log('info', ...press)
      throw new Error('down')
    })
    await expect(failing({}, { awsRequestId: 'r-1' })).rejects.toThrow('down')
    expect(checked(JSON.parse(lines.at(-1) ?? ''))).toHaveProperty('transom_presses_total', 1)
  })

  test('count a refused view as an offer with its cause and without an answer', async () => {
    const refusal = {
      ...session,
      isNew: true,
      phase: 'closed',
      code: 'camera_offline',
      outcome: 'camera_offline',
      ms: 9,
    }
    const [line] = (await written(['broker.session', refusal])).emf
    expect(checked(line)).toMatchObject({ transom_offers_total: 1, cause: 'camera_offline', transom_sessions_total: 1 })
    expect(line).not.toHaveProperty('transom_answer_seconds')
  })

  test('are all those that lines of the log make, with dimensions that those lines fill', () => {
    for (const [name, { labels }] of Object.entries(lineMetrics)) {
      const { dimensions } = Object.entries(metrics).find(([known]) => known === name)![1]
      expect(new Set(dimensions.flat())).toEqual(new Set(labels))
    }
  })
})

test('each metric is in docs/aws.md with its dimensions, and no other is', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../docs/aws.md'), 'utf8')
  const rows = [...docs.matchAll(/^\| `(transom_\w+)` \| ([^|]+) \|/gm)]
  const documented = rows.map(([, name, sets = '']) => [
    name,
    sets.split(';').map((set) => [...set.matchAll(/`(\w+)`/g)].map(([, dimension]) => dimension)),
  ])
  expect(documented).toEqual(Object.entries(metrics).map(([name, { dimensions }]) => [name, dimensions]))
})

describe('a line of a function', () => {
  test('names its request, and its session as soon as that is known', async () => {
    const { lines } = await written(['aws.printed', {}], answered, ['broker.line-stays-open', {}])
    expect(lines.map(({ awsRequestId, sessionId }) => [awsRequestId, sessionId])).toEqual([
      ['r-1', undefined],
      ['r-1', 's1'],
      ['r-1', 's1'],
    ])
  })

  test('names no session of two that its invocation has', async () => {
    const other: Said = ['broker.session', { ...session, sessionId: 's2', phase: 'closed' }]
    const { lines } = await written(answered, other, ['aws.printed', {}])
    expect(lines.map(({ sessionId }) => sessionId)).toEqual(['s1', 's2', undefined])
  })

  test('outside an invocation is as it was given', async () => {
    const { log, all } = await written()
    log('warn', 'aws.printed', { error: 'e' })
    expect(all).toEqual([{ at: new Date(noon).toISOString(), level: 'warn', event: 'aws.printed', error: 'e' }])
  })

  test('has no field of its own by the name of the request', () => {
    const fields: readonly string[] = Object.values(logEvents).flatMap((one) => [...one.fields])
    expect(fields).not.toContain('awsRequestId')
  })
})
