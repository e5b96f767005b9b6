/** Tells Alexa, unasked, what happened: events to the gateway of the customer's region (send-events.html). */
import { createHash } from 'node:crypto'
import type { Deliver, Delivery, Outgoing } from '../outbox/outbox.ts'
import type { AccountId, Camera, CameraId, CameraState, Clock, Log } from '../ports.ts'
import { eventGatewayRefusal, type ProactiveEvent } from '../wire/alexa.ts'
import { describe, isEndpointId } from './discovery.ts'
import type { AlexaGrants } from './grants.ts'
import { whyFailed } from './lwa.ts'
import { alexaNews } from './news.ts'
import { allProperties, connectivity, detectionState } from './properties.ts'
import { alexaRegions, gatewayUrls, type AlexaRegion } from './region.ts'
import { header, instant } from './reply.ts'

export interface AlexaDeliverDeps {
  readonly grants: Pick<AlexaGrants, 'bearer' | 'forget' | 'moved'>
  readonly cameras: { find(accountId: AccountId, cameraId: CameraId): Promise<Camera | undefined> }
  readonly stateOf: (camera: Camera) => Promise<CameraState>
  readonly isOnline: (camera: Camera) => boolean | undefined
  /** Default: Amazon's. */
  readonly gatewayUrls?: Readonly<Record<AlexaRegion, string>>
  readonly clock: Clock
  readonly log: Log
}

/** What an account that has granted nothing is dropped with; not a fault. */
export const NOT_LINKED = 'not linked with Alexa'

interface Answer {
  readonly status: number
  readonly code: string
  /** Milliseconds, of the Retry-After field. */
  readonly afterMs?: number
}

/** Delivers what `newsForAlexa` put into the outbox: looks up how things are now, and tells that. */
export function createAlexaDeliver(deps: AlexaDeliverDeps): Deliver {
  const { grants, log } = deps
  const urls = deps.gatewayUrls ?? gatewayUrls

  return async (outgoing, signal) => {
    const { accountId } = outgoing
    let rejected: string | undefined
    for (;;) {
      const bearer = await grants.bearer(accountId, rejected)
      if (bearer.kind === 'no-grant') return { kind: 'drop', reason: NOT_LINKED }
      if (bearer.kind === 'unavailable') return { kind: 'retry', reason: bearer.reason }
      const event = await compose(deps, outgoing, bearer.token)
      if (event === undefined) return { kind: 'drop', reason: 'there is no such camera any more' }
      const answer = await sendToRegions(event, accountId, bearer, signal)
      if (answer.status === 401 && rejected === undefined) {
        // Once with the token we have; if Alexa turns that down, once more with a new one.
        rejected = bearer.token
        continue
      }
      return judge(accountId, answer, bearer.token)
    }
  }

  /**
   * A region that says that the customer never enabled the skill is usually the wrong one (send-events.html): the others are
   * asked in turn, and the one that takes the event is kept. The same is said for a moment after enabling, hence a retry.
   */
  async function sendToRegions(
    event: ProactiveEvent,
    accountId: AccountId,
    { token, region }: { readonly token: string; readonly region: AlexaRegion },
    signal: AbortSignal,
  ): Promise<Answer> {
    const first = await post(urls[region], event, token, signal)
    if (first.code !== 'SKILL_NEVER_ENABLED_EXCEPTION') return first
    for (const other of alexaRegions) {
      if (other === region || urls[other] === urls[region]) continue
      // One region that cannot be reached does not hide the next.
      const answer = await post(urls[other], event, token, signal).catch(() => undefined)
      signal.throwIfAborted()
      if (answer?.status === 202) {
        await grants.moved(accountId, other)
        return answer
      }
    }
    return first
  }

  async function judge(accountId: AccountId, { status, code, afterMs }: Answer, token: string): Promise<Delivery> {
    if (status === 202) return { kind: 'done' }
    const reason = `${status} ${code}`
    // A new token is turned down as well, or the skill was disabled: either way the customer has withdrawn.
    if (status === 401 || code === 'SKILL_DISABLED_EXCEPTION') {
      await grants.forget(accountId, `event gateway: ${reason}`, { token })
      return { kind: 'drop', reason }
    }
    if (code === 'INSUFFICIENT_PERMISSION_EXCEPTION') {
      log('error', 'alexa.permission_missing', {
        hint: 'the skill lacks the permission to send events: see docs/alexa.md',
      })
    }
    const mayHelp = status === 429 || status >= 500 || code === 'SKILL_NEVER_ENABLED_EXCEPTION'
    if (!mayHelp) return { kind: 'drop', reason }
    return { kind: 'retry', reason, ...(afterMs !== undefined && { afterMs }) }
  }
}

