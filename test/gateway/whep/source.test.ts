/** A camera behind a WHEP server or go2rtc as a source, against one on loopback that is as strict as the draft. */
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  SourceError,
  type AudioPacket,
  type MediaInfo,
  type MediaSource,
  type VideoUnit,
} from '../../../src/gateway/media.ts'
import { createNetworkSource } from '../../../src/gateway/network-source.ts'
import { readAddress } from '../../../src/gateway/rtsp/address.ts'
import { createTrust } from '../../../src/gateway/trust.ts'
import { allowedServers } from '../../../src/gateway/whep/connection.ts'
import { openEndpoint } from '../../../src/gateway/whep/endpoint.ts'
import { loadTone } from '../../../src/simulator/tone.ts'
import { idr, pps, slice } from '../rtsp/camera.ts'
import { until } from '../../until.ts'
import { startWhepServer, type FakeWhepServer, type ServerHabits } from './server.ts'

const never = new AbortController().signal
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

interface World {
  readonly server: FakeWhepServer
  readonly source: MediaSource
}

async function open(habits: ServerHabits = {}, userInfo = ''): Promise<World> {
  const server = await startWhepServer(habits)
  const path = habits.go2rtc ? 'api/webrtc?src=door' : 'door/whep'
  const source = createNetworkSource(`whep://${userInfo}127.0.0.1:${server.port}/${path}`, Date.now, () => undefined)
  closing.push(
    () => server.close(),
    () => source.close(),
  )
  return { server, source }
}

function play({ source }: World) {
  const end = new AbortController()
  const video: VideoUnit[] = []
  const audio: AudioPacket[] = []
  const described: MediaInfo[] = []
  const running = source.run(
    {
      video: (unit) => video.push(unit),
      audio: (packet) => audio.push(packet),
      described: (info) => described.push(info),
    },
    end.signal,
  )
  const ended = running.then(
    () => undefined,
    (error: unknown) => error,
  )
  const stop = async () => {
    end.abort()
    return ended
  }
  closing.push(async () => void (await stop()))
  return { video, audio, described, ended, stop }
}

const nalTypes = (unit: VideoUnit): readonly number[] => unit.payloads.map((payload) => payload[0]! & 0x1f)

