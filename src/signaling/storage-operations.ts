/** Media storage: kept for whoever asks, and never acted on. */
import * as z from 'zod'
import { channelKey, type Storage } from './channel-records.ts'
import type { Channels } from './channels.ts'
import { arn, byNameOrArn, clientId, keyOf, operation, type Operation } from './operation.ts'
import { ServiceError } from './service-error.ts'

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

export function updateStorage(channels: Channels): Operation {
  return operation({
    action: 'UpdateMediaStorageConfiguration',
    input: z.object({ ChannelARN: arn, MediaStorageConfiguration: storageSettings }),
    channel: ({ ChannelARN }) => channelKey(ChannelARN),
    run: async ({ ChannelARN, MediaStorageConfiguration: { Status, StreamARN } }) => {
      const streamArn = StreamARN === undefined ? {} : { streamArn: StreamARN }
      await channels.store(ChannelARN, { status: Status, ...streamArn })
      return {}
    },
  })
}

export function describeStorage(channels: Channels): Operation {
  return operation({
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
  })
}

/** Sessions are not stored here, and whoever asks for it shall read so rather than wait for an offer. */
export function joinStorage(action: string, channels: Channels): Operation {
  return operation({
    action,
    input: z.object({ channelArn: arn, clientId: clientId.optional() }),
    channel: ({ channelArn }) => channelKey(channelArn),
    run: async (_input, key) => {
      await channels.get(key)
      throw new ServiceError('InvalidArgumentException', 'Storage sessions are not supported by this service.')
    },
  })
}
