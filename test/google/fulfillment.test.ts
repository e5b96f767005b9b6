/** Google's intents in, replies out: each flow, each error, and whatever else may come. */
import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { BridgeError, errorCodes, type ErrorCode } from '../../src/core/errors.ts'
import { createAfterwards } from '../../src/bridge/google/afterwards.ts'
import { describeDevice, onlyDevices } from '../../src/bridge/google/devices.ts'
import { googleErrorCode } from '../../src/bridge/google/errors.ts'
import { referenceOf } from '../../src/bridge/google/stream-token.ts'
import { cameraId } from '../../src/core/ports.ts'
import { disconnectReply, executeReply, failureReply, queryReply, syncReply } from '../../src/core/wire/google.ts'
import { ada, camera, fakeHouse, fulfillmentOf, linksOf, turnServer } from './fake-house.ts'

const headers = { authorization: 'Bearer good' }
const requestId = '6894439706274654512'
const intents = { SYNC: syncReply, QUERY: queryReply, EXECUTE: executeReply, DISCONNECT: disconnectReply } as const

const request = (intent: string, payload?: object) => ({
  requestId,
  inputs: [{ intent: `action.devices.${intent}`, payload }],
})
const query = (...ids: string[]) => request('QUERY', { devices: ids.map((id) => ({ id })) })
const show = {
  command: 'action.devices.commands.GetCameraStream',
  params: { StreamToChromecast: true, SupportedStreamProtocols: ['webrtc'] },
}
const execute = (ids: string[], ...execution: object[]) =>
  request('EXECUTE', { commands: [{ devices: ids.map((id) => ({ id })), execution }] })
const payloads = {
  SYNC: undefined,
  QUERY: query('bell-1').inputs[0]?.payload,
  EXECUTE: execute(['bell-1'], show).inputs[0]?.payload,
  DISCONNECT: undefined,
}

describe('SYNC', () => {
  test('a doorbell that can announce is described to the letter', async () => {
    const house = fakeHouse()
    house.cameras = [camera({ room: 'Hall', firmwareVersion: '2.3' })]
    expect(await fulfillmentOf(house)(request('SYNC'), headers)).toEqual({
      status: 200,
      body: {
        requestId,
        payload: {
          agentUserId: ada,
          devices: [
            {
              id: 'bell-1',
              type: 'action.devices.types.DOORBELL',
              traits: ['action.devices.traits.CameraStream', 'action.devices.traits.ObjectDetection'],
              name: { name: 'Front door' },
              willReportState: true,
              notificationSupportedByAgent: true,
              roomHint: 'Hall',
              deviceInfo: { manufacturer: 'Acme', model: 'VB-2', swVersion: '2.3' },
              attributes: { cameraStreamSupportedProtocols: ['webrtc'], cameraStreamNeedAuthToken: true },
              customData: { rev: expect.stringMatching(/^[\w-]{12}$/) },
            },
          ],
        },
      },
    })
  })

  test('without Home Graph nothing is promised, and what is unknown is left out', async () => {
    const house = fakeHouse()
    house.cameras = [camera({ room: ' ' }), camera({ id: cameraId('cam-2'), kind: 'camera', name: '🚪'.repeat(70) })]
    const { body } = await fulfillmentOf(house, { canNotify: false, willReportState: false })(request('SYNC'), headers)
    const [bell, cam] = syncReply.parse(body).payload.devices
    expect(bell).toMatchObject({ traits: ['action.devices.traits.CameraStream'], willReportState: false })
    expect(Object.keys(bell ?? {})).not.toEqual(expect.arrayContaining(['roomHint']))
    expect(Object.keys(bell ?? {})).not.toEqual(expect.arrayContaining(['notificationSupportedByAgent']))
    expect(cam?.type).toBe('action.devices.types.CAMERA')
    expect(cam?.name.name).toBe('🚪'.repeat(60))
  })

  test('a camera that is no doorbell announces nobody', async () => {
    const house = fakeHouse()
    house.cameras = [camera({ kind: 'camera' })]
    const { body } = await fulfillmentOf(house)(request('SYNC'), headers)
    expect(syncReply.parse(body).payload.devices[0]?.traits).toEqual(['action.devices.traits.CameraStream'])
  })
})

const ask = (...protocols: string[]) => ({ ...show, params: { ...show.params, SupportedStreamProtocols: protocols } })

