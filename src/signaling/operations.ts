/** Every operation of the control plane and of a channel's HTTPS endpoint, by its path. */
import * as z from 'zod'
import { sendAlexaOffer } from './alexa-offer.ts'
import {
  createChannel,
  deleteChannel,
  describeChannel,
  getEndpoint,
  listChannels,
  updateChannel,
  type Endpoints,
} from './channel-operations.ts'
import { channelKey } from './channel-records.ts'
import type { Channels } from './channels.ts'
import type { Hub } from './hub.ts'
import type { KvsIceServer } from './ice-servers.ts'
import { maxPayload } from './message.ts'
import { arn, clientId, operation, type Operation } from './operation.ts'
import { describeStorage, joinStorage, updateStorage } from './storage-operations.ts'
import { listTags, tagResource, untagResource } from './tag-operations.ts'

export interface OperationDeps {
  readonly channels: Channels
  readonly hub: Hub
  readonly endpoints: Endpoints
  /** The ICE servers for a client of this name. */
  readonly iceServers: (clientId: string) => readonly KvsIceServer[]
}

/** The service's operations. All are POST. */
export function createOperations({ channels, hub, endpoints, iceServers }: OperationDeps): Record<string, Operation> {
  return {
    '/createSignalingChannel': createChannel(channels),
    '/describeSignalingChannel': describeChannel(channels),
    '/listSignalingChannels': listChannels(channels),
    '/updateSignalingChannel': updateChannel(channels, hub),
    '/deleteSignalingChannel': deleteChannel(channels, hub),
    '/getSignalingChannelEndpoint': getEndpoint(channels, endpoints),
    '/TagResource': tagResource(channels),
    '/UntagResource': untagResource(channels),
    '/ListTagsForResource': listTags(channels),
    '/updateMediaStorageConfiguration': updateStorage(channels),
    '/describeMediaStorageConfiguration': describeStorage(channels),
    '/joinStorageSession': joinStorage('JoinStorageSession', channels),
    '/joinStorageSessionAsViewer': joinStorage('JoinStorageSessionAsViewer', channels),
    '/v1/get-ice-server-config': getIceServers(channels, iceServers),
    '/v1/send-alexa-offer-to-master': sendOffer(channels, hub),
  }
}

function getIceServers(channels: Channels, iceServers: OperationDeps['iceServers']): Operation {
  return operation({
    action: 'GetIceServerConfig',
    input: z.object({
      ChannelARN: arn,
      ClientId: clientId.optional(),
      Service: z.enum(['TURN']).optional(),
      Username: z.string().min(1).max(256).optional(),
    }),
    channel: ({ ChannelARN }) => channelKey(ChannelARN),
    run: async ({ ClientId, Username }, key) => {
      const { name } = await channels.get(key)
      return { IceServerList: iceServers(ClientId ?? Username ?? name) }
    },
  })
}

function sendOffer(channels: Channels, hub: Hub): Operation {
  return operation({
    action: 'SendAlexaOfferToMaster',
    input: z.object({
      ChannelARN: arn,
      SenderClientId: clientId,
      MessagePayload: z
        .string()
        .regex(/^[a-zA-Z0-9+/=]+$/)
        .max(maxPayload),
    }),
    channel: ({ ChannelARN }) => channelKey(ChannelARN),
    run: async ({ SenderClientId, MessagePayload }, key, { signal }) => {
      const channel = await channels.get(key)
      return { Answer: await sendAlexaOffer(hub, channel, SenderClientId, MessagePayload, signal) }
    },
  })
}
