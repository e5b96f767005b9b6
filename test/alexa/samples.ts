/** One message of every kind that we can send to Alexa, made by running the code: what conformance is checked on. */
import { createAlexaDeliver } from '../../src/bridge/alexa/event-gateway.ts'
import { BridgeError, errorCodes, type ErrorCode } from '../../src/core/errors.ts'
import { newsForAlexa } from '../../src/bridge/alexa/news.ts'
import { cameraId, type Camera, type CameraNews } from '../../src/core/ports.ts'
import type { ProactiveEvent } from '../../src/core/wire/alexa.ts'
import { startAmazon } from './amazon.ts'
import * as directive from './directives.ts'
import { createJournal, createWorld, frontDoor, garden, noon } from './world.ts'

export const codes = Object.keys(errorCodes) as ErrorCode[]

/** Inputs that are no directive, or only half of one. */
export const garbage: Record<string, unknown> = {
  nothing: undefined,
  null: null,
  'a text': 'hello',
  'an empty object': {},
  'a custom skill request': { version: '1.0', session: {}, request: { type: 'LaunchRequest' } },
  'a header that is a list': { directive: { header: [], payload: {} } },
  'an unknown directive': {
    directive: { header: { namespace: 'Alexa.PowerController', name: 'TurnOn', payloadVersion: '3', messageId: 'm' } },
  },
  'a name from Object.prototype': { directive: { header: { namespace: '__proto__', name: 'constructor' } } },
  'a broken endpoint': {
    directive: { ...directive.reportState().directive, endpoint: { endpointId: 'a b', scope: { token: 7 } } },
  },
  'an endpoint without a scope': {
    directive: { ...directive.reportState().directive, endpoint: { endpointId: 'front-door' } },
  },
  'a broken AcceptGrant': { directive: { header: { namespace: 'Alexa.Authorization', name: 'AcceptGrant' } } },
}

export const cameras: readonly Camera[] = [
  frontDoor,
  garden,
  { ...frontDoor, id: cameraId('intercom'), name: 'Intercom', hasVideo: false, room: 'Hall' },
  { ...frontDoor, id: cameraId('odd'), name: '🚪🔔', manufacturer: '', model: ' \n', serialNumber: 'x'.repeat(999) },
  { ...frontDoor, id: cameraId('long'), name: '長い名前 '.repeat(99), manufacturer: 'm'.repeat(300) },
]

export async function sampleMessages(): Promise<ReadonlyMap<string, unknown>> {
  const samples = new Map<string, unknown>()
  const world = createWorld({ cameras: { list: async () => cameras, find: async () => frontDoor } })
  samples.set('Discover', await world.handle(directive.discover()))
  samples.set('Discover, no event sending', await createWorld({ canSendEvents: false }).handle(directive.discover()))
  const nothing = { list: async () => [], find: async () => undefined }
  samples.set('Discover, no cameras', await createWorld({ cameras: nothing }).handle(directive.discover()))
  samples.set('AcceptGrant', await world.handle(directive.acceptGrant()))
  samples.set('AcceptGrant, bad token', await world.handle(directive.acceptGrant('code-1', 'forged')))
  samples.set('ReportState', await world.handle(directive.reportState()))
  for (const state of [false, undefined]) {
    const { handle } = createWorld({ broker: { ...world.deps.broker, isOnline: () => state } })
    samples.set(`ReportState, online: ${state}`, await handle(directive.reportState()))
  }
  samples.set('InitiateSessionWithOffer', await world.handle(directive.initiateSession()))
  const inGarden = createWorld({ cameras: { list: async () => cameras, find: async () => garden } })
  samples.set('ReportState, with sensors', await inGarden.handle(directive.reportState('garden')))
  samples.set('InitializeCameraStreams', await inGarden.handle(directive.initializeStreams('garden')))
  samples.set('GetSnapshot', await inGarden.handle(directive.getSnapshot('garden')))
  samples.set('SetObjectDetectionClasses', await inGarden.handle(directive.setDetectionClasses('garden')))
  samples.set('SessionConnected', await world.handle(directive.sessionConnected()))
  samples.set('SessionDisconnected', await world.handle(directive.sessionDisconnected()))
  for (const code of codes) {
    const { handle } = createWorld({ negotiate: () => Promise.reject(new BridgeError(code)) })
    samples.set(`refused: ${code}`, await handle(directive.initiateSession()))
  }
  for (const [name, event] of Object.entries(garbage)) samples.set(`garbage: ${name}`, await world.handle(event))
  for (const [name, message] of await sentEvents()) samples.set(name, message)
  return samples
}

/** Every kind of event, as the gateway got it. */
async function sentEvents(): Promise<readonly (readonly [string, ProactiveEvent])[]> {
  await using amazon = await startAmazon()
  const deliver = createAlexaDeliver({
    grants: {
      bearer: async () => ({ kind: 'token', token: amazon.issueToken(), region: 'NA' }),
      forget: async () => {},
      moved: async () => {},
    },
    cameras: { find: async (_account, id) => cameras.find((camera) => camera.id === id) },
    stateOf: async () => ({ motion: { isDetected: true, at: noon } }),
    isOnline: () => true,
    gatewayUrls: amazon.gatewayUrls,
    clock: () => noon,
    log: createJournal().log,
  })
  const gone = { ...frontDoor, id: cameraId('gone') }
  const sent: [string, Camera, CameraNews][] = [
    ['DoorbellPress', frontDoor, { kind: 'press', eventId: 'press-1', at: noon }],
    ['ChangeReport: motion', garden, { kind: 'motion', eventId: 'motion-1', isDetected: true, at: noon }],
    ['ChangeReport: still', garden, { kind: 'motion', eventId: 'motion-2', isDetected: false, at: noon }],
    ['ChangeReport: offline', frontDoor, { kind: 'online', isOnline: false, at: noon }],
    ['ChangeReport: online', garden, { kind: 'online', isOnline: true, at: noon }],
    ['ObjectDetection', garden, { kind: 'person', eventId: 'person-1', at: noon }],
    ...cameras.map((camera): [string, Camera, CameraNews] => [
      `AddOrUpdateReport: ${camera.id}`,
      camera,
      { kind: 'changed', at: noon },
    ]),
    ['DeleteReport', gone, { kind: 'removed', at: noon }],
  ]
  const { signal } = new AbortController()
  for (const [name, camera, news] of sent) {
    for (const outgoing of newsForAlexa(camera, news)) {
      const delivery = await deliver(outgoing, signal)
      if (delivery.kind !== 'done') throw new Error(`${name}: ${delivery.reason}`)
    }
  }
  return sent.map(([name], index) => [name, amazon.events[index]!] as const)
}
