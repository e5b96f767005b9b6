/** Alexa, flow by flow: what comes in from Amazon or a camera, and what goes out. */
import { describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { sign } from '../../src/bridge/signature.ts'
import { cameraId, type CameraMessage } from '../../src/core/ports.ts'
import * as directive from '../alexa/directives.ts'
import { anna, frontDoor, garden } from '../alexa/world.ts'
import { cameraKey, namesOf, openHouse, type House, type Reply } from '../app/house.ts'

const post = (house: House, event: unknown, region?: string) => house.alexa.entry(event, region) as Promise<Reply>
const link = (house: House, region?: string) => post(house, directive.acceptGrant(), region)
const signingKey = createHash('sha256').update(cameraKey).digest()
const signed = (body: string, at = Date.now(), key: Uint8Array = signingKey) => {
  const timestamp = `${Math.floor(at / 1000)}`
  return { 'x-transom-timestamp': timestamp, 'x-transom-signature': sign(key, timestamp, body) }
}
const send = (house: House, body: string, headers: Record<string, string>) =>
  fetch(`${house.url}/cameras/front-door/events`, { method: 'POST', headers, body })
const press = (eventId = 'press-1', at = Date.now()) => ({ kind: 'press', eventId, at })
/** The fingerprint and ICE credentials are all that makes an answer; the broker checks the rest. */
async function* answering(offer: string): AsyncIterable<CameraMessage> {
  const sections = offer.split(/\r\n(?=m=)/).slice(1)
  const answer = sections.map((section) => {
    const [kind] = /^m=(\w+)/.exec(section)!.slice(1)
    const payload = kind === 'audio' ? 96 : 99
    return [
      `m=${kind} 9 UDP/TLS/RTP/SAVPF ${payload}`,
      'c=IN IP4 0.0.0.0',
      ...section.split('\r\n').filter((line) => /^a=(mid|rtpmap:(96|99)|fmtp:(96|99))/.test(line)),
      'a=rtcp-mux',
      kind === 'audio' ? 'a=sendrecv' : 'a=sendonly',
      'a=setup:active',
      'a=ice-ufrag:wxyz',
      'a=ice-pwd:abcdefghijklmnopqrstuv',
      `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
      'a=candidate:1 1 udp 2130706431 198.51.100.7 50000 typ host',
      'a=end-of-candidates',
    ].join('\r\n')
  })
  const mids = [...offer.matchAll(/a=mid:(\S+)/g)].map(([, mid]) => mid)
  const head = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', `a=group:BUNDLE ${mids.join(' ')}`]
  yield { kind: 'answer', sdp: `${[...head, ...answer].join('\r\n')}\r\n` }
}

describe('a press', () => {
  test('of a linked doorbell: kept, the way to the camera warmed, DoorbellPress at the gateway', async () => {
    await using house = await openHouse()
    await link(house)
    expect((await house.tell(press())).status).toBe(202)
    expect(house.warmed).toContain('front-door')
    await house.outbox.settled()
    expect(namesOf(house)).toEqual(['Alexa.DoorbellEventSource/DoorbellPress'])
    expect(await house.visits.visits(frontDoor, 0)).toHaveLength(1)
  })

  test('posted three times rings once; an old one is kept and rings nobody', async () => {
    await using house = await openHouse()
    await link(house)
    await Promise.all([house.tell(press()), house.tell(press()), house.tell(press())])
    await house.tell(press('old', Date.now() - 31_000))
    await house.outbox.settled()
    expect(namesOf(house)).toHaveLength(1)
    expect(await house.visits.visits(frontDoor, 0)).toHaveLength(2)
  })

  test('of an account that is not linked is kept and goes nowhere', async () => {
    await using house = await openHouse()
    await house.tell(press())
    await house.outbox.settled()
    expect(house.amazon.requests).toEqual([])
  })

  test('is not announced while the doorbell is muted, and noted all the same', async () => {
    await using house = await openHouse()
    await link(house)
    await house.visits.mute(anna, Date.now() + 60_000)
    await house.tell(press('one'))
    await house.visits.mute(anna, 0)
    await house.tell(press('two'))
    await house.outbox.settled()
    expect(namesOf(house)).toHaveLength(1)
    expect(await house.visits.visits(frontDoor, 0)).toHaveLength(2)
  })

  test('for a skill that was disabled: the grant goes, and the owner is told', async () => {
    await using house = await openHouse()
    await link(house)
    house.amazon.state.script.push({ status: 403, body: { payload: { code: 'SKILL_DISABLED_EXCEPTION' } } })
    await house.tell(press())
    await house.outbox.settled()
    expect(await house.notices.list(anna)).toMatchObject([{ kind: 'alexa_unlinked' }])
    await house.tell(press('later'))
    await house.outbox.settled()
    expect(house.amazon.requests).toEqual(['authorization_code', 'scripted 403'])
    house.amazon.state.codes.add('code-2')
    await post(house, directive.acceptGrant('code-2'))
    expect(await house.notices.list(anna)).toEqual([])
  })

  test('gets through when the gateway throttles and fails at first', async () => {
    await using house = await openHouse()
    await link(house)
    for (const status of [429, 500, 503]) house.amazon.state.script.push({ status, body: {} })
    await house.tell(press())
    await house.outbox.settled()
    expect(namesOf(house)).toHaveLength(1)
  })
})

const day = 24 * 3_600_000
/** The times by the camera's clock, which is so far off. */
const off = (ms: number, ageMs = 0, sentAt = Date.now() + ms) => ({ at: sentAt - ageMs, sentAt })

describe('a camera whose clock is wrong', () => {
  test.each([
    ['behind by a minute', () => off(-60_000), 1],
    ['behind by years', () => off(-3_000 * day), 1],
    ['ahead by an hour', () => off(3_600_000), 1],
    ['behind, of a press that waited', () => off(-60_000, 31_000), 0],
    ['ahead, of a press that waited', () => off(60_000, 31_000), 0],
    ['at its beginning, without a word of when it was sent', () => ({ at: 12_000 }), 1],
    ['behind by an hour, without a word of when it was sent', () => ({ at: Date.now() - 3_600_000 }), 0],
    [
      'right, of a press that waited in the network',
      () => ({ at: Date.now() - 31_000, sentAt: Date.now() - 3_000 }),
      0,
    ],
  ])('%s', async (_name, when, announced) => {
    await using house = await openHouse()
    await link(house)
    expect((await house.tell({ kind: 'press', eventId: 'p', ...when() })).status).toBe(202)
    await house.outbox.settled()
    expect(namesOf(house)).toHaveLength(announced)
    expect(await house.visits.visits(frontDoor, 0)).toHaveLength(1)
  })

  test('is known by the time of its signature, too', async () => {
    await using house = await openHouse()
    await link(house)
    const body = JSON.stringify(press('p', Date.now() - 120_000))
    expect((await send(house, body, signed(body, Date.now() - 120_000))).status).toBe(202)
    await house.outbox.settled()
    expect(namesOf(house)).toHaveLength(1)
  })

  test('and whose press comes again hours later rings no second time', async () => {
    let now = Date.now()
    await using house = await openHouse({ now: () => now })
    await link(house)
    for (const passed of [0, 2 * 3_600_000]) {
      now += passed
      expect((await house.tell({ kind: 'press', eventId: 'p', at: 12_000 })).status).toBe(202)
      await house.outbox.settled()
    }
    expect(namesOf(house)).toHaveLength(1)
  })

  test('has its motion in the order and at the time in which it happened', async () => {
    await using house = await openHouse()
    await link(house)
    await house.tell({ kind: 'motion', eventId: 'm1', isDetected: true, ...off(-3_600_000, 2_000) }, 'garden')
    await house.tell({ kind: 'motion', eventId: 'm2', isDetected: false, ...off(-3_600_000, 0) }, 'garden')
    await house.outbox.settled()
    expect(namesOf(house).length).toBeGreaterThan(0)
    const { context } = await post(house, directive.reportState('garden'))
    expect(context.properties).toContainEqual(
      expect.objectContaining({ name: 'detectionState', value: 'NOT_DETECTED' }),
    )
  })
})

describe('other news', () => {
  test.each([
    ['motion', { kind: 'motion', eventId: 'm', isDetected: true }, 'Alexa/ChangeReport'],
    ['a person', { kind: 'person', eventId: 'p' }, 'Alexa.SmartVision.ObjectDetectionSensor/ObjectDetection'],
  ])('%s reaches Alexa', async (_name, event, expected) => {
    await using house = await openHouse()
    await link(house)
    expect((await house.tell({ ...event, at: Date.now() }, 'garden')).status).toBe(202)
    await house.outbox.settled()
    expect(namesOf(house)).toEqual([expected])
  })

  test('motion shows in the next StateReport', async () => {
    await using house = await openHouse()
    await house.tell({ kind: 'motion', eventId: 'm', isDetected: true, at: Date.now() }, 'garden')
    const { context } = await post(house, directive.reportState('garden'))
    expect(context.properties).toContainEqual(expect.objectContaining({ name: 'detectionState', value: 'DETECTED' }))
  })

  test('a camera that goes takes along who rang and what moved, for its id may be used again', async () => {
    await using house = await openHouse()
    await house.tell(press())
    await house.tell({ kind: 'motion', eventId: 'm', isDetected: true, at: Date.now() })
    await house.cameras.remove('front-door')
    expect(await house.visits.visits(frontDoor, 0)).toEqual([])
    expect(await house.store.collection('camera-state').get('front-door')).toBeUndefined()
  })

  test('a camera that comes, is renamed, and goes', async () => {
    await using house = await openHouse()
    await link(house)
    const shed = { ...garden, id: 'shed' as typeof garden.id, name: 'Shed' }
    await house.cameras.put(shed, cameraKey)
    await house.outbox.settled()
    await house.cameras.put(shed, cameraKey)
    await house.cameras.put({ ...shed, name: 'Barn' }, cameraKey)
    await house.outbox.settled()
    await house.cameras.remove(shed.id)
    await house.outbox.settled()
    expect(namesOf(house)).toEqual([
      'Alexa.Discovery/AddOrUpdateReport',
      'Alexa.Discovery/AddOrUpdateReport',
      'Alexa.Discovery/DeleteReport',
    ])
  })

  test('a camera that goes offline', async () => {
    await using house = await openHouse()
    await link(house)
    await house.events.receive(frontDoor, { kind: 'online', isOnline: false, at: Date.now() })
    await house.outbox.settled()
    expect(house.amazon.events).toMatchObject([
      { event: { payload: { change: { properties: [{ name: 'connectivity', value: { value: 'UNREACHABLE' } }] } } } },
    ])
  })
})

describe('a view', () => {
  test('offer, connected, disconnected', async () => {
    await using house = await openHouse({ camera: answering })
    const { event } = await post(house, directive.initiateSession())
    expect(event.header.name).toBe('AnswerGeneratedForSession')
    expect(event.payload.answer.value).toContain('a=candidate:')
    // Opus was offered first and is what talk-back uses.
    expect(event.payload.answer.value).toContain('a=rtpmap:96 opus/48000/2')
    expect((await post(house, directive.sessionConnected())).event.header.name).toBe('SessionConnected')
    expect((await post(house, directive.sessionDisconnected())).event.header.name).toBe('SessionDisconnected')
    expect(await house.broker.recent(anna)).toMatchObject([{ phase: 'closed' }])
  })

  test('the same directive again gets the same answer, and the camera is not asked again', async () => {
    await using house = await openHouse({ camera: answering })
    const first = await post(house, directive.initiateSession())
    const again = await post(house, directive.initiateSession())
    expect(again.event.payload).toEqual(first.event.payload)
    expect(house.offers).toHaveLength(1)
  })

  test('several viewers at once, and one whose goodbye never comes does not stop the next', async () => {
    await using house = await openHouse({ camera: answering })
    const offer = (sessionId: string) => {
      const { directive: inner } = directive.initiateSession()
      return post(house, { directive: { ...inner, payload: { ...inner.payload, sessionId } } })
    }
    const answers = await Promise.all(['one', 'two', 'three'].map(offer))
    answers.push(await offer('four'))
    expect(answers.map(({ event }) => event.header.name)).toEqual(answers.map(() => 'AnswerGeneratedForSession'))
    expect(house.offers).toHaveLength(4)
  })

  test.each([
    [
      'sound only',
      (sdp: string) => sdp.slice(0, sdp.indexOf('m=video')).replace('BUNDLE audio0 video0', 'BUNDLE audio0'),
    ],
    ['one way, to the display', (sdp: string) => sdp.replaceAll('a=sendrecv', 'a=recvonly')],
  ])('%s', async (_name, change) => {
    await using house = await openHouse({ camera: answering })
    const value = change(directive.offerSdp)
    const { event } = await post(house, directive.initiateSession({ format: 'SDP', value }))
    expect(event.header.name).toBe('AnswerGeneratedForSession')
    const sdp: string = event.payload.answer.value
    expect(sdp.match(/^m=/gm)).toHaveLength(value.match(/^m=/gm)!.length)
    if (value.includes('recvonly')) expect(sdp).not.toMatch(/a=(sendrecv|recvonly)/)
  })

  test('of a camera that stays silent is refused in time', async () => {
    await using house = await openHouse()
    const { event } = await post(house, directive.initiateSession())
    expect(event.payload.type).toBe('ENDPOINT_UNREACHABLE')
  })

  test.each([
    ['expired', 'EXPIRED_AUTHORIZATION_CREDENTIAL'],
    ['forged', 'INVALID_AUTHORIZATION_CREDENTIAL'],
  ])('with an %s token', async (token, type) => {
    await using house = await openHouse()
    const { event } = await post(house, directive.initiateSession(undefined, { token }))
    expect(event.payload.type).toBe(type)
  })
})

const leave = (house: House, picture: Buffer) =>
  fetch(`${house.url}/cameras/garden/snapshot`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${cameraKey}` },
    body: new Uint8Array(picture),
  })

describe('a still picture', () => {
  const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(2_000)])
  test('is left by the camera, named in the Snapshot, and fetched with the access token', async () => {
    await using house = await openHouse()
    expect((await leave(house, jpeg)).status).toBe(202)
    const { event } = await post(house, directive.getSnapshot('garden'))
    expect(event.payload.value).toMatchObject({
      uri: 'https://bridge.example/cameras/garden/snapshot',
      authenticationType: 'ACCESS_TOKEN',
    })
    const get = (token: string) =>
      fetch(`${house.url}/cameras/garden/snapshot`, { headers: { authorization: `Bearer ${token}` } })
    expect((await get('no-scope')).status).toBe(401)
    const picture = await get('good')
    expect(picture.headers.get('content-type')).toBe('image/jpeg')
    expect(Buffer.from(await picture.arrayBuffer())).toEqual(jpeg)
    expect((await get('forged')).status).toBe(401)
  })

  test('that is none is refused, and a camera without one has none', async () => {
    await using house = await openHouse()
    expect((await leave(house, Buffer.from('<svg/>'))).status).toBe(400)
    const { event } = await post(house, directive.getSnapshot('garden'))
    expect(event.payload.type).toBe('ENDPOINT_UNREACHABLE')
  })
})

