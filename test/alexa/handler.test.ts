/** Directive in, event out: every directive and every error, in time. */
import { describe, expect, jest, test } from '@jest/globals'
import { BridgeError, type ErrorCode } from '../../src/core/errors.ts'
import * as directive from './directives.ts'
import { codes, garbage } from './samples.ts'
import { anna, answerSdp, createWorld, frontDoor, nameOf, noon } from './world.ts'

const { correlationToken, sessionId } = directive
const endpoint = { endpointId: 'front-door', scope: { type: 'BearerToken', token: 'good' } }
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A directive as a hotel room's Echo sends it (Alexa Smart Properties). */
const inRoom = (sent: object, more: object = { userId: 'user-1' }) => {
  const scope = { type: 'BearerTokenWithPartition', token: 'good', partition: 'Room 101', ...more }
  const swap = (_name: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'BearerToken' ? scope : value
  return { scope, sent: JSON.parse(JSON.stringify(sent, swap)) as object }
}

describe('in a room of Alexa Smart Properties', () => {
  test.each([
    ['InitiateSessionWithOffer', directive.initiateSession(), 'AnswerGeneratedForSession'],
    ['SessionConnected', directive.sessionConnected(), 'SessionConnected'],
    ['SessionDisconnected', directive.sessionDisconnected(), 'SessionDisconnected'],
    ['ReportState', directive.reportState(), 'StateReport'],
    ['a directive that is refused', directive.initializeStreams(), 'ErrorResponse'],
    ['a directive for a camera that is not there', directive.reportState('none'), 'ErrorResponse'],
  ])('%s gets its scope back as received', async (_name, plain, name) => {
    for (const more of [
      { userId: 'user-1' },
      { userId: null },
      { partition: null },
      { partition: undefined, userId: 'user-1' },
      { partition: undefined },
      {},
    ]) {
      const { scope, sent } = inRoom(plain, more)
      const { event } = await createWorld().handle(sent)
      expect(event).toMatchObject({ header: { name } })
      expect(event).toHaveProperty('endpoint.scope', scope)
    }
  })

  test.each([
    ['Discover', directive.discover(), 'Discover.Response'],
    ['AcceptGrant', directive.acceptGrant(), 'AcceptGrant.Response'],
  ])('%s is answered', async (_name, plain, name) => {
    const { event } = await createWorld().handle(inRoom(plain).sent)
    expect(event).toMatchObject({ header: { name } })
  })
})

describe('each directive is answered with its own event', () => {
  test('an offer goes to the broker and comes back as the answer', async () => {
    const { handle, requests, calls } = createWorld()
    expect(await handle(directive.initiateSession())).toEqual({
      event: {
        header: {
          namespace: 'Alexa.RTCSessionController',
          name: 'AnswerGeneratedForSession',
          messageId: expect.stringMatching(uuid),
          correlationToken,
          payloadVersion: '3',
        },
        endpoint,
        payload: { answer: { format: 'SDP', value: answerSdp } },
      },
    })
    expect(requests).toEqual([
      {
        assistant: 'alexa',
        accountId: anna,
        camera: frontDoor,
        reference: sessionId,
        offer: directive.offerSdp,
        receivedAt: noon,
        answerBy: noon + 5_000,
        rules: { ipv4Only: true, tcpCandidates: false, talkBack: true },
      },
    ])
    // Round trips before the offer leaves: whose token, which camera, and nothing more.
    expect(calls).toEqual(['authorize', 'cameras.find', 'broker.negotiate'])
  })

  test('the budget of an offer is configurable', async () => {
    const { handle, requests } = createWorld({ budgetMs: 3_000 })
    await handle(directive.initiateSession({ format: 'sdp', value: directive.offerSdp }))
    expect(requests[0]?.answerBy).toBe(noon + 3_000)
  })

  test.each([
    ['SessionConnected', directive.sessionConnected(), 'broker.connected'],
    ['SessionDisconnected', directive.sessionDisconnected(), 'broker.end'],
  ])('%s is told to the broker and echoed', async (name, event, call) => {
    const { handle, calls } = createWorld()
    expect(await handle(event)).toEqual({
      event: {
        header: {
          namespace: 'Alexa.RTCSessionController',
          name,
          messageId: expect.stringMatching(uuid),
          correlationToken,
          payloadVersion: '3',
        },
        endpoint,
        payload: { sessionId },
      },
    })
    expect(calls).toEqual(['authorize', `${call} alexa anna ${sessionId}`])
  })

  test.each([
    ['a connected camera is OK', true, 'OK'],
    ['a camera that is away is UNREACHABLE', false, 'UNREACHABLE'],
    ['a camera of which nobody can know is OK, so that Alexa tries it', undefined, 'OK'],
  ])('ReportState: %s', async (_name, isOnline, value) => {
    const { deps } = createWorld()
    const { handle } = createWorld({ broker: { ...deps.broker, isOnline: () => isOnline } })
    expect(await handle(directive.reportState())).toEqual({
      context: {
        properties: [
          {
            namespace: 'Alexa.EndpointHealth',
            name: 'connectivity',
            value: { value },
            timeOfSample: '2026-11-22T12:00:00.345Z',
            uncertaintyInMilliseconds: isOnline === undefined ? 3_600_000 : 5_000,
          },
        ],
      },
      event: {
        header: {
          namespace: 'Alexa',
          name: 'StateReport',
          messageId: expect.stringMatching(uuid),
          correlationToken,
          payloadVersion: '3',
        },
        endpoint,
        payload: {},
      },
    })
  })

  test('AcceptGrant is answered when the grant is stored, with neither endpoint nor correlation token', async () => {
    const { handle, calls } = createWorld()
    expect(await handle(directive.acceptGrant('code-7'))).toEqual({
      event: {
        header: {
          namespace: 'Alexa.Authorization',
          name: 'AcceptGrant.Response',
          messageId: expect.stringMatching(uuid),
          payloadVersion: '3',
        },
        payload: {},
      },
    })
    expect(calls).toEqual(['authorize', 'grants.accept anna code-7 link-1', 'authorize'])
  })

  test('Discover tells of the cameras of the account', async () => {
    const { handle } = createWorld()
    const { event } = await handle(directive.discover())
    expect(event).toMatchObject({
      header: { namespace: 'Alexa.Discovery', name: 'Discover.Response' },
      payload: { endpoints: [{ endpointId: 'front-door', displayCategories: ['CAMERA', 'DOORBELL'] }] },
    })
    expect(event).not.toHaveProperty('endpoint')
  })

  test('Discover tells of the first 300 cameras and of none with an id that Alexa refuses, and logs what is left out', async () => {
    const many = Array.from({ length: 305 }, (_, n) => ({ ...frontDoor, id: `camera-${n}` as typeof frontDoor.id }))
    const odd = { ...frontDoor, id: 'not.allowed' as typeof frontDoor.id }
    const { handle, lines } = createWorld({
      cameras: { list: async () => [odd, ...many], find: async () => undefined },
    })
    const { event } = await handle(directive.discover())
    expect(event.payload).toHaveProperty('endpoints.length', 300)
    expect(lines).toContainEqual({
      level: 'warn',
      event: 'alexa.cameras-left-out',
      fields: { cameras: 6, limit: 300 },
    })
  })
})

describe('what goes wrong becomes an ErrorResponse', () => {
  const words = {
    invalid_request: 'INVALID_DIRECTIVE',
    unauthorized: 'INVALID_AUTHORIZATION_CREDENTIAL',
    token_expired: 'EXPIRED_AUTHORIZATION_CREDENTIAL',
    camera_not_found: 'NO_SUCH_ENDPOINT',
    camera_offline: 'ENDPOINT_UNREACHABLE',
    camera_silent: 'ENDPOINT_UNREACHABLE',
    camera_garbled: 'ENDPOINT_UNREACHABLE',
    camera_hung_up: 'ENDPOINT_UNREACHABLE',
    camera_busy: 'ENDPOINT_BUSY',
    no_common_codec: 'INVALID_DIRECTIVE',
    no_candidates: 'ENDPOINT_UNREACHABLE',
    media_failed: 'ENDPOINT_UNREACHABLE',
    display_gave_up: 'ALREADY_IN_OPERATION',
    signaling_failed: 'BRIDGE_UNREACHABLE',
    registry_failed: 'BRIDGE_UNREACHABLE',
    rate_limited: 'RATE_LIMIT_EXCEEDED',
    out_of_time: 'INTERNAL_ERROR',
    no_room: 'INTERNAL_ERROR',
    store_failed: 'INTERNAL_ERROR',
    no_sound: 'INVALID_DIRECTIVE',
    no_picture: 'ENDPOINT_UNREACHABLE',
    offer_too_large: 'INVALID_DIRECTIVE',
    source_password: 'ENDPOINT_UNREACHABLE',
    source_refused: 'ENDPOINT_UNREACHABLE',
    source_unreachable: 'ENDPOINT_UNREACHABLE',
    source_unknown_host: 'ENDPOINT_UNREACHABLE',
    source_not_found: 'ENDPOINT_UNREACHABLE',
    source_codec: 'INVALID_DIRECTIVE',
    source_no_key_frame: 'ENDPOINT_UNREACHABLE',
    source_stopped: 'ENDPOINT_UNREACHABLE',
    source_busy: 'ENDPOINT_BUSY',
    source_certificate: 'ENDPOINT_UNREACHABLE',
    source_garbled: 'ENDPOINT_UNREACHABLE',
    source_gateway: 'ENDPOINT_UNREACHABLE',
    source_no_ffmpeg: 'ENDPOINT_UNREACHABLE',
    source_invalid: 'ENDPOINT_UNREACHABLE',
    internal: 'INTERNAL_ERROR',
  } satisfies Record<ErrorCode, string>

  test.each(codes)('%s', async (code) => {
    const { handle, lines } = createWorld({
      negotiate: () => Promise.reject(new BridgeError(code, 'a private detail')),
    })
    const reply = await handle(directive.initiateSession())
    expect(reply.event).toMatchObject({
      header: { namespace: 'Alexa', name: 'ErrorResponse', correlationToken },
      endpoint,
      payload: { type: words[code] },
    })
    expect(JSON.stringify(reply)).not.toContain('private')
    expect(lines.at(-1)?.fields).toMatchObject({ code, error: 'a private detail', sessionId })
  })

  test('an expired token and a bad one are told apart', async () => {
    const { handle } = createWorld()
    const typeFor = async (token: string) => (await handle(directive.reportState('front-door', token))).event.payload
    expect(await typeFor('expired')).toHaveProperty('type', 'EXPIRED_AUTHORIZATION_CREDENTIAL')
    expect(await typeFor('forged')).toHaveProperty('type', 'INVALID_AUTHORIZATION_CREDENTIAL')
  })

  test("somebody else's camera does not exist", async () => {
    const { handle, calls } = createWorld()
    const { event } = await handle(directive.initiateSession(undefined, { endpointId: 'neighbour' }))
    expect(event.payload).toHaveProperty('type', 'NO_SUCH_ENDPOINT')
    expect(calls).not.toContain('broker.negotiate')
  })

  test.each([
    ['is not SDP', { format: 'JSEP', value: directive.offerSdp }],
    ['is empty', { format: 'SDP', value: '' }],
    ['is larger than 64 KiB', { format: 'SDP', value: 'a'.repeat(65_537) }],
    ['has no value', { format: 'SDP' }],
  ])('an offer that %s is refused without asking anybody', async (_name, offer) => {
    const { handle, calls } = createWorld()
    const { event } = await handle(directive.initiateSession(offer))
    expect(event.payload).toHaveProperty('type', 'INVALID_DIRECTIVE')
    expect(calls).toEqual([])
  })

  test.each([
    ['a forged token', directive.acceptGrant('code-1', 'forged')],
    ['no payload', { directive: { header: { namespace: 'Alexa.Authorization', name: 'AcceptGrant' } } }],
  ])('AcceptGrant with %s fails with its own error', async (_name, event) => {
    const reply = await createWorld().handle(event)
    expect(nameOf(reply)).toBe('Alexa.Authorization/ErrorResponse')
    expect(reply.event.payload).toHaveProperty('type', 'ACCEPT_GRANT_FAILED')
  })

  test('our own mistake is logged with its stack and leaves as INTERNAL_ERROR', async () => {
    const { handle, lines } = createWorld({ negotiate: () => Promise.reject(new TypeError('oops')) })
    expect((await handle(directive.initiateSession())).event.payload).toHaveProperty('type', 'INTERNAL_ERROR')
    const { level, fields } = lines.at(-1)!
    expect(level).toBe('error')
    expect(fields).toMatchObject({
      code: 'internal',
      error: 'oops',
      stack: expect.stringContaining('TypeError: oops'),
    })
  })

  test('an unknown directive is INVALID_DIRECTIVE and its kind is logged', async () => {
    const { handle, lines } = createWorld()
    const { event } = await handle(garbage['an unknown directive'])
    expect(event.payload).toHaveProperty('type', 'INVALID_DIRECTIVE')
    expect(lines).toEqual([
      {
        level: 'warn',
        event: 'alexa.refused',
        fields: expect.objectContaining({ directive: 'Alexa.PowerController/TurnOn', code: 'invalid_request' }),
      },
    ])
  })
})

const never = () => new Promise<never>(() => {})

describe('nothing is waited for without end', () => {
  test.each([
    ['an offer', directive.initiateSession(), 5_250],
    ['any other directive', directive.sessionConnected(), 7_000],
  ])('%s gets its event in time although the token check hangs', async (_name, event, ms) => {
    jest.useFakeTimers()
    try {
      const { handle, lines } = createWorld({ authorize: never })
      const reply = handle(event)
      const settled = jest.fn()
      void reply.then(settled)
      await jest.advanceTimersByTimeAsync(ms - 1)
      expect(settled).not.toHaveBeenCalled()
      await jest.advanceTimersByTimeAsync(1)
      expect((await reply).event.payload).toHaveProperty('type', 'INTERNAL_ERROR')
      // Nobody's mistake: in the log it has the name that it has at Google's doors.
      expect(lines).toEqual([
        expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ code: 'out_of_time' }) }),
      ])
      expect(jest.getTimerCount()).toBe(0)
    } finally {
      jest.useRealTimers()
    }
  })

  test('a camera that is found too late is not called any more', async () => {
    jest.useFakeTimers()
    try {
      const found = Promise.withResolvers<typeof frontDoor>()
      const { handle, calls } = createWorld({ cameras: { list: async () => [], find: () => found.promise } })
      const reply = handle(directive.initiateSession())
      await jest.advanceTimersByTimeAsync(6_000)
      expect((await reply).event.payload).toHaveProperty('type', 'INTERNAL_ERROR')
      found.resolve(frontDoor)
      await jest.advanceTimersByTimeAsync(0)
      expect(calls).not.toContain('broker.negotiate')
    } finally {
      jest.useRealTimers()
    }
  })

  test('a failure after the deadline is logged, not lost', async () => {
    jest.useFakeTimers()
    try {
      const failing = Promise.withResolvers<string>()
      const { handle, lines } = createWorld({ negotiate: () => failing.promise })
      const reply = handle(directive.initiateSession())
      await jest.advanceTimersByTimeAsync(6_000)
      await reply
      failing.reject(new BridgeError('camera_silent'))
      await jest.advanceTimersByTimeAsync(0)
      expect(lines.at(-1)).toMatchObject({ event: 'alexa.failed-late', fields: { code: 'camera_silent' } })
    } finally {
      jest.useRealTimers()
    }
  })
})