describe('WHEP', () => {
  test('gives pictures with the profile of what comes, and each session is deleted', async () => {
    const world = await open({ profile: '42e01f' })
    expect(await world.source.describe(never)).toEqual({ profileLevelId: '42c01f', hasSpeaker: false, sound: ['opus'] })
    const { video, audio, stop } = play(world)
    await until(() => video.length > 0)
    expect(nalTypes(video[0]!)).toEqual([24, 5])
    world.server.send('video', { payload: slice, timestamp: 3_600, marker: true })
    world.server.send('audio', { payload: Buffer.from([0xf8, 0xff, 0xfe]), timestamp: 960 })
    await until(() => video.some(({ isKey }) => !isKey) && audio.some(({ payload }) => payload.length === 3))
    expect(await stop()).toBeUndefined()
    const [first, second] = ['DELETE /sessions/session-1', 'DELETE /sessions/session-2']
    expect(world.server.asked.filter((each) => !each.startsWith('OPTIONS'))).toEqual([
      'POST /door/whep',
      first,
      'POST /door/whep',
      second,
    ])
    expect(world.server.sessions()).toBe(0)
  })

  test('is looked at again without another session', async () => {
    const world = await open()
    const info = await world.source.describe(never)
    expect(await world.source.describe(never)).toEqual(info)
    expect(world.server.offers).toHaveLength(1)
    expect(world.server.asked.at(-1)).toBe('OPTIONS /door/whep')
    await world.server.close()
    await expect(world.source.describe(never)).rejects.toMatchObject({ code: 'source_refused' })
  })

  test('has the profile that came last also when nobody looks any more', async () => {
    const world = await open()
    expect(await world.source.describe(never)).toMatchObject({ profileLevelId: '42c01f' })
    const { described, video, stop } = play(world)
    await until(() => video.length > 0)
    const high = Buffer.from('67640028acd940780227e5c05a808080a0000003002000000781e30632c0', 'hex')
    for (const [index, payload] of [high, pps, idr].entries())
      world.server.send('video', { payload, timestamp: 90_000, marker: index === 2 })
    await until(() => described.at(-1)?.profileLevelId === '640028')
    await stop()
    expect(await world.source.describe(never)).toMatchObject({ profileLevelId: '640028' })
    expect(world.server.offers).toHaveLength(2)
  })

  test('answers an offer that the server makes instead of an answer', async () => {
    const world = await open({ hasCounterOffer: true })
    expect(await world.source.describe(never)).toMatchObject({ profileLevelId: '42c01f' })
    expect(world.server.asked).toContain('PATCH /sessions/session-1')
    expect(world.server.asked.at(-1)).toBe('DELETE /sessions/session-1')
  })

  test('asks for a key frame when packets are lost for good', async () => {
    const world = await open()
    const { video } = play(world)
    await until(() => video.length > 0)
    const before = world.server.keyFramesAsked()
    let count = 0
    await until(() => {
      world.server.send('video', { payload: slice, timestamp: count * 3_600, marker: true, skip: count === 0 ? 1 : 0 })
      count += 1
      return world.server.keyFramesAsked() > before
    })
  })

  test('a session that the server ends is over', async () => {
    const world = await open()
    const { video, ended } = play(world)
    await until(() => video.length > 0)
    await world.server.restart()
    expect(await ended).toMatchObject({ code: 'source_stopped' })
  })

  test('of several codecs of the answer the one is taken that comes', async () => {
    const world = await open({ sound: ['opus', 'PCMU', 'PCMA'] })
    const { audio, described } = play(world)
    const payload = Buffer.alloc(160, 0x55)
    await until(() => {
      world.server.send('audio', { payload, timestamp: 0 })
      return audio.some((each) => each.codec === 'PCMA')
    })
    expect(described.at(-1)?.sound).toEqual(['opus', 'PCMA'])
  })
})

describe('who may look', () => {
  test('a token goes with every request', async () => {
    const { server, source } = await open({ authorization: 'Bearer s3cret' }, 'bearer:s3cret@')
    await source.describe(never)
    expect(server.requests.every(({ authorization }) => authorization === 'Bearer s3cret')).toBe(true)
  })

  test('a password is given by Basic when it is asked for', async () => {
    const authorization = `Basic ${Buffer.from('anna:p@ss').toString('base64')}`
    const { source } = await open({ authorization, challenge: 'Basic realm="mediamtx"' }, 'anna:p%40ss@')
    expect(await source.describe(never)).toMatchObject({ profileLevelId: '42c01f' })
  })

  test.each(['', 'bearer:wrong@', 'anna:wrong@'])('%s is refused as a password', async (userInfo) => {
    const { source } = await open({ authorization: 'Bearer s3cret', challenge: 'Basic realm="x"' }, userInfo)
    await expect(source.describe(never)).rejects.toMatchObject({ code: 'source_password' })
  })
})

test('the ICE servers of its Link headers are used, as far as the networks of cameras allow', async () => {
  const link =
    '<stun:10.9.8.7>; rel="ice-server", <turn:127.0.0.1:9?transport=udp>; rel="ice-server"; username="a\\"b,;c"; credential=d;' +
    ' credential-type="password", <https://x.example/sse>; rel="urn:ietf:params:whep:ext:core:server-sent-events"'
  const server = await startWhepServer({ link })
  closing.push(() => server.close())
  const endpoint = openEndpoint(readAddress(`whep://127.0.0.1:${server.port}/door/whep`), createTrust())
  await endpoint.ask(never)
  expect(endpoint.iceServers()).toEqual([
    { urls: ['stun:10.9.8.7'] },
    { urls: ['turn:127.0.0.1:9?transport=udp'], username: 'a"b,;c', credential: 'd' },
  ])
  const trust = createTrust({ networks: ['127.0.0.0/8'] })
  expect(allowedServers(endpoint.iceServers(), trust)).toEqual([
    { urls: 'turn:127.0.0.1:9?transport=udp', username: 'a"b,;c', credential: 'd' },
  ])
})

