/** Candidates put into an answer, as payloads of real cameras have them; and SendAlexaOfferToMaster that waits for them. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import fc from 'fast-check'
import { sendAlexaOffer } from '../../src/signaling/alexa-offer.ts'
import { foldCandidates, isLastCandidate, isUnfinished } from '../../src/signaling/fold-candidates.ts'
import { createHub, type Hub, type Seat } from '../../src/signaling/hub.ts'
import { defaultLimits } from '../../src/signaling/limits.ts'
import { base64 } from './running-service.ts'

const host = 'candidate:1 1 udp 2130706431 192.0.2.2 54289 typ host'
const srflx = 'candidate:2 1 udp 1694498815 203.0.113.7 54289 typ srflx raddr 0.0.0.0 rport 0'
const relay = 'candidate:3 1 udp 16777215 198.51.100.1 3478 typ relay raddr 0.0.0.0 rport 0'
const sdp = [
  'v=0',
  'o=- 1 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=ice-options:trickle renomination',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:a',
  `a=${host}`,
  'a=ice-options:trickle',
  'm=video 9 UDP/TLS/RTP/SAVPF 125',
  'a=mid:v',
  'a=sendonly',
].join('\r\n')
const answer = base64({ type: 'answer', sdp: `${sdp}\r\n` })
const candidate = (text: string, sdpMid?: string, sdpMLineIndex?: number) =>
  base64({ candidate: text, sdpMid, sdpMLineIndex })
const read = (payload: string) => JSON.parse(Buffer.from(payload, 'base64').toString('utf8'))

describe('candidates', () => {
  test('go into the section they name by mid, else by index, else into the first', () => {
    const folded = read(foldCandidates(answer, [candidate(srflx, 'v', 0), candidate(relay, 'x', 1), candidate(relay)]))
    expect(folded).toEqual({
      type: 'answer',
      sdp: [
        ...sdp.split('\r\n').slice(0, 4),
        'a=ice-options:renomination',
        'm=audio 9 UDP/TLS/RTP/SAVPF 111',
        'a=mid:a',
        `a=${host}`,
        `a=${relay}`,
        'm=video 9 UDP/TLS/RTP/SAVPF 125',
        'a=mid:v',
        'a=sendonly',
        `a=${srflx}`,
        `a=${relay}`,
        '',
      ].join('\r\n'),
    })
  })

  test.each([
    ['a number as mid', { sdpMid: 1 }],
    ['a text as index', { sdpMLineIndex: '1' }],
  ])('go into the section they name by %s', (_case, place) => {
    const numbered = base64({ type: 'answer', sdp: sdp.replace('a=mid:v', 'a=mid:1') })
    const folded = foldCandidates(numbered, [base64({ candidate: srflx, ...place })])
    expect(read(folded).sdp).toContain(`a=sendonly\r\na=${srflx}\r\n`)
  })

  test('are there once, even if the camera says them again with more after them', () => {
    const folded = foldCandidates(answer, [candidate(`${host} raddr 0.0.0.0 rport 0 generation 0`, 'a')])
    expect(read(folded).sdp.match(/candidate:1 /g)).toHaveLength(1)
  })

  test.each([
    `a=${host}`,
    host.slice('candidate:'.length),
    host.replace('candidate', 'CANDIDATE'),
    `A=${host.replace('candidate', 'Candidate')}\r\n`,
  ])('are taken in any spelling: %j', (text) => {
    expect(read(foldCandidates(answer, [candidate(text, 'v')])).sdp).toContain(`a=sendonly\r\na=${host}\r\n`)
  })

  test.each(['', 'candidate:', 'a=candidate:', ' ', null])('have an end that cameras write as %j', (text) => {
    expect(isLastCandidate(base64({ candidate: text }))).toBe(true)
  })

  test.each([base64({}), base64({ candidate: 7 }), candidate(host), 'AAAA'])('do not end with %s', (payload) => {
    expect(isLastCandidate(payload)).toBe(false)
  })

  test.each([
    ['no JSON', 'AAAA'],
    ['more than one line', candidate(`${host}\r\na=fingerprint:sha-256 00`)],
    ['no candidate', candidate('a=mid:0')],
    ['the end', candidate('')],
  ])('%s adds nothing', (_case, payload) => {
    expect(read(foldCandidates(answer, [payload])).sdp).not.toMatch(/fingerprint|mid:0/)
  })

  test('that do not fit into a payload any more are left out', () => {
    const many = Array.from({ length: 200 }, (_, index) => candidate(srflx.replace('54289', `${10_000 + index}`), 'v'))
    const folded = foldCandidates(answer, many)
    expect(folded.length).toBeLessThanOrEqual(10_000)
    expect(read(folded).sdp.match(/typ srflx/g).length).toBeGreaterThan(50)
  })

  test('leave an answer that cannot be read as it is, whatever it is', () => {
    expect(foldCandidates('bm90IEpTT04=', [candidate(host)])).toBe('bm90IEpTT04=')
    fc.assert(
      fc.property(fc.anything(), fc.array(fc.anything(), { maxLength: 3 }), (one, others) => {
        const text = base64(one ?? null)
        foldCandidates(
          text,
          others.map((other) => base64(other ?? null)),
        )
        isUnfinished(text)
      }),
    )
  })
})

test.each([
  ['of a camera that trickles', sdp, true],
  ['without any address', 'v=0\r\ns=-\r\nm=audio 9 x 0\r\n', true],
  ['that says it is done', `${sdp}\r\na=end-of-candidates`, false],
  ['of a camera that trickles, in upper case', sdp.replaceAll('a=ice-options:trickle', 'a=ICE-OPTIONS:Trickle'), true],
  ['of a camera that names its options with commas', sdp.replaceAll(':trickle', ':ice2,trickle'), true],
  ['that says it is done, in upper case', `${sdp}\r\na=End-Of-Candidates`, false],
  ['of a camera that gathered first, in upper case', `v=0\r\ns=-\r\nm=audio 9 x 0\r\na=${host.toUpperCase()}`, false],
  [
    'of a camera with an option of a similar name',
    `v=0\r\nm=audio 9 x 0\r\na=ice-options:no-trickle\r\na=${host}`,
    false,
  ],
  ['of a camera that gathered first', `v=0\r\ns=-\r\nm=audio 9 x 0\r\na=${host}`, false],
])('an answer %s: more is waited for, %#', (_case, text, expected) => {
  expect(isUnfinished(base64({ type: 'answer', sdp: text }))).toBe(expected)
})

describe('a call of SendAlexaOfferToMaster', () => {
  const channel = {
    name: 'c',
    arn: 'arn',
    createdAt: 0,
    messageTtlS: 60,
    version: '1',
    storage: { status: 'DISABLED' },
  } as const
  let hub: Hub
  let master: Seat
  let answered: string | undefined
  beforeEach(async () => {
    jest.useFakeTimers()
    hub = createHub(defaultLimits, Date.now, () => {})
    master = hub.joinAsMaster(channel, { deliver: () => true, close: () => {} })
    answered = undefined
    void sendAlexaOffer(hub, channel, 'v', 'b2ZmZXI=', new AbortController().signal).then((got) => (answered = got))
  })
  afterEach(() => {
    hub.close()
    expect(jest.getTimerCount()).toBe(0)
    jest.useRealTimers()
  })
  const say = (type: 'SDP_ANSWER' | 'ICE_CANDIDATE', payload: string) =>
    master.post({ type, payload, recipientClientId: 'v' })

  test('returns when a trickling camera has been quiet for a while, with what it sent before and after its answer', async () => {
    say('ICE_CANDIDATE', candidate(srflx, 'v'))
    say('SDP_ANSWER', answer)
    await jest.advanceTimersByTimeAsync(299)
    say('ICE_CANDIDATE', candidate(relay, 'v'))
    await jest.advanceTimersByTimeAsync(299)
    expect(answered).toBeUndefined()
    await jest.advanceTimersByTimeAsync(1)
    expect(read(answered ?? '').sdp).toContain(`a=${srflx}\r\na=${relay}\r\n`)
  })

  test('waits for a camera that is never quiet no longer than 1.5 s', async () => {
    say('SDP_ANSWER', answer)
    for (let sent = 0; sent < 15; sent += 1) {
      expect(answered).toBeUndefined()
      say('ICE_CANDIDATE', candidate(srflx.replace('54289', `${10_000 + sent}`), 'v'))
      await jest.advanceTimersByTimeAsync(100)
    }
    expect(read(answered ?? '').sdp.match(/typ srflx/g)).toHaveLength(15)
    master.leave()
  })

  test('returns at once when the camera says that it is done', async () => {
    say('SDP_ANSWER', answer)
    say('ICE_CANDIDATE', candidate(''))
    await jest.advanceTimersByTimeAsync(0)
    expect(answered).toBeDefined()
  })

  test('returns a complete answer at once and untouched', async () => {
    const complete = base64({ type: 'answer', sdp: `v=0\r\ns=-\r\nm=audio 9 x 0\r\na=${host}\r\n` })
    say('SDP_ANSWER', complete)
    await jest.advanceTimersByTimeAsync(0)
    expect(answered).toBe(complete)
  })
})
