/** The camera as its viewers meet it: real signaling service, real peer connections, synthetic picture. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { CameraMaster } from '../../src/gateway/camera.ts'
import { packetSamples, sampleRate } from '../../src/gateway/chime.ts'
import { loadFfmpeg, openEncoder } from '../../src/gateway/ffmpeg.ts'
import { decodeG711, encodeG711 } from '../../src/gateway/g711.ts'
import { cameraEvent, type CameraEvent } from '../../src/core/wire/camera-event.ts'
import { startIceServer } from '../patches/ice-server.ts'
import { chromiumOffer, echoOffer } from './offers.ts'
import { createWorld, openUdpSockets, type Line, type World } from './world.ts'
import { until } from '../until.ts'

let world: World

/** 20 ms at a quarter of full scale. */
const square = Int16Array.from({ length: 160 }, (_, index) => (index % 20 < 10 ? 8_192 : -8_192))

const answersOf = (line: Line): readonly string[] =>
  line.received.flatMap((message) => (message.kind === 'answer' ? [message.sdp] : []))
const answerOf = (line: Line): string | undefined => answersOf(line)[0]
const nalTypesOf = (payload: Buffer): readonly number[] => {
  const type = payload[0]! & 0x1f
  if (type === 28) return [payload[1]! & 0x1f]
  if (type !== 24) return [type]
  const types: number[] = []
  for (let at = 1; at + 2 < payload.length; at += 2 + payload.readUInt16BE(at)) types.push(payload[at + 2]! & 0x1f)
  return types
}

