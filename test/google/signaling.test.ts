/** The player's messages at the signaling door: answers, goodbyes, CORS, and every way to be refused. */
import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { BridgeError, errorCodes, type ErrorCode } from '../../src/core/errors.ts'
import { signalingBodyLimit, type SignalingReply } from '../../src/bridge/google/signaling.ts'
import { createStreamTokens } from '../../src/bridge/google/stream-token.ts'
import { cameraId } from '../../src/core/ports.ts'
import { ada, camera, fakeHouse, signalingDoorOf } from './fake-house.ts'

const offer = { action: 'offer', deviceId: 'bell-1', sdp: 'v=0\r\n(offer)\r\n' }
const origin = 'https://www.gstatic.com'
const cors = { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' }

async function open(options: Parameters<typeof signalingDoorOf>[1] = {}) {
  const house = fakeHouse()
  const tokens = createStreamTokens({ store: house.store, clock: () => house.now })
  const token = await tokens.mint(ada, cameraId('bell-1'))
  const door = signalingDoorOf(house, options)
  const post = (message: unknown, headers: Record<string, string> = {}) => {
    const body = typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message)
    return door({ method: 'POST', headers: { origin, authorization: `Bearer ${token}`, ...headers }, body })
  }
  return { house, tokens, token, door, post }
}

const read = ({ status, body }: SignalingReply) => ({ status, body: JSON.parse(body) as unknown })
/** An offer of just so many bytes. */
const sized = (bytes: number) => {
  const bare = JSON.stringify({ ...offer, pad: '' })
  return bare.replace('"pad":"', `"pad":"${'x'.repeat(bytes - bare.length)}`)
}
const reference = expect.stringMatching(/^[\w-]{22}$/)

describe('an offer', () => {
  test('goes to the broker with its deadline and comes back as a complete answer', async () => {
    const { house, post } = await open()
    const reply = await post(offer)
    expect(read(reply)).toEqual({ status: 200, body: { action: 'answer', sdp: 'v=0\r\n(answer)\r\n' } })
    expect(reply.headers).toMatchObject({ ...cors, 'Content-Type': 'application/json' })
    expect(house.calls).toEqual([
      [
        'negotiate',
        {
          assistant: 'google',
          accountId: ada,
          camera: camera(),
          reference,
          offer: offer.sdp,
          receivedAt: house.now,
          answerBy: house.now + 2000,
          rules: { ipv4Only: false, tcpCandidates: true, talkBack: true, needsSound: true },
        },
      ],
    ])
  })

  test.each([
    ['specified', offer, { action: 'answer' }],
    ['without deviceId', { action: 'offer', sdp: offer.sdp }, { action: 'answer' }],
    ['with empty deviceId', { ...offer, deviceId: '' }, { action: 'answer' }],
    ['by type', { type: 'offer', sdp: offer.sdp }, { action: 'answer', type: 'answer' }],
    ['with nothing where it could say more', { ...offer, type: null, offer: null }, { action: 'answer' }],
    ['as a bare offer', { offer: offer.sdp }, { action: 'answer' }],
    ['with fields we do not know', { ...offer, version: 3 }, { action: 'answer' }],
  ])('is understood in the shape %s', async (_, message, reply) => {
    const { house, post } = await open()
    expect(read(await post(message))).toEqual({ status: 200, body: { ...reply, sdp: 'v=0\r\n(answer)\r\n' } })
    expect(house.calls[0]?.[1]).toMatchObject({ offer: offer.sdp })
  })

  test('as bytes is understood too', async () => {
    const { post } = await open()
    expect((await post(Buffer.from(JSON.stringify(offer)))).status).toBe(200)
  })

  test('may be repeated under the same reference until two minutes are over', async () => {
    const { house, post } = await open()
    await post(offer)
    house.now += 119_000
    expect((await post(offer)).status).toBe(200)
    const [first, second] = house.calls.map(([, request]) => (request as { reference: string }).reference)
    expect(second).toBe(first)
    house.now += 2_000
    expect(read(await post(offer))).toEqual({ status: 401, body: { error: 'authFailure' } })
  })

  test('that the broker cannot finish is refused at the deadline', async () => {
    const { house, post } = await open({ budgetMs: 20 })
    house.negotiate = () => new Promise(() => {})
    expect(read(await post(offer))).toEqual({ status: 504, body: { error: 'transientError' } })
    expect(house.log.at(-1)).toMatchObject({ level: 'warn', fields: { code: 'out_of_time' } })
  })

  test('for a camera that is gone finds nothing', async () => {
    const { house, post } = await open()
    house.cameras = []
    expect(read(await post(offer))).toEqual({ status: 404, body: { error: 'deviceNotFound' } })
  })

  test('is answered even if its token cannot be kept for the end', async () => {
    const { house, token } = await open()
    const collection = <T>(kind: string) => ({
      ...house.store.collection<T>(kind),
      put: async () => Promise.reject(new Error('disk full')),
    })
    const door = signalingDoorOf(house, { store: { ...house.store, collection } })
    const reply = await door({
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(offer),
    })
    expect(reply.status).toBe(200)
    expect(house.log).toContainEqual(expect.objectContaining({ level: 'error', event: 'google.token-not-kept' }))
  })
})

