/** Everything sent to Google, against the schemas of smart-home-schema in `CONFORMANCE_DIR`. Run by continuous integration. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import * as fc from 'fast-check'
import { BridgeError, errorCodes, type ErrorCode } from '../../src/core/errors.ts'
import { googleErrorCode } from '../../src/bridge/google/errors.ts'
import { cameraId, type Camera, type CameraState } from '../../src/core/ports.ts'
import { ada, camera, fakeHouse, fulfillmentOf, type FakeHouse } from '../google/fake-house.ts'
import { openHome } from '../google/home.ts'

const conformanceDir = process.env['CONFORMANCE_DIR']
if (conformanceDir === undefined) throw new Error('CONFORMANCE_DIR must name the folder of the conformance schemas')

const ajv = new Ajv({ strict: false, allErrors: true })
addFormats.default(ajv)
// The schemas are of 2021. Stale: a requestId is no uuid, Google's own are long decimal numbers.
ajv.addFormat('uuid', true)

const readSchema = (path: string): object =>
  JSON.parse(readFileSync(join(conformanceDir, 'google', 'smart-home-schema', `${path}.schema.json`), 'utf8')) as object
const validator = (path: string) => ajv.compile(readSchema(path))

const intents = {
  'action.devices.SYNC': intentSchemas('sync'),
  'action.devices.QUERY': intentSchemas('query'),
  'action.devices.EXECUTE': intentSchemas('execute'),
  'action.devices.DISCONNECT': intentSchemas('disconnect'),
}
const streamAttributes = validator('traits/camerastream/camerastream.attributes')
const streamParams = validator('traits/camerastream/getcamerastream.params')
const streamResults = validator('traits/camerastream/getcamerastream.results')
const streamError = validator('traits/camerastream/getcamerastream.errors')
/** For each trait with attributes or states, what the two must be. */
const traits = {
  EnergyStorage: traitSchemas('energystorage'),
  OnOff: traitSchemas('onoff'),
  SensorState: traitSchemas('sensorstate'),
}
const notification = validator('traits/objectdetection/objectdetection.notifications')
const [platformError, platformType, platformTrait] = ['errors', 'types', 'traits'].map((name) =>
  validator(`platform/${name}`),
)

/** Stale: error codes that are in Google's current pages, not in the list of 2021. */
const newerErrorCodes = ['deviceOffline', 'deviceTurnedOff', 'protocolError']

/** The fields of a result; the schema itself leaves room for any others. */
const streamFields = [
  'online',
  'cameraStreamProtocol',
  'cameraStreamSignalingUrl',
  'cameraStreamAuthToken',
  'cameraStreamIceServers',
  'cameraStreamAccessUrl',
]

/** All fields of all states that we send, by the trait that they belong to. */
const stateFields = {
  EnergyStorage: ['descriptiveCapacityRemaining', 'capacityRemaining'],
  OnOff: ['on'],
  SensorState: ['currentSensorStateData'],
}

/** What a camera may have beside its picture. */
const everything: Partial<Camera> = {
  streams: [{ uri: 'https://camera.example/i.m3u8', protocol: 'HLS', width: 1280, height: 720, audioCodec: 'AAC' }],
  dashUri: 'https://camera.example/i.mpd',
  hasBattery: true,
  hasSwitch: true,
  sensors: [{ name: 'SmokeLevel', states: ['smoke detected', 'no smoke detected'], unit: 'PARTS_PER_MILLION' }],
  detects: ['person'],
}
const state: CameraState = {
  battery: { level: 55.4, at: 1 },
  switch: { isOn: true, at: 1 },
  sensors: { SmokeLevel: { state: 'no smoke detected', value: 1, at: 1 } },
}

function intentSchemas(name: string) {
  return {
    request: validator(`intents/${name}/${name}.request`),
    response: validator(`intents/${name}/${name}.response`),
  }
}