describe('a viewer', () => {
  afterEach(() => world.close())

  test('gets whole pictures beginning with a key frame, and sound, and is heard', async () => {
    world = await createWorld()
    const camera = await world.startCamera()
    const viewer = await world.view('echo-1')
    await until(
      () => viewer.video.packets.filter((packet) => packet.header.marker).length >= 20 && viewer.audio.length >= 40,
    )
    const packets = viewer.video.packets.toSorted(
      (one, other) => one.header.sequenceNumber - other.header.sequenceNumber,
    )

    expect(nalTypesOf(packets[0]!.payload)).toEqual([7, 8])
    expect(packets[0]!.payload.toString('hex', 3, 7)).toBe('6742e01f')
    expect(packets.every((packet) => packet.payload.length + 12 <= 1_200)).toBe(true)
    // No gap in the numbers, one timestamp per picture, and a marker exactly where the picture changes.
    for (const [index, packet] of packets.entries()) {
      const next = packets[index + 1]
      if (!next) break
      expect((next.header.sequenceNumber - packet.header.sequenceNumber) & 0xffff).toBe(1)
      expect(packet.header.marker).toBe(next.header.timestamp !== packet.header.timestamp)
    }
    const stamps = viewer.audio.map((packet) => packet.header.timestamp).toSorted((one, other) => one - other)
    expect(stamps[1]! - stamps[0]!).toBe(960)

    await viewer.say(await tone(25))
    await until(() => world.events.some((event) => event.kind === 'viewer' && (event.heard?.packets ?? 0) === 25))
    const heard = world.events.findLast((event) => event.kind === 'viewer')
    expect(heard).toMatchObject({ viewerId: 'echo-1', state: 'connected', heard: { packets: 25 } })
    expect(heard?.kind === 'viewer' && heard.heard?.level).toBeGreaterThan(0.2)
    expect(heard?.kind === 'viewer' && heard.heard?.level).toBeLessThan(0.5)

    await camera.close()
    const last = world.events.at(-1)
    expect(last).toMatchObject({ kind: 'viewer', state: 'left', heard: { packets: 25 } })
    expect(last?.kind === 'viewer' && last.sent?.videoPackets).toBeGreaterThan(20)
    for (const event of world.events) expect(cameraEvent.parse(event)).toEqual(event)
  })

  test.each(['PCMU', 'PCMA'] as const)('that takes %s only gets the chime in it, and is heard', async (codec) => {
    world = await createWorld()
    await world.startCamera()
    const viewer = await world.view('intercom', { sound: [codec] })
    await until(() => viewer.video.packets.length > 0 && viewer.audio.length >= 60)
    expect(viewer.audio.every(({ payload }) => payload.length === 160)).toBe(true)
    const [first, second] = viewer.audio.toSorted(
      (one, other) => one.header.sequenceNumber - other.header.sequenceNumber,
    )
    expect(second!.header.timestamp - first!.header.timestamp).toBe(160)
    const heardHere = decodeG711(codec, Buffer.concat(viewer.audio.map(({ payload }) => payload)))
    expect(Math.max(...heardHere)).toBeGreaterThan(200)
    await viewer.say(Array.from({ length: 25 }, () => encodeG711(codec, square)))
    await until(() => world.events.some((event) => event.kind === 'viewer' && event.heard?.packets === 25))
    const heard = world.events.findLast((event) => event.kind === 'viewer')
    expect(heard?.kind === 'viewer' && heard.heard?.level).toBeCloseTo(0.25, 1)
    expect(heard).not.toHaveProperty('cause')
  })

  test('that takes no sound of ours sees the picture, and the bridge is told why it hears nothing', async () => {
    world = await createWorld()
    await world.startCamera()
    const line = await world.callIn('odd')
    line.send({
      kind: 'offer',
      sdp: echoOffer.replace('SAVPF 96 0 8', 'SAVPF 9').replace('96 opus/48000/2', '9 G722/8000'),
    })
    await until(() => answerOf(line) !== undefined)
    expect(answerOf(line)).toMatch(/m=audio 0 /)
    expect(world.logged).toContainEqual({
      event: 'gateway.viewer-without-sound',
      fields: expect.objectContaining({ viewerId: 'odd', error: expect.stringContaining('neither Opus nor G.711') }),
    })
  })

  test('that may not talk is not heard, whatever it sends', async () => {
    world = await createWorld()
    await world.startCamera()
    const [mute, talker] = [await world.view('guest', { audio: 'recvonly' }), await world.view('owner')]
    expect(mute.connection.getTransceivers().map(({ currentDirection }) => currentDirection)).not.toContain('sendrecv')
    await mute.disobey(await tone(20))
    await talker.say(await tone(20))
    const heardOf = (id: string) =>
      world.events.flatMap((event) => (event.kind === 'viewer' && event.viewerId === id ? [event.heard?.packets] : []))
    await until(() => heardOf('owner').includes(20))
    expect(Math.max(...heardOf('guest').map((packets) => packets ?? 0))).toBe(0)
  })

  test('that asks for a key frame gets one', async () => {
    world = await createWorld()
    await world.startCamera()
    const viewer = await world.view('nest-1')
    /** How many pictures began with each key frame. */
    const groups = () => {
      const counts: number[] = []
      for (const { header, payload } of viewer.video.packets) {
        if (nalTypesOf(payload).includes(7)) counts.push(0)
        if (header.marker && counts.length > 0) counts[counts.length - 1]! += 1
      }
      return counts
    }
    // The first may be a short one: the camera makes another key frame when the viewer is connected.
    await until(() => (groups().at(-1) ?? 0) > 14)
    const asked = groups().length
    const [receiver] = viewer.connection.getReceivers().filter((each) => each.kind === 'video')
    await receiver!.sendRtcpPLI(viewer.video.packets[0]!.header.ssrc)
    await until(() => groups().length > asked)
    // By itself a group has the pictures of two seconds.
    expect(groups()[asked - 1]).toBeLessThan(40)
  })

  test('that says goodbye by DTLS is gone at once', async () => {
    world = await createWorld()
    const camera = await world.startCamera()
    const { connection, video } = await world.view('nest-1')
    await until(() => video.packets.length > 0)
    await connection.close()
    await until(() => camera.viewers() === 0)
    expect(world.events.at(-1)).toMatchObject({ kind: 'viewer', viewerId: 'nest-1', state: 'left' })
  })

  test('that is cut off is gone after a while, and is said to have fallen silent', async () => {
    world = await createWorld()
    const camera = await world.startCamera()
    const { connection, video } = await world.view('echo-1')
    await until(() => video.packets.length > 0)
    // Its sockets close, and nobody says a word.
    await connection.iceTransports[0]!.stop()
    await until(() => camera.viewers() === 0)
    expect(world.events.at(-1)).toMatchObject({ kind: 'viewer', viewerId: 'echo-1', state: 'silent' })
  })

  test('whose session is over is ended at once, and knows it; the others go on', async () => {
    world = await createWorld()
    const camera = await world.startCamera()
    const [guest, owner] = [await world.view('guest'), await world.view('owner')]
    await until(() => guest.video.packets.length > 0 && owner.video.packets.length > 0)
    world.answerReports(async (event) => event.kind === 'viewer' && event.viewerId === 'guest')
    await until(() => camera.viewers() === 1)
    await until(() => guest.connection.dtlsTransports[0]!.state === 'closed')
    expect(world.events.findLast((event) => event.kind === 'viewer' && event.viewerId === 'guest')).toMatchObject({
      state: 'left',
    })
    const [seen, seenByOwner] = [guest.video.packets.length, owner.video.packets.length]
    await until(() => owner.video.packets.length > seenByOwner + 20)
    expect([guest.video.packets.length, camera.viewers()]).toEqual([seen, 1])
  })

  test('is spoken of again and again, and no report that fails or hangs ends it', async () => {
    world = await createWorld()
    const camera = await world.startCamera()
    let told = 0
    world.answerReports(async () => {
      told += 1
      if (told % 2 === 0) throw new Error('the bridge is away')
      return new Promise(() => {})
    })
    const { video } = await world.view('owner')
    await until(() => told >= 6)
    const seen = video.packets.length
    await until(() => video.packets.length > seen + 20)
    expect(camera.viewers()).toBe(1)
    expect(world.logged.filter(({ event }) => event === 'gateway.report-failed').length).toBeGreaterThan(1)
  })

  test('keeps its picture while the signaling service restarts, and the camera comes back to its channel', async () => {
    world = await createWorld()
    const camera = await world.startCamera()
    const viewer = await world.view('echo-1')
    await until(() => viewer.video.packets.length > 0)
    await world.restartService()
    const before = viewer.video.packets.length
    await until(
      () => world.service.presence('front-door')?.online === true && viewer.video.packets.length > before + 20,
    )
    expect(camera.viewers()).toBe(1)
  })
})

