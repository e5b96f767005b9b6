/** What Alexa is told about a camera: the endpoint of a Discover.Response, within Amazon's limits. */
import type { Camera } from 'transom-core/ports'
import { directives, type DiscoveredEndpoint } from 'transom-core/wire/alexa'

/** Most endpoints one customer may have (alexa-discovery.html, interface limits). */
export const ENDPOINT_LIMIT = 300

/** What the bridge may promise; nothing is declared that will not be kept. */
export interface Promises {
  /** Whether presses and changes will really reach Alexa. */
  readonly canSendEvents: boolean
}

type Capability = DiscoveredEndpoint['capabilities'][number]

/** What Alexa does with an account's cameras, and what its owner should know of it. */
export interface Review {
  /** The cameras that Alexa is told of. */
  readonly told: readonly Camera[]
  /** Those beyond the limit, and those with ids that Alexa does not take. */
  readonly leftOut: readonly Camera[]
  /** Names that several cameras have, as they are spoken: Alexa asks which, and nobody can answer. */
  readonly sameNames: readonly string[]
}

export function reviewCameras(cameras: readonly Camera[]): Review {
  const told = cameras.filter(({ id }) => isEndpointId(id)).slice(0, ENDPOINT_LIMIT)
  const names = Map.groupBy(told.map(friendlyName), (name) => name.toLowerCase()).values()
  return {
    told,
    leftOut: cameras.filter((camera) => !told.includes(camera)),
    sameNames: [...names].filter(({ length }) => length > 1).map(([name]) => name!),
  }
}

/** A camera as an Alexa endpoint. */
export function describe(camera: Camera, promises: Promises): DiscoveredEndpoint {
  const isDoorbell = camera.kind === 'doorbell'
  const product = [camera.manufacturer, camera.model].map(tidy).filter(Boolean).join(' ')
  return {
    endpointId: camera.id,
    manufacturerName: cut(tidy(camera.manufacturer), 128) || 'Unknown',
    friendlyName: friendlyName(camera),
    description: cut([isDoorbell ? 'Doorbell' : 'Camera', product, roomOf(camera)].filter(Boolean).join(' '), 128),
    displayCategories: categories(camera),
    additionalAttributes: attributes(camera),
    capabilities: capabilities(camera, promises),
  }
}

/** An Echo Show opens the picture on a press only if CAMERA stands before DOORBELL. */
function categories({ kind, hasVideo = true }: Camera): DiscoveredEndpoint['displayCategories'] {
  if (!hasVideo) return kind === 'doorbell' ? ['DOORBELL'] : ['OTHER']
  return kind === 'doorbell' ? ['CAMERA', 'DOORBELL'] : ['CAMERA']
}

function capabilities(camera: Camera, { canSendEvents }: Promises): Capability[] {
  const { hasVideo = true, hasMotion = false, detects = [], streams = [], hasSnapshots = false } = camera
  return [
    { ...base, interface: 'Alexa' },
    // Without a picture it must be two-way (alexa-rtcsessioncontroller.html).
    ...when(hasVideo || camera.hasSpeaker, {
      ...base,
      interface: 'Alexa.RTCSessionController',
      // True only where received sound is played: otherwise Alexa opens a talk path that leads nowhere.
      configuration: { isFullDuplexAudioSupported: camera.hasSpeaker },
    }),
    {
      ...base,
      interface: 'Alexa.EndpointHealth',
      // The pages say 3.1, which differs from 3 by a `reason` that we do not send. Amazon's message schema knows only 3
      // and turns down the whole discovery for another number, so 3 is the one that is right by both.
      properties: retrievable('connectivity', canSendEvents),
    },
    ...when(camera.kind === 'doorbell' && canSendEvents, {
      ...base,
      interface: 'Alexa.DoorbellEventSource',
      proactivelyReported: true,
    }),
    ...when(hasMotion, {
      ...base,
      interface: 'Alexa.MotionSensor',
      properties: retrievable('detectionState', canSendEvents),
    }),
    ...when(detects.length > 0 && canSendEvents, {
      ...base,
      version: '1.0',
      interface: 'Alexa.SmartVision.ObjectDetectionSensor',
      properties: retrievable('objectDetectionClasses', true),
      configuration: { objectDetectionConfiguration: detects.map((imageNetClass) => ({ imageNetClass })) },
    }),
    ...when(hasSnapshots, { ...base, version: '1.1', interface: 'Alexa.SmartVision.SnapshotProvider' }),
    ...when(streams.length > 0, {
      ...base,
      interface: 'Alexa.CameraStreamController',
      cameraStreamConfigurations: streams.map(({ protocol, width, height, audioCodec }) => ({
        protocols: [protocol],
        resolutions: [{ width, height }],
        authorizationTypes: ['NONE'],
        videoCodecs: ['H264'],
        audioCodecs: [audioCodec],
      })),
    }),
  ]
}

