/** What Alexa is told about a camera. */
import { describe as group, expect, test } from '@jest/globals'
import { describe, isEndpointId } from '../../src/bridge/alexa/discovery.ts'
import type { Camera } from '../../src/core/ports.ts'
import { frontDoor, garden } from './world.ts'

const capabilitiesOf = (camera: Camera, canSendEvents = true) => describe(camera, { canSendEvents }).capabilities
const interfacesOf = (camera: Camera, canSendEvents = true) =>
  capabilitiesOf(camera, canSendEvents).map((capability) => capability.interface)

const promises = (canSendEvents: boolean) =>
  capabilitiesOf(garden, canSendEvents).flatMap((each) =>
    'properties' in each ? [each.properties.proactivelyReported] : [],
  )

group('an endpoint is true to its camera', () => {
  test('a doorbell in full', () => {
    expect(describe(frontDoor, { canSendEvents: true })).toEqual({
      endpointId: 'front-door',
      manufacturerName: 'Transom',
      friendlyName: 'Front door',
      description: 'Doorbell Transom Synthetic doorbell',
      displayCategories: ['CAMERA', 'DOORBELL'],
      additionalAttributes: {
        manufacturer: 'Transom',
        model: 'Synthetic doorbell',
        serialNumber: 'T-0001',
        firmwareVersion: '1.2.3',
      },
      capabilities: [
        { type: 'AlexaInterface', interface: 'Alexa', version: '3' },
        {
          type: 'AlexaInterface',
          interface: 'Alexa.RTCSessionController',
          version: '3',
          configuration: { isFullDuplexAudioSupported: true },
        },
        {
          type: 'AlexaInterface',
          interface: 'Alexa.EndpointHealth',
          version: '3',
          properties: { supported: [{ name: 'connectivity' }], proactivelyReported: true, retrievable: true },
        },
        { type: 'AlexaInterface', interface: 'Alexa.DoorbellEventSource', version: '3', proactivelyReported: true },
      ],
    })
  })

  test('a camera without a loudspeaker is not offered for talking', () => {
    expect(capabilitiesOf({ ...frontDoor, hasSpeaker: false })).toContainEqual(
      expect.objectContaining({ configuration: { isFullDuplexAudioSupported: false } }),
    )
  })

  test('an intercom without a picture is opened only if it can be talked to: sound alone must be two-way', () => {
    const intercom = { ...frontDoor, hasVideo: false }
    expect(interfacesOf(intercom)).toContain('Alexa.RTCSessionController')
    expect(interfacesOf({ ...intercom, hasSpeaker: false })).toEqual([
      'Alexa',
      'Alexa.EndpointHealth',
      'Alexa.DoorbellEventSource',
    ])
  })

  test('a doorbell is announced as ringing only where events can be sent, and a camera never', () => {
    expect(interfacesOf(frontDoor, true)).toContain('Alexa.DoorbellEventSource')
    expect(interfacesOf(frontDoor, false)).not.toContain('Alexa.DoorbellEventSource')
    const camera = { ...frontDoor, kind: 'camera' as const }
    expect(interfacesOf(camera, true)).not.toContain('Alexa.DoorbellEventSource')
    expect(describe(camera, { canSendEvents: true }).displayCategories).toEqual(['CAMERA'])
  })

  test('a camera with everything declares everything, and nothing without its source', () => {
    const all = [
      'Alexa',
      'Alexa.RTCSessionController',
      'Alexa.EndpointHealth',
      'Alexa.MotionSensor',
      'Alexa.SmartVision.ObjectDetectionSensor',
      'Alexa.SmartVision.SnapshotProvider',
      'Alexa.CameraStreamController',
    ]
    expect(interfacesOf(garden)).toEqual(all)
    const { hasMotion: _, ...still } = garden
    expect(interfacesOf(still)).not.toContain('Alexa.MotionSensor')
    expect(interfacesOf({ ...garden, detects: [] })).not.toContain('Alexa.SmartVision.ObjectDetectionSensor')
    expect(interfacesOf({ ...garden, hasSnapshots: false })).not.toContain('Alexa.SmartVision.SnapshotProvider')
    expect(interfacesOf({ ...garden, streams: [] })).not.toContain('Alexa.CameraStreamController')
  })

  test('reports are promised only where they can be sent', () => {
    expect(promises(true)).toEqual([true, true, true])
    expect(promises(false)).toEqual([false, false])
  })

  test.each([
    ['doorbell', ['DOORBELL']],
    ['camera', ['OTHER']],
  ] as const)('a %s without a picture is no camera', (kind, categories) => {
    const intercom = { ...frontDoor, kind, hasVideo: false }
    expect(describe(intercom, { canSendEvents: true }).displayCategories).toEqual(categories)
  })

  test('attributes that are not known are left out', () => {
    const { serialNumber: _, firmwareVersion: __, ...bare } = frontDoor
    expect(describe({ ...bare, model: ' ' }, { canSendEvents: true }).additionalAttributes).toEqual({
      manufacturer: 'Transom',
    })
  })
})