function traitSchemas(name: string) {
  return {
    attributes: validator(`traits/${name}/${name}.attributes`),
    states: validator(`traits/${name}/${name}.states`),
  }
}

function conforms(validate: ValidateFunction | undefined, value: unknown): void {
  if (validate?.(value) !== true) throw new Error(`${ajv.errorsText(validate?.errors)}: ${JSON.stringify(value)}`)
}

function knownErrorCode(code: string): void {
  if (newerErrorCodes.includes(code) || streamError(code)) return
  conforms(platformError, code)
}

/** Intent and trait schemas know nothing of each other; this is where they are put together. */
function conformingReply(intent: keyof typeof intents, reply: unknown): void {
  conforms(intents[intent].response, reply)
  const { payload = {} } = JSON.parse(JSON.stringify(reply)) as { payload?: Payload }
  if (payload.errorCode !== undefined) knownErrorCode(payload.errorCode)
  if (intent === 'action.devices.SYNC') for (const device of payload.devices as SyncDevice[]) conformingDevice(device)
  if (intent === 'action.devices.QUERY')
    for (const state of Object.values(payload.devices ?? {})) conformingStates(state)
  const results = [...Object.values(payload.devices ?? {}), ...(payload.commands ?? [])]
  for (const { status, errorCode } of results) {
    if (errorCode !== undefined) knownErrorCode(errorCode)
    if (status === 'ERROR') expect(errorCode).toBeDefined()
  }
  for (const { status, states = {} } of payload.commands ?? []) {
    if (status !== 'SUCCESS') continue
    conforms(streamResults, states)
    expect(Object.keys(states).filter((field) => !streamFields.includes(field))).toEqual([])
    expect(Object.values(states)).not.toContain('')
    const { cameraStreamIceServers = '[{"urls":"stun:example"}]' } = states as Record<string, string>
    const servers = JSON.parse(cameraStreamIceServers) as { urls: string }[]
    for (const { urls } of servers) expect(urls).toMatch(/^(stuns?|turns?):/)
    expect(servers.length).toBeGreaterThan(0)
  }
}

function conformingDevice(device: SyncDevice): void {
  conforms(platformType, device.type)
  for (const trait of device.traits) conforms(platformTrait, trait)
  // Required for a camera, recommended for a doorbell.
  const isShown = device.traits.includes('action.devices.traits.CameraStream')
  if (isShown || device.type !== 'action.devices.types.DOORBELL') {
    expect(isShown).toBe(true)
    conforms(streamAttributes, device.attributes)
  }
  for (const [name, { attributes }] of Object.entries(traits)) {
    if (device.traits.includes(`action.devices.traits.${name}`)) conforms(attributes, device.attributes)
  }
  expect(Buffer.byteLength(JSON.stringify(device.customData))).toBeLessThanOrEqual(512)
  expect(Array.from(device.name.name).length).toBeLessThanOrEqual(60)
  const notifies = device.traits.includes('action.devices.traits.ObjectDetection')
  expect(device.notificationSupportedByAgent === true).toBe(notifies)
}

/** The schemas of states leave room for any others, so that a misspelled one would pass. */
function conformingStates(state: object): void {
  for (const [name, { states }] of Object.entries(traits)) {
    // A camera that has not said yet how full its battery is says nothing of that trait at all.
    if (stateFields[name as keyof typeof stateFields].some((field) => field in state)) conforms(states, state)
  }
  const known = ['online', 'status', 'errorCode', ...Object.values(stateFields).flat()]
  expect(Object.keys(state).filter((field) => !known.includes(field))).toEqual([])
}

interface SyncDevice {
  customData: object
  type: string
  traits: string[]
  name: { name: string }
  attributes: object
  notificationSupportedByAgent?: boolean
}
interface Result {
  status?: string
  errorCode?: string
  states?: object
}
interface Payload {
  errorCode?: string
  devices?: SyncDevice[] | Record<string, Result>
  commands?: Result[]
}

