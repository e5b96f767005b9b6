/** The bridge's way to a camera: both roads, what is cached, what goes wrong, and that nothing stays open. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createKvsSignaling } from '../../src/kvs/signaling.ts'
import { all } from './all.ts'
import { frameOf, payloadOf, startFakeKvs, type FakeKvs } from './fake-kvs.ts'
import { until } from '../until.ts'

const sdp = 'v=0\r\ns=offer\r\n'
const answer = { type: 'answer', sdp: 'v=0\r\ns=answer\r\n' }
const host = 'candidate:0 1 udp 2130706431 192.0.2.2 54289 typ host'
const viewer = { channelName: 'door', road: 'viewer' } as const
const alexa = { channelName: 'door', road: 'alexa-offer' } as const
const describeAndGet = ['/describeSignalingChannel', '/getSignalingChannelEndpoint']
const ice = '/v1/get-ice-server-config'

let fake: FakeKvs
let signaling: ReturnType<typeof createKvsSignaling>
let logged: { event: string; fields: Readonly<Record<string, unknown>> }[]
let now: number
let patient: AbortController

beforeEach(async () => {
  fake = await startFakeKvs()
  logged = []
  now = 1_000_000
  patient = new AbortController()
  signaling = createKvsSignaling(fake.access, {
    clock: () => now,
    log: (_level, event, fields) => logged.push({ event, fields: fields ?? {} }),
  })
})

afterEach(async () => {
  await signaling.close()
  await signaling.close()
  await until(async () => (await fake.connections()) === 0)
  await fake.close()
  expect(JSON.stringify(logged)).not.toMatch(/v=0|wJalr|token/)
})

const offer = (channel: typeof viewer | typeof alexa = viewer, signal = patient.signal) =>
  signaling.offer(channel, 'display-1', sdp, signal)

const warmUp = async () => {
  signaling.warm(viewer)
  await until(() => fake.log.includes(ice))
  await signaling.iceServers(viewer, patient.signal)
  fake.log.length = 0
}

const count = (event: string) => logged.filter((line) => line.event === event).length
const alexaReplies = (reply: object) => {
  fake.script.rest = (path) => (path === '/v1/send-alexa-offer-to-master' ? { json: reply } : undefined)
}
const iceServers = () => signaling.iceServers(viewer, patient.signal)

describe('an offer to a camera', () => {
  test('with everything fetched ahead costs one WebSocket and no REST call', async () => {
    await warmUp()
    fake.script.frame = (socket) => {
      socket.send(frameOf('SDP_ANSWER', answer))
      socket.close()
    }
    expect(await all(offer())).toEqual([{ kind: 'answer', sdp: answer.sdp }])
    expect(fake.log).toEqual(['upgrade'])
    expect(fake.frames).toMatchObject([{ action: 'SDP_OFFER', payload: { type: 'offer', sdp }, clientId: 'display-1' }])
  })

  test('without anything fetched ahead finds the channel first and asks for no ICE servers', async () => {
    fake.script.frame = (socket) => socket.close()
    expect(await all(offer())).toEqual([])
    expect(fake.log).toEqual([...describeAndGet, 'upgrade'])
  })

  test('does not wait for ICE servers that do not come', async () => {
    fake.script.rest = (path) => (path === ice ? 'hang' : undefined)
    fake.script.frame = (socket) => socket.close()
    signaling.warm(viewer)
    await until(() => fake.log.includes(ice))
    expect(await all(offer())).toEqual([])
  })

  test('brings candidates before and after the answer in their order', async () => {
    const candidate = { candidate: host, sdpMid: '0', sdpMLineIndex: 0 }
    fake.script.frame = (socket) => {
      socket.send(frameOf('ICE_CANDIDATE', candidate))
      socket.send(frameOf('SDP_ANSWER', answer, { senderClientId: 'AWS_DEFAULT_SINGLE_MASTER' }))
      socket.send(frameOf('ICE_CANDIDATE', candidate))
      socket.send(frameOf('ICE_CANDIDATE', { candidate: '' }))
      socket.close()
    }
    expect(await all(offer())).toEqual([
      { kind: 'candidate', ...candidate },
      { kind: 'answer', sdp: answer.sdp },
      { kind: 'candidate', ...candidate },
      { kind: 'end-of-candidates' },
    ])
  })

  test('says of an answer that it cannot be read, and passes over whatever else cannot', async () => {
    fake.script.frame = (socket) => {
      socket.send('%')
      socket.send(Buffer.from([0, 255, 1]))
      socket.send(frameOf('ICE_CANDIDATE', 'candidate'))
      socket.send(frameOf('SDP_OFFER', { type: 'offer', sdp }))
      socket.send(frameOf('GO_AWAY', {}))
      socket.send(frameOf('NEWS', {}))
      socket.send(JSON.stringify({ messageType: 'STATUS_RESPONSE', statusResponse: { statusCode: '200' } }))
      socket.send(JSON.stringify({ messageType: 'SDP_ANSWER', messagePayload: Buffer.from('v=0').toString('base64') }))
      socket.close()
    }
    expect(await all(offer())).toEqual([{ kind: 'garbled', what: expect.any(String) }])
    expect(count('kvs.message-ignored')).toBe(7)
  })

  test('that is too long is refused before anything is sent', async () => {
    const long = signaling.offer(viewer, 'display-1', `v=0${'x'.repeat(8_000)}`, patient.signal)
    await expect(all(long)).rejects.toMatchObject({
      code: 'offer_too_large',
      message: expect.stringMatching(/\d{5} base64/),
    })
    expect(fake.log).toEqual([])
  })

  test.each([
    ['InvalidArgumentException', '400', 'signaling_failed'],
    ['ClientLimitExceededException', '400', 'rate_limited'],
  ])('that the service refuses by a status response of %s fails', async (errorType, statusCode, code) => {
    fake.script.frame = (socket, { correlationId }) => {
      const statusResponse = { correlationId, errorType, statusCode, description: 'no' }
      socket.send(JSON.stringify({ messageType: 'STATUS_RESPONSE', statusResponse }))
    }
    await expect(all(offer())).rejects.toMatchObject({ code })
    await until(() => fake.sockets.size === 0)
  })

  test('that finds ten other viewers says that the camera is busy', async () => {
    fake.script.upgrade = () => ({ status: 400, type: 'ClientLimitExceededException' })
    await expect(all(offer())).rejects.toMatchObject({ code: 'camera_busy' })
  })
})

describe('hanging up', () => {
  test.each([
    ['before the start', async () => patient.abort(), []],
    ['while the channel is looked up', () => until(() => fake.log.length === 1), describeAndGet.slice(0, 1)],
  ])('%s ends without an error and opens no socket', async (_, moment, log) => {
    fake.script.rest = () => 'hang'
    const waiting = moment()
    const messages = all(offer())
    await waiting
    patient.abort()
    expect(await messages).toEqual([])
    expect(fake.log).toEqual(log)
  })

  test('while the WebSocket is being opened leaves none behind', async () => {
    await warmUp()
    fake.script.upgrade = () => 'hang'
    const messages = all(offer())
    await until(() => fake.log.includes('upgrade'))
    patient.abort()
    expect(await messages).toEqual([])
    await until(async () => (await fake.connections()) <= 1)
  })

  test('while a silent camera is waited for closes the socket at once', async () => {
    const messages = all(offer())
    await until(() => fake.frames.length === 1)
    patient.abort()
    expect(await messages).toEqual([])
    await until(() => fake.sockets.size === 0)
  })

  test('by leaving the loop closes the socket', async () => {
    fake.script.frame = (socket) => socket.send(frameOf('SDP_ANSWER', answer))
    for await (const message of offer()) {
      expect(message.kind).toBe('answer')
      break
    }
    await until(() => fake.sockets.size === 0)
  })

  test('while nobody asks for the next message closes the socket', async () => {
    fake.script.frame = (socket) => socket.send(frameOf('SDP_ANSWER', answer))
    const messages = offer()[Symbol.asyncIterator]()
    await messages.next()
    patient.abort()
    await until(() => fake.sockets.size === 0)
    expect(await messages.next()).toMatchObject({ done: true })
  })

  test('by closing the signaling ends every call and lookup', async () => {
    fake.script.rest = (path) => (path === ice ? 'hang' : undefined)
    const messages = all(offer())
    signaling.warm(viewer)
    await until(() => fake.frames.length === 1 && fake.log.includes(ice))
    await signaling.close()
    expect(await messages).toEqual([])
    expect(await all(offer())).toEqual([])
  })

  test('leaves no listener on a signal that goes on', async () => {
    fake.script.frame = (socket) => socket.close()
    const counted = { added: 0, removed: 0 }
    const { signal } = new AbortController()
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      counted.added += 1
      add(...given)
    }
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      counted.removed += 1
      remove(...given)
    }
    await all(offer(viewer, signal))
    expect(counted).toEqual({ added: 1, removed: 1 })
  })
})

describe('a channel that was made anew', () => {
  test('is found again, once and visibly, by an offer', async () => {
    await warmUp()
    fake.recreate()
    fake.script.frame = (socket) => socket.close()
    expect(await all(offer())).toEqual([])
    expect(fake.log).toEqual(['upgrade', ...describeAndGet, 'upgrade'])
    expect(count('kvs.endpoints-stale')).toBe(1)
  })

  test('is found again by an offer on the Alexa road', async () => {
    await warmUp()
    fake.recreate()
    const arns: unknown[] = []
    fake.script.rest = (path, { ChannelARN }) => {
      if (!path.endsWith('alexa-offer-to-master')) return undefined
      arns.push(ChannelARN)
      return arns.length === 1
        ? { status: 404, type: 'ResourceNotFoundException' }
        : { json: { Answer: payloadOf(answer) } }
    }
    expect(await all(offer(alexa))).toHaveLength(2)
    expect(new Set(arns).size).toBe(2)
  })

  test('and still is not there is reported after one more try', async () => {
    await warmUp()
    fake.script.upgrade = () => ({ status: 404, type: 'ResourceNotFoundException' })
    await expect(all(offer())).rejects.toMatchObject({ code: 'signaling_failed', message: /no signaling channel door/ })
    expect(fake.log.filter((call) => call === 'upgrade')).toHaveLength(2)
  })

  test('is not looked for when the channel was looked up for this very offer', async () => {
    fake.script.upgrade = () => ({ status: 404, type: 'ResourceNotFoundException' })
    await expect(all(offer())).rejects.toMatchObject({ code: 'signaling_failed' })
    expect(fake.log.filter((call) => call === 'upgrade')).toHaveLength(1)
  })
})

describe('an offer on the Alexa road', () => {
  test('brings the answer, and that nothing follows', async () => {
    let sent: Record<string, unknown> = {}
    fake.script.rest = (path, body) => {
      if (path !== '/v1/send-alexa-offer-to-master') return undefined
      sent = body
      return { json: { Answer: payloadOf(answer) } }
    }
    expect(await all(offer(alexa))).toEqual([{ kind: 'answer', sdp: answer.sdp }, { kind: 'end-of-candidates' }])
    expect(sent).toMatchObject({ SenderClientId: 'display-1', MessagePayload: payloadOf({ type: 'offer', sdp }) })
  })

  test.each([[{ Answer: null }], [{}]])('that gets %j says that the camera is silent', async (reply) => {
    alexaReplies(reply)
    await expect(all(offer(alexa))).rejects.toMatchObject({ code: 'camera_silent' })
  })

  test('that gets something else than an answer says so', async () => {
    alexaReplies({ Answer: payloadOf({ type: 'offer', sdp }) })
    expect(await all(offer(alexa))).toMatchObject([{ kind: 'garbled' }, { kind: 'end-of-candidates' }])
  })

  test.each([
    [{ status: 400, type: 'ClientLimitExceededException' }, 'rate_limited'],
    [{ status: 401, type: 'NotAuthorizedException' }, 'signaling_failed'],
    [{ status: 400, type: 'MasterNotAnsweringException' }, 'camera_silent'],
    [{ status: 500, type: 'InternalFailure' }, 'signaling_failed'],
  ])('that is refused with %j fails, and is not sent again', async (refusal, code) => {
    fake.script.rest = (path) => (path.startsWith('/v1/send') ? refusal : undefined)
    await expect(all(offer(alexa))).rejects.toMatchObject({ code })
    expect(fake.log.filter((path) => path.startsWith('/v1/send'))).toHaveLength(1)
  })

  test('ends without an error when the caller hangs up, and leaves no connection', async () => {
    fake.script.rest = (path) => (path.startsWith('/v1/send') ? 'hang' : undefined)
    const messages = all(offer(alexa))
    await until(() => fake.log.some((path) => path.startsWith('/v1/send')))
    patient.abort()
    expect(await messages).toEqual([])
    await until(async () => (await fake.connections()) <= 1)
  })
})

describe('ICE servers', () => {
  test('come from the cache for four of their five minutes, and are renewed meanwhile', async () => {
    const asked = () => fake.log.filter((path) => path === ice).length
    expect(await Promise.all([iceServers(), iceServers()])).toHaveLength(2)
    now += 119_000
    await iceServers()
    expect(asked()).toBe(1)
    now += 2_000
    await iceServers()
    await until(() => asked() === 2)
    fake.script.rest = () => 'hang'
    now += 239_000
    await iceServers()
    expect(asked()).toBe(2)
    now += 2_000
    const late = iceServers()
    patient.abort(new Error('enough'))
    await expect(late).rejects.toThrow('enough')
  })

  test('that cannot be had say why', async () => {
    fake.script.rest = (path) => (path === ice ? { status: 401, type: 'NotAuthorizedException' } : undefined)
    await expect(iceServers()).rejects.toMatchObject({
      code: 'signaling_failed',
      message: expect.stringContaining('check keys'),
    })
  })

  test('that cannot be fetched ahead are a warning and nothing more', async () => {
    signaling.warm({ channelName: 'barn', road: 'viewer' })
    await until(() => logged.length > 0)
    expect(logged).toEqual([
      {
        event: 'kvs.warming-failed',
        fields: { channelName: 'barn', error: expect.stringContaining('no signaling channel') },
      },
    ])
  })
})
