/** Channels made, described, changed and deleted: the control plane, and where each channel's own endpoints are. */
import * as z from 'zod'
import { channelKey, type Channel } from './channel-records.ts'
import type { Channels } from './channels.ts'
import type { Hub } from './hub.ts'
import { arn, byNameOrArn, channelNameSchema, keyOf, operation, type Operation } from './operation.ts'
import { endpointPath } from './roles.ts'
import { ServiceError } from './service-error.ts'
import { tag, toTags } from './tag-operations.ts'

const version = z.string().regex(/^[a-zA-Z0-9]{1,64}$/)
const channelSettings = z.object({ MessageTtlSeconds: z.int().min(5).max(120).optional() })

export function createChannel(channels: Channels): Operation {
  return operation({
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
  })
}

export function describeChannel(channels: Channels): Operation {
  return operation({
    action: 'DescribeSignalingChannel',
    input: byNameOrArn,
    channel: keyOf,
    run: async (_input, key) => ({ ChannelInfo: channelInfo(await channels.get(key)) }),
  })
}

export function listChannels(channels: Channels): Operation {
  return operation({
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
  })
}

export function updateChannel(channels: Channels, hub: Hub): Operation {
  return operation({
    action: 'UpdateSignalingChannel',
    input: z.object({
      ChannelARN: arn,
      CurrentVersion: version,
      SingleMasterConfiguration: channelSettings.optional(),
    }),
    channel: ({ ChannelARN }) => channelKey(ChannelARN),
    run: async ({ ChannelARN, CurrentVersion, SingleMasterConfiguration }) => {
      const messageTtlS = SingleMasterConfiguration?.MessageTtlSeconds
      hub.update(await channels.update(ChannelARN, CurrentVersion, messageTtlS))
      return {}
    },
  })
}

export function deleteChannel(channels: Channels, hub: Hub): Operation {
  return operation({
    action: 'DeleteSignalingChannel',
    input: z.object({ ChannelARN: arn, CurrentVersion: version.optional() }),
    channel: ({ ChannelARN }) => channelKey(ChannelARN),
    run: async ({ ChannelARN, CurrentVersion }) => {
      const { name } = await channels.remove(ChannelARN, CurrentVersion)
      hub.remove(name)
      return {}
    },
  })
}

/** `endpoints` gives the origins of the service for a caller who reached it by this `host[:port]`. */
export type Endpoints = (host: string) => { readonly https: string; readonly wss: string }

export function getEndpoint(channels: Channels, endpoints: Endpoints): Operation {
  return operation({
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
    channel: ({ ChannelARN }) => channelKey(ChannelARN),
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
  })
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
