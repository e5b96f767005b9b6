/** Alexa's part of a call: the directives that Amazon's cloud sends, and what it demands of the replies. */

import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import { exchange, scopeOf } from './alexa-exchange.ts'
import {
  answerPayload,
  discoveryPayload,
  emptyPayload,
  type Endpoint,
  endpointProblems,
  interfaces,
} from './alexa-messages.ts'
import type { Assistant, AssistantOptions, FoundCamera } from './assistant.ts'
import { CallError } from './causes.ts'

export function createAlexa(options: AssistantOptions): Assistant {
  const { note } = options
  // Opaque to the bridge, and deliberately no UUID: the documentation promises none.
  const sessionId = `amzn1.rtc.session.${randomBytes(24).toString('base64url')}`
  const scope = scopeOf(options)
  let endpoints: readonly Endpoint[] = []
  let endpointId = ''

  /** SessionConnected and SessionDisconnected are answered by an event of the same name and payload. */
  async function tell(name: string, signal: AbortSignal): Promise<void> {
    const words = [interfaces.rtc, name] as const
    const replyPayload = z.strictObject({ sessionId: z.literal(sessionId) })
    await exchange(
      options,
      { directive: words, reply: words, payload: { sessionId }, replyPayload, endpointId, code: 'reply_invalid' },
      signal,
    )
  }

  return {
    display: 'echo',
    answerRules: { ipv4Only: true },
    // RTCSessionController, "prerequisites and SLA".
    answerWithinMs: 6000,

    async discover(signal) {
      const found = await exchange(
        options,
        {
          directive: ['Alexa.Discovery', 'Discover'],
          reply: ['Alexa.Discovery', 'Discover.Response'],
          payload: { scope },
          replyPayload: discoveryPayload,
          code: 'discovery_invalid',
        },
        signal,
      )
      endpoints = found.event.payload.endpoints
      const problems = endpoints.flatMap((endpoint) =>
        endpointProblems(endpoint).map((problem) => `${endpoint.endpointId}: ${problem}`),
      )
      if (problems.length > 0) throw new CallError('discovery_invalid', problems.join('; '))
      return endpoints.flatMap(cameraOf)
    },

    async acceptGrant(code, signal) {
      await exchange(
        options,
        {
          directive: ['Alexa.Authorization', 'AcceptGrant'],
          reply: ['Alexa.Authorization', 'AcceptGrant.Response'],
          payload: { grant: { type: 'OAuth2.AuthorizationCode', code }, grantee: scope },
          replyPayload: emptyPayload,
          code: 'grant_refused',
        },
        signal,
      )
    },

    async prepare(camera, signal) {
      endpointId = camera.id
      const wanted = retrievableOf(endpoints.find((endpoint) => endpoint.endpointId === camera.id))
      if (wanted.length === 0) return []
      note('state', await stateOf(options, endpointId, wanted, signal))
      // Echo displays are given no ICE servers: Amazon's media servers have public addresses.
      return []
    },

    async offer(sdp, signal) {
      const answer = await exchange(
        options,
        {
          directive: [interfaces.rtc, 'InitiateSessionWithOffer'],
          reply: [interfaces.rtc, 'AnswerGeneratedForSession'],
          payload: { sessionId, offer: { format: 'SDP', value: sdp } },
          replyPayload: answerPayload,
          endpointId,
          code: 'answer_invalid',
        },
        signal,
      )
      return answer.event.payload.answer.value
    },

    connected: (signal) => tell('SessionConnected', signal),
    hangUp: (signal) => tell('SessionDisconnected', signal),
    reference: () => sessionId,
  }
}

/** ReportState: the camera's properties as a line, or why the bridge reports none. Throws when one of `wanted` is missing. */
async function stateOf(
  options: AssistantOptions,
  endpointId: string,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  try {
    const report = await exchange(
      options,
      {
        directive: ['Alexa', 'ReportState'],
        reply: ['Alexa', 'StateReport'],
        payload: {},
        replyPayload: emptyPayload,
        endpointId,
        code: 'state_invalid',
      },
      signal,
    )
    const properties = report.context?.properties ?? []
    const missing = wanted.filter((name) => !properties.some((each) => `${each.namespace}.${each.name}` === name))
    if (missing.length > 0) throw new CallError('state_invalid', `the StateReport lacks ${missing.join(', ')}`)
    return properties.map(({ name, value }) => `${name} ${plain(value)}`).join(', ')
  } catch (error) {
    // An Echo asked to show a camera tries it whatever its state: what counts is the reply to the offer.
    if (!(error instanceof CallError) || error.code !== 'refused') throw error
    return error.message
  }
}

function cameraOf({ endpointId, friendlyName, capabilities }: Endpoint): FoundCamera[] {
  const rtc = capabilities.find((capability) => capability.interface === interfaces.rtc)
  if (rtc === undefined) return []
  return [{ id: endpointId, name: friendlyName, isTwoWay: rtc.configuration?.isFullDuplexAudioSupported === true }]
}

/** Most values are a word, or an object around one: `{"value":"OK"}`. */
function plain(value: unknown): string {
  const inner = typeof value === 'object' && value !== null && 'value' in value ? value.value : value
  return typeof inner === 'string' ? inner : JSON.stringify(inner)
}

/** The properties that a StateReport must hold, as `interface.property`. */
function retrievableOf(endpoint: Endpoint | undefined): readonly string[] {
  return (endpoint?.capabilities ?? [])
    .filter(({ properties }) => properties?.retrievable === true)
    .flatMap(
      (capability) => capability.properties?.supported.map(({ name }) => `${capability.interface}.${name}`) ?? [],
    )
}
