/** What is understood on a channel's WebSocket, and what is sent there. */
import { describe, expect, test } from '@jest/globals'
import { decodeDescription, decodeMessage, encodeMessage } from '../../src/kvs/message.ts'
import { frameOf, payloadOf } from './fake-kvs.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const sdp = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n'
const host = 'candidate:0 1 udp 2130706431 192.0.2.2 54289 typ host raddr 0.0.0.0 rport 0 generation 0 network-cost 999'
const candidate = (value: unknown) => decodeMessage(frameOf('ICE_CANDIDATE', value))

describe('a frame from the service', () => {
  test('with the answer as a C SDK camera writes it is an answer from the master', () => {
    const messagePayload = base64('{"type": "answer", "sdp": "v=0\\r\\no=- 1 2 IN IP4 127.0.0.1\\r\\n"}')
    expect(decodeMessage(JSON.stringify({ messageType: 'SDP_ANSWER', messagePayload }))).toEqual({
      kind: 'answer',
      sdp,
    })
  })

  test('is read with either spelling of the keys', () => {
    const MessagePayload = payloadOf({ type: 'offer', sdp })
    const frame = JSON.stringify({ SenderClientId: 'echo1', MessageType: 'SDP_OFFER', MessagePayload })
    expect(decodeMessage(frame)).toEqual({ kind: 'offer', sdp, senderClientId: 'echo1' })
  })

  test.each(['', 'AWS_DEFAULT_SINGLE_MASTER'])('from the sender %j comes from the master', (senderClientId) => {
    expect(decodeMessage(frameOf('SDP_ANSWER', { sdp }, { senderClientId }))).toEqual({ kind: 'answer', sdp })
  })

  test('with a candidate keeps its section', () => {
    const sections = { sdpMid: 'video0', sdpMLineIndex: 1 }
    expect(candidate({ candidate: host, ...sections })).toEqual({ kind: 'candidate', candidate: host, ...sections })
  })

  test('with a candidate of an unnamed section leaves the section out', () => {
    const bare = { kind: 'candidate', candidate: host }
    expect(candidate({ candidate: `a=${host}\r\n`, sdpMid: null, sdpMLineIndex: null })).toEqual(bare)
  })

  test.each([
    ['without its first word', host.slice('candidate:'.length)],
    ['with it in upper case', host.replace('candidate', 'CANDIDATE')],
  ])('with a candidate %s is read as in a description', (_, line) => {
    expect(candidate({ candidate: line })).toEqual({ kind: 'candidate', candidate: host })
  })

  test.each([
    ['an object as mid', { sdpMid: {} }],
    ['a word as index', { sdpMLineIndex: 'video0' }],
    ['half an index', { sdpMLineIndex: 0.5 }],
    ['an index below zero', { sdpMLineIndex: -1 }],
    ['a mid that is too long', { sdpMid: 'm'.repeat(257) }],
  ])('with a candidate that has %s is one without a place', (_, place) => {
    expect(candidate({ candidate: host, ...place })).toEqual({ kind: 'candidate', candidate: host })
  })

  test('with a candidate whose place is a number as mid, or a text as index, is one with that place', () => {
    const place = { sdpMid: '0', sdpMLineIndex: 1 }
    expect(candidate({ candidate: host, sdpMid: 0, sdpMLineIndex: '1' })).toEqual({
      kind: 'candidate',
      candidate: host,
      ...place,
    })
  })

  test.each([
    ['a byte order mark before the JSON', '\uFEFF{"type":"answer","sdp":"v=0\\r\\n"}'],
    ['a byte order mark before the SDP', '{"type":"answer","sdp":"\uFEFFv=0\\r\\n"}'],
    ['its type in upper case', '{"type":"ANSWER","sdp":"v=0\\r\\n"}'],
    ['no type', '{"type":null,"sdp":"v=0\\r\\n"}'],
  ])('with an answer that has %s is read', (_, text) => {
    const messagePayload = Buffer.from(text).toString('base64')
    expect(decodeMessage(JSON.stringify({ messageType: 'SDP_ANSWER', messagePayload }))).toEqual({
      kind: 'answer',
      sdp: 'v=0\r\n',
    })
  })

  test.each([[''], ['  '], [null]])('with the candidate %j ends the candidates', (value) => {
    expect(candidate({ candidate: value, sdpMid: '0', sdpMLineIndex: 0 })).toEqual({ kind: 'end-of-candidates' })
  })

  test.each([
    ['a line break inside', { candidate: `${host}\r\na=fingerprint:sha-256 00`, sdpMid: '0' }],
    ['another word', { candidate: 'fingerprint:sha-256 00' }],
    ['too many characters', { candidate: host.padEnd(1_025, ' x') }],
    ['no candidate', { sdpMid: '0' }],
    ['a list', [host]],
  ])('with a candidate that has %s is garbled', (_, value) => {
    expect(candidate(value)).toMatchObject({ kind: 'garbled' })
  })

  test.each([
    ['a bare SDP', base64(sdp)],
    ['an offer in place of the answer', payloadOf({ type: 'offer', sdp })],
    ['an SDP that is none', payloadOf({ type: 'answer', sdp: 'hello' })],
    ['half a JSON', base64('{"type":"answer"')],
    ['no base64', '\u0000%%%'],
    ['nothing', ''],
    ['no payload', undefined],
  ])('with %s as the answer is garbled and names its sender', (_, messagePayload) => {
    const frame = JSON.stringify({ messageType: 'SDP_ANSWER', senderClientId: 'v1', messagePayload })
    expect(decodeMessage(frame)).toMatchObject({ kind: 'garbled', part: 'answer', senderClientId: 'v1' })
  })

  test.each(['[]', 'null', '{"messageType":7}', '{', '['.repeat(30_000), '{"__proto__":{"messageType":"GO_AWAY"}}'])(
    'that is no message is garbled: %.20s',
    (frame) => {
      expect(decodeMessage(frame)).toMatchObject({ kind: 'garbled' })
    },
  )

  test('with a status response says what was refused', () => {
    const statusResponse = { correlationId: 'offer-1', errorType: 'InvalidArgumentException', statusCode: 400 }
    expect(
      decodeMessage(JSON.stringify({ messageType: 'STATUS_RESPONSE', messagePayload: '', statusResponse })),
    ).toEqual({
      kind: 'status',
      ...statusResponse,
      statusCode: '400',
    })
  })

  test.each([
    ['{"messageType":"GO_AWAY"}', { kind: 'go-away' }],
    ['{"messageType":"RECONNECT_ICE_SERVER"}', { kind: 'reconnect-ice-server' }],
    ['{"messageType":"NEWS\\n\\u001b[2J"}', { kind: 'unknown', type: 'NEWS???2J' }],
    ['', { kind: 'unknown', type: 'empty' }],
  ])('of the service itself is known by its kind: %j', (frame, message) => {
    expect(decodeMessage(frame)).toEqual(message)
  })
})

