/** The operations of the control plane and of a channel's HTTPS endpoint: path, input by the service model, and the work. */
import { z } from 'zod'
import type { IceServer } from '../ports.ts'
import { sendAlexaOffer } from './alexa-offer.ts'
import { channelNameOf, type Channel, type ChannelKey, type Channels } from './channels.ts'
import type { Hub } from './hub.ts'
import { kvsIceServers } from './ice-servers.ts'
import { idPattern, maxPayload } from './message.ts'
import { ServiceError } from './service-error.ts'

export interface Operation {
  /** The name of the operation, which is also that of the IAM action. */
  readonly action: string
  /** Checks the input. Throws `InvalidArgumentException`. */
  read(body: unknown): Call
}

/** An operation with its input, to be run once it is known that the caller may. */
export interface Call {
  /** The channel it is about; undefined for an operation on all of them. */
  readonly channelName: string | undefined
  /** Does it and returns the answer's body. The signal is aborted when the caller hangs up. Throws `ServiceError`. */
  run(signal: AbortSignal): Promise<object>
}

export interface OperationDeps {
  readonly channels: Channels
  readonly hub: Hub
  /** `host[:port]` as clients reach the service. */
  readonly authority: string
  readonly iceServers: readonly IceServer[]
}

export const channelNameSchema = z.string().regex(/^[a-zA-Z0-9_.-]{1,256}$/)
const arn = z
  .string()
  .max(1_024)
  .refine((value) => channelNameOf(value) !== undefined, 'is not the ARN of a channel')
const clientId = z.string().regex(idPattern)
const version = z.string().regex(/^[a-zA-Z0-9]{1,64}$/)
const channelSettings = z.object({ MessageTtlSeconds: z.int().min(5).max(120).optional() })
const tag = z.object({ Key: z.string().min(1).max(128), Value: z.string().max(256) })

