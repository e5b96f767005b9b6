/** The events that Alexa is sent unasked, each made as things are when it leaves (send-events.html). */
import { createHash } from 'node:crypto'
import type * as z from 'zod'
import type { AccountId, Camera, CameraId, CameraState, Clock } from 'transom-core/ports'
import type { ProactiveEvent } from 'transom-core/wire/alexa'
import type { Outgoing } from '../outbox/outgoing.ts'
import { describe, isEndpointId } from './discovery.ts'
import { alexaNews } from './news.ts'
import { allProperties, connectivity, detectionState } from './properties.ts'
import { header, instant } from './reply.ts'

export interface ComposeDeps {
  readonly cameras: { find(accountId: AccountId, cameraId: CameraId): Promise<Camera | undefined> }
  readonly stateOf: (camera: Camera) => Promise<CameraState>
  readonly isOnline: (camera: Camera) => boolean | undefined
  readonly clock: Clock
}

type News = z.infer<typeof alexaNews>

/** Whom an event is about, and what is the same in each of them. */
interface Facts {
  readonly camera: Camera
  readonly endpointId: string
  readonly scope: { readonly type: 'BearerToken'; readonly token: string }
  readonly messageId: string
  readonly at: number
}

/** The message as of now, with the customer's bearer token; `undefined` when there is nothing left to tell. */
export async function compose(
  deps: ComposeDeps,
  { id, accountId, cameraId, body, at }: Outgoing,
  token: string,
): Promise<ProactiveEvent | undefined> {
  const news = alexaNews.parse(body)
  if (cameraId === undefined || !isEndpointId(cameraId)) return undefined
  // The same event has the same message id, so that a repetition after a crash can be told from a second press.
  const messageId = uuidOf(id)
  const scope = { type: 'BearerToken' as const, token }
  const camera = await deps.cameras.find(accountId, cameraId)
  if (camera !== undefined) return eventOf(deps, news, { camera, endpointId: cameraId, scope, messageId, at })
  if (news.kind !== 'description') return undefined
  return {
    event: {
      header: header('Alexa.Discovery', 'DeleteReport', messageId),
      payload: { endpoints: [{ endpointId: cameraId }], scope },
    },
  }
}

async function eventOf(deps: ComposeDeps, news: News, facts: Facts): Promise<ProactiveEvent> {
  const { camera, scope, messageId, at } = facts
  switch (news.kind) {
    case 'press':
      return doorbellPress(facts)
    case 'motion': {
      const change = { cause: 'PHYSICAL_INTERACTION', property: detectionState(news.isDetected, at) } as const
      // Of the rest only the connection counts, and that is in the state where the bridge does not see it itself.
      const state = deps.isOnline(camera) === undefined ? await deps.stateOf(camera) : {}
      return changeReport(facts, change, unchanged(deps, camera, state, 'Alexa.MotionSensor'))
    }
    case 'online': {
      const change = { cause: 'PERIODIC_POLL', property: connectivity(news.isOnline, at) } as const
      return changeReport(facts, change, unchanged(deps, camera, await deps.stateOf(camera), 'Alexa.EndpointHealth'))
    }
    case 'person':
      return objectDetection(facts)
    case 'description':
      return {
        event: {
          header: header('Alexa.Discovery', 'AddOrUpdateReport', messageId),
          payload: { endpoints: [describe(camera, { canSendEvents: true })], scope },
        },
      }
  }
}

function doorbellPress({ scope, endpointId, messageId, at }: Facts): ProactiveEvent {
  return {
    context: {},
    event: {
      header: header('Alexa.DoorbellEventSource', 'DoorbellPress', messageId),
      endpoint: { scope, endpointId },
      payload: { cause: { type: 'PHYSICAL_INTERACTION' }, timestamp: instant(at) },
    },
  }
}

type Properties = ReturnType<typeof allProperties>

function changeReport(
  { scope, endpointId, messageId }: Facts,
  change: { readonly cause: 'PHYSICAL_INTERACTION' | 'PERIODIC_POLL'; readonly property: Properties[number] },
  properties: Properties,
): ProactiveEvent {
  return {
    context: { properties },
    event: {
      header: header('Alexa', 'ChangeReport', messageId),
      endpoint: { scope, endpointId },
      payload: { change: { cause: { type: change.cause }, properties: [change.property] } },
    },
  }
}

/** A change comes with the properties that did not change. */
function unchanged({ isOnline, clock }: ComposeDeps, camera: Camera, state: CameraState, changed: string): Properties {
  const properties = allProperties(camera, state, { isOnline: isOnline(camera), canSendEvents: true }, clock())
  return properties.filter(({ namespace }) => namespace !== changed)
}

function objectDetection({ scope, endpointId, messageId, at }: Facts): ProactiveEvent {
  const seen = {
    eventIdentifier: messageId,
    imageNetClass: 'person',
    timeOfSample: instant(at),
    uncertaintyInMilliseconds: 0,
  } as const
  return {
    event: {
      header: header('Alexa.SmartVision.ObjectDetectionSensor', 'ObjectDetection', messageId),
      endpoint: { scope, endpointId },
      payload: { events: [seen] },
    },
  }
}

/** A name as a UUID of version 8 (RFC 9562 section 5.8). */
function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
