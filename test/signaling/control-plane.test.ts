/** The control plane, driven by the AWS SDK. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  CreateSignalingChannelCommand,
  DeleteSignalingChannelCommand,
  DescribeSignalingChannelCommand,
  GetSignalingChannelEndpointCommand,
  ListSignalingChannelsCommand,
  ListStreamsCommand,
  UpdateSignalingChannelCommand,
} from '@aws-sdk/client-kinesis-video'
import { GetIceServerConfigCommand } from '@aws-sdk/client-kinesis-video-signaling'
import type { IceServer } from '../../src/core/ports.ts'
import { createIceServers } from '../../src/signaling/ice-servers.ts'
import { region, run, type Running } from './running-service.ts'

let running: Running
beforeAll(async () => {
  running = await run()
})
afterAll(() => running.close())

const create = async (ChannelName: string) => {
  const { ChannelARN } = await running.control().send(new CreateSignalingChannelCommand({ ChannelName }))
  return ChannelARN ?? ''
}
const describeByName = async (ChannelName: string) => {
  const { ChannelInfo } = await running.control().send(new DescribeSignalingChannelCommand({ ChannelName }))
  return ChannelInfo
}

describe('channels', () => {
  test('a channel that was created is described by name and by ARN', async () => {
    const before = Date.now()
    const arn = await create('front.door')
    expect(arn).toMatch(new RegExp(`^arn:aws:kinesisvideo:${region}:\\d{12}:channel/front\\.door/\\d{13}$`))
    const info = await describeByName('front.door')
    expect(info).toMatchObject({
      ChannelName: 'front.door',
      ChannelARN: arn,
      ChannelType: 'SINGLE_MASTER',
      ChannelStatus: 'ACTIVE',
      SingleMasterConfiguration: { MessageTtlSeconds: 60 },
      Version: expect.stringMatching(/^[a-zA-Z0-9]{1,64}$/),
    })
    expect(info?.CreationTime?.getTime()).toBeGreaterThanOrEqual(before)
    const byArn = await running.control().send(new DescribeSignalingChannelCommand({ ChannelARN: arn }))
    expect(byArn.ChannelInfo).toEqual(info)
  })

  test('a name is taken once', async () => {
    await create('once')
    await expect(create('once')).rejects.toMatchObject({
      name: 'ResourceInUseException',
      $metadata: { httpStatusCode: 400 },
    })
  })

  test('an unknown channel is not found, with a message and a request id', async () => {
    await expect(describeByName('nowhere')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The requested channel is not found or not active.',
      $metadata: { httpStatusCode: 404, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    })
  })

  test.each([
    ['a name with a slash', { ChannelName: 'a/b' }],
    ['a life of messages below 5 s', { ChannelName: 'a', SingleMasterConfiguration: { MessageTtlSeconds: 4 } }],
    ['a full mesh', { ChannelName: 'a', ChannelType: 'FULL_MESH' as const }],
  ])('%s is an invalid argument', async (_case, input) => {
    await expect(running.control().send(new CreateSignalingChannelCommand(input))).rejects.toMatchObject({
      name: 'InvalidArgumentException',
      $metadata: { httpStatusCode: 400 },
    })
  })

  test('an update needs the current version and gives the channel a new one', async () => {
    const ChannelARN = await create('updated')
    const update = (CurrentVersion: string, MessageTtlSeconds: number) =>
      running.control().send(
        new UpdateSignalingChannelCommand({
          ChannelARN,
          CurrentVersion,
          SingleMasterConfiguration: { MessageTtlSeconds },
        }),
      )
    const before = await describeByName('updated')
    await update(before?.Version ?? '', 30)
    const after = await describeByName('updated')
    expect(after?.SingleMasterConfiguration?.MessageTtlSeconds).toBe(30)
    expect(after?.Version).not.toBe(before?.Version)
    await expect(update(before?.Version ?? '', 40)).rejects.toMatchObject({ name: 'VersionMismatchException' })
  })

  test('a channel that was deleted is gone, and one made again is another one', async () => {
    const arn = await create('remade')
    const version = (await describeByName('remade'))?.Version
    const remove = (CurrentVersion?: string) =>
      running
        .control()
        .send(new DeleteSignalingChannelCommand({ ChannelARN: arn, ...(CurrentVersion && { CurrentVersion }) }))
    await expect(remove('x')).rejects.toMatchObject({ name: 'VersionMismatchException' })
    await remove(version)
    await expect(remove()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    expect(await create('remade')).not.toBe(arn)
    await expect(
      running.control().send(new DescribeSignalingChannelCommand({ ChannelARN: arn })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  test('channels are listed page by page, those with a prefix only', async () => {
    for (const name of ['page-1', 'page-2', 'page-3', 'other']) await create(name)
    const names: (string | undefined)[] = []
    let token: string | undefined
    do {
      const page = await running.control().send(
        new ListSignalingChannelsCommand({
          MaxResults: 2,
          ChannelNameCondition: { ComparisonOperator: 'BEGINS_WITH', ComparisonValue: 'page-' },
          ...(token === undefined ? {} : { NextToken: token }),
        }),
      )
      names.push(...(page.ChannelInfoList ?? []).map(({ ChannelName }) => ChannelName))
      token = page.NextToken
    } while (token !== undefined)
    expect(names).toEqual(['page-1', 'page-2', 'page-3'])
    const all = await running.control().send(new ListSignalingChannelsCommand({}))
    expect(all.ChannelInfoList?.map(({ ChannelName }) => ChannelName)).toContain('other')
    expect(all.NextToken).toBeUndefined()
    await expect(running.control().send(new ListSignalingChannelsCommand({ NextToken: '////' }))).rejects.toMatchObject(
      { name: 'InvalidArgumentException' },
    )
  })

  test('channels made at once under one name are one', async () => {
    const arns = await Promise.all([1, 2, 3].map(() => running.service.ensureChannel('ensured')))
    expect(new Set(arns).size).toBe(1)
    await expect(running.service.ensureChannel('a b')).rejects.toMatchObject({ code: 'invalid_request' })
  })
})

const listed = (servers: IceServer[]) => createIceServers(servers, undefined, Date.now)('door')

describe('endpoints and ICE servers', () => {
  test.each(['MASTER', 'VIEWER'] as const)('a %s gets a WebSocket and an HTTPS endpoint', async (Role) => {
    const ChannelARN = await running.service.ensureChannel('endpoints')
    const { ResourceEndpointList } = await running.control().send(
      new GetSignalingChannelEndpointCommand({
        ChannelARN,
        SingleMasterChannelEndpointConfiguration: { Protocols: ['WSS', 'HTTPS'], Role },
      }),
    )
    expect(ResourceEndpointList).toEqual([
      // An application's key can be either: its endpoints tell.
      {
        Protocol: 'WSS',
        ResourceEndpoint: `${running.service.endpoint.replace('https', 'wss')}${Role === 'MASTER' ? '/master' : ''}`,
      },
      { Protocol: 'HTTPS', ResourceEndpoint: running.service.endpoint },
    ])
  })

  test('there is no endpoint for storage sessions', async () => {
    const ChannelARN = await running.service.ensureChannel('endpoints')
    const call = running.control().send(
      new GetSignalingChannelEndpointCommand({
        ChannelARN,
        SingleMasterChannelEndpointConfiguration: { Protocols: ['WEBRTC'], Role: 'MASTER' },
      }),
    )
    await expect(call).rejects.toMatchObject({ name: 'InvalidArgumentException' })
  })

  test('without ICE servers of its own the service names one that is always there', async () => {
    const ChannelARN = await running.service.ensureChannel('ice')
    const { IceServerList } = await running
      .signaling()
      .send(new GetIceServerConfigCommand({ ChannelARN, ClientId: 'ConsumerClient', Service: 'TURN' }))
    expect(running.service.ownIceServer).toMatch(/^stun:127\.0\.0\.1:\d+$/)
    // Clients that read a name and a password of every entry find some.
    expect(IceServerList).toEqual([
      { Uris: [running.service.ownIceServer], Username: 'none', Password: 'none', Ttl: 300 },
    ])
  })

  test('configured ICE servers are handed out in portions that a C SDK camera can take', () => {
    const urls = ['1', '2', '3', '4', '5'].map((host) => `turn:${host}.example:3478?transport=udp`)
    const turn = { urls, username: '1795345896:door', credential: 'c2VjcmV0=' }
    const filled = { Username: turn.username, Password: turn.credential, Ttl: 300 }
    expect(listed([{ urls: ['stun:stun.example:3478'] }, turn])).toEqual([
      { Uris: ['stun:stun.example:3478'], Username: 'none', Password: 'none', Ttl: 300 },
      { Uris: urls.slice(0, 4), ...filled },
      { Uris: urls.slice(4), ...filled },
    ])
    expect(listed([turn, turn, turn])).toHaveLength(5)
  })

  test('ICE servers of an unknown channel are not found', async () => {
    const ChannelARN = `arn:aws:kinesisvideo:${region}:000000000000:channel/nowhere/1795345896263`
    await expect(running.signaling().send(new GetIceServerConfigCommand({ ChannelARN }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 404 },
    })
  })
})

test('an unknown operation is refused in the form of the service', async () => {
  await expect(running.control().send(new ListStreamsCommand({}))).rejects.toMatchObject({
    name: 'UnknownOperationException',
    $metadata: { httpStatusCode: 404 },
  })
})

describe('who may', () => {
  test('a key that nobody made opens nothing', async () => {
    const call = running
      .control({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' })
      .send(new ListSignalingChannelsCommand({}))
    await expect(call).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
      $metadata: { httpStatusCode: 403 },
    })
  })

  test('a wrong secret opens nothing', async () => {
    const call = running.control({ ...running.key, secretAccessKey: 'x' }).send(new ListSignalingChannelsCommand({}))
    await expect(call).rejects.toMatchObject({ name: 'InvalidSignatureException', $metadata: { httpStatusCode: 403 } })
  })

  test.each([-3_600_000, 3_600_000])('a client whose clock is %d ms off mends it by the answer', async (offMs) => {
    const elsewhere = await run({ clock: () => Date.now() - offMs })
    try {
      const client = elsewhere.control()
      await expect(client.send(new ListSignalingChannelsCommand({}))).resolves.toBeDefined()
      expect(Math.abs(client.config.systemClockOffset + offMs)).toBeLessThan(5_000)
    } finally {
      await elsewhere.close()
    }
  })

  test("a camera's key makes, describes and finds the way to its own channel, and nothing else", async () => {
    const key = await running.service.createCredentials({ kind: 'camera', channelName: 'own' })
    const other = await running.service.ensureChannel('not-own')
    const camera = running.control(key)
    await expect(camera.send(new DescribeSignalingChannelCommand({ ChannelName: 'own' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    const { ChannelARN } = await camera.send(new CreateSignalingChannelCommand({ ChannelName: 'own' }))
    await camera.send(new DescribeSignalingChannelCommand({ ChannelName: 'own' }))
    await camera.send(new GetSignalingChannelEndpointCommand({ ChannelARN }))
    await running.signaling(key).send(new GetIceServerConfigCommand({ ChannelARN }))

    const denied = { name: 'AccessDeniedException', $metadata: { httpStatusCode: 401 } }
    for (const call of [
      camera.send(new DescribeSignalingChannelCommand({ ChannelName: 'not-own' })),
      camera.send(new DescribeSignalingChannelCommand({ ChannelName: 'nowhere' })),
      camera.send(new CreateSignalingChannelCommand({ ChannelName: 'second' })),
      camera.send(new GetSignalingChannelEndpointCommand({ ChannelARN: other })),
      camera.send(new DeleteSignalingChannelCommand({ ChannelARN })),
      camera.send(new ListSignalingChannelsCommand({})),
    ]) {
      await expect(call).rejects.toMatchObject(denied)
    }
    await expect(
      running.signaling(key).send(new GetIceServerConfigCommand({ ChannelARN: other })),
    ).rejects.toMatchObject({ name: 'NotAuthorizedException', $metadata: { httpStatusCode: 401 } })
  })
})

test('a secret is stored encrypted, and a record that was changed opens nothing', async () => {
  const key = await running.service.createCredentials({ kind: 'camera', channelName: 'sealed' })
  const records = running.store.collection<{ scope: object }>('signaling-credential')
  const stored = await records.get(key.accessKeyId)
  expect(JSON.stringify(stored)).not.toContain(key.secretAccessKey)
  await records.put(key.accessKeyId, { ...stored?.value, scope: { kind: 'application' } })
  await expect(running.control(key).send(new ListSignalingChannelsCommand({}))).rejects.toMatchObject({
    name: 'UnrecognizedClientException',
  })
  expect(running.logged).toContainEqual(
    expect.objectContaining({ level: 'error', event: 'signaling.credential-unreadable' }),
  )
})

test('started again on the same store and directory, the service knows its channels and keys and its authority', async () => {
  const arn = await running.service.ensureChannel('kept')
  const again = await run({ store: running.store, certificateDir: running.directory })
  try {
    expect(again.ca).toBe(running.ca)
    const { ChannelInfo } = await again
      .control(running.key)
      .send(new DescribeSignalingChannelCommand({ ChannelName: 'kept' }))
    expect(ChannelInfo?.ChannelARN).toBe(arn)
  } finally {
    await again.close()
  }
})
