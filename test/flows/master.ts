/** A camera's connection, made of nothing but the environment that a registration prints for the C SDK. */
import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { Sha256 } from '@aws-crypto/sha256-js'
import {
  DescribeSignalingChannelCommand,
  GetSignalingChannelEndpointCommand,
  KinesisVideoClient,
} from '@aws-sdk/client-kinesis-video'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { SignatureV4 } from '@smithy/signature-v4'
import { WebSocket } from 'ws'

/** Finds the channel and connects as its master; `closed` resolves with the close code. */
export async function openMaster(
  env: Readonly<Record<string, string>>,
  ChannelName: string,
): Promise<{ readonly closed: Promise<number> }> {
  const credentials = {
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
  }
  const [region = '', endpoint = ''] = [env['AWS_DEFAULT_REGION'], env['CONTROL_PLANE_URI']]
  const ca = readFileSync(env['AWS_KVS_CACERT_PATH'] ?? '', 'utf8')
  const requestHandler = new NodeHttpHandler({ httpsAgent: { ca } })
  const control = new KinesisVideoClient({ region, endpoint, credentials, requestHandler })
  try {
    const { ChannelInfo } = await control.send(new DescribeSignalingChannelCommand({ ChannelName }))
    const arn = ChannelInfo?.ChannelARN ?? ''
    const { ResourceEndpointList } = await control.send(
      new GetSignalingChannelEndpointCommand({
        ChannelARN: arn,
        SingleMasterChannelEndpointConfiguration: { Protocols: ['WSS', 'HTTPS'], Role: 'MASTER' },
      }),
    )
    const url = new URL(ResourceEndpointList?.find(({ Protocol }) => Protocol === 'WSS')?.ResourceEndpoint ?? '')
    const signer = new SignatureV4({ service: 'kinesisvideo', region, credentials, sha256: Sha256 })
    const { query = {} } = await signer.presign(
      {
        method: 'GET',
        protocol: 'wss:',
        hostname: url.hostname,
        path: '/',
        headers: { host: url.host },
        query: { 'X-Amz-ChannelARN': arn },
      },
      { expiresIn: 299 },
    )
    const pairs = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    const socket = new WebSocket(`wss://${url.host}/?${pairs.join('&')}`, { ca })
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    await once(socket, 'open')
    return { closed }
  } finally {
    control.destroy()
    requestHandler.destroy()
  }
}