describe('an end', () => {
  test.each([
    ['without sdp', { action: 'end', deviceId: 'bell-1' }],
    ['with empty sdp', { action: 'end', deviceId: 'bell-1', sdp: '' }],
    ['by type', { type: 'end' }],
  ])('%s ends the session and revokes the token', async (_, end) => {
    const { house, post } = await open()
    await post(offer)
    expect(read(await post(end))).toEqual({ status: 200, body: {} })
    expect(house.calls[1]).toEqual(['end', { assistant: 'google', accountId: ada, reference }, 'ended by the display'])
    expect((await post(offer)).status).toBe(401)
    expect((await post(end)).status).toBe(401)
    expect(await house.store.collection('stream-token').list(ada)).toEqual([])
  })

  test('still works after hours, but for a stream that never began the token is gone in minutes', async () => {
    const began = await open()
    await began.post(offer)
    began.house.now += 10 * 3_600_000
    expect((await began.post({ action: 'end' })).status).toBe(200)
    const idle = await open()
    idle.house.now += 121_000
    expect((await idle.post({ action: 'end' })).status).toBe(401)
  })

  test('that the broker could not carry out may be repeated', async () => {
    const { house, post } = await open()
    house.end = async () => Promise.reject(new BridgeError('internal'))
    expect((await post({ action: 'end' })).status).toBe(500)
    house.end = async () => {}
    expect((await post({ action: 'end' })).status).toBe(200)
  })
})

describe('a refusal', () => {
  const statuses: Record<ErrorCode, number> = {
    invalid_request: 400,
    unauthorized: 401,
    token_expired: 401,
    camera_not_found: 404,
    camera_offline: 502,
    camera_silent: 504,
    camera_garbled: 502,
    camera_hung_up: 502,
    camera_busy: 503,
    no_common_codec: 502,
    no_candidates: 502,
    media_failed: 502,
    display_gave_up: 409,
    signaling_failed: 502,
    registry_failed: 503,
    rate_limited: 429,
    out_of_time: 504,
    no_room: 503,
    store_failed: 503,
    no_sound: 502,
    no_picture: 502,
    offer_too_large: 413,
    source_password: 502,
    source_refused: 502,
    source_unreachable: 502,
    source_unknown_host: 502,
    source_not_found: 502,
    source_codec: 502,
    source_no_key_frame: 502,
    source_stopped: 502,
    source_busy: 503,
    source_certificate: 502,
    source_garbled: 502,
    source_gateway: 502,
    source_no_ffmpeg: 502,
    source_invalid: 502,
    internal: 500,
  }

  test.each(Object.keys(errorCodes) as ErrorCode[])('for %s has its status, its word and CORS', async (code) => {
    const { house, post } = await open()
    house.negotiate = async () => Promise.reject(new BridgeError(code, 'secret words'))
    const reply = await post(offer)
    expect(reply.status).toBe(statuses[code])
    expect(reply.headers).toMatchObject(cors)
    expect(JSON.parse(reply.body)).toEqual({ error: expect.any(String) })
    expect(reply.body).not.toContain('secret words')
  })

  test.each([
    ['not JSON', '{'],
    ['nothing', ''],
    ['a list', []],
    ['null', null],
    ['an unknown action', { action: 'dance' }],
    ['an answer, though we offered nothing', { ...offer, action: 'answer' }],
    ['no sdp', { action: 'offer', deviceId: 'bell-1' }],
    ['an sdp that is no string', { ...offer, sdp: { v: 0 } }],
    ['another device', { ...offer, deviceId: 'cam-2' }],
  ])('for %s is 400 and reaches no camera', async (_, message) => {
    const { house, post } = await open()
    const reply = await post(message)
    expect(read(reply)).toEqual({ status: 400, body: { error: 'protocolError' } })
    expect(reply.headers).toMatchObject(cors)
    expect(house.calls).toEqual([])
  })

  test.each([
    ['no token', ''],
    ['an unknown token', `Bearer ${'a'.repeat(43)}`],
    ['another scheme', 'Basic abc'],
  ])('for %s is 401', async (_, authorization) => {
    const { post } = await open()
    const reply = await post(offer, { authorization })
    expect(read(reply)).toEqual({ status: 401, body: { error: 'authFailure' } })
    expect(reply.headers).toMatchObject({ ...cors, 'WWW-Authenticate': expect.stringContaining('Bearer') })
  })

  test('for a body of more than 64 KiB is 413, for one of just as many bytes it is judged by what it says', async () => {
    const { post } = await open()
    expect((await post(sized(signalingBodyLimit))).status).toBe(200)
    const reply = await post(sized(signalingBodyLimit + 1))
    expect(reply.status).toBe(413)
    expect(reply.headers).toMatchObject(cors)
  })

  test.each(['GET', 'PUT', 'DELETE', 'HEAD'])('for %s is 405 and names what is allowed', async (method) => {
    const { door } = await open()
    const reply = await door({ method, headers: { origin } })
    expect(reply).toMatchObject({ status: 405, headers: { ...cors, Allow: 'POST, OPTIONS' } })
  })
})