async function post(url: string, event: ProactiveEvent, token: string, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(event),
      redirect: 'error',
      signal,
    })
    // An answer without a readable code is judged by its status alone.
    const body = eventGatewayRefusal.safeParse(await response.json().catch(() => undefined))
    const seconds = Number(response.headers.get('retry-after') ?? 'none')
    return {
      status: response.status,
      code: body.success ? body.data.payload.code : 'no code',
      ...(seconds >= 0 && seconds <= 3600 && { afterMs: seconds * 1000 }),
    }
  } catch (thrown) {
    throw new Error(whyFailed(thrown), { cause: thrown })
  }
}

/** The message as of now, or `undefined` when there is nothing left to tell. */
async function compose(
  deps: AlexaDeliverDeps,
  { id, accountId, cameraId, body, at }: Outgoing,
  token: string,
): Promise<ProactiveEvent | undefined> {
  const news = alexaNews.parse(body)
  if (cameraId === undefined || !isEndpointId(cameraId)) return undefined
  // The same event has the same message id, so that a repetition after a crash can be told from a second press.
  const messageId = uuidOf(id)
  const scope = { type: 'BearerToken' as const, token }
  const camera = await deps.cameras.find(accountId, cameraId)
  if (camera === undefined) {
    if (news.kind !== 'description') return undefined
    return {
      event: {
        header: header('Alexa.Discovery', 'DeleteReport', messageId),
        payload: { endpoints: [{ endpointId: cameraId }], scope },
      },
    }
  }
  const endpoint = { scope, endpointId: cameraId }
  /** A change comes with the properties that did not change. */
  const unchanged = (state: CameraState, changed: string) =>
    allProperties(camera, state, { isOnline: deps.isOnline(camera), canSendEvents: true }, deps.clock()).filter(
      ({ namespace }) => namespace !== changed,
    )
  switch (news.kind) {
    case 'press':
      return {
        context: {},
        event: {
          header: header('Alexa.DoorbellEventSource', 'DoorbellPress', messageId),
          endpoint,
          payload: { cause: { type: 'PHYSICAL_INTERACTION' }, timestamp: instant(at) },
        },
      }
    case 'motion':
      return {
        context: { properties: unchanged({}, 'Alexa.MotionSensor') },
        event: {
          header: header('Alexa', 'ChangeReport', messageId),
          endpoint,
          payload: {
            change: { cause: { type: 'PHYSICAL_INTERACTION' }, properties: [detectionState(news.isDetected, at)] },
          },
        },
      }
    case 'online':
      return {
        context: { properties: unchanged(await deps.stateOf(camera), 'Alexa.EndpointHealth') },
        event: {
          header: header('Alexa', 'ChangeReport', messageId),
          endpoint,
          payload: { change: { cause: { type: 'PERIODIC_POLL' }, properties: [connectivity(news.isOnline, at)] } },
        },
      }
    case 'person':
      return {
        event: {
          header: header('Alexa.SmartVision.ObjectDetectionSensor', 'ObjectDetection', messageId),
          endpoint,
          payload: {
            events: [
              {
                eventIdentifier: messageId,
                imageNetClass: 'person',
                timeOfSample: instant(at),
                uncertaintyInMilliseconds: 0,
              },
            ],
          },
        },
      }
    case 'description':
      return {
        event: {
          header: header('Alexa.Discovery', 'AddOrUpdateReport', messageId),
          payload: { endpoints: [describe(camera, { canSendEvents: true })], scope },
        },
      }
  }
}

/** A name as a UUID of version 8 (RFC 9562 section 5.8). */
function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