test.each([
  // The report's own (alexa-smarthome issue 145).
  ['Türwächter \\ GmbH', 'Turwachter GmbH'],
  ['門 "Ä-1" 🚪', undefined],
  ['"Ä-1" 🚪', '"A-1"'],
  ['Café™ 2.0', 'CafeTM 2.0'],
  ['A\u200b\u202e1\u0000\n2', 'A1 2'],
  ['\ud800 half', 'half'],
  ['“V1”–α', undefined],
  ['１２', '12'],
  ['€\\', undefined],
  ['x'.repeat(300), 'x'.repeat(256)],
  ['ﬀ'.repeat(200), 'f'.repeat(256)],
])('the model %j is told as %j', (model, told) => {
  const { additionalAttributes } = describe({ ...frontDoor, model, serialNumber: model }, { canSendEvents: true })
  expect([additionalAttributes?.model, additionalAttributes?.serialNumber]).toEqual([told, told])
})

test.each([
  ['Front door (left)', 'Front door left'],
  ["Kid's room", 'Kids room'],
  ['Haustür – Süd', 'Haustür Süd'],
  ['cafe\u0301', 'café'],
  ['玄関', '玄関'],
  ['दरवाज़ा', 'दरवाज़ा'.normalize('NFC')],
  ['a_b.c/d', 'a b c d'],
  ['🚪🔔', 'Doorbell'],
  // An emoji with its variation selector, a key cap, a family, an England: no mark of theirs stays behind.
  ['Garage \u2600\ufe0f', 'Garage'],
  ['\u2764\ufe0f', 'Doorbell'],
  ['1\ufe0f\u20e3 Gate', '1 Gate'],
  ['👨\u200d👩\u200d👧 Kids', 'Kids'],
  ['🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} Gate', 'Gate'],
  ['!\u0301 Door', 'Door'],
  // What nobody sees splits no word.
  ['Haus\u00adtür', 'Haustür'],
  ['क\u094d\u200dष', 'क\u094dष'],
  ['\u3164', 'Doorbell'],
  ['', 'Doorbell'],
  ['𝒳'.repeat(200), '𝒳'.repeat(128)],
])('the name %j is spoken as %j', (name, spoken) => {
  expect(describe({ ...frontDoor, name }, { canSendEvents: true }).friendlyName).toBe(spoken)
})

test.each([
  ['front-door', true],
  ['a#b;c:d?e@f&g=h_i', true],
  ['front.door', false],
  ['front door', false],
  ['', false],
  ['x'.repeat(256), true],
  ['x'.repeat(257), false],
])('the id %j can be an endpoint id: %s', (id, isOne) => {
  expect(isEndpointId(id)).toBe(isOne)
})