test('a still picture that is too old to be kept is not promised', async () => {
  let now = Date.now()
  await using house = await openHouse({ now: () => now })
  await leave(house, Buffer.from([0xff, 0xd8, 0xff, 0xe0]))
  expect((await post(house, directive.getSnapshot('garden'))).event.header.name).toBe('Snapshot')
  now += 7 * day
  expect((await post(house, directive.getSnapshot('garden'))).event.payload.type).toBe('ENDPOINT_UNREACHABLE')
})

test('what a camera tells apart is told, and what it does not is refused', async () => {
  await using house = await openHouse()
  const { context, event } = await post(house, directive.setDetectionClasses('garden'))
  expect(event.header.name).toBe('Response')
  expect(context.properties).toMatchObject([{ name: 'objectDetectionClasses', value: [{ imageNetClass: 'person' }] }])
  const refused = await post(house, directive.setDetectionClasses('front-door'))
  expect(refused.event.payload.type).toBe('INVALID_DIRECTIVE')
})

test('another road to the picture is offered where there is one', async () => {
  await using house = await openHouse()
  const { event } = await post(house, directive.initializeStreams('garden'))
  expect(event.payload.cameraStreams.map(({ protocol }: { protocol: string }) => protocol)).toEqual(['RTSP', 'HLS'])
  const refused = await post(house, directive.initializeStreams('front-door'))
  expect(refused.event.payload.type).toBe('INVALID_DIRECTIVE')
})