/** Every operation by its path. All are POST. */
export function createOperations({ channels, hub, authority, iceServers }: OperationDeps): Record<string, Operation> {
  return {
    '/createSignalingChannel': operation({
      action: 'CreateSignalingChannel',
      input: z.object({
        ChannelName: channelNameSchema,
        // The model has FULL_MESH too; AWS documents no use of it.
        ChannelType: z.enum(['SINGLE_MASTER']).optional(),
        SingleMasterConfiguration: channelSettings.optional(),
        Tags: z.array(tag).max(50).optional(),
      }),
      channel: ({ ChannelName: name }) => ({ name }),
      run: async ({ ChannelName, SingleMasterConfiguration, Tags = [] }) => {
        const messageTtlS = SingleMasterConfiguration?.MessageTtlSeconds
        const tags = Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]))
        const { arn } = await channels.create(ChannelName, { messageTtlS, tags })
        return { ChannelARN: arn }
      },
    }),

    '/describeSignalingChannel': operation({
      action: 'DescribeSignalingChannel',
      input: z
        .object({ ChannelName: channelNameSchema.optional(), ChannelARN: arn.optional() })
        .refine(({ ChannelName, ChannelARN }) => ChannelName ?? ChannelARN, 'ChannelName or ChannelARN is required'),
      channel: ({ ChannelName, ChannelARN = '' }) =>
        ChannelName === undefined ? { arn: ChannelARN } : { name: ChannelName },
      run: async (_input, key) => ({ ChannelInfo: channelInfo(await channels.get(key)) }),
    }),

    '/listSignalingChannels': operation({
      action: 'ListSignalingChannels',
      input: z.object({
        MaxResults: z.int().min(1).max(10_000).default(500),
        NextToken: z.string().max(512).optional(),
        ChannelNameCondition: z
          .object({
            ComparisonOperator: z.enum(['BEGINS_WITH']).optional(),
            ComparisonValue: channelNameSchema.optional(),
          })
          .optional(),
      }),
      run: async ({ MaxResults, NextToken, ChannelNameCondition }) => {
        const after = NextToken === undefined ? {} : { after: readToken(NextToken) }
        const prefix = ChannelNameCondition?.ComparisonValue ?? ''
        // One more than asked for tells whether there is another page.
        const found = await channels.list({ limit: MaxResults + 1, prefix, ...after })
        const page = found.slice(0, MaxResults)
        const last = found.length > page.length ? page.at(-1) : undefined
        return {
          ChannelInfoList: page.map(channelInfo),
          ...(last ? { NextToken: Buffer.from(last.name).toString('base64') } : {}),
        }
      },
    }),

    '/updateSignalingChannel': operation({
      action: 'UpdateSignalingChannel',
      input: z.object({
        ChannelARN: arn,
        CurrentVersion: version,
        SingleMasterConfiguration: channelSettings.optional(),
      }),
      channel: ({ ChannelARN }) => ({ arn: ChannelARN }),
      run: async ({ ChannelARN, CurrentVersion, SingleMasterConfiguration }) => {
        const messageTtlS = SingleMasterConfiguration?.MessageTtlSeconds
        hub.update(await channels.update(ChannelARN, CurrentVersion, messageTtlS))
        return {}
      },
    }),

    '/deleteSignalingChannel': operation({
      action: 'DeleteSignalingChannel',
      input: z.object({ ChannelARN: arn, CurrentVersion: version.optional() }),
      channel: ({ ChannelARN }) => ({ arn: ChannelARN }),
      run: async ({ ChannelARN, CurrentVersion }) => {
        const { name } = await channels.remove(ChannelARN, CurrentVersion)
        hub.remove(name)
        return {}
      },
    }),

    '/getSignalingChannelEndpoint': operation({
      action: 'GetSignalingChannelEndpoint',
      input: z.object({
        ChannelARN: arn,
        SingleMasterChannelEndpointConfiguration: z
          .object({
            // WEBRTC is for channels that are stored in a stream, and this service stores none.
            Protocols: z
              .array(z.enum(['WSS', 'HTTPS']))
              .min(1)
              .max(5)
              .default(['WSS', 'HTTPS']),
            Role: z.enum(['MASTER', 'VIEWER']).default('MASTER'),
          })
          .optional(),
      }),
      channel: ({ ChannelARN }) => ({ arn: ChannelARN }),
      run: async ({ SingleMasterChannelEndpointConfiguration: wanted }, key) => {
        await channels.get(key)
        // One endpoint for both roles, told apart by X-Amz-ClientId, and without a path: cameras are known to manage that.
        const protocols = new Set(wanted?.Protocols ?? ['WSS', 'HTTPS'])
        return {
          ResourceEndpointList: [...protocols].map((Protocol) => ({
            Protocol,
            ResourceEndpoint: `${Protocol.toLowerCase()}://${authority}`,
          })),
        }
      },
    }),

    '/v1/get-ice-server-config': operation({
      action: 'GetIceServerConfig',
      input: z.object({
        ChannelARN: arn,
        ClientId: clientId.optional(),
        Service: z.enum(['TURN']).optional(),
        Username: z.string().min(1).max(256).optional(),
      }),
      channel: ({ ChannelARN }) => ({ arn: ChannelARN }),
      run: async (_input, key) => {
        await channels.get(key)
        return { IceServerList: kvsIceServers(iceServers) }
      },
    }),

    '/v1/send-alexa-offer-to-master': operation({
      action: 'SendAlexaOfferToMaster',
      input: z.object({
        ChannelARN: arn,
        SenderClientId: clientId,
        MessagePayload: z
          .string()
          .regex(/^[a-zA-Z0-9+/=]+$/)
          .max(maxPayload),
      }),
      channel: ({ ChannelARN }) => ({ arn: ChannelARN }),
      run: async ({ SenderClientId, MessagePayload }, key, signal) => {
        const channel = await channels.get(key)
        return { Answer: await sendAlexaOffer(hub, channel, SenderClientId, MessagePayload, signal) }
      },
    }),
  }
}

/** Joins the parts of an operation, whose input has one type in all of them. */
function operation<Input>(parts: {
  action: string
  input: z.ZodType<Input>
  channel?: (input: Input) => ChannelKey
  run: (input: Input, channel: ChannelKey, signal: AbortSignal) => Promise<object>
}): Operation {
  return {
    action: parts.action,
    read(body) {
      const parsed = parts.input.safeParse(body)
      if (!parsed.success) {
        throw new ServiceError('InvalidArgumentException', z.prettifyError(parsed.error).slice(0, 1_024))
      }
      const key = parts.channel?.(parsed.data)
      return {
        channelName: key && ('name' in key ? key.name : channelNameOf(key.arn)),
        run: (signal) => parts.run(parsed.data, key ?? { name: '' }, signal),
      }
    },
  }
}

function channelInfo({ name, arn, createdAt, messageTtlS, version }: Channel) {
  return {
    ChannelName: name,
    ChannelARN: arn,
    ChannelType: 'SINGLE_MASTER',
    ChannelStatus: 'ACTIVE',
    CreationTime: createdAt / 1_000,
    SingleMasterConfiguration: { MessageTtlSeconds: messageTtlS },
    Version: version,
  }
}

function readToken(token: string): string {
  const name = Buffer.from(token, 'base64').toString('utf8')
  if (channelNameSchema.safeParse(name).success) return name
  throw new ServiceError('InvalidArgumentException', 'The NextToken is not one of this service.')
}