describe('a frame to the service', () => {
  test('wraps the offer in JSON and base64 and leaves absent keys out', () => {
    expect(JSON.parse(encodeMessage({ kind: 'offer', sdp }, undefined, 'offer-1'))).toEqual({
      action: 'SDP_OFFER',
      messagePayload: payloadOf({ type: 'offer', sdp }),
      correlationId: 'offer-1',
    })
  })

  test('is read back as it was sent, by whoever gets it', () => {
    for (const message of [
      { kind: 'answer', sdp },
      { kind: 'candidate', candidate: host, sdpMid: '0', sdpMLineIndex: 0 },
      { kind: 'end-of-candidates' },
    ] as const) {
      const { action, messagePayload } = JSON.parse(encodeMessage(message, 'v1', 'n')) as Record<string, string>
      expect(decodeMessage(JSON.stringify({ messageType: action, messagePayload }))).toEqual(message)
    }
  })

  test('holds at most 10,000 characters of payload, and says how many were too many', () => {
    const wrapper = JSON.stringify({ type: 'offer', sdp: '' }).length
    const fitting = 'v'.repeat(7_500 - wrapper)
    expect(decodeDescription('offer', payloadOf({ type: 'offer', sdp: fitting }))).toMatchObject({ kind: 'garbled' })
    expect(() => encodeMessage({ kind: 'offer', sdp: fitting }, undefined, 'n')).not.toThrow()
    expect(() => encodeMessage({ kind: 'offer', sdp: `${fitting}v` }, undefined, 'n')).toThrow(
      expect.objectContaining({ code: 'offer_too_large', message: expect.stringContaining('10004') }),
    )
  })
})
