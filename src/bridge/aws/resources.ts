/** What the stack has beside its functions, as CloudFormation for serverless.yml: the table, alarms, and a dashboard. */
import { dynamoTable } from '../store/dynamo-table.ts'
import { alarms, type Alarm } from './alarms.ts'

/** Seconds. */
const span = 300

/** Nothing has a name of its own but the table, whose name is that of the stack: another stack fits into the same account. */
export function stackResources() {
  // CloudFormation sets the name, switches expiry on, and keeps the table when the stack goes.
  const { TableName: _, ...table } = dynamoTable('named by serverless.yml')
  const named = Object.fromEntries(alarms.map((alarm) => [`${pascal(alarm.page)}Alarm`, alarmOf(alarm)]))
  return {
    Table: {
      Type: 'AWS::DynamoDB::Table',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        TableName: '${self:service}-${sls:stage}',
        ...table,
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    },
    // What a vendor's cloud tells of its cameras. What is not accepted is tried five times, and kept for two weeks.
    EventQueue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        // Six times the function's timeout (AWS Lambda developer guide, Configuring a queue).
        VisibilityTimeout: 180,
        SqsManagedSseEnabled: true,
        RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['DeadEventQueue', 'Arn'] }, maxReceiveCount: 5 },
      },
    },
    DeadEventQueue: {
      Type: 'AWS::SQS::Queue',
      Properties: { MessageRetentionPeriod: 14 * 86_400, SqsManagedSseEnabled: true },
    },
    // Whoever is to be woken subscribes to it.
    AlarmTopic: { Type: 'AWS::SNS::Topic' },
    ...named,
    Dashboard: {
      Type: 'AWS::CloudWatch::Dashboard',
      Properties: { DashboardBody: { 'Fn::Sub': JSON.stringify({ widgets: [...alarms.map(graphOf), causes()] }) } },
    },
  }
}

const pascal = (page: string): string => page.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Ours are in the namespace by the table's name. */
const namespaceOf = ({ namespace }: Alarm['series'][number]): string => namespace ?? '${Table}'

const sub = (text: string) => (text.includes('${') ? { 'Fn::Sub': text } : text)

function alarmOf({ page, says, expression, series, when, threshold, spans }: Alarm) {
  const stats = series.map((one) => ({
    Id: one.id,
    MetricStat: {
      Metric: {
        Namespace: sub(namespaceOf(one)),
        MetricName: one.metric,
        Dimensions: Object.entries(one.dimensions ?? {}).map(([Name, value]) => ({
          Name,
          Value: sub(value),
        })),
      },
      Period: span,
      Stat: one.stat,
    },
    ReturnData: expression === undefined,
  }))
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmDescription: `${says}: docs/runbook/${page}.md`,
      Metrics: [
        ...(expression === undefined ? [] : [{ Id: 'result', Label: says, Expression: expression, ReturnData: true }]),
        ...stats,
      ],
      ComparisonOperator: when === 'above' ? 'GreaterThanThreshold' : 'LessThanThreshold',
      Threshold: threshold,
      EvaluationPeriods: spans,
      TreatMissingData: 'notBreaching',
      AlarmActions: [{ Ref: 'AlarmTopic' }],
      OKActions: [{ Ref: 'AlarmTopic' }],
    },
  }
}

function graphOf({ says, expression, series, threshold }: Alarm) {
  const lines = series.map((one) => [
    namespaceOf(one),
    one.metric,
    ...Object.entries(one.dimensions ?? {}).flat(),
    { id: one.id, stat: one.stat, visible: expression === undefined },
  ])
  const metrics = [...(expression === undefined ? [] : [[{ id: 'result', label: says, expression }]]), ...lines]
  const annotations = { horizontal: [{ label: 'alarm', value: threshold }] }
  return widget({ title: says, metrics, annotations })
}

/** Views by what became of them, whatever causes there are. */
function causes() {
  const expression = `SEARCH('{"\${Table}",cause} MetricName="transom_sessions_total"', 'Sum', ${span})`
  return widget({ title: 'Views by outcome', stacked: true, metrics: [[{ expression, label: '' }]] })
}

const widget = (properties: object) => ({
  type: 'metric',
  width: 12,
  height: 6,
  properties: { region: '${AWS::Region}', view: 'timeSeries', period: span, ...properties },
})
