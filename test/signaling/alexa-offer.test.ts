/** SendAlexaOfferToMaster, by the AWS SDK, against masters on loopback. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { SendAlexaOfferToMasterCommand } from '@aws-sdk/client-kinesis-video-signaling'
import type { Channel } from '../../src/signaling/channel-records.ts'
import { sendAlexaOffer } from '../../src/signaling/alexa-offer.ts'
import { defaultLimits } from '../../src/signaling/limits.ts'
import { createHub } from '../../src/signaling/hub.ts'
import { base64, region, run, type Running } from './running-service.ts'
import { until } from '../until.ts'

let running: Running
beforeAll(async () => {
  running = await run()
})
afterAll(() => running.close())

const offer = base64({ type: 'offer', sdp: 'v=0\r\n' })
const answer = base64({ type: 'answer', sdp: 'v=0\r\n' })
const send = (ChannelARN: string, SenderClientId: string, abortSignal?: AbortSignal) =>
  running
    .signaling()
    .send(
      new SendAlexaOfferToMasterCommand({ ChannelARN, SenderClientId, MessagePayload: offer }),
      abortSignal ? { abortSignal } : {},
    )

test('the master gets an offer like any other, and its answer is what the call returns', async () => {
  const arn = await running.service.ensureChannel('answers')
  const master = await running.connect(running.key, { 'X-Amz-ChannelARN': arn })
  const call = send(arn, 'echoshow195')
  expect(await master.next()).toEqual({
    messageType: 'SDP_OFFER',
    messagePayload: offer,
    senderClientId: 'echoshow195',
  })
  master.send({ action: 'ICE_CANDIDATE', recipientClientId: 'echoshow195', messagePayload: base64('early') })
  master.send({ action: 'SDP_ANSWER', recipientClientId: 'echoshow195', messagePayload: answer })
  expect((await call).Answer).toBe(answer)
})

test('an offer waits for a master to connect', async () => {
  const arn = await running.service.ensureChannel('waits')
  const call = send(arn, 'early')
  await until(() => running.logged.length > 0)
  const master = await running.connect(running.key, { 'X-Amz-ChannelARN': arn })
  expect(await master.next()).toMatchObject({ senderClientId: 'early' })
  master.send({ action: 'SDP_ANSWER', recipientClientId: 'early', messagePayload: answer })
  expect((await call).Answer).toBe(answer)
})

test('a caller that hangs up takes its offer with it', async () => {
  const arn = await running.service.ensureChannel('hung-up')
  const quiet = await running.connect(running.key, { 'X-Amz-ChannelARN': arn })
  const hangUp = new AbortController()
  const call = send(arn, 'gone', hangUp.signal)
  await quiet.next()
  hangUp.abort()
  await expect(call).rejects.toMatchObject({ name: 'AbortError' })
  await until(() => running.logged.some(({ fields }) => fields['status'] === 499))
  // Its place is free again: ten others find room.
  const viewers = Array.from({ length: 10 }, (_, index) =>
    running.connect(running.key, { 'X-Amz-ChannelARN': arn, 'X-Amz-ClientId': `v${index}` }),
  )
  for (const { socket } of await Promise.all(viewers)) socket.terminate()
})

test.each([
  [
    'an unknown channel',
    `arn:aws:kinesisvideo:${region}:000000000000:channel/x/1795345896263`,
    404,
    'ResourceNotFound',
  ],
  ['no ARN', 'door', 400, 'InvalidArgument'],
])('%s is refused', async (_case, arn, httpStatusCode, name) => {
  await expect(send(arn, 'v')).rejects.toMatchObject({ name: `${name}Exception`, $metadata: { httpStatusCode } })
})

test('closing the service ends a waiting call at once', async () => {
  const brief = await run()
  const arn = await brief.service.ensureChannel('brief')
  const master = await brief.connect(brief.key, { 'X-Amz-ChannelARN': arn })
  const call = brief
    .signaling()
    .send(new SendAlexaOfferToMasterCommand({ ChannelARN: arn, SenderClientId: 'v', MessagePayload: offer }))
  const failed = expect(call).rejects.toMatchObject({ name: 'MasterNotAnsweringException' })
  await master.next()
  await brief.service.close()
  await failed
  await brief.close()
})

test('a master that stays silent is an error when the message has had its time, and leaves nothing behind', async () => {
  jest.useFakeTimers()
  try {
    const limits = { ...defaultLimits, viewersPerChannel: 1, undeliveredPerChannel: 1, replacedMasterMs: 1 }
    const hub = createHub(limits, Date.now, () => {})
    const channel: Channel = {
      name: 'c',
      arn: 'arn',
      createdAt: 0,
      messageTtlS: 5,
      version: '1',
      storage: { status: 'DISABLED' },
    }
    const call = sendAlexaOffer(hub, channel, 'v', offer, new AbortController().signal)
    const failed = expect(call).rejects.toMatchObject({ type: 'MasterNotAnsweringException', status: 400 })
    expect(() => hub.checkRoom('c', 'w')).toThrow('as many viewers')
    jest.advanceTimersByTime(5_000)
    await failed
    hub.checkRoom('c', 'w')
    const delivered: unknown[] = []
    hub.joinAsMaster(channel, { deliver: (message) => delivered.push(message) > 0, close: () => {} })
    expect(delivered).toEqual([])
    expect(jest.getTimerCount()).toBe(0)
  } finally {
    jest.useRealTimers()
  }
})
