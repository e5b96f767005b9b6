/** A KVS camera whose signaling is AWS's JavaScript SDK, unchanged, and whose media is whatever answers its offers. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  DescribeSignalingChannelCommand,
  GetSignalingChannelEndpointCommand,
  KinesisVideoClient,
} from '@aws-sdk/client-kinesis-video'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { Role, SignalingClient } from 'amazon-kinesis-video-streams-webrtc'
import { WebSocket, type ClientOptions } from 'ws'

export interface KvsMaster {
  /** What went wrong in its own work. */
  readonly failed: readonly unknown[]
  close(): void
}

/** Connects with the environment that `transom camera add --json` printed; `answer` makes each viewer's answer. */
export async function openKvsMaster(
  environment: Readonly<Record<string, string>>,
  channelName: string,
  answer: (offer: string) => Promise<string>,
): Promise<KvsMaster> {
  const credentials = {
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
  }
  const [region = '', endpoint = ''] = [environment['AWS_DEFAULT_REGION'], environment['CONTROL_PLANE_URI']]
  const ca = readFileSync(environment['AWS_KVS_CACERT_PATH'] ?? '', 'utf8')
  const requestHandler = new NodeHttpHandler({ httpsAgent: { ca } })
  const control = new KinesisVideoClient({ region, endpoint, credentials, requestHandler })
  const { ChannelInfo } = await control.send(new DescribeSignalingChannelCommand({ ChannelName: channelName }))
  const channelARN = ChannelInfo?.ChannelARN ?? ''
  const { ResourceEndpointList } = await control.send(
    new GetSignalingChannelEndpointCommand({
      ChannelARN: channelARN,
      SingleMasterChannelEndpointConfiguration: { Protocols: ['WSS'], Role: 'MASTER' },
    }),
  )
  control.destroy()
  requestHandler.destroy()

  // The SDK takes the global one, which trusts only what the process was started with.
  const options: ClientOptions & { closeTimeout: number } = { ca, closeTimeout: 100 }
  Object.assign(globalThis, {
    WebSocket: class extends WebSocket {
      constructor(url: string) {
        super(url, options)
      }
    },
  })
  const channelEndpoint = ResourceEndpointList?.[0]?.ResourceEndpoint ?? ''
  const client = new SignalingClient({ channelARN, channelEndpoint, region, credentials, role: Role.MASTER })
  const failed: unknown[] = []
  client.on('error', (error: unknown) => failed.push(error))
  client.on('sdpOffer', (offer: { readonly sdp: string }, viewer: string) => {
    answer(offer.sdp).then(
      (sdp) => client.sendSdpAnswer({ type: 'answer', sdp, toJSON: () => ({ type: 'answer', sdp }) }, viewer),
      (error: unknown) => failed.push(error),
    )
  })
  client.open()
  await once(client, 'open')
  return { failed, close: () => client.close() }
}