const named = (id: string, name: string) => ({ ...garden, id: cameraId(id), name })
const discover = async (house: House) => (await post(house, directive.discover())).event.payload.endpoints
const kinds = async (house: House) => (await house.notices.list(anna)).map(({ kind }) => kind)

describe('what Alexa cannot do with the cameras', () => {
  test('cameras of one name: the owner finds a notice, until they have names of their own', async () => {
    await using house = await openHouse()
    await house.cameras.put(named('yard', 'garden!'), cameraKey)
    expect(await discover(house)).toHaveLength(3)
    expect(await house.notices.list(anna)).toMatchObject([
      { kind: 'alexa_same_names', message: expect.stringContaining('(Garden)') },
    ])
    await link(house)
    await house.cameras.put(named('yard', 'Yard'), cameraKey)
    expect(await kinds(house)).toEqual([])
    await house.cameras.put(named('yard', 'Front Door'), cameraKey)
    expect(await kinds(house)).toEqual(['alexa_same_names'])
    await house.cameras.remove('yard')
    expect(await kinds(house)).toEqual([])
  })

  test('more than 300 cameras, or ids that it does not take: the rest is told, and which are missing', async () => {
    await using house = await openHouse()
    for (let index = 0; index < 299; index++) await house.cameras.put(named(`k${index}`, `K${index}`), cameraKey)
    await link(house)
    const before = (await discover(house)).length
    await house.cameras.put(named('zz.top', 'Top'), cameraKey)
    expect([before, (await discover(house)).length]).toEqual([300, 300])
    const [{ message } = { message: '' }] = await house.notices.list(anna)
    expect(message).toContain('300')
    expect(message).toContain('Top')
    await house.outbox.settled()
    expect(namesOf(house)).not.toContain('Alexa.Discovery/AddOrUpdateReport')
    expect(house.lines.filter(({ event }) => event === 'alexa.cameras-left-out').length).toBeGreaterThan(0)
  })
})

