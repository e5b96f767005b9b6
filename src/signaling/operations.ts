/** The operations of the control plane and of a channel's HTTPS endpoint: path, input by the service model, and the work. */
import * as z from 'zod'
import { sendAlexaOffer } from './alexa-offer.ts'
import { channelNameOf, type Channel, type ChannelKey, type Channels, type Storage } from './channels.ts'
import type { Scope } from './credentials.ts'
import type { Hub } from './hub.ts'
import type { KvsIceServer } from './ice-servers.ts'
import { idPattern, maxPayload } from './message.ts'
import { endpointPath } from './roles.ts'
import { ServiceError } from './service-error.ts'
import { faultsOf } from 'transom-core/wire/faults'

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
  /** Does it and returns the answer's body. Throws `ServiceError`. */
  run(caller: Caller): Promise<object>
}

/** Who waits for the answer. */
export interface Caller {
  /** By which `host[:port]` they reached the service: the Host header, which is signed. */
  readonly host: string
  /** What their key opens. */
  readonly scope: Scope
  /** Aborted when they hang up. */
  readonly signal: AbortSignal
}

export interface OperationDeps {
  readonly channels: Channels
  readonly hub: Hub
  /** Origins of the service for a caller who reached it by this `host[:port]`. */
  readonly endpoints: (host: string) => { readonly https: string; readonly wss: string }
  /** The ICE servers for a client of this name. */
  readonly iceServers: (clientId: string) => readonly KvsIceServer[]
}

export const channelNameSchema = z.string().regex(/^[a-zA-Z0-9_.-]{1,256}$/)
const arn = z
  .string()
  .max(1_024)
  .refine((value) => channelNameOf(value) !== undefined, 'is not the ARN of a channel')
const clientId = z.string().regex(idPattern)
const version = z.string().regex(/^[a-zA-Z0-9]{1,64}$/)
const channelSettings = z.object({ MessageTtlSeconds: z.int().min(5).max(120).optional() })
const tagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u
const tagKey = z.string().min(1).max(128).regex(tagText)
const tag = z.object({ Key: tagKey, Value: z.string().max(256).regex(tagText) })
const toTags = (tags: readonly z.infer<typeof tag>[]) => Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]))
const byNameOrArn = z
  .object({ ChannelName: channelNameSchema.optional(), ChannelARN: arn.optional() })
  .refine(({ ChannelName, ChannelARN }) => ChannelName ?? ChannelARN, 'ChannelName or ChannelARN is required')
const keyOf = ({ ChannelName, ChannelARN = '' }: z.infer<typeof byNameOrArn>): ChannelKey =>
  ChannelName === undefined ? { arn: ChannelARN } : { name: ChannelName }
const storageSettings = z
  .object({
    Status: z.enum(['ENABLED', 'DISABLED']),
    StreamARN: z
      .string()
      .max(1_024)
      .regex(/^arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:stream\/[a-zA-Z0-9_.-]+\/[0-9]+$/)
      .optional(),
  })
  .refine(({ Status, StreamARN }) => Status === 'DISABLED' || StreamARN, 'StreamARN is required when ENABLED')

