/** Keys for viewers: AWS's SDKs, unchanged, see with them the cameras that they are for, and do nothing else. */
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import {
  CreateSignalingChannelCommand,
  DeleteSignalingChannelCommand,
  DescribeMediaStorageConfigurationCommand,
  DescribeSignalingChannelCommand,
  GetSignalingChannelEndpointCommand,
  ListSignalingChannelsCommand,
  ListTagsForResourceCommand,
  TagResourceCommand,
  UpdateMediaStorageConfigurationCommand,
  UpdateSignalingChannelCommand,
} from '@aws-sdk/client-kinesis-video'
import { GetIceServerConfigCommand, SendAlexaOfferToMasterCommand } from '@aws-sdk/client-kinesis-video-signaling'
import { Role, SignalingClient } from 'amazon-kinesis-video-streams-webrtc'
import { WebSocket } from 'ws'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { base64, noRates, refusal, region, run, type Key, type Running } from './running-service.ts'

const browserSocket = globalThis.WebSocket
let running: Running
let porch: string
let garage: string
let key: Key
beforeEach(async () => {
  running = await run({ limits: { rates: noRates, viewersPerChannel: 3 } })
  porch = await running.service.ensureChannel('porch')
  garage = await running.service.ensureChannel('garage')
  key = await running.service.createCredentials({ kind: 'viewer', channelNames: ['porch'] }, 'tablet')
})
afterEach(async () => {
  Object.assign(globalThis, { WebSocket: browserSocket })
  await running.close()
})

const connectMaster = async (channelName: string, arn: string) =>
  running.connect(await running.service.createCredentials({ kind: 'camera', channelName }), { 'X-Amz-ChannelARN': arn })