describe('a camera with more than its picture', () => {
  const gifted = camera({
    streams: [
      { uri: 'rtsp://camera.example/1', protocol: 'RTSP', width: 1280, height: 720, audioCodec: 'AAC' },
      { uri: 'https://camera.example/i.m3u8', protocol: 'HLS', width: 1280, height: 720, audioCodec: 'AAC' },
    ],
    dashUri: 'https://camera.example/i.mpd',
    hasBattery: true,
    hasSwitch: true,
    sensors: [{ name: 'SmokeLevel', states: ['smoke detected', 'no smoke detected'] }],
  })
  const giftedHouse = () => Object.assign(fakeHouse(), { cameras: [gifted] })

  test('has the trait and the attributes of each source', async () => {
    const { body } = await fulfillmentOf(giftedHouse())(request('SYNC'), headers)
    expect(syncReply.parse(body).payload.devices[0]).toMatchObject({
      traits: ['CameraStream', 'ObjectDetection', 'EnergyStorage', 'OnOff', 'SensorState'].map(
        (name) => `action.devices.traits.${name}`,
      ),
      attributes: {
        cameraStreamSupportedProtocols: ['webrtc', 'hls', 'dash'],
        cameraStreamNeedAuthToken: true,
        queryOnlyEnergyStorage: true,
        commandOnlyOnOff: false,
        queryOnlyOnOff: true,
        sensorStatesSupported: [
          { name: 'SmokeLevel', descriptiveCapabilities: { availableStates: ['smoke detected', 'no smoke detected'] } },
        ],
      },
    })
  })

  test.each([
    [100, 'FULL'],
    [96, 'FULL'],
    [95, 'HIGH'],
    [70, 'MEDIUM'],
    [30, 'LOW'],
    [10, 'CRITICALLY_LOW'],
    [0, 'CRITICALLY_LOW'],
  ])('whose battery is at %d %% is %s', async (level, word) => {
    const house = giftedHouse()
    house.state = { battery: { level, at: 1 } }
    const { body } = await fulfillmentOf(house)(query('bell-1'), headers)
    expect(queryReply.parse(body).payload.devices['bell-1']).toEqual({
      online: true,
      status: 'SUCCESS',
      descriptiveCapacityRemaining: word,
      capacityRemaining: [{ rawValue: Math.round(level), unit: 'PERCENTAGE' }],
    })
  })

  test('says what it has said, and nothing of what it has not', async () => {
    const house = giftedHouse()
    house.state = {
      switch: { isOn: true, at: 1 },
      sensors: { SmokeLevel: { state: 'smoke detected', at: 1 }, Other: { value: 1, at: 1 } },
    }
    const { body } = await fulfillmentOf(house)(query('bell-1'), headers)
    expect(queryReply.parse(body).payload.devices['bell-1']).toEqual({
      online: true,
      status: 'SUCCESS',
      on: true,
      currentSensorStateData: [{ name: 'SmokeLevel', currentSensorState: 'smoke detected' }],
    })
  })

  test.each([
    { command: 'action.devices.commands.OnOff', params: { on: true } },
    { command: 'action.devices.commands.OnOff', params: { on: false }, challenge: { pin: '31415' } },
    { command: 'action.devices.commands.OnOff', params: { on: false }, challenge: { ack: true } },
    { command: 'action.devices.commands.Charge', params: { charge: true } },
  ])('is not commanded beyond its picture, PIN or not, and asks for none: %j', async (command) => {
    const house = giftedHouse()
    expect(await run(house, execute(['bell-1'], command))).toEqual([
      { ids: ['bell-1'], status: 'ERROR', errorCode: 'functionNotSupported' },
    ])
    expect(house.log).toContainEqual(
      expect.objectContaining({
        event: 'google.command-refused',
        fields: { command: command.command, errorCode: 'functionNotSupported' },
      }),
    )
    expect(JSON.stringify(house.log)).not.toContain('31415')
    expect(house.calls).toEqual([])
  })

  test.each([
    [['hls', 'dash', 'smooth_stream', 'progressive_mp4', 'webrtc'], { cameraStreamProtocol: 'webrtc' }],
    [
      ['progressive_mp4', 'dash', 'hls', 'smooth_stream'],
      { cameraStreamProtocol: 'hls', cameraStreamAccessUrl: 'https://camera.example/i.m3u8' },
    ],
    [['dash'], { cameraStreamProtocol: 'dash', cameraStreamAccessUrl: 'https://camera.example/i.mpd' }],
  ])('a surface that can do %j', async (protocols, states) => {
    const house = giftedHouse()
    const [result] = await run(house, execute(['bell-1'], ask(...protocols)))
    expect(result).toMatchObject({ status: 'SUCCESS', states })
    if (states.cameraStreamProtocol === 'webrtc') return
    // What is not WebRTC needs no line to the camera, and no token of ours; Google still needs one to give away.
    expect(house.calls).toEqual([])
    expect(await house.store.collection('stream-token').list(ada)).toEqual([])
    expect(result).toMatchObject({ states: { cameraStreamAuthToken: expect.stringMatching(/^[\w-]{43}$/) } })
  })

  test('has no stream for a surface that can do none of them, and says so honestly', async () => {
    const house = giftedHouse()
    const [result] = await run(house, execute(['bell-1'], ask('smooth_stream')))
    expect(result).toEqual({ ids: ['bell-1'], status: 'ERROR', errorCode: 'functionNotSupported' })
    expect(house.log).toContainEqual(
      expect.objectContaining({
        event: 'google.no-common-protocol',
        fields: { cameraId: 'bell-1', asked: ['smooth_stream'] },
      }),
    )
  })

  test('that is switched off shows nothing', async () => {
    const house = giftedHouse()
    house.state = { switch: { isOn: false, at: 1 } }
    expect(await run(house, execute(['bell-1'], show))).toEqual([
      { ids: ['bell-1'], status: 'ERROR', errorCode: 'deviceTurnedOff' },
    ])
    expect(house.calls).toEqual([])
  })
})