describe('CORS', () => {
  test('a preflight from the player is allowed', async () => {
    const { door } = await open()
    expect(await door({ method: 'OPTIONS', headers: { Origin: origin } })).toEqual({
      status: 204,
      headers: {
        ...cors,
        'Access-Control-Allow-Methods': 'POST, OPTIONS',
        'Access-Control-Allow-Headers': 'content-type, authorization',
        'Access-Control-Max-Age': '600',
      },
      body: '',
    })
  })

  test.each(['https://evil.example', 'null', 'https://www.gstatic.com.evil.example', 'http://www.gstatic.com'])(
    'a page of %s gets no CORS header',
    async (stranger) => {
      const { door, post } = await open()
      const replies = [
        await door({ method: 'OPTIONS', headers: { origin: stranger } }),
        await post(offer, { origin: stranger }),
      ]
      for (const { headers } of replies) {
        expect(headers['Vary']).toBe('Origin')
        expect(Object.keys(headers).filter((name) => name.startsWith('Access-Control'))).toEqual([])
      }
    },
  )

  test("other origins can be let in beside Google's own", async () => {
    const own = 'https://receiver.example'
    const { post } = await open({ moreOrigins: [own] })
    for (const one of [own, origin])
      expect((await post(offer, { origin: one })).headers).toMatchObject({
        ...cors,
        'Access-Control-Allow-Origin': one,
      })
  })

  test("a request without an origin is told the player's", async () => {
    const { door, token } = await open()
    const reply = await door({
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(offer),
    })
    expect(reply).toMatchObject({ status: 200, headers: cors })
  })
})

const wellFormed = ({ status, headers, body }: SignalingReply) =>
  [200, 204, 400, 401, 404, 405, 413].includes(status) &&
  headers['Vary'] === 'Origin' &&
  (status === 204 || typeof JSON.parse(body) === 'object')

describe('whatever comes', () => {
  test('any message gets one well-formed reply', async () => {
    const { post } = await open()
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom('offer', 'end', 'answer', 'bell-1', '__proto__'))
    const message = fc.oneof(
      fc.string(),
      fc.uint8Array(),
      fc.json(),
      fc.record({ action: field, type: field, deviceId: field, sdp: field, offer: field }, { requiredKeys: [] }),
    )
    await fc.assert(
      fc.asyncProperty(message, async (given) => wellFormed(await post(given))),
      { numRuns: 500 },
    )
  })

  test('any method and header get one well-formed reply', async () => {
    const { door } = await open()
    const headers = fc.dictionary(
      fc.constantFrom('origin', 'authorization', 'Authorization', 'x'),
      fc.oneof(fc.string(), fc.array(fc.string())),
    )
    const method = fc.oneof(fc.constantFrom('POST', 'OPTIONS', 'GET'), fc.string())
    await fc.assert(
      fc.asyncProperty(method, headers, async (method, headers) => wellFormed(await door({ method, headers }))),
      { numRuns: 300 },
    )
  })

  test('no token and no SDP is in the log', async () => {
    const { house, post, token } = await open()
    await post(offer)
    await post({ ...offer, deviceId: 'cam-2' })
    const log = JSON.stringify(house.log)
    for (const secret of [token, '(offer)', '(answer)']) expect(log).not.toContain(secret)
  })
})
