/** The quotas and prices that the load model compares with, each with where it is stated. */
import type { Counts } from './meter.ts'

/** What a fleet does in a second at its peak. */
export interface Load {
  readonly counts: Counts
  /** Functions that run at the same time. */
  readonly concurrency: number
  /** Writes of the table's hottest record that all accounts share, of its hottest list in the index, and reads of either. */
  readonly hottestRecord: number
  readonly hottestList: number
  readonly hottestRead: number
  /** Views of the channel that is asked for most often. */
  readonly hottestChannel: number
  /** Channels that exist. */
  readonly channels: number
}

/** A quota: `of` says how much of it a load uses, in the unit of the limit. */
export interface Quota {
  readonly name: string
  /** `null` where the vendor states no number. */
  readonly limit: number | null
  readonly unit: string
  readonly isAdjustable: boolean
  /** False of what a fleet has, and of what happens at one door: these do not grow with its rate. */
  readonly isRate: boolean
  readonly source: string
  of(this: void, load: Load): number
}

const kvsLimits = 'https://docs.aws.amazon.com/kinesisvideostreams-webrtc-dg/latest/devguide/kvswebrtc-limits.html'
const dynamoLimits = 'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Limits.html'
const dynamoKeys =
  'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html (for one partition)'

const hard = (name: string, limit: number | null, unit: string, source: string, of: Quota['of']): Quota => ({
  name,
  limit,
  unit,
  isAdjustable: false,
  isRate: !/channels?$/.test(name),
  source,
  of,
})
const soft = (...given: Parameters<typeof hard>): Quota => ({ ...hard(...given), isAdjustable: true })

/** For one account and region. Defaults as AWS grants them in us-east-1 where `isAdjustable`, else limits that nobody raises. */
export const quotas: readonly Quota[] = [
  soft(
    'Lambda concurrent executions',
    1_000,
    'at the same time',
    'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html',
    ({ concurrency }) => concurrency,
  ),
  soft(
    'API Gateway requests',
    10_000,
    'a second',
    'https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html',
    ({ counts }) => counts.apiRequests,
  ),
  soft('DynamoDB reads of the table', 40_000, 'units a second', dynamoLimits, ({ counts }) => counts.readUnits),
  soft('DynamoDB writes of the table', 40_000, 'units a second', dynamoLimits, ({ counts }) => counts.writeUnits),
  soft('DynamoDB writes of the index', 40_000, 'units a second', dynamoLimits, ({ counts }) => counts.indexUnits),
  hard('DynamoDB hottest record', 1_000, 'units a second', dynamoKeys, ({ hottestRecord }) => hottestRecord),
  hard('DynamoDB hottest key of the index', 1_000, 'units a second', dynamoKeys, ({ hottestList }) => hottestList),
  hard('DynamoDB hottest key, reads', 3_000, 'units a second', dynamoKeys, ({ hottestRead }) => hottestRead),
  soft('KVS signaling channels', 10_000, 'channels', kvsLimits, ({ channels }) => channels),
  hard('KVS DescribeSignalingChannel', 300, 'a second', kvsLimits, ({ counts }) => counts.kvsDescribe),
  hard('KVS GetSignalingChannelEndpoint', 300, 'a second', kvsLimits, ({ counts }) => counts.kvsEndpoint),
  soft('KVS GetIceServerConfig', 100, 'a second', kvsLimits, ({ counts }) => counts.kvsIce),
  soft('KVS SendAlexaOfferToMaster', 100, 'a second', kvsLimits, ({ counts }) => counts.kvsAlexaOffer),
  hard('KVS ConnectAsViewer of one channel', 3, 'a second', kvsLimits, ({ hottestChannel }) => hottestChannel),
  soft(
    'Home Graph calls',
    100,
    'a second (6,000 a minute)',
    'https://developers.home.google.com/cloud-to-cloud/integration/quotas',
    ({ counts }) => counts.homeGraph,
  ),
  hard(
    'Alexa event gateway',
    null,
    'a second',
    'no number is documented; 429 THROTTLING_EXCEPTION',
    ({ counts }) => counts.alexaEvents,
  ),
  hard('Login with Amazon tokens', null, 'a second', 'no number is documented', ({ counts }) => counts.lwaTokens),
]

/** US dollars in us-east-1, without the free tier, logs, the data that leaves AWS, and backups. */
export const prices = {
  lambdaRequest: { usd: 0.2 / 1e6, source: 'https://aws.amazon.com/lambda/pricing/ (x86)' },
  lambdaGbSecond: { usd: 0.0000166667, source: 'https://aws.amazon.com/lambda/pricing/ (x86)' },
  apiRequest: { usd: 1 / 1e6, source: 'https://aws.amazon.com/api-gateway/pricing/ (HTTP API)' },
  readUnit: { usd: 0.125 / 1e6, source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/' },
  writeUnit: { usd: 0.625 / 1e6, source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/' },
  kvsChannelMonth: { usd: 0.03, source: 'https://aws.amazon.com/kinesis/video-streams/pricing/' },
  kvsMessage: { usd: 2.25 / 1e6, source: 'https://aws.amazon.com/kinesis/video-streams/pricing/' },
  turnMinute: { usd: 0.12 / 1e3, source: 'https://aws.amazon.com/kinesis/video-streams/pricing/' },
} as const