describe('what has no picture', () => {
  const intercom = camera({ hasVideo: false })

  test('is a doorbell that announces, without CameraStream', async () => {
    const device = describeDevice(intercom, { canNotify: true, willReportState: true })
    expect(device).toMatchObject({
      type: 'action.devices.types.DOORBELL',
      traits: ['action.devices.traits.ObjectDetection'],
      attributes: {},
    })
  })

  test.each([
    ['a doorbell that announces', intercom, true, true],
    ['a doorbell that cannot', intercom, false, false],
    ['a camera', camera({ kind: 'camera', hasVideo: false, detects: ['person'] }), true, false],
    ['nothing of the kind: it has one', camera(), false, true],
  ])('is a device if it is %s', async (_, one, canNotify, isOne) => {
    const promises = { canNotify, willReportState: canNotify }
    const cameras = onlyDevices({ list: async () => [one], find: async () => one }, promises)
    expect(await cameras.list(ada)).toHaveLength(isOne ? 1 : 0)
    expect((await cameras.find(ada, one.id)) !== undefined).toBe(isOne)
  })

  test('cannot be shown', async () => {
    const house = fakeHouse()
    house.cameras = [intercom]
    expect(await run(house, execute(['bell-1'], ask('webrtc', 'hls')))).toEqual([
      { ids: ['bell-1'], status: 'ERROR', errorCode: 'functionNotSupported' },
    ])
    expect(house.calls).toEqual([])
  })
})

describe('a large home', () => {
  test('of 500 cameras is described, queried and shown inside two seconds, each camera as itself', async () => {
    const house = fakeHouse()
    house.cameras = Array.from({ length: 500 }, (_, index) =>
      camera({ id: cameraId(`cam-${index}`), name: `Camera ${index}`, hasBattery: true }),
    )
    const ids = house.cameras.map(({ id }) => String(id))
    const fulfil = fulfillmentOf(house)
    const { devices } = syncReply.parse((await fulfil(request('SYNC'), headers)).body).payload
    expect(devices.map(({ id }) => id)).toEqual(ids)
    for (const { customData } of devices) expect(JSON.stringify(customData).length).toBeLessThan(512)
    const states = queryReply.parse((await fulfil(query(...ids), headers)).body).payload.devices
    expect(Object.keys(states)).toHaveLength(500)
    const results = await run(house, execute(ids, show))
    expect(results.every(({ status }) => status === 'SUCCESS')).toBe(true)
  })
})

test('of many cameras that cannot be shown the causes are kept one after the other', async () => {
  const house = fakeHouse()
  house.online = false
  house.cameras = ['a', 'b', 'c'].map((id) => camera({ id: cameraId(id) }))
  const { promise, resolve } = Promise.withResolvers<void>()
  house.refused = () => promise
  const afterwards = createAfterwards(() => {})
  await fulfillmentOf(house, { afterwards })(execute(['a', 'b', 'c'], show), headers)
  const kept = () => house.calls.filter(([call]) => call === 'refused').length
  expect(kept()).toBe(1)
  resolve()
  await afterwards.settled()
  expect(kept()).toBe(3)
})