const params = { StreamToChromecast: true, SupportedStreamProtocols: ['webrtc'] }
const ask = { command: 'action.devices.commands.GetCameraStream', params }
const ids = ['bell-1', 'cam-2', 'gone'].map((id) => ({ id }))
const requests = {
  'action.devices.SYNC': {},
  'action.devices.QUERY': { payload: { devices: ids } },
  'action.devices.EXECUTE': {
    payload: {
      commands: [
        { devices: ids, execution: [ask] },
        { devices: ids, execution: [{ ...ask, params: { ...params, SupportedStreamProtocols: ['hls'] } }] },
        { devices: ids, execution: [{ ...ask, params: { ...params, SupportedStreamProtocols: ['dash'] } }] },
        { devices: ids, execution: [{ ...ask, params: { ...params, SupportedStreamProtocols: ['smooth_stream'] } }] },
        { devices: ids, execution: [{ command: 'action.devices.commands.OnOff', params: { on: true } }] },
        { devices: ids, execution: [{ command: ask.command }] },
      ],
    },
  },
  'action.devices.DISCONNECT': {},
}
const names = Object.keys(intents) as (keyof typeof intents)[]
const requestOf = (intent: keyof typeof intents) => ({
  requestId: '6894439706274654512',
  inputs: [{ intent, ...requests[intent] }],
})
const headers = { authorization: 'Bearer good' }

let house: FakeHouse
beforeEach(() => {
  house = fakeHouse()
  house.cameras = [camera({ room: 'Hall', firmwareVersion: '1.0' }), camera({ id: cameraId('cam-2'), kind: 'camera' })]
})

describe('the requests of these tests', () => {
  test('are to the schemas themselves', () => {
    for (const intent of names) conforms(intents[intent].request, requestOf(intent))
    conforms(streamParams, params)
  })
})

