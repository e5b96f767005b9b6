/** A camera's place on its channel: what becomes of an attempt whose answer does not get through. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startCamera } from '../../src/gateway/camera.ts'
import { keepMaster, type MasterOptions } from '../../src/gateway/master.ts'
import { createSource } from '../../src/gateway/source.ts'
import type { CameraEvent } from '../../src/core/wire/camera-event.ts'
import { openKvs } from '../../src/kvs/access.ts'
import { frameOf, startFakeKvs, type FakeKvs, type Frame } from '../kvs/fake-kvs.ts'
import { echoOffer } from './offers.ts'
import { until } from '../until.ts'

let fake: FakeKvs
const closing: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  fake = await startFakeKvs()
  closing.push(() => fake.close())
  fake.script.rest = (path) => (path === '/v1/get-ice-server-config' ? { json: { IceServerList: [] } } : undefined)
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const offer = (senderClientId: string) => frameOf('SDP_OFFER', { type: 'offer', sdp: echoOffer }, { senderClientId })
const refusal = (correlationId: string | undefined) =>
  JSON.stringify({
    messageType: 'STATUS_RESPONSE',
    messagePayload: '',
    statusResponse: {
      correlationId,
      errorType: 'ClientLimitExceededException',
      statusCode: '400',
      description: 'Rate exceeded for SDP_ANSWER.',
    },
  })
const toAll = (text: string) => fake.sockets.forEach((socket) => socket.send(text))

test('a viewer whose answer the service refuses is given up at once, with the words of the service', async () => {
  const events: CameraEvent[] = []
  fake.script.frame = (socket, { action, correlationId }) =>
    action === 'SDP_ANSWER' ? socket.send(refusal(correlationId)) : undefined
  const camera = await startCamera({
    access: fake.access,
    channelName: 'door',
    source: 'synthetic',
    report: async (event) => {
      events.push(event)
      return false
    },
    clock: Date.now,
    log: () => {},
  })
  closing.push(() => camera.close())
  toAll(offer('echo-1'))
  await until(() => events.some(({ kind }) => kind === 'viewer'))
  expect(events.find(({ kind }) => kind === 'viewer')).toMatchObject({
    viewerId: 'echo-1',
    state: 'failed',
    cause: {
      code: 'signaling_failed',
      message: 'the answer was refused: ClientLimitExceededException 400 Rate exceeded for SDP_ANSWER.',
    },
  })
  expect(camera.viewers()).toBe(0)
})

/** A master on the channel, with an audience that answers when the test says so. */
async function master() {
  const calls: Parameters<MasterOptions['audience']['receive']>[0][] = []
  const failed: string[] = []
  const life = new AbortController()
  const info = await createSource('synthetic', 'door', Date.now, () => {}).describe(life.signal)
  const state = { kind: 'good', info } as const
  const kvs = openKvs(fake.access)
  const { promise: tried, resolve: onTried } = Promise.withResolvers<void>()
  const kept = keepMaster(
    {
      kvs,
      channelName: 'door',
      source: {
        state: () => state,
        fault: () => undefined,
        changed: (_from, signal) =>
          new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
      },
      audience: {
        receive(call) {
          calls.push(call)
          return ({ code, message }) => void failed.push(`${call.viewerId} ${code} ${message}`)
        },
        addCandidate: () => {},
      },
      relay: undefined,
      onTried,
      log: () => {},
    },
    life.signal,
  )
  closing.push(async () => {
    life.abort()
    await kept
    kvs.close()
  })
  await tried
  return { calls, failed }
}

const answer = { kind: 'answer', sdp: 'v=0\r\n' } as const

test('of several answers only the refused one ends its attempt, and a refused candidate ends none', async () => {
  const { calls, failed } = await master()
  const frames: Frame[] = []
  fake.script.frame = (_socket, frame) => void frames.push(frame)
  toAll(offer('a'))
  toAll(offer('b'))
  await until(() => calls.length === 2)
  for (const { send } of calls) {
    send(answer)
    send({ kind: 'candidate', candidate: 'candidate:1 1 udp 1 127.0.0.1 9 typ host' })
  }
  await until(() => frames.length === 4)
  const idOf = (action: string, to: string) =>
    frames.find((frame) => frame.action === action && frame.recipientClientId === to)?.correlationId
  toAll(refusal(idOf('ICE_CANDIDATE', 'a')))
  toAll(refusal('never-sent-1'))
  toAll(refusal(undefined))
  toAll(refusal(idOf('SDP_ANSWER', 'b')))
  await until(() => failed.length > 0)
  expect(failed).toEqual([expect.stringMatching(/^b signaling_failed the answer was refused: Client/)])
})

test('an attempt whose answer comes after the end of the connection is given up at once', async () => {
  const { calls, failed } = await master()
  toAll(offer('a'))
  await until(() => calls.length === 1)
  fake.script.upgrade = () => 'hang'
  fake.sockets.forEach((socket) => socket.terminate())
  await until(() => fake.log.filter((one) => one === 'upgrade').length === 2)
  calls[0]!.send(answer)
  expect(failed).toEqual(['a signaling_failed the signaling connection ended before the answer'])
})