describe('QUERY', () => {
  test.each([
    [true, { online: true, status: 'SUCCESS' }],
    [undefined, { online: true, status: 'SUCCESS' }],
    [false, { online: false, status: 'OFFLINE', errorCode: 'deviceOffline' }],
  ])('a camera whose presence is %s', async (online, state) => {
    const house = fakeHouse()
    house.online = online
    const { body } = await fulfillmentOf(house)(query('bell-1'), headers)
    expect(body).toEqual({ requestId, payload: { devices: { 'bell-1': state } } })
  })

  test('an id that is not ours is not found, whatever it is called', async () => {
    const { body } = await fulfillmentOf(fakeHouse())(query('__proto__', 'bell-1', 'gone'), headers)
    const unknown = '{"online":false,"status":"ERROR","errorCode":"deviceNotFound"}'
    expect(JSON.stringify(body)).toBe(
      `{"requestId":"${requestId}","payload":{"devices":{"__proto__":${unknown},"bell-1":{"online":true,"status":"SUCCESS"},"gone":${unknown}}}}`,
    )
  })
})

const run = async (house: ReturnType<typeof fakeHouse>, body: object) =>
  executeReply.parse((await fulfillmentOf(house)(body, headers)).body).payload.commands

describe('EXECUTE', () => {
  test('GetCameraStream says where to ask, with which token and which ICE servers, and warms the camera', async () => {
    const house = fakeHouse()
    const [result] = await run(house, execute(['bell-1'], show))
    expect(result).toEqual({
      ids: ['bell-1'],
      status: 'SUCCESS',
      states: {
        online: true,
        cameraStreamProtocol: 'webrtc',
        cameraStreamSignalingUrl: 'https://bridge.example/google/signaling',
        cameraStreamAuthToken: expect.stringMatching(/^[\w-]{43}$/),
        cameraStreamIceServers: expect.any(String),
      },
    })
    const { states } = result as { states: { cameraStreamIceServers: string } }
    expect(JSON.parse(states.cameraStreamIceServers)).toEqual(
      turnServer.urls.map((urls) => ({ urls, username: 'u', credential: 'p' })),
    )
    const { cameraStreamAuthToken: token } = (result as { states: { cameraStreamAuthToken: string } }).states
    expect(house.calls).toEqual([
      ['iceServers', 'bell-1', house.now + 1500],
      // The line to the camera is opened for just the session that this token may begin.
      ['warm', 'bell-1', referenceOf(token)],
    ])
  })

  test.each([
    ['there are no ICE servers', async () => []],
    ['they cannot be had', async () => Promise.reject(new BridgeError('signaling_failed'))],
  ])('the stream is offered without ICE servers when %s', async (_, iceServers) => {
    const house = fakeHouse()
    house.iceServers = iceServers
    const [result] = await run(house, execute(['bell-1'], show))
    expect(result?.status).toBe('SUCCESS')
    expect(JSON.stringify(result)).not.toContain('cameraStreamIceServers')
  })

  test('many commands, devices and executions each get their result, and a camera one stream', async () => {
    const house = fakeHouse()
    house.cameras = [camera(), camera({ id: cameraId('cam-2') })]
    const hls = { ...show, params: { ...show.params, SupportedStreamProtocols: ['hls', 'dash'] } }
    const devices = ['bell-1', 'gone', 'cam-2'].map((id) => ({ id }))
    const commands = [
      { devices, execution: [show, show] },
      { devices: [{ id: 'bell-1' }], execution: [show] },
      { devices, execution: [show, hls] },
      { devices: [{ id: 'cam-2' }], execution: [{ command: 'action.devices.commands.OnOff', params: { on: true } }] },
      { devices: [{ id: 'cam-2' }], execution: [{ command: show.command }] },
    ]
    const results = await run(house, request('EXECUTE', { commands }))
    const short = results.map((result) => [result.ids[0], 'errorCode' in result ? result.errorCode : result.status])
    expect(short).toEqual([
      ['bell-1', 'SUCCESS'],
      ['gone', 'deviceNotFound'],
      ['cam-2', 'SUCCESS'],
      ['bell-1', 'SUCCESS'],
      ['bell-1', 'functionNotSupported'],
      ['gone', 'deviceNotFound'],
      ['cam-2', 'functionNotSupported'],
      ['cam-2', 'functionNotSupported'],
      ['cam-2', 'protocolError'],
    ])
    expect(results[0]).toEqual(results[3])
    expect(house.calls.filter(([call]) => call === 'warm')).toHaveLength(2)
  })

  test('a camera that is offline is said to be, without a token, and its owner can see why', async () => {
    const house = fakeHouse()
    house.online = false
    expect(await run(house, execute(['bell-1'], show))).toEqual([
      { ids: ['bell-1'], status: 'OFFLINE', states: { online: false }, errorCode: 'deviceOffline' },
    ])
    expect(house.calls).toMatchObject([['refused', { id: 'bell-1' }, 'google', { code: 'camera_offline' }]])
  })

  test('a camera that is offline is said to be at once, however slow it is to keep why', async () => {
    const house = fakeHouse()
    house.online = false
    house.refused = () => new Promise(() => {})
    expect(await run(house, execute(['bell-1'], show))).toMatchObject([{ status: 'OFFLINE' }])
  })

  test('a camera of which nobody knows whether it is online is tried', async () => {
    const house = fakeHouse()
    house.online = undefined
    expect((await run(house, execute(['bell-1'], show)))[0]?.status).toBe('SUCCESS')
  })

  test('a reply leaves at the deadline even if something behind a port hangs', async () => {
    const house = fakeHouse()
    house.iceServers = () => new Promise(() => {})
    const reply = await fulfillmentOf(house, { budgetMs: 20 })(execute(['bell-1'], show), headers)
    expect(reply).toEqual({ status: 200, body: { requestId, payload: { commands: [], errorCode: 'transientError' } } })
  })
})