describe.each(names)('every reply to %s conforms', (intent) => {
  test.each([true, false, undefined])('when presence is %s', async (online) => {
    house.online = online
    for (const promised of [true, false]) {
      const options = { canNotify: promised, willReportState: promised }
      const { status, body } = await fulfillmentOf(house, options)(requestOf(intent), headers)
      expect(status).toBe(200)
      conformingReply(intent, body)
    }
  })

  test.each<CameraState>([state, {}, { ...state, switch: { isOn: false, at: 1 } }])(
    'when the cameras have everything and say %j',
    async (now) => {
      house.state = now
      house.cameras = [camera(everything), camera({ ...everything, id: cameraId('cam-2'), kind: 'camera' })]
      conformingReply(intent, (await fulfillmentOf(house)(requestOf(intent), headers)).body)
    },
  )

  test('when a doorbell has no picture', async () => {
    house.cameras = [camera({ hasVideo: false }), camera({ ...everything, id: cameraId('bell-2'), hasVideo: false })]
    conformingReply(intent, (await fulfillmentOf(house)(requestOf(intent), headers)).body)
  })

  test('when there are no ICE servers', async () => {
    house.iceServers = async () => []
    conformingReply(intent, (await fulfillmentOf(house)(requestOf(intent), headers)).body)
  })

  test('when there are no cameras', async () => {
    house.cameras = []
    conformingReply(intent, (await fulfillmentOf(house)(requestOf(intent), headers)).body)
  })

  test('when the token is bad', async () => {
    const { status, body } = await fulfillmentOf(house)(requestOf(intent), {})
    expect(status).toBe(401)
    conformingReply(intent, body)
  })

  test('when it is malformed', async () => {
    const malformed = { requestId: '1', inputs: [{ intent, payload: { devices: 1, commands: 1 } }, { intent }] }
    const { status, body } = await fulfillmentOf(house)(malformed, headers)
    expect(status).toBe(400)
    conformingReply(intent, body)
  })

  test.each(Object.keys(errorCodes) as ErrorCode[])('when everything fails with %s', async (code) => {
    house.authorize = async () => Promise.reject(new BridgeError(code))
    conformingReply(intent, (await fulfillmentOf(house)(requestOf(intent), headers)).body)
  })

  test.each(Object.keys(errorCodes) as ErrorCode[])('when the stream fails with %s', async (code) => {
    const failing = <T>(kind: string) => ({
      ...house.store.collection<T>(kind),
      put: async () => Promise.reject(new BridgeError(code)),
    })
    const fulfil = fulfillmentOf(house, { store: { ...house.store, collection: failing } })
    conformingReply(intent, (await fulfil(requestOf(intent), headers)).body)
  })

  test('for any cameras', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 })
    const anyCamera: fc.Arbitrary<Camera> = fc
      .record({
        id: text.map(cameraId),
        name: text,
        kind: fc.constantFrom('camera' as const, 'doorbell' as const),
        room: text,
        model: text,
      })
      .map((fields) => camera(fields))
    await fc.assert(
      fc.asyncProperty(fc.array(anyCamera, { maxLength: 5 }), async (cameras) => {
        house.cameras = cameras
        conformingReply(intent, (await fulfillmentOf(house)(requestOf(intent), headers)).body)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the check itself notices', () => {
  test.each([
    ['action.devices.SYNC', 'a type that does not exist', 'types.DOORBELL', 'types.GONG'],
    ['action.devices.SYNC', 'a trait that does not exist', 'traits.ObjectDetection', 'traits.Ringing'],
    ['action.devices.SYNC', 'a protocol that does not exist', '"webrtc"', '"rtsp"'],
    ['action.devices.SYNC', 'a field too many', '"willReportState"', '"serial":"1","willReportState"'],
    ['action.devices.QUERY', 'a missing online', '"online":true,', ''],
    ['action.devices.QUERY', 'a status that does not exist', '"SUCCESS"', '"FINE"'],
    ['action.devices.EXECUTE', 'a misspelled error code', 'functionNotSupported', 'functionUnsupported'],
    ['action.devices.EXECUTE', 'a missing signaling URL', 'cameraStreamSignalingUrl', 'cameraStreamUrl'],
    [
      'action.devices.EXECUTE',
      'an empty offer',
      '"cameraStreamAuthToken"',
      '"cameraStreamOffer":"","cameraStreamAuthToken"',
    ],
  ] as const)('in a reply to %s: %s', async (intent, _, right, wrong) => {
    const { body } = await fulfillmentOf(house)(requestOf(intent), headers)
    const text = JSON.stringify(body)
    expect(text).toContain(right)
    expect(() => conformingReply(intent, JSON.parse(text.replace(right, wrong)))).toThrow()
  })
})

describe('our words', () => {
  test('for errors are all known to Google', () => {
    for (const word of Object.values(googleErrorCode)) knownErrorCode(word)
  })
})

describe('a report to Home Graph', () => {
  test('of a press carries a conforming notification, and only states of declared traits', async () => {
    house.cameras = [camera(everything)]
    house.state = state
    const home = await openHome(house)
    try {
      await home.sync()
      await home.hear({ kind: 'press', eventId: 'press-1', at: house.now })
      house.online = false
      await home.reports.statesChanged(ada)
      await home.outbox.settled()
      expect(await home.reconcile()).toMatchObject({ accounts: 1, failed: 0 })
    } finally {
      await home.close()
    }
    const { reports, complaints } = home.google
    expect(complaints).toEqual([])
    expect(reports.length).toBeGreaterThanOrEqual(2)
    for (const { payload } of reports) {
      for (const state of Object.values(payload.devices.states)) conformingStates(state)
      for (const sent of Object.values(payload.devices.notifications ?? {})) conforms(notification, sent)
    }
    expect(reports.filter(({ payload }) => payload.devices.notifications)).toHaveLength(1)
  })
})