const asViewer = (arn: string, clientId: string) => ({ 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': clientId })

test('the JavaScript SDK and the AWS SDK view a camera with such a key, unchanged', async () => {
  const options = { ca: running.ca, closeTimeout: 100 }
  Object.assign(globalThis, {
    WebSocket: class extends WebSocket {
      constructor(url: string) {
        super(url, options)
      }
    },
  })
  const master = await connectMaster('porch', porch)
  const control = running.control(key)
  const { ChannelInfo } = await control.send(new DescribeSignalingChannelCommand({ ChannelName: 'porch' }))
  const channelARN = ChannelInfo?.ChannelARN ?? ''
  const { ResourceEndpointList = [] } = await control.send(
    new GetSignalingChannelEndpointCommand({
      ChannelARN: channelARN,
      SingleMasterChannelEndpointConfiguration: { Protocols: ['WSS', 'HTTPS'], Role: 'VIEWER' },
    }),
  )
  const { IceServerList } = await running.signaling(key).send(new GetIceServerConfigCommand({ ChannelARN: channelARN }))
  expect(IceServerList).toHaveLength(1)
  const channelEndpoint = ResourceEndpointList.find(({ Protocol }) => Protocol === 'WSS')?.ResourceEndpoint ?? ''
  const viewer = new SignalingClient({
    channelARN,
    channelEndpoint,
    region,
    credentials: key,
    role: Role.VIEWER,
    clientId: 'tablet',
  })
  viewer.open()
  await once(viewer, 'open')
  viewer.sendSdpOffer({ type: 'offer', sdp: 'v=0\r\n' } as Parameters<typeof viewer.sendSdpOffer>[0])
  expect(await master.next()).toMatchObject({ messageType: 'SDP_OFFER', senderClientId: 'tablet' })
  const answered = once(viewer, 'sdpAnswer')
  master.send({
    action: 'SDP_ANSWER',
    recipientClientId: 'tablet',
    messagePayload: base64({ type: 'answer', sdp: 'v=0\r\n' }),
  })
  expect((await answered)[0]).toMatchObject({ type: 'answer' })
  const closed = once(viewer, 'close')
  viewer.close()
  await closed
})

test('it does nothing else, not even at its own camera', async () => {
  const [control, signaling] = [running.control(key), running.signaling(key)]
  const storage = { Status: 'DISABLED' } as const
  const answers = await Promise.allSettled([
    control.send(new CreateSignalingChannelCommand({ ChannelName: 'porch' })),
    control.send(new CreateSignalingChannelCommand({ ChannelName: 'mine' })),
    control.send(new ListSignalingChannelsCommand({})),
    control.send(new UpdateSignalingChannelCommand({ ChannelARN: porch, CurrentVersion: '1' })),
    control.send(new DeleteSignalingChannelCommand({ ChannelARN: porch })),
    control.send(new TagResourceCommand({ ResourceARN: porch, Tags: [{ Key: 'a', Value: 'b' }] })),
    control.send(new ListTagsForResourceCommand({ ResourceARN: porch })),
    control.send(new UpdateMediaStorageConfigurationCommand({ ChannelARN: porch, MediaStorageConfiguration: storage })),
    control.send(new DescribeMediaStorageConfigurationCommand({ ChannelARN: porch })),
    signaling.send(
      new SendAlexaOfferToMasterCommand({ ChannelARN: porch, SenderClientId: 'v', MessagePayload: 'YQ==' }),
    ),
    // The other camera's, by name and by ARN.
    control.send(new DescribeSignalingChannelCommand({ ChannelName: 'garage' })),
    control.send(new DescribeSignalingChannelCommand({ ChannelName: 'nowhere' })),
    control.send(new GetSignalingChannelEndpointCommand({ ChannelARN: garage })),
    signaling.send(new GetIceServerConfigCommand({ ChannelARN: garage })),
  ])
  const denied = { status: 'rejected', reason: { $metadata: { httpStatusCode: 401 } } }
  for (const answer of answers) expect(answer).toMatchObject(denied)
})

test.each([
  ['as a viewer of another camera', () => asViewer(garage, 'v'), '/', 403],
  ['as a master', () => ({ 'X-Amz-ChannelARN': porch }), '/master', 403],
  ['as a master that names itself', () => asViewer(porch, 'm'), '/master', 403],
  ['as a viewer without a name', () => ({ 'X-Amz-ChannelARN': porch }), '/', 400],
])('it does not connect %s', async (_case, query, path, status) => {
  expect(await refusal(await running.presign(key, query(), { path }), running.ca)).toMatchObject({ status })
})

test('it opens several cameras, is listed without its secret, and is revoked with its connections', async () => {
  const { service } = running
  const both = await service.createCredentials({ kind: 'viewer', channelNames: ['porch', 'garage'] })
  const [one, two] = [
    await running.connect(both, asViewer(porch, 'a')),
    await running.connect(both, asViewer(garage, 'b')),
  ]
  const other = await running.connect(key, asViewer(porch, 'c'))
  const keys = await service.listCredentials({ kind: 'viewer' })
  expect(keys).toHaveLength(2)
  expect(keys).toContainEqual({
    accessKeyId: key.accessKeyId,
    name: 'tablet',
    scope: { kind: 'viewer', channelNames: ['porch'] },
    createdAt: expect.any(Number),
  })
  expect(JSON.stringify(keys)).not.toContain(both.secretAccessKey)
  expect(await service.revokeCredentials(both.accessKeyId)).toBe(true)
  expect([await one.closed, await two.closed]).toMatchObject([{ code: 4003 }, { code: 4003 }])
  expect(other.socket.readyState).toBe(WebSocket.OPEN)
})

test('a key that is revoked while its connection is being opened does not connect', async () => {
  const [store, read, revoked] = [
    createSqliteStore(':memory:', Date.now),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ] as const
  let isHeld = false
  const slow = await run({
    store: {
      ...store,
      collection: <T>(name: string) => {
        const records = store.collection<T>(name)
        const get: typeof records.get = async (id) => {
          const found = await records.get(id)
          if (!isHeld || name !== 'signaling-credential') return found
          read.resolve()
          await revoked.promise
          return found
        }
        return { ...records, get }
      },
    },
  })
  try {
    const arn = await slow.service.ensureChannel('porch')
    const late = await slow.service.createCredentials({ kind: 'viewer', channelNames: ['porch'] })
    const url = await slow.presign(late, asViewer(arn, 'v'))
    isHeld = true
    const refused = refusal(url, slow.ca)
    await read.promise
    expect(await slow.service.revokeCredentials(late.accessKeyId)).toBe(true)
    revoked.resolve()
    expect(await refused).toMatchObject({ status: 403, type: 'UnrecognizedClientException' })
  } finally {
    await slow.close()
    await store.close()
  }
})

test('a camera that is removed is taken out of each key, and one of its name made later is another', async () => {
  const { service } = running
  const both = await service.createCredentials({ kind: 'viewer', channelNames: ['porch', 'garage'] }, 'both')
  await service.removeChannel('porch')
  expect(await service.listCredentials({ kind: 'viewer' })).toEqual([
    expect.objectContaining({ accessKeyId: both.accessKeyId, scope: { kind: 'viewer', channelNames: ['garage'] } }),
  ])
  const again = await service.ensureChannel('porch')
  expect(await refusal(await running.presign(key, asViewer(again, 'v')), running.ca)).toMatchObject({ status: 403 })
  expect(await refusal(await running.presign(both, asViewer(again, 'v')), running.ca)).toMatchObject({ status: 403 })
  await running.connect(both, asViewer(garage, 'v'))
})

test('a record whose channels were changed in the store opens nothing', async () => {
  const records = running.store.collection<{ scope: object }>('signaling-credential')
  const stored = await records.get(key.accessKeyId)
  await records.put(key.accessKeyId, { ...stored?.value, scope: { kind: 'viewer', channelNames: ['garage'] } })
  expect(await refusal(await running.presign(key, asViewer(garage, 'v')), running.ca)).toMatchObject({
    status: 403,
    type: 'UnrecognizedClientException',
  })
})

test('such viewers leave the last place of a channel to the bridge', async () => {
  await running.connect(key, asViewer(porch, 'a'))
  await running.connect(key, asViewer(porch, 'b'))
  expect(await refusal(await running.presign(key, asViewer(porch, 'c')), running.ca)).toMatchObject({
    status: 400,
    type: 'ClientLimitExceededException',
  })
  await running.connect(running.key, asViewer(porch, 'bridge'))
})
