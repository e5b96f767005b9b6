/** Sessions that are not picture and sound alone: an Echo without a screen, and a data channel for pan, tilt and zoom. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { accountId, type Camera, type CameraMessage } from '../../src/core/ports.ts'
import { parseSdp } from '../../src/bridge/broker/sdp.ts'
import * as directive from '../alexa/directives.ts'
import { frontDoor } from '../alexa/world.ts'
import { openHouse, type House, type Reply } from '../app/house.ts'

/** An Echo's offer without a screen, as it was captured. */
const audioOnly = readFileSync(new URL('fixtures/echo-audio-only.sdp', import.meta.url), 'utf8')

const dataSection = [
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=setup:actpass',
  'a=mid:data0',
  'a=sctp-port:5000',
  'a=max-message-size:262144',
  'a=ice-ufrag:aBcD',
  'a=ice-pwd:abcdefghijklmnopqrstuv',
  'a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF',
  '',
].join('\r\n')
const withData = (offer: string) =>
  offer.replace(/a=group:BUNDLE [^\r]*/, (group) => `${group} data0`).replace(/(\r?\n)?$/, `\r\n${dataSection}`)

const transport = [
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:cAmR',
  'a=ice-pwd:zyxwvutsrqponmlkjihgfe',
  'a=fingerprint:sha-256 FF:EE:DD:CC:BB:AA:99:88:77:66:55:44:33:22:11:00:FF:EE:DD:CC:BB:AA:99:88:77:66:55:44:33:22:11:00',
  'a=setup:active',
]
const codecs = { audio: ['96', 'a=rtpmap:96 opus/48000/2'], video: ['99', 'a=rtpmap:99 H264/90000'] } as const

const mirrored = { sendrecv: 'sendrecv', sendonly: 'recvonly', recvonly: 'sendonly', inactive: 'inactive' } as const

/** A camera that answers each section as it was offered; of a data channel only what it can do with it. */
function answerAs(takesData: boolean) {
  return async function* camera(sdp: string): AsyncIterable<CameraMessage> {
    const offer = parseSdp(sdp, 'invalid_request')
    const sections = offer.media.flatMap((media) => {
      const mid = `a=mid:${media.mid}`
      if (media.kind === 'application') {
        return takesData
          ? [`m=application 9 ${media.protocol} webrtc-datachannel`, ...transport, mid, 'a=sctp-port:5000']
          : [`m=application 0 ${media.protocol} webrtc-datachannel`, 'c=IN IP4 0.0.0.0', mid]
      }
      const [payload, rtpmap] = codecs[media.kind === 'audio' ? 'audio' : 'video']
      return [
        `m=${media.kind} 9 ${media.protocol} ${payload}`,
        ...transport,
        mid,
        `a=${mirrored[media.direction]}`,
        'a=rtcp-mux',
        rtpmap,
      ]
    })
    const mids = offer.media.flatMap(({ kind, mid }) => (kind === 'application' && !takesData ? [] : (mid ?? [])))
    const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', `a=group:BUNDLE ${mids.join(' ')}`, ...sections]
    yield { kind: 'answer', sdp: `${lines.join('\r\n')}\r\n` }
    yield {
      kind: 'candidate',
      candidate: 'candidate:1 1 udp 2130706431 192.0.2.9 50000 typ host',
      sdpMid: mids[0] ?? '0',
    }
    yield { kind: 'end-of-candidates' }
  }
}

async function view(house: House, value: string) {
  const { event } = (await house.alexa.entry(directive.initiateSession({ format: 'SDP', value }))) as Reply
  expect({ event, lines: house.lines }).toHaveProperty('event.header.name', 'AnswerGeneratedForSession')
  return parseSdp(event.payload.answer.value, 'camera_garbled')
}

const shape = ({ media }: ReturnType<typeof parseSdp>) =>
  media.map(({ kind, isLive, direction }) => `${kind} ${isLive ? direction : 'rejected'}`)

describe('an Echo without a screen', () => {
  test.each<[string, Partial<Camera>, string]>([
    ['talks both ways with a doorbell', {}, 'sendrecv'],
    ['talks both ways with an intercom without a picture', { hasVideo: false }, 'sendrecv'],
    ['only listens where nothing plays its sound', { hasSpeaker: false }, 'sendonly'],
  ])('%s', async (_name, change, direction) => {
    await using house = await openHouse({ camera: answerAs(false), cameras: [{ ...frontDoor, ...change }] })
    const answer = await view(house, audioOnly)
    expect(shape(answer)).toEqual([`audio ${direction}`])
    expect(answer.media[0]?.codecs.map(({ name }) => name)).toEqual(['opus'])
    expect(answer.media[0]?.mid).toBe('audio0')
    // The camera is not asked for a picture that nobody sees.
    expect(house.offers[0]).not.toContain('m=video')
  })
})

describe('a data channel', () => {
  test.each([
    ['beside picture and sound', directive.offerSdp, ['audio sendrecv', 'video sendonly']],
    ['beside sound alone', audioOnly, ['audio sendrecv']],
  ])('%s reaches a camera that takes it, and comes back', async (_name, offer, media) => {
    await using house = await openHouse({ camera: answerAs(true) })
    const answer = await view(house, withData(offer))
    expect(shape(answer).slice(0, -1)).toEqual(media)
    const channel = answer.media.at(-1)
    expect(channel).toMatchObject({ kind: 'application', isLive: true, mid: 'data0' })
    expect(channel?.attributes).toContainEqual({ name: 'sctp-port', value: '5000' })
    expect(house.offers[0]).toMatch(/m=application 9 UDP\/DTLS\/SCTP webrtc-datachannel/)
    expect(house.offers[0]).toMatch(/a=sctp-port:5000\r\n(.*\r\n)*a=max-message-size:262144|a=max-message-size:262144/)
  })

  test.each([
    ['beside picture and sound', directive.offerSdp],
    ['beside sound alone', audioOnly],
  ])('%s is rejected with port 0 by a camera that takes none, and the rest stays', async (_name, offer) => {
    await using house = await openHouse({ camera: answerAs(false) })
    const answer = await view(house, withData(offer))
    const plain = await view(await openHouseOnce(house), offer)
    expect(shape(answer)).toEqual([...shape(plain), 'application rejected'])
    expect(answer.groups.flat()).not.toContain('data0')
  })
})

test('a guest, who may not move the camera, has no data channel, and the camera is offered none', async () => {
  await using house = await openHouse({
    camera: answerAs(true),
    cameras: [{ ...frontDoor, sharedBy: accountId('owner') }],
  })
  const answer = await view(house, withData(directive.offerSdp))
  expect(shape(answer)).toEqual(['audio sendrecv', 'video sendonly', 'application rejected'])
  expect(answer.groups.flat()).not.toContain('data0')
  expect(house.offers[0]).toMatch(/m=application 0 /)
})

/** The same house: another session of it. */
async function openHouseOnce(house: House): Promise<House> {
  await house.alexa.entry(directive.sessionDisconnected())
  return house
}