describe('DISCONNECT', () => {
  test('ends the streams, revokes the tokens, unlinks the account and says nothing', async () => {
    const house = fakeHouse()
    const fulfil = fulfillmentOf(house)
    await fulfil(execute(['bell-1'], show), headers)
    const streamTokens = house.store.collection('stream-token')
    expect(await streamTokens.list(ada)).toHaveLength(1)
    house.calls.length = 0
    expect(await fulfil(request('DISCONNECT'), headers)).toEqual({ status: 200, body: {} })
    expect(house.calls).toEqual([
      ['unlink', ada, 'good'],
      ['endAll', ada, 'google', 'account unlinked'],
    ])
    expect(await streamTokens.list(ada)).toEqual([])
    expect(await linksOf(house).isOpen(ada)).toBe(false)
  })

  test('of one member of a household ends only his link: Google hears of the cameras as before', async () => {
    const house = fakeHouse()
    house.unlink = async () => true
    const fulfil = fulfillmentOf(house)
    await fulfil(request('SYNC'), headers)
    expect(await fulfil(request('DISCONNECT'), headers)).toEqual({ status: 200, body: {} })
    expect(house.calls).toContainEqual(['unlink', ada, 'good'])
    expect(await linksOf(house).isOpen(ada)).toBe(true)
  })

  test('a step that fails stops no other and is logged', async () => {
    const house = fakeHouse()
    house.end = async () => Promise.reject(new TypeError('broken'))
    expect(await fulfillmentOf(house)(request('DISCONNECT'), headers)).toEqual({ status: 200, body: {} })
    expect(house.calls).toContainEqual(['unlink', ada, 'good'])
    expect(house.log).toContainEqual(expect.objectContaining({ level: 'error', event: 'google.disconnect' }))
  })
})

