/** One message of every kind that we can send to Alexa, made by running the code: what conformance is checked on. */
import { createAlexaEvents } from '../../src/alexa/event-gateway.ts'
import { BridgeError, errorCodes, type ErrorCode } from '../../src/errors.ts'
import { cameraId, type Camera } from '../../src/ports.ts'
import { startAmazon } from './amazon.ts'
import * as directive from './directives.ts'
import { createJournal, createWorld, frontDoor, noon } from './world.ts'

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
  { ...frontDoor, id: cameraId('garden'), name: 'Garden', kind: 'camera', hasSpeaker: false },
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
  samples.set('SessionConnected', await world.handle(directive.sessionConnected()))
  samples.set('SessionDisconnected', await world.handle(directive.sessionDisconnected()))
  for (const code of codes) {
    const { handle } = createWorld({ negotiate: () => Promise.reject(new BridgeError(code)) })
    samples.set(`refused: ${code}`, await handle(directive.initiateSession()))
  }
  for (const [name, event] of Object.entries(garbage)) samples.set(`garbage: ${name}`, await world.handle(event))
  samples.set('DoorbellPress', await sentPress())
  return samples
}

async function sentPress(): Promise<unknown> {
  await using amazon = await startAmazon()
  const events = createAlexaEvents({
    grants: { bearer: async () => ({ kind: 'token', token: amazon.issueToken() }), forget: async () => {} },
    gatewayUrl: amazon.gatewayUrl,
    clock: () => noon,
    log: createJournal().log,
  })
  await events.doorbellPress(frontDoor, noon, 'press-1')
  return amazon.events[0]
}
