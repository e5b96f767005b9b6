/** Tags and the storage configuration of a channel, by the AWS SDK. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import {
  CreateSignalingChannelCommand,
  DescribeMediaStorageConfigurationCommand,
  DescribeSignalingChannelCommand,
  GetSignalingChannelEndpointCommand,
  ListTagsForResourceCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateMediaStorageConfigurationCommand,
  UpdateSignalingChannelCommand,
} from '@aws-sdk/client-kinesis-video'
import { post } from './signed-post.ts'
import { noRates, run, type Running } from './running-service.ts'

let running: Running
let arn: string
let count = 0
beforeAll(async () => {
  running = await run({ limits: { rates: noRates, channels: 20 } })
})
afterAll(() => running.close())
beforeEach(async () => {
  const ChannelName = `tagged-${(count += 1)}`
  const Tags = [{ Key: 'house', Value: 'north' }]
  arn = (await running.control().send(new CreateSignalingChannelCommand({ ChannelName, Tags }))).ChannelARN ?? ''
})

const tags = async () => (await running.control().send(new ListTagsForResourceCommand({ ResourceARN: arn }))).Tags ?? {}
const tag = (entries: Record<string, string>) =>
  running.control().send(
    new TagResourceCommand({
      ResourceARN: arn,
      Tags: Object.entries(entries).map(([Key, Value]) => ({ Key, Value })),
    }),
  )
const unknown = (of: string) => of.replace(/\/\d+$/, '/1')

const list = (ResourceARN: string, NextToken?: string) =>
  running.control().send(new ListTagsForResourceCommand({ ResourceARN, ...(NextToken && { NextToken }) }))
const configure = (Status: 'ENABLED' | 'DISABLED', stream?: string) =>
  running.control().send(
    new UpdateMediaStorageConfigurationCommand({
      ChannelARN: arn,
      MediaStorageConfiguration: { Status, ...(stream && { StreamARN: stream }) },
    }),
  )
const described = async () =>
  (await running.control().send(new DescribeMediaStorageConfigurationCommand({ ChannelARN: arn })))
    .MediaStorageConfiguration

describe('tags', () => {
  test('are those of the creation, then added, replaced and taken away', async () => {
    expect(await tags()).toEqual({ house: 'north' })
    await tag({ floor: '1', house: 'süd: a/b=c+d-e@f' })
    expect(await tags()).toEqual({ floor: '1', house: 'süd: a/b=c+d-e@f' })
    await running.control().send(new UntagResourceCommand({ ResourceARN: arn, TagKeyList: ['floor', 'never-there'] }))
    expect(await tags()).toEqual({ house: 'süd: a/b=c+d-e@f' })
  })

  test('are no change of the channel: who read its version may still update it', async () => {
    const { ChannelInfo } = await running.control().send(new DescribeSignalingChannelCommand({ ChannelARN: arn }))
    await tag({ a: 'b' })
    await running.control().send(
      new UpdateSignalingChannelCommand({
        ChannelARN: arn,
        CurrentVersion: ChannelInfo?.Version,
        SingleMasterConfiguration: { MessageTtlSeconds: 5 },
      }),
    )
    expect(await tags()).toEqual({ house: 'north', a: 'b' })
  })

  test('of several callers at once are all kept', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => tag({ [key]: '1' })))
    expect(Object.keys(await tags()).sort()).toEqual(['a', 'b', 'c', 'd', 'house'])
  })

  test('are fifty at most', async () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, '']))
    await expect(tag(many)).rejects.toMatchObject({
      name: 'TagsPerResourceExceededLimitException',
      $metadata: { httpStatusCode: 400 },
    })
    expect(await tags()).toEqual({ house: 'north' })
  })

  test.each([
    ['an empty key', { '': 'x' }],
    ['a key of 129 characters', { ['k'.repeat(129)]: 'x' }],
    ['a value of 257 characters', { k: 'v'.repeat(257) }],
    ['a key with a forbidden character', { 'a<b': 'x' }],
  ])('%s is an invalid argument', async (_case, entries) => {
    await expect(tag(entries)).rejects.toMatchObject({ name: 'InvalidArgumentException' })
  })

  test('of an unknown channel are not found, and a token that nobody gave is refused', async () => {
    await expect(list(unknown(arn))).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    await expect(list(arn, 'next')).rejects.toMatchObject({ name: 'InvalidArgumentException' })
  })
})

describe('storage', () => {
  const StreamARN = 'arn:aws:kinesisvideo:eu-west-1:123456789012:stream/porch/1795345896263'
  test('is off, and what is configured is kept', async () => {
    expect(await described()).toEqual({ Status: 'DISABLED' })
    await configure('ENABLED', StreamARN)
    expect(await described()).toEqual({ Status: 'ENABLED', StreamARN })
    await configure('DISABLED')
    expect(await described()).toEqual({ Status: 'DISABLED' })
  })

  test('cannot be on without a stream', async () => {
    await expect(configure('ENABLED')).rejects.toMatchObject({ name: 'InvalidArgumentException' })
    await expect(configure('ENABLED', 'arn:x')).rejects.toMatchObject({ name: 'InvalidArgumentException' })
  })

  test('has an endpoint when it is on, where joining says clearly that sessions are not stored', async () => {
    await configure('ENABLED', StreamARN)
    const { ResourceEndpointList } = await running.control().send(
      new GetSignalingChannelEndpointCommand({
        ChannelARN: arn,
        SingleMasterChannelEndpointConfiguration: { Protocols: ['WSS', 'HTTPS', 'WEBRTC'], Role: 'MASTER' },
      }),
    )
    expect(ResourceEndpointList).toContainEqual({ Protocol: 'WEBRTC', ResourceEndpoint: running.service.endpoint })
    for (const [path, body] of [
      ['/joinStorageSession', { channelArn: arn }],
      ['/joinStorageSessionAsViewer', { channelArn: arn, clientId: 'v' }],
    ] as const) {
      expect(await post(running, path, JSON.stringify(body))).toMatchObject({
        status: 400,
        type: 'InvalidArgumentException',
        answer: { Message: 'Storage sessions are not supported by this service.' },
      })
    }
    expect(await post(running, '/joinStorageSession', JSON.stringify({ channelArn: unknown(arn) }))).toMatchObject({
      status: 404,
    })
  })
})

test('there are only so many channels', async () => {
  const create = (ChannelName: string) => running.control().send(new CreateSignalingChannelCommand({ ChannelName }))
  const made: string[] = []
  await expect(
    (async () => {
      for (let index = 0; index < 30; index += 1) {
        await create(`room-for-${index}`)
        made.push(`room-for-${index}`)
      }
    })(),
  ).rejects.toMatchObject({ name: 'AccountChannelLimitExceededException', $metadata: { httpStatusCode: 400 } })
  await running.service.removeChannel(made[0] ?? '')
  await create('room-again')
})
