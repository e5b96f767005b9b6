/** AWS's JavaScript SDK in both roles, unchanged, with werift's peer connections: they find each other, and media flows. */
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  CreateSignalingChannelCommand,
  DescribeSignalingChannelCommand,
  GetSignalingChannelEndpointCommand,
} from '@aws-sdk/client-kinesis-video'
import { GetIceServerConfigCommand, SendAlexaOfferToMasterCommand } from '@aws-sdk/client-kinesis-video-signaling'
import { Role, SignalingClient } from 'amazon-kinesis-video-streams-webrtc'
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpHeader, RtpPacket } from 'werift'
import { WebSocket, type ClientOptions } from 'ws'
import { region, run, type Key, type Running } from './running-service.ts'
import { until } from '../until.ts'

let running: Running
let cameraKey: Key
let arn: string
type Description = Parameters<RTCPeerConnection['setRemoteDescription']>[0]
type Candidate = Parameters<RTCPeerConnection['addIceCandidate']>[0]
const browserSocket = globalThis.WebSocket
const failed: unknown[] = []
const peers: RTCPeerConnection[] = []
const open: { close(): unknown }[] = []

beforeAll(async () => {
  running = await run()
  const options: ClientOptions & { closeTimeout: number } = { ca: running.ca, closeTimeout: 100 }
  // The SDK takes the global one, which trusts only what the process was started with.
  Object.assign(globalThis, {
    WebSocket: class extends WebSocket {
      constructor(url: string) {
        // The SDK closes twice, and `ws` then forgets one of its timers until it is over.
        super(url, options)
      }
    },
  })
  cameraKey = await running.service.createCredentials({ kind: 'camera', channelName: 'page' })
  // As a page does it: the camera's own key makes the channel.
  const control = running.control(cameraKey)
  await control.send(new CreateSignalingChannelCommand({ ChannelName: 'page' }))
  arn = (await control.send(new DescribeSignalingChannelCommand({ ChannelName: 'page' }))).ChannelInfo?.ChannelARN ?? ''
})
afterAll(async () => {
  for (const one of open.toReversed()) await one.close()
  Object.assign(globalThis, { WebSocket: browserSocket })
  await running.close()
})

const h264 = () =>
  new RTCRtpCodecParameters({
    mimeType: 'video/H264',
    clockRate: 90_000,
    payloadType: 125,
    parameters: 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1',
  })

/** What the AWS documentation's page does before it opens the WebSocket. */
async function prepare(key: Key, role: 'MASTER' | 'VIEWER') {
  const { ResourceEndpointList = [] } = await running.control(key).send(
    new GetSignalingChannelEndpointCommand({
      ChannelARN: arn,
      SingleMasterChannelEndpointConfiguration: { Protocols: ['WSS', 'HTTPS'], Role: role },
    }),
  )
  const wss = ResourceEndpointList.find(({ Protocol }) => Protocol === 'WSS')?.ResourceEndpoint ?? ''
  const { IceServerList = [] } = await running.signaling(key).send(new GetIceServerConfigCommand({ ChannelARN: arn }))
  const client = new SignalingClient({
    channelARN: arn,
    channelEndpoint: wss,
    region,
    credentials: key,
    role: role === 'MASTER' ? Role.MASTER : Role.VIEWER,
    ...(role === 'VIEWER' && { clientId: 'page-viewer' }),
  })
  client.on('error', (error: unknown) => failed.push(error))
  open.push(client)
  return { client, iceServers: IceServerList.map(({ Uris = [] }) => ({ urls: Uris[0] ?? '' })) }
}

function createPeer(iceServers: { urls: string }[]): RTCPeerConnection {
  const peer = new RTCPeerConnection({ iceServers, codecs: { video: [h264()], audio: [] } })
  open.push(peer)
  peers.push(peer)
  return peer
}

async function startMaster(): Promise<{ offers: string[]; tracks: MediaStreamTrack[] }> {
  const { client, iceServers } = await prepare(cameraKey, 'MASTER')
  const seen = { offers: [] as string[], tracks: [] as MediaStreamTrack[] }
  const called = new Map<string, RTCPeerConnection>()
  client.on('sdpOffer', (offer: Description, viewer: string) => {
    take(offer, viewer).catch((error: unknown) => failed.push(error))
  })
  const take = async (offer: Description, viewer: string) => {
    seen.offers.push(viewer)
    const peer = createPeer(iceServers)
    called.set(viewer, peer)
    peer.onIceCandidate.subscribe((candidate) => {
      if (candidate) client.sendIceCandidate(candidate.toJSON(), viewer)
    })
    const track = new MediaStreamTrack({ kind: 'video' })
    seen.tracks.push(track)
    peer.addTransceiver(track, { direction: 'sendonly' })
    await peer.setRemoteDescription(offer)
    await peer.setLocalDescription(await peer.createAnswer())
    client.sendSdpAnswer(peer.localDescription, viewer)
  }
  client.on(
    'iceCandidate',
    (candidate: Candidate, viewer: string) => void called.get(viewer)?.addIceCandidate(candidate),
  )
  client.open()
  await once(client, 'open')
  return seen
}

test('a page as camera and a page as viewer set up a call over the service, and video arrives', async () => {
  const camera = await startMaster()
  expect(running.service.presence('page')?.online).toBe(true)

  const { client, iceServers } = await prepare(running.key, 'VIEWER')
  const peer = createPeer(iceServers)
  peer.addTransceiver('video', { direction: 'recvonly' })
  let packets = 0
  peer.onTrack.subscribe((track) => track.onReceiveRtp.subscribe(() => (packets += 1)))
  peer.onIceCandidate.subscribe((candidate) => {
    if (candidate) client.sendIceCandidate(candidate.toJSON())
  })
  client.on('sdpAnswer', (answer: Description) => void peer.setRemoteDescription(answer))
  client.on('iceCandidate', (candidate: Candidate) => void peer.addIceCandidate(candidate))
  client.open()
  await once(client, 'open')
  await peer.setLocalDescription(await peer.createOffer())
  client.sendSdpOffer(peer.localDescription)

  await until(() => peer.connectionState === 'connected')
  expect(camera.offers).toEqual(['page-viewer'])
  let sequenceNumber = 0
  await until(() => {
    const header = new RtpHeader({ payloadType: 125, sequenceNumber: (sequenceNumber += 1), timestamp: 90 })
    camera.tracks[0]?.writeRtp(new RtpPacket(header, Buffer.from([0x65, 1, 2, 3])))
    return packets > 3
  })

  // The same camera, which trickles, also answers Alexa: in one message, with its addresses in it.
  const alexa = createPeer(iceServers)
  alexa.addTransceiver('video', { direction: 'recvonly' })
  await alexa.setLocalDescription(await alexa.createOffer())
  await until(() => alexa.iceGatheringState === 'complete')
  const { type, sdp } = alexa.localDescription!
  const { Answer = '' } = await running.signaling().send(
    new SendAlexaOfferToMasterCommand({
      ChannelARN: arn,
      SenderClientId: 'echoshow195',
      MessagePayload: Buffer.from(JSON.stringify({ type, sdp })).toString('base64'),
    }),
  )
  const answer = JSON.parse(Buffer.from(Answer, 'base64').toString('utf8'))
  expect(answer).toMatchObject({ type: 'answer', sdp: expect.stringMatching(/^a=candidate:/m) })
  await alexa.setRemoteDescription(answer)
  await until(() => alexa.connectionState === 'connected')
  // Closed earlier, werift would go on with the camera's side of the handshake.
  await until(() => peers.every(({ connectionState }) => connectionState === 'connected'))
  expect(failed).toEqual([])
})