/** Every operation by its path. All are POST. */
export function createOperations({ channels, hub, endpoints, iceServers }: OperationDeps): Record<string, Operation> {
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
        const { arn } = await channels.create(ChannelName, { messageTtlS, tags: toTags(Tags) })
        return { ChannelARN: arn }
      },
    }),

    '/describeSignalingChannel': operation({
      action: 'DescribeSignalingChannel',
      input: byNameOrArn,
      channel: keyOf,
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
            Protocols: z
              .array(z.enum(['WSS', 'HTTPS', 'WEBRTC']))
              .min(1)
              .max(5)
              .default(['WSS', 'HTTPS']),
            Role: z.enum(['MASTER', 'VIEWER']).optional(),
          })
          .optional(),
      }),
      channel: ({ ChannelARN }) => ({ arn: ChannelARN }),
      run: async ({ SingleMasterChannelEndpointConfiguration: wanted }, key, { host, scope }) => {
        const { storage } = await channels.get(key)
        const protocols = new Set(wanted?.Protocols ?? ['WSS', 'HTTPS'])
        if (protocols.has('WEBRTC') && storage.status === 'DISABLED') {
          throw new ServiceError('InvalidArgumentException', 'WEBRTC is for channels whose media storage is enabled.')
        }
        const { https, wss } = endpoints(host)
        const path = endpointPath(scope, wanted?.Role)
        return {
          ResourceEndpointList: [...protocols].map((Protocol) => ({
            Protocol,
            ResourceEndpoint: Protocol === 'WSS' ? `${wss}${path}` : https,
          })),
        }
      },
    }),

    '/TagResource': operation({
      action: 'TagResource',
      input: z.object({ ResourceARN: arn, Tags: z.array(tag).min(1).max(50) }),
      channel: ({ ResourceARN }) => ({ arn: ResourceARN }),
      run: async ({ ResourceARN, Tags }) => {
        await channels.tag(ResourceARN, toTags(Tags))
        return {}
      },
    }),

    '/UntagResource': operation({
      action: 'UntagResource',
      input: z.object({ ResourceARN: arn, TagKeyList: z.array(tagKey).min(1).max(50) }),
      channel: ({ ResourceARN }) => ({ arn: ResourceARN }),
      run: async ({ ResourceARN, TagKeyList }) => {
        await channels.untag(ResourceARN, TagKeyList)
        return {}
      },
    }),

    '/ListTagsForResource': operation({
      action: 'ListTagsForResource',
      // All tags fit one page, so nobody holds a token of ours.
      input: z.object({ ResourceARN: arn, NextToken: z.never('is not one of this service').optional() }),
      channel: ({ ResourceARN }) => ({ arn: ResourceARN }),
      run: async ({ ResourceARN }) => ({ Tags: await channels.tags(ResourceARN) }),
    }),

    '/updateMediaStorageConfiguration': operation({
      action: 'UpdateMediaStorageConfiguration',
      input: z.object({ ChannelARN: arn, MediaStorageConfiguration: storageSettings }),
      channel: ({ ChannelARN }) => ({ arn: ChannelARN }),
      run: async ({ ChannelARN, MediaStorageConfiguration: { Status, StreamARN } }) => {
        const streamArn = StreamARN === undefined ? {} : { streamArn: StreamARN }
        await channels.store(ChannelARN, { status: Status, ...streamArn })
        return {}
      },
    }),

    '/describeMediaStorageConfiguration': operation({
      action: 'DescribeMediaStorageConfiguration',
      input: byNameOrArn,
      channel: keyOf,
      run: async (_input, key, { scope }) => {
        const { storage } = await channels.get(key)
        // Sessions are not stored here: firmware that can do both goes on peer to peer, whatever was configured.
        const { status, streamArn }: Storage = scope.kind === 'application' ? storage : { status: 'DISABLED' }
        const stream = streamArn === undefined ? {} : { StreamARN: streamArn }
        return { MediaStorageConfiguration: { Status: status, ...stream } }
      },
    }),

    '/joinStorageSession': joinStorage('JoinStorageSession', channels),
    '/joinStorageSessionAsViewer': joinStorage('JoinStorageSessionAsViewer', channels),

    '/v1/get-ice-server-config': operation({
      action: 'GetIceServerConfig',
      input: z.object({
        ChannelARN: arn,
        ClientId: clientId.optional(),
        Service: z.enum(['TURN']).optional(),
        Username: z.string().min(1).max(256).optional(),
      }),
      channel: ({ ChannelARN }) => ({ arn: ChannelARN }),
      run: async ({ ClientId, Username }, key) => {
        const { name } = await channels.get(key)
        return { IceServerList: iceServers(ClientId ?? Username ?? name) }
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
      run: async ({ SenderClientId, MessagePayload }, key, { signal }) => {
        const channel = await channels.get(key)
        return { Answer: await sendAlexaOffer(hub, channel, SenderClientId, MessagePayload, signal) }
      },
    }),
  }
}

/** Sessions are not stored here, and whoever asks for it shall read so rather than wait for an offer. */
function joinStorage(action: string, channels: Channels): Operation {
  return operation({
    action,
    input: z.object({ channelArn: arn, clientId: clientId.optional() }),
    channel: ({ channelArn }) => ({ arn: channelArn }),
    run: async (_input, key) => {
      await channels.get(key)
      throw new ServiceError('InvalidArgumentException', 'Storage sessions are not supported by this service.')
    },
  })
}

/** Joins the parts of an operation, whose input has one type in all of them. */
function operation<Input>(parts: {
  action: string
  input: z.ZodType<Input>
  channel?: (input: Input) => ChannelKey
  run: (input: Input, channel: ChannelKey, caller: Caller) => Promise<object>
}): Operation {
  return {
    action: parts.action,
    read(body) {
      const parsed = parts.input.safeParse(body)
      if (!parsed.success) {
        throw new ServiceError('InvalidArgumentException', faultsOf(parsed.error).slice(0, 1_024))
      }
      const key = parts.channel?.(parsed.data)
      return {
        channelName: key && ('name' in key ? key.name : channelNameOf(key.arn)),
        run: (caller) => parts.run(parsed.data, key ?? { name: '' }, caller),
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
