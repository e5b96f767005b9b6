/** What displays and cameras of the field send, through the real doors: Alexa's directive, Google's signaling URL, and the camera's WebSocket. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse } from 'sdp-transform'
import type { Embedded } from '../../src/transom/embedded.ts'
import { openKvs, type Kvs } from '../../src/kvs/access.ts'
import { openChannel, type ChannelConnection } from '../../src/kvs/channel.ts'
import { findChannel } from '../../src/kvs/resources.ts'
import { createAlexa } from '../../src/simulator/alexa.ts'
import { findCamera, type Assistant } from '../../src/simulator/assistant.ts'
import { readAnswer } from '../../src/simulator/answer.ts'
import { createGoogle } from '../../src/simulator/google.ts'
import { linkAccount } from '../../src/simulator/link.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import {
  descriptionOf,
  h264Usual,
  hostLine,
  opus,
  plainAnswer,
  plainOffer,
  type SectionOf,
} from '../broker/descriptions.ts'
import { embedHouse } from './embedded-house.ts'

const signal = AbortSignal.timeout(120_000)
const assistants = ['alexa', 'google'] as const

let house: Embedded
let dataDir: string
let kvs: Kvs
let master: ChannelConnection
/** What the camera answers, and the offers that it got. */
let answer: (offer: string) => string
const offers: string[] = []
const opened: Partial<Record<(typeof assistants)[number], string>> = {}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'transom-field-'))
  house = await embedHouse(dataDir, { TRANSOM_DOORBELL: 'off' })
  const { credentials } = JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8')) as {
    credentials: { camera: { accessKeyId: string; secretAccessKey: string } }
  }
  kvs = openKvs({
    region: 'local',
    endpoint: house.signalingEndpoint,
    ca: readFileSync(join(dataDir, 'certificates', 'ca.pem'), 'utf8'),
    credentials: credentials.camera,
  })
  const channel = await findChannel(kvs, house.camera.channel.channelName, 'MASTER', signal)
  master = await openChannel(kvs, channel, { role: 'MASTER' }, signal)
  void (async () => {
    for await (const message of master.messages) {
      if (message.kind !== 'offer') continue
      offers.push(message.sdp)
      master.send(
        { kind: 'answer', sdp: `${answer(message.sdp)}a=end-of-candidates\r\n` },
        message.senderClientId ?? '',
      )
    }
  })()
  const { bridge, clients, user } = readSettings(dataDir)
  for (const assistant of assistants) {
    const link = await linkAccount({ assistant, bridge, client: clients[assistant], user }, signal)
    opened[assistant] = link.accessToken
  }
})
afterAll(async () => {
  master.close()
  kvs.close()
  await house.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** The assistant's whole way to the answer: discovery, its request for the stream, the offer. */
async function ask(name: (typeof assistants)[number], offer: string): Promise<string> {
  const tools = { bridge: house.publicUrl, accessToken: opened[name] ?? '', note: () => {} }
  const assistant: Assistant = name === 'alexa' ? createAlexa(tools) : createGoogle(tools)
  const camera = await findCamera(assistant, house.camera.id, tools.note, signal)
  await assistant.prepare(camera, signal)
  const text = await assistant.offer(offer, signal)
  await assistant.hangUp(signal)
  // As strictly as a display that cannot ask back.
  readAnswer(offer, text, assistant.answerRules)
  return text
}

const lastSession = async () => (await house.bridge.broker.recent(house.camera.accountId, { limit: 1 }))[0]

/** Why it was refused, in the assistant's words and in the owner's. */
async function refusalOf(name: (typeof assistants)[number], offer: string) {
  const thrown = await ask(name, offer).then(
    () => 'it was answered',
    (error: Error) => error.message,
  )
  const session = await lastSession()
  return { thrown, cause: session?.cause?.code, steps: session?.timeline.map(({ step }) => step) ?? [] }
}

const videoOf = (mid: string, codecs: Readonly<Record<number, string>>, more: readonly string[]): SectionOf => ({
  mid,
  direction: 'recvonly',
  codecs,
  more: [...more, hostLine()],
})

/** A section as browsers write it that know ten kinds of H.264. */
function fullVideo(mid: string): SectionOf {
  const payloads = Array.from({ length: 10 }, (_, index) => 98 + 2 * index)
  const codecs = Object.fromEntries(
    payloads.flatMap((payload) => [
      [payload, 'H264/90000'],
      [payload + 1, 'rtx/90000'],
    ]),
  )
  const profiles = ['42e01f', '42001f', '4d001f', '64001f', '640c1f']
  const lines = payloads.flatMap((payload, index) => [
    ...['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli', 'rrtr', 'ack ccfb'].map(
      (one) => `a=rtcp-fb:${payload} ${one}`,
    ),
    `a=fmtp:${payload} level-asymmetry-allowed=1;packetization-mode=${index % 2 === 0 ? 1 : 0};profile-level-id=${profiles[index >> 1]}`,
    `a=fmtp:${payload + 1} apt=${payload}`,
  ])
  return videoOf(mid, codecs, lines)
}

/** With a password that ends in `=`. */
const odd = (text: string) => text.replaceAll('uHgJ', 'uHgJZGk=')

describe.each(assistants)('%s', (name) => {
  test('an offer of sound only is answered with sound both ways', async () => {
    const audio: SectionOf = {
      kind: 'audio',
      mid: 'audio0',
      direction: 'sendrecv',
      codecs: { 96: 'opus/48000/2', 0: 'PCMU/8000', 8: 'PCMA/8000' },
      more: [hostLine()],
    }
    answer = () => descriptionOf('active', [{ ...audio, codecs: { 96: 'opus/48000/2' } }])
    const text = await ask(name, descriptionOf('actpass', [audio]).replaceAll(/a=rtpmap:[08] .*\r\n/g, ''))
    expect(parse(text).media.map(({ type, direction }) => [type, direction])).toEqual([['audio', 'sendrecv']])
    expect((await lastSession())?.timeline.map(({ step }) => step)).toContain('answer-sent')
  })

  test('a display without H.264 is told at once that nothing fits', async () => {
    answer = () => plainAnswer({ video: { codecs: { 49: 'H265/90000' }, port: 0, more: [] } })
    const offer = plainOffer({
      video: videoOf('1', { 49: 'H265/90000', 96: 'VP8/90000' }, ['a=fmtp:49 level-id=93;profile-id=1']),
    })
    const { thrown, cause, steps } = await refusalOf(name, offer)
    expect(thrown).toMatch(name === 'alexa' ? /INVALID_DIRECTIVE/ : /502/)
    expect(cause).toBe('no_common_codec')
    expect(parse(offers.at(-1)!).media[1]!.payloads).toBe('49 96')
    expect(steps).not.toContain('camera-candidate')
  })

  test('an offer of two pictures, too large for signaling, is answered with the first', async () => {
    answer = () =>
      plainAnswer({ video: { codecs: { 98: 'H264/90000' }, more: [h264Usual.replace('102', '98'), hostLine()] } })
    const offer = descriptionOf('actpass', [
      { kind: 'audio', mid: '0', codecs: opus, direction: 'recvonly' },
      fullVideo('1'),
      fullVideo('2'),
    ])
    const { media } = parse(await ask(name, offer))
    expect(media.map(({ port }) => port > 0)).toEqual([true, true, false])
    expect(parse(offers.at(-1)!).media.map(({ port }) => port)).toEqual([9, 9, 0])
  })

  test('a camera that names its own profile under the first payload type is shown where the display decodes that profile', async () => {
    const offered = [h264Usual.replace('42e01f', '42001f'), hostLine()]
    answer = () => plainAnswer()
    const text = await ask(name, plainOffer({ video: videoOf('1', { 102: 'H264/90000' }, offered) }))
    expect(text).toContain('profile-level-id=42001f\r\n')
    answer = () => plainAnswer({ video: { more: [h264Usual.replace('42e01f', '64001f'), hostLine()] } })
    expect((await refusalOf(name, plainOffer())).cause).toBe('no_common_codec')
  })

  test('ICE passwords that no RFC allows and every browser takes pass in both directions', async () => {
    answer = () => odd(plainAnswer())
    const text = await ask(name, odd(plainOffer()))
    for (const sdp of [offers.at(-1)!, text]) expect(sdp).toMatch(/a=ice-pwd:\S+uHgJZGk=\r/)
  })

  test('an answer without a picture is refused with the cause', async () => {
    answer = () => plainAnswer({ video: { port: 0, more: [] } })
    const { thrown, cause } = await refusalOf(name, plainOffer())
    expect(thrown).toMatch(name === 'alexa' ? /ENDPOINT_UNREACHABLE/ : /502/)
    expect(cause).toBe('no_picture')
  })

  test('an offer without rtcp-mux is refused before the camera is asked', async () => {
    const before = offers.length
    const { thrown, cause } = await refusalOf(name, plainOffer().replaceAll('a=rtcp-mux\r\n', ''))
    expect(thrown).toMatch(name === 'alexa' ? /INVALID_DIRECTIVE/ : /400/)
    expect([cause, offers.length]).toEqual(['invalid_request', before])
  })
})