describe('viewers', () => {
  afterEach(() => world.close())

  test('share one source, and nothing is left of them when they and the camera are gone', async () => {
    await until(() => openUdpSockets() === 0)
    world = await createWorld()
    const idleSockets = openUdpSockets()
    const camera = await world.startCamera()
    const [one, other] = [await world.view('one'), await world.view('other')]
    await until(() => one.video.packets.length > 0 && other.video.packets.length > 0)
    expect(camera.viewers()).toBe(2)
    expect(openUdpSockets()).toBeGreaterThan(idleSockets)

    await other.leave()
    const received = one.video.packets.length
    await until(() => one.video.packets.length > received + 20)
    await camera.close()
    expect(camera.viewers()).toBe(0)
    await one.leave()
    await until(() => openUdpSockets() === idleSockets)
    await camera.close()
    await world.close()
    await until(() => openUdpSockets() === 0)
  })

  test('beyond the tenth are ignored, and one that offers again replaces itself', async () => {
    world = await createWorld()
    const camera = await world.startCamera()
    const line = await world.callIn('echo-0')
    line.send({ kind: 'offer', sdp: echoOffer })
    await until(() => answerOf(line) !== undefined)
    line.send({ kind: 'offer', sdp: echoOffer })
    await until(() => answersOf(line).length === 2)
    expect(camera.viewers()).toBe(1)

    const lines: Line[] = []
    // The service takes ten viewers at a time itself, so the eleventh comes when the first has hung up its line.
    for (let index = 1; index < 10; index += 1) lines.push(await world.callIn(`echo-${index}`))
    for (const each of lines) each.send({ kind: 'offer', sdp: echoOffer })
    await until(() => lines.every((each) => answerOf(each) !== undefined))
    expect(camera.viewers()).toBe(10)
    line.close()
    const late = await callWhenFree('echo-10')
    late.send({ kind: 'offer', sdp: echoOffer })
    await until(() =>
      world.logged.some(({ event, fields }) => event === 'gateway.viewer-ignored' && fields.viewerId === 'echo-10'),
    )
    expect(camera.viewers()).toBe(10)
    expect(world.events.at(-1)).toMatchObject({ kind: 'viewer', viewerId: 'echo-10', state: 'busy' })
  })
})