describe('a signed event', () => {
  test('is taken once', async () => {
    await using house = await openHouse()
    const body = JSON.stringify(press())
    const headers = signed(body)
    expect((await send(house, body, headers)).status).toBe(202)
    expect((await send(house, body, headers)).status).toBe(401)
    expect(await house.visits.visits(frontDoor, 0)).toHaveLength(1)
  })

  test('that failed may come again as it is', async () => {
    await using house = await openHouse()
    const body = '{"kind":"press"}'
    const headers = signed(body)
    expect((await send(house, body, headers)).status).toBe(400)
    expect((await send(house, body, headers)).status).toBe(400)
  })

  test.each([
    ['long ago', (body: string) => signed(body, Date.now() - 301_000)],
    ['in the future', (body: string) => signed(body, Date.now() + 302_000)],
    ['with another key', (body: string) => signed(body, Date.now(), Buffer.alloc(32))],
    ['for another body', () => signed('{}')],
    ['without a time', (body: string) => ({ 'x-transom-signature': signed(body)['x-transom-signature'] })],
  ])('%s is refused', async (_name, headers) => {
    await using house = await openHouse()
    const body = JSON.stringify(press())
    expect((await send(house, body, headers(body))).status).toBe(401)
    expect(await house.visits.visits(frontDoor, 0)).toEqual([])
  })
})