describe('who may ask', () => {
  const sync = request('SYNC')

  test.each([
    ['no header', {}],
    ['another scheme', { authorization: 'Basic good' }],
    ['a forged token', { authorization: 'Bearer forged' }],
    ['two headers', { authorization: ['Bearer good', 'Bearer good'] }],
    ['an empty token', { authorization: 'Bearer ' }],
  ])('%s: 401', async (_, wrong) => {
    const { status, body } = await fulfillmentOf(fakeHouse())(sync, wrong)
    expect({ status, body: syncReply.parse(body) }).toMatchObject({
      status: 401,
      body: { requestId, payload: { errorCode: 'authFailure' } },
    })
  })

  test('the header field is found in any case, as API Gateway may give it', async () => {
    expect((await fulfillmentOf(fakeHouse())(sync, { Authorization: 'bearer good' })).status).toBe(200)
  })

  test('no token and no name of a secret is in the log', async () => {
    const house = fakeHouse()
    const { body } = await fulfillmentOf(house)(execute(['bell-1'], show), headers)
    await fulfillmentOf(house)(sync, { authorization: 'Bearer forged' })
    const token = JSON.stringify(body).match(/cameraStreamAuthToken":"([^"]+)/)?.[1]
    const log = JSON.stringify(house.log)
    for (const secret of ['good', 'forged', token ?? 'no token']) expect(log).not.toContain(secret)
  })
})

describe('what goes wrong as a whole', () => {
  const codes = Object.keys(errorCodes) as ErrorCode[]

  test.each(Object.entries(intents))(
    'every error at %s is a well-formed failure in words of the table',
    async (intent, schema) => {
      const statuses: Partial<Record<ErrorCode, number>> = {
        unauthorized: 401,
        token_expired: 401,
        invalid_request: 400,
      }
      for (const code of codes) {
        const house = fakeHouse()
        house.authorize = async () => Promise.reject(new BridgeError(code, 'secret words'))
        const payload = payloads[intent as keyof typeof payloads]
        const { status, body } = await fulfillmentOf(house)(request(intent, payload), headers)
        expect(schema.safeParse(body).success).toBe(true)
        expect(status).toBe(statuses[code] ?? (intent === 'DISCONNECT' ? 500 : 200))
        expect(JSON.stringify(body)).not.toContain('secret words')
        if (intent !== 'DISCONNECT')
          expect(body).toMatchObject({ requestId, payload: { errorCode: googleErrorCode[code] } })
      }
    },
  )

  test('our own mistake is logged with its stack and leaves as hardError', async () => {
    const house = fakeHouse()
    house.authorize = async () => Promise.reject(new TypeError('x is not a function'))
    const { body } = await fulfillmentOf(house)(request('SYNC'), headers)
    expect(syncReply.parse(body).payload.errorCode).toBe('hardError')
    expect(house.log.at(-1)).toMatchObject({
      level: 'error',
      fields: { code: 'internal', stack: expect.stringContaining('TypeError') },
    })
  })

  test('an intent that we do not know is not supported, and its name is logged', async () => {
    const house = fakeHouse()
    const reply = await fulfillmentOf(house)(request('FUTURE', { a: 1 }), headers)
    expect(reply).toEqual({ status: 200, body: { requestId, payload: { errorCode: 'notSupported' } } })
    expect(house.log[0]).toMatchObject({ level: 'warn', fields: { intent: 'action.devices.FUTURE' } })
  })

  test.each([
    ['no body', undefined],
    ['no inputs', { requestId }],
    ['empty inputs', { requestId, inputs: [] }],
    ['two inputs', { requestId, inputs: [{ intent: 'action.devices.SYNC' }, { intent: 'action.devices.SYNC' }] }],
    ['no requestId', { inputs: [{ intent: 'action.devices.SYNC' }] }],
    ['no devices', request('QUERY', {})],
    ['no executions', execute(['bell-1'])],
  ])('%s: refused as malformed', async (_, body) => {
    const reply = await fulfillmentOf(fakeHouse())(body, headers)
    expect(reply).toMatchObject({
      status: 400,
      body: { requestId: expect.any(String), payload: { errorCode: 'protocolError' } },
    })
  })
})

describe('whatever comes', () => {
  const anyReply = [...Object.values(intents), failureReply]
  const wellFormed = (reply: { status: number; body: unknown }) =>
    [200, 400, 401].includes(reply.status) && anyReply.some((schema) => schema.safeParse(reply.body).success)

  test('anything at all gets one well-formed reply', async () => {
    const fulfil = fulfillmentOf(fakeHouse())
    await fc.assert(
      fc.asyncProperty(fc.anything(), fc.constantFrom(headers, {}), async (body, headers) =>
        wellFormed(await fulfil(body, headers)),
      ),
      { numRuns: 300 },
    )
  })

  test('a request with one part replaced gets one well-formed reply', async () => {
    const fulfil = fulfillmentOf(fakeHouse())
    const part = fc.oneof(fc.jsonValue(), fc.constantFrom('__proto__', 'bell-1', 'webrtc', 'action.devices.QUERY'))
    const broken = fc
      .tuple(fc.constantFrom(request('SYNC'), query('bell-1'), execute(['bell-1'], show)), fc.nat(20), part)
      .map(([whole, at, value]) => {
        let index = 0
        return JSON.parse(JSON.stringify(whole, (_, old: unknown) => (index++ === at ? value : old))) as unknown
      })
    await fc.assert(
      fc.asyncProperty(broken, async (body) => wellFormed(await fulfil(body, headers))),
      { numRuns: 500 },
    )
  })
})