const callWhenFree = async (viewerId: string): Promise<Line> => {
  for (;;) {
    const line = await world.callIn(viewerId).catch(() => undefined)
    if (line) return line
  }
}

describe('an answer', () => {
  let camera: CameraMaster

  beforeAll(async () => {
    world = await createWorld()
    camera = await world.startCamera()
  })
  afterAll(() => world.close())

  test('to an Echo keeps its sections, mids and payload types, trickles, and names the profile', async () => {
    const line = await world.callIn('echo-1')
    line.send({ kind: 'offer', sdp: echoOffer })
    await until(() => line.received.some(({ kind }) => kind === 'end-of-candidates'))
    const lines = answerOf(line)!.split('\r\n')
    expect(lines.filter((each) => each.startsWith('m='))).toEqual([
      'm=audio 9 UDP/TLS/RTP/SAVPF 96',
      'm=video 9 UDP/TLS/RTP/SAVPF 99',
    ])
    expect(lines.filter((each) => each.startsWith('a=mid:'))).toEqual(['a=mid:audio0', 'a=mid:video0'])
    expect(lines).toContain('a=group:BUNDLE audio0 video0')
    expect(lines).toContain('a=ice-options:trickle')
    expect(lines).toContain('a=rtpmap:99 H264/90000')
    expect(lines).toContain('a=fmtp:99 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f')
    expect(lines.filter((each) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.test(each))).toEqual([
      'a=sendrecv',
      'a=sendonly',
    ])
    expect(lines.filter((each) => each === 'a=setup:active')).toHaveLength(2)
    const candidates = line.received.filter((message) => message.kind === 'candidate')
    expect(candidates.length).toBeGreaterThan(0)
    for (const { candidate, sdpMid, sdpMLineIndex } of candidates) {
      expect(candidate).toMatch(/^candidate:\S+ 1 udp \d+ \S+ \d+ typ (host|srflx)/)
      expect([sdpMid, sdpMLineIndex]).toEqual(['audio0', 0])
    }
    expect(line.received.at(-1)?.kind).toBe('end-of-candidates')
  })

  test('to an offer without mids has none, nor have its candidates', async () => {
    const line = await world.callIn('intercom')
    line.send({ kind: 'offer', sdp: echoOffer.replaceAll(/^a=(mid|group):.*\r\n/gm, '') })
    await until(() => line.received.some(({ kind }) => kind === 'end-of-candidates'))
    const lines = answerOf(line)!.split('\r\n')
    expect(lines.filter((each) => /^(m=|a=mid:|a=group:)/.test(each))).toEqual([
      'm=audio 9 UDP/TLS/RTP/SAVPF 96',
      'm=video 9 UDP/TLS/RTP/SAVPF 99',
    ])
    expect(new Set(lines.filter((each) => each.startsWith('a=ice-ufrag:'))).size).toBe(1)
    const candidates = line.received.filter((message) => message.kind === 'candidate')
    expect(candidates.length).toBeGreaterThan(0)
    for (const { sdpMid, sdpMLineIndex } of candidates) expect([sdpMid, sdpMLineIndex]).toEqual([undefined, 0])
  })

  test('rejects in its place what no camera serves, and names the others by theirs', async () => {
    const line = await world.callIn('echo-2')
    const channel = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:data\r\na=sctp-port:5000\r\n'
    const text = 'm=text 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:text\r\na=rtpmap:98 t140/1000\r\n'
    const offer = echoOffer
      .replace('BUNDLE audio0 video0', 'BUNDLE data audio0 video0 text')
      .replace('m=audio', `${channel}m=audio`)
    line.send({ kind: 'offer', sdp: `${offer}${text}` })
    await until(() => line.received.some(({ kind }) => kind === 'end-of-candidates'))
    const lines = answerOf(line)!.split('\r\n')
    expect(lines.filter((each) => /^(m=|a=mid:|a=group:)/.test(each))).toEqual([
      'a=group:BUNDLE audio0 video0',
      'm=application 0 UDP/DTLS/SCTP webrtc-datachannel',
      'a=mid:data',
      'm=audio 9 UDP/TLS/RTP/SAVPF 96',
      'a=mid:audio0',
      'm=video 9 UDP/TLS/RTP/SAVPF 99',
      'a=mid:video0',
      'm=text 0 UDP/TLS/RTP/SAVPF 98',
      'a=mid:text',
    ])
    const candidates = line.received.filter((message) => message.kind === 'candidate')
    expect(candidates.map(({ sdpMid, sdpMLineIndex }) => [sdpMid, sdpMLineIndex])).toContainEqual(['audio0', 1])
  })

  test('to a browser chooses the H.264 that the source is', async () => {
    const line = await world.callIn('browser')
    line.send({ kind: 'offer', sdp: chromiumOffer })
    await until(() => answerOf(line) !== undefined)
    const lines = answerOf(line)!.split('\r\n')
    expect(lines.filter((each) => each.startsWith('m='))).toEqual([
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'm=video 9 UDP/TLS/RTP/SAVPF 108 109',
    ])
    expect(lines).toContain('a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f')
    expect(lines).toContain('a=rtcp-fb:108 nack pli')
    expect(lines.some((each) => each.includes('transport-cc'))).toBe(false)
  })

  test('to an offer without H.264 is none, the bridge is told why, and nobody stays behind', async () => {
    const before = camera.viewers()
    const line = await world.callIn('old-display')
    line.send({ kind: 'offer', sdp: echoOffer.replaceAll('H264', 'VP8') })
    await until(() => world.events.some(isFailureOf('old-display')))
    expect(world.events.find(isFailureOf('old-display'))).toMatchObject({ cause: { code: 'no_common_codec' } })
    expect(answerOf(line)).toBeUndefined()
    expect(camera.viewers()).toBe(before)
  })

  test('to an Echo without a screen has its sound, and no picture', async () => {
    const viewer = await world.view('dot-1', { video: false })
    await until(() => viewer.audio.length >= 10)
    expect(viewer.video.packets).toEqual([])
    await viewer.leave()
  })

  test('to garbage is none, and the next viewer is served', async () => {
    const line = await world.callIn('stranger')
    line.send({ kind: 'offer', sdp: 'v=0\r\nthis is no offer\r\nm=video\r\nm=audio x y z\r\n' })
    await until(() => world.events.some(isFailureOf('stranger')))
    const failure = world.events.find(isFailureOf('stranger'))
    expect(failure).toMatchObject({ cause: { code: 'invalid_request' } })
    expect(cameraEvent.parse(failure)).toEqual(failure)
    const viewer = await world.view('echo-2')
    await until(() => viewer.video.packets.length > 0)
  })
})

