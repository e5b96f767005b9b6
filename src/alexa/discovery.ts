/** What Alexa is told about a camera: the endpoint of a Discover.Response, within Amazon's limits. */
import type { Camera } from '../ports.ts'
import { directives, type DiscoveredEndpoint } from '../wire/alexa.ts'

/** Most endpoints one customer may have (alexa-discovery.html, interface limits). */
export const ENDPOINT_LIMIT = 300

/** A camera as an Alexa endpoint. `canSendEvents`: whether a press of its button will really reach Alexa. */
export function describe(camera: Camera, canSendEvents: boolean): DiscoveredEndpoint {
  const isDoorbell = camera.kind === 'doorbell'
  const product = [camera.manufacturer, camera.model].map(tidy).filter(Boolean).join(' ')
  return {
    endpointId: camera.id,
    manufacturerName: cut(tidy(camera.manufacturer), 128) || 'Unknown',
    friendlyName: friendlyName(camera),
    description: cut(`${isDoorbell ? 'Doorbell' : 'Camera'} ${product}`.trim(), 128),
    // An Echo Show opens the picture on a press only if CAMERA stands before DOORBELL.
    displayCategories: isDoorbell ? ['CAMERA', 'DOORBELL'] : ['CAMERA'],
    additionalAttributes: attributes(camera),
    capabilities: [
      { type: 'AlexaInterface', interface: 'Alexa', version: '3' },
      {
        type: 'AlexaInterface',
        interface: 'Alexa.RTCSessionController',
        version: '3',
        // True only where received sound is played: otherwise Alexa opens a talk path that leads nowhere.
        configuration: { isFullDuplexAudioSupported: camera.hasSpeaker },
      },
      {
        type: 'AlexaInterface',
        interface: 'Alexa.EndpointHealth',
        // The pages say 3.1, which differs from 3 by a `reason` that we do not send. Amazon's message schema knows only 3
        // and turns down the whole discovery for another number, so 3 is the one that is right by both.
        version: '3',
        // `proactivelyReported` would promise change reports; until those are sent, Alexa has to ask.
        properties: { supported: [{ name: 'connectivity' }], proactivelyReported: false, retrievable: true },
      },
      ...(isDoorbell && canSendEvents ? [doorbellEventSource] : []),
    ],
  }
}

const doorbellEventSource = {
  type: 'AlexaInterface',
  interface: 'Alexa.DoorbellEventSource',
  version: '3',
  proactivelyReported: true,
} as const

const endpointIdSchema = directives['Alexa/ReportState'].shape.directive.shape.endpoint.shape.endpointId

/** Whether Alexa can name the camera by its id; an id outside Amazon's characters fails the discovery of every camera. */
export function isEndpointId(id: string): boolean {
  return endpointIdSchema.safeParse(id).success
}

/**
 * What people say: letters with their marks, digits and single spaces, 128 at most (alexa-discovery-objects.html).
 * "Front door (left)" becomes "Front door left", "Kid's room" becomes "Kids room".
 */
function friendlyName(camera: Camera): string {
  const spoken = camera.name
    .normalize('NFC')
    .replace(/['’]/gu, '')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim()
  return cut(spoken, 128) || (camera.kind === 'doorbell' ? 'Doorbell' : 'Camera')
}

function attributes(camera: Camera): DiscoveredEndpoint['additionalAttributes'] {
  const { manufacturer, model, serialNumber, firmwareVersion } = camera
  const present = Object.entries({ manufacturer, model, serialNumber, firmwareVersion })
    .map(([name, value]) => [name, cut(tidy(value ?? ''), 256)] as const)
    .filter(([, value]) => value !== '')
  return Object.fromEntries(present)
}

const tidy = (text: string) => text.replace(/[\p{Cc}\s]+/gu, ' ').trim()

/** The first `length` code points: half a character would be refused, or heard. */
const cut = (text: string, length: number) => Array.from(text).slice(0, length).join('').trim()