const base = { type: 'AlexaInterface', version: '3' } as const

const when = (isSo: boolean, capability: Capability): Capability[] => (isSo ? [capability] : [])

/** `proactivelyReported` promises change reports; without them Alexa asks. */
function retrievable<const Name extends string>(name: Name, proactivelyReported: boolean) {
  return { supported: [{ name }] as [{ name: Name }], proactivelyReported, retrievable: true as const }
}

const roomOf = ({ room }: Camera) => (room === undefined ? '' : `in ${tidy(room)}`)

const endpointIdSchema = directives['Alexa/ReportState'].shape.directive.shape.endpoint.shape.endpointId

/** Whether Alexa can name the camera by its id; an id outside Amazon's characters fails the discovery of every camera. */
export function isEndpointId(id: string): boolean {
  return endpointIdSchema.safeParse(id).success
}

/**
 * What people say: letters with their marks, digits and single spaces, 128 at most (alexa-discovery-objects.html).
 * "Front door (left)" becomes "Front door left", "Kid's room" becomes "Kids room". What cannot be seen goes, and the marks of
 * what went: most emoji are a symbol with a variation selector, which is a mark.
 */
function friendlyName(camera: Camera): string {
  const spoken = camera.name
    .normalize('NFC')
    .replace(/['’\p{Default_Ignorable_Code_Point}\p{Me}]/gu, '')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .replace(/(?<![\p{L}\p{M}\p{N}])\p{M}+/gu, '')
    .trim()
  return cut(spoken, 128) || (camera.kind === 'doorbell' ? 'Doorbell' : 'Camera')
}

/**
 * ASCII letters, digits and punctuation (alexa-discovery.html, additionalAttributes): another character, or a backslash, was
 * reported to empty the whole discovery (alexa-smarthome issue 145). "Türwächter®" becomes "Turwachter"; what has a letter or
 * digit without such a form would be another name, and becomes empty.
 */
function plain(text: string): string {
  const bare = text.normalize('NFKD').replace(/[\p{M}\p{Cf}]+/gu, '')
  return /(?!\p{ASCII})[\p{L}\p{N}]/u.test(bare) ? '' : tidy(bare.replace(/[^ -~]|\\/gu, ' '))
}

function attributes(camera: Camera): DiscoveredEndpoint['additionalAttributes'] {
  const { manufacturer, model, serialNumber, firmwareVersion } = camera
  const present = Object.entries({ manufacturer, model, serialNumber, firmwareVersion })
    .map(([name, value]) => [name, cut(plain(value ?? ''), 256)] as const)
    .filter(([, value]) => value !== '')
  return Object.fromEntries(present)
}

const tidy = (text: string) => text.replace(/[\p{Cc}\s]+/gu, ' ').trim()

/** The first `length` code points: half a character would be refused, or heard. */
const cut = (text: string, length: number) => Array.from(text).slice(0, length).join('').trim()