test('media from outside of the networks of cameras is not taken', async () => {
  const server = await startWhepServer()
  const place = `whep://127.0.0.1:${server.port}/door/whep`
  const source = createNetworkSource(place, Date.now, () => undefined, createTrust({ networks: ['127.0.0.1'] }))
  closing.push(
    () => server.close(),
    () => source.close(),
  )
  await expect(source.describe(never)).rejects.toBeInstanceOf(SourceError)
  expect(server.sessions()).toBe(0)
})

describe('a redirect', () => {
  test('is followed as a POST, and what it makes is deleted there', async () => {
    const world = await open({ redirect: { status: 307, to: '/other/whep' } })
    await world.source.describe(never)
    expect(world.server.asked).toContain('POST /other/whep')
    expect(world.server.sessions()).toBe(0)
  })

  test('to another host carries no password', async () => {
    const other = await startWhepServer()
    closing.push(() => other.close())
    const to = `http://localhost:${other.port}/door/whep`
    const { source } = await open({ redirect: { status: 308, to } }, 'bearer:s3cret@')
    await source.describe(never)
    expect(other.requests.some(({ authorization }) => authorization !== undefined)).toBe(false)
    expect(other.sessions()).toBe(0)
  })

  test.each([
    ['without end', '/door/whep'],
    ['to a file', 'file:///etc/passwd'],
  ])('%s is given up', async (_name, to) => {
    const { server, source } = await open({ redirect: { status: 307, to } })
    await expect(source.describe(never)).rejects.toMatchObject({ code: 'source_garbled' })
    expect(server.asked.length).toBeLessThan(6)
  })
})

test.each([
  [404, '', 'source_not_found'],
  [406, '', 'source_codec'],
  [409, 'no publisher', 'source_stopped'],
  [500, 'oops', 'source_garbled'],
  [503, '', 'source_busy'],
  [201, '<html>', 'source_garbled'],
])('the reply %i %s is %s', async (status, body, code) => {
  const { source } = await open({ reply: { status, body } })
  await expect(source.describe(never)).rejects.toMatchObject({ code })
})

describe('go2rtc', () => {
  const medias = ['video, recvonly, H264', 'audio, recvonly, PCMA/8000', 'audio, sendonly, PCMA/8000']

  test('plays what is said at its camera, in a session of its own that ends with the talk', async () => {
    const world = await open({ go2rtc: { medias }, sound: ['PCMU', 'PCMA'] })
    expect(await world.source.describe(never)).toMatchObject({ hasSpeaker: true })
    const { described, video } = play(world)
    await until(() => video.length > 0)
    expect(described.at(-1)).toMatchObject({ hasSpeaker: true })
    // The session that plays leaves the loudspeaker to the vendor's app.
    expect(world.server.offers.map((offer) => /^a=sendonly/m.test(offer))).toEqual([true, false])
    const ear = await world.source.createEar!('opus', () => undefined)
    for (const payload of await loadTone()) ear.hear(payload)
    await until(() => world.server.heard.length >= 20)
    expect(world.server.sessions()).toBe(2)
    ear.close()
    await until(() => world.server.sessions() === 1)
  })

  test('has no loudspeaker where its camera has none, whatever its answer says', async () => {
    const { source } = await open({ go2rtc: { medias: medias.slice(0, 2) } })
    expect(await source.describe(never)).toMatchObject({ hasSpeaker: false })
  })
})