const isFailureOf = (viewerId: string) => (event: CameraEvent) =>
  event.kind === 'viewer' && event.state === 'failed' && event.viewerId === viewerId

describe('with dead servers', () => {
  afterEach(() => world.close())

  test('that refuse are named in the camera’s state until they give something', async () => {
    const turn = await startIceServer({ refuses: true })
    const url = `turn:127.0.0.1:${turn.port}?transport=udp`
    world = await createWorld([{ urls: [url], username: 'user', credential: 'wrong' }])
    await world.startCamera()
    const viewer = await world.view('echo-1')
    const failures = () => world.events.flatMap((event) => (event.kind === 'source' ? [event.failedServers] : []))
    await until(() => failures().at(-1) !== undefined)
    expect(failures()[0]).toBeUndefined()
    expect(failures().at(-1)).toEqual([{ url, message: expect.stringMatching(/\S/) }])
    for (const event of world.events) expect(cameraEvent.parse(event)).toEqual(event)
    await viewer.leave()
    turn.close()
  })

  test('an answer is not held up by a STUN server that never replies', async () => {
    world = await createWorld([{ urls: ['stun:192.0.2.1:3478'] }])
    await world.startCamera()
    const line = await world.callIn('echo-1')
    const sentAt = performance.now()
    line.send({ kind: 'offer', sdp: echoOffer })
    await until(() => line.received.some(({ kind }) => kind === 'candidate'))
    // werift would wait five seconds.
    expect(performance.now() - sentAt).toBeLessThan(4_500)
    await until(() => line.received.at(-1)?.kind === 'end-of-candidates')
    const viewer = await world.view('viewer')
    await until(() => viewer.video.packets.length > 0)
    expect(viewer.video.at).toBeLessThan(4_500)
  })
})

