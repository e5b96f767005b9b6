/** Tells Alexa, unasked, that somebody rang: events to the event gateway (send-events.html, alexa-doorbelleventsource.html). */
import type { Camera, Clock, Log } from '../ports.ts'
import { eventGatewayRefusal, type DoorbellPress } from '../wire/alexa.ts'
import { within } from '../deadline.ts'
import type { AlexaGrants } from './grants.ts'
import { whyFailed } from './lwa.ts'
import { header } from './reply.ts'

/** North America and the default; Europe and the Far East have their own. */
const EVENT_GATEWAY_URL = 'https://api.amazonalexa.com/v3/events'
const DEFAULT_DEADLINE_MS = 10_000

/** What became of an event. */
export type Delivery =
  | { readonly kind: 'accepted' }
  /** The account has not granted us to send events, or has taken it back. */
  | { readonly kind: 'no-grant' }
  /** `isRetryable`: the same event may get through later. `status` is absent when no HTTP answer came. */
  | { readonly kind: 'failed'; readonly isRetryable: boolean; readonly reason: string; readonly status?: number }

export interface AlexaEvents {
  /** Sends a press of the doorbell at `at` (epoch milliseconds). Never rejects: the outcome is returned, and logged. */
  doorbellPress(camera: Camera, at: number, eventId: string): Promise<Delivery>
}

export function createAlexaEvents(deps: {
  readonly grants: Pick<AlexaGrants, 'bearer' | 'forget'>
  readonly gatewayUrl?: string
  /** For one event in all, token refresh and second try included. Default 10000. */
  readonly deadlineMs?: number
  readonly clock: Clock
  readonly log: Log
}): AlexaEvents {
  const { grants, gatewayUrl = EVENT_GATEWAY_URL, deadlineMs = DEFAULT_DEADLINE_MS, clock, log } = deps

  async function doorbellPress(camera: Camera, at: number, eventId: string): Promise<Delivery> {
    const startedAt = clock()
    const facts = { cameraId: camera.id, eventId }
    const outcome = await within(
      deadlineMs,
      (signal) => deliver(camera, at, signal),
      (late) => log('warn', 'alexa.event_failed_late', { ...facts, reason: whyFailed(late) }),
    ).catch((thrown): Delivery => ({ kind: 'failed', isRetryable: true, reason: whyFailed(thrown) }))
    const level = outcome.kind === 'failed' ? 'error' : 'info'
    log(level, 'alexa.doorbell_press', { ...facts, ...outcome, outcome: outcome.kind, ms: clock() - startedAt })
    return outcome
  }

  /** Once with the token we have; if Alexa turns that down, once more with a new one. */
  async function deliver(camera: Camera, at: number, signal: AbortSignal): Promise<Delivery> {
    const messageHeader = header('Alexa.DoorbellEventSource', 'DoorbellPress')
    let rejected: string | undefined
    for (;;) {
      const bearer = await grants.bearer(camera.accountId, rejected)
      if (bearer.kind === 'no-grant') return bearer
      if (bearer.kind === 'unavailable') return { kind: 'failed', isRetryable: true, reason: bearer.reason }
      signal.throwIfAborted()
      const answer = await post(pressEvent(messageHeader, camera, at, bearer.token), bearer.token, signal)
      if (answer.status === 202) return { kind: 'accepted' }
      if (answer.status === 401 && rejected === undefined) {
        rejected = bearer.token
        continue
      }
      // A new token is turned down as well, or the skill was disabled: either way the customer has withdrawn.
      if (answer.status === 401 || answer.code === 'SKILL_DISABLED_EXCEPTION') {
        await grants.forget(camera.accountId, `event gateway: ${answer.status} ${answer.code}`)
        return { kind: 'no-grant' }
      }
      return { kind: 'failed', isRetryable: isRetryable(answer), reason: answer.code, status: answer.status }
    }
  }

  async function post(event: DoorbellPress, token: string, signal: AbortSignal): Promise<GatewayAnswer> {
    const response = await fetch(gatewayUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(event),
      redirect: 'error',
      signal,
    })
    // An answer without a readable code is judged by its status alone.
    const body = eventGatewayRefusal.safeParse(await response.json().catch(() => undefined))
    return { status: response.status, code: body.success ? body.data.payload.code : 'no code' }
  }

  return { doorbellPress }
}

interface GatewayAnswer {
  readonly status: number
  readonly code: string
}

/** SKILL_NEVER_ENABLED is also seen for a short while after the skill was enabled. */
function isRetryable({ status, code }: GatewayAnswer): boolean {
  return status === 429 || status >= 500 || code === 'SKILL_NEVER_ENABLED_EXCEPTION'
}

/** The token stands in the body as well as in the header: the gateway compares them. */
function pressEvent(
  messageHeader: DoorbellPress['event']['header'],
  camera: Camera,
  at: number,
  token: string,
): DoorbellPress {
  return {
    context: {},
    event: {
      header: messageHeader,
      endpoint: { scope: { type: 'BearerToken', token }, endpointId: camera.id },
      payload: {
        cause: { type: 'PHYSICAL_INTERACTION' },
        // Whole seconds: Amazon's message schema allows no fraction here.
        timestamp: `${new Date(at).toISOString().slice(0, 19)}Z`,
      },
    },
  }
}