test('a press is reported with an id of its own', async () => {
  world = await createWorld()
  const camera = await world.startCamera()
  camera.press()
  camera.press()
  const ids = world.events.flatMap((event) => {
    cameraEvent.parse(event)
    return event.kind === 'press' ? [event.eventId] : []
  })
  expect(new Set(ids).size).toBe(2)
  await world.close()
})

/** So many Opus packets of a tone of amplitude 0.5: an RMS of 0.35. */
async function tone(packets: number): Promise<Buffer[]> {
  const ffmpeg = await loadFfmpeg()
  using encoder = openEncoder(
    ffmpeg,
    ffmpeg.FF_ENCODER_LIBOPUS,
    {
      sampleRate,
      sampleFormat: ffmpeg.AV_SAMPLE_FMT_FLT,
      channelLayout: ffmpeg.AV_CHANNEL_LAYOUT_MONO,
      timeBase: new ffmpeg.Rational(1, sampleRate),
      bitRate: 48_000n,
    },
    { frame_duration: '20' },
  )
  using packet = new ffmpeg.Packet()
  packet.alloc()
  const encoded: Buffer[] = []
  for (let index = 0; index < packets; index += 1) {
    const samples = Float32Array.from(
      { length: packetSamples },
      (_, at) => 0.5 * Math.sin((2 * Math.PI * 440 * (index * packetSamples + at)) / sampleRate),
    )
    using frame = ffmpeg.Frame.fromAudioBuffer(Buffer.from(samples.buffer), {
      nbSamples: packetSamples,
      format: ffmpeg.AV_SAMPLE_FMT_FLT,
      sampleRate,
      channelLayout: ffmpeg.AV_CHANNEL_LAYOUT_MONO,
      pts: BigInt(index * packetSamples),
    })
    encoder.sendFrameSync(frame)
    while (encoder.receivePacketSync(packet) >= 0) {
      encoded.push(Buffer.from(packet.data!))
      packet.unref()
    }
  }
  return encoded
}
