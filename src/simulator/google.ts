/** Google's part of a call: the intents of the cloud, then the player page in the display with its CORS rules. */

import { createHash, randomInt } from 'node:crypto'
import * as z from 'zod'
import type { Assistant, AssistantOptions, FoundCamera } from './assistant.ts'
import { CallError, type CauseCode } from './causes.ts'
import {
  accessStream,
  CAMERA_STREAM,
  executePayload,
  iceServersOf,
  queryPayload,
  stream,
  streamAttributes,
  syncPayload,
  type Stream,
} from './google-messages.ts'
import { checkCors, PLAYER_ORIGIN, preflight, watchManifest } from './google-page.ts'
import { jsonOf, mustFit, postJson, type Reply } from './http.ts'

/** What the surfaces of Google have been seen to ask for. */
const requests = {
  hub: { StreamToChromecast: true, SupportedStreamProtocols: ['webrtc'] },
  chromecast: {
    StreamToChromecast: true,
    SupportedStreamProtocols: ['progressive_mp4', 'hls', 'dash', 'smooth_stream'],
  },
  phone: { StreamToChromecast: false, SupportedStreamProtocols: ['webrtc', 'hls', 'dash'] },
} as const

export type Surface = keyof typeof requests
export const surfaces = Object.keys(requests) as Surface[]

export interface Google extends Assistant {
  /** Where the display's player posts its offer, and with which token; after `prepare`. */
  player(): { readonly signalingUrl: string; readonly token: string }
}

export function createGoogle(options: AssistantOptions, surface: Surface = 'hub'): Google {
  const { accessToken, note } = options
  let current: { readonly camera: FoundCamera; readonly stream: Stream } | undefined

  function open(): { readonly camera: FoundCamera; readonly stream: Stream } {
    if (current === undefined) throw new Error('there is no stream yet')
    return current
  }

  /** A POST of the player: always with its origin, and worth nothing to it unless the reply may be read. */
  async function signal(action: 'offer' | 'end', sdp: string | undefined, within: AbortSignal): Promise<Reply> {
    const { camera, stream } = open()
    const message = { action, deviceId: camera.id, ...(sdp === undefined ? {} : { sdp }) }
    const headers = { authorization: `Bearer ${stream.cameraStreamAuthToken}`, origin: PLAYER_ORIGIN }
    const reply = await postJson(stream.cameraStreamSignalingUrl, message, headers, within)
    checkCors(reply, `the reply to ${action}`)
    if (reply.status !== 200) throw new CallError('refused', `${action} has HTTP status ${reply.status}`)
    return reply
  }

  return {
    display: 'hub',
    answerRules: { ipv4Only: false },
    // Not documented; Google's quality metric is 2 s for the whole start, and players wait a little longer.
    answerWithinMs: 5000,

    async discover(within) {
      return discover(options, within)
    },

    async prepare(camera, within) {
      note('state', await stateOf(options, camera, within))
      const states = await openStream(options, camera, surface, within)
      const opened = readStream(states, surface, accessToken)
      note('stream', opened.kind === 'access' ? opened.stream.cameraStreamProtocol : originOf(opened.stream))
      if (opened.kind === 'access') {
        await watchManifest(opened.stream, within)
        return 'shown'
      }
      current = { camera, stream: opened.stream }
      await preflight(opened.stream.cameraStreamSignalingUrl, within)
      return iceServersOf(opened.stream)
    },

    async offer(sdp, within) {
      const reply = await signal('offer', sdp, within)
      const schema = z.strictObject({ action: z.literal('answer'), sdp: z.string().min(1) })
      return mustFit(schema, jsonOf(reply, 'answer_invalid', 'the answer'), 'answer_invalid', 'the answer').sdp
    },

    // The player tells nobody that media flows.
    connected: () => Promise.resolve(),

    async hangUp(within) {
      const reply = await signal('end', undefined, within)
      mustFit(
        z.strictObject({}),
        jsonOf(reply, 'reply_invalid', 'the reply to end'),
        'reply_invalid',
        'the reply to end',
      )
    },

    player() {
      const { cameraStreamSignalingUrl: signalingUrl, cameraStreamAuthToken: token } = open().stream
      return { signalingUrl, token }
    },

    reference() {
      return createHash('sha256').update(open().stream.cameraStreamAuthToken).digest('base64url').slice(0, 22)
    },
  }
}

async function discover(options: AssistantOptions, within: AbortSignal): Promise<readonly FoundCamera[]> {
  const { devices } = await ask(options, 'SYNC', undefined, syncPayload, 'discovery_invalid', within)
  const ids = devices.map(({ id }) => id)
  if (new Set(ids).size !== ids.length) throw new CallError('discovery_invalid', 'a device id stands there twice')
  return devices.flatMap((found) => {
    if (!found.traits.includes(CAMERA_STREAM)) return []
    const attributes = mustFit(streamAttributes, found.attributes, 'discovery_invalid', `the attributes of ${found.id}`)
    // Google announces no talk-back: whether there is one shows in the answer.
    return attributes.cameraStreamSupportedProtocols.includes('webrtc')
      ? [{ id: found.id, name: found.name.name, isTwoWay: false }]
      : []
  })
}

/** QUERY: the camera's state, as a line. */
async function stateOf(options: AssistantOptions, camera: FoundCamera, within: AbortSignal): Promise<string> {
  const query = { devices: [{ id: camera.id }] }
  const { devices } = await ask(options, 'QUERY', query, queryPayload, 'state_invalid', within)
  const state = devices[camera.id]
  if (state === undefined) throw new CallError('state_invalid', 'QUERY was answered without the camera')
  return `online ${state.online}, ${state.status}${state.errorCode === undefined ? '' : ` ${state.errorCode}`}`
}

/** EXECUTE GetCameraStream: what it says of the stream. */
async function openStream(options: AssistantOptions, camera: FoundCamera, surface: Surface, within: AbortSignal) {
  const params = requests[surface]
  const execution = [{ command: 'action.devices.commands.GetCameraStream', params }]
  const command = { commands: [{ devices: [{ id: camera.id }], execution }] }
  const { commands } = await ask(options, 'EXECUTE', command, executePayload, 'stream_invalid', within)
  const result = commands.find(({ ids }) => ids.includes(camera.id))
  if (result === undefined) throw new CallError('stream_invalid', 'EXECUTE was answered without the camera')
  const { status, errorCode, states } = result
  if (errorCode === 'functionNotSupported')
    throw new CallError('not_supported', `the ${surface} can do ${params.SupportedStreamProtocols.join(', ')}`)
  if (status !== 'SUCCESS')
    throw new CallError('refused', `GetCameraStream was answered ${status} ${errorCode ?? 'without an error code'}`)
  return states
}

/** A stream over WebRTC, or one at an address, for surfaces that have none. */
type Opened =
  | { readonly kind: 'webrtc'; readonly stream: Stream }
  | { readonly kind: 'access'; readonly stream: z.infer<typeof accessStream> }

function readStream(
  states: Readonly<Record<string, unknown>> | undefined,
  surface: Surface,
  userToken: string,
): Opened {
  const what = 'the result of GetCameraStream'
  const opened: Opened =
    states?.['cameraStreamProtocol'] === 'webrtc'
      ? { kind: 'webrtc', stream: mustFit(stream, states, 'stream_invalid', what) }
      : { kind: 'access', stream: mustFit(accessStream, states, 'stream_invalid', what) }
  const { cameraStreamProtocol: protocol, cameraStreamAuthToken: token } = opened.stream
  const asked: readonly string[] = requests[surface].SupportedStreamProtocols
  if (opened.kind === 'access' && !asked.includes(protocol))
    throw new CallError('stream_invalid', `${protocol} was not asked for`)
  if (token === userToken) throw new CallError('stream_invalid', "the stream's token is the user's own access token")
  return opened
}

const originOf = ({ cameraStreamSignalingUrl }: Stream): string => new URL(cameraStreamSignalingUrl).origin

/** Sends one intent and returns the payload of its reply. Throws `refused`, or `code` for a reply that is not as it must be. */
async function ask<T>(
  { bridge, accessToken }: AssistantOptions,
  intent: string,
  payload: object | undefined,
  schema: z.ZodType<T>,
  code: CauseCode,
  signal: AbortSignal,
) {
  // Long decimal numbers, as Google's cloud sends them; the schema's uuid is out of date.
  const requestId = `${randomInt(1, 2 ** 47)}${randomInt(1, 2 ** 20)}`
  const input = { intent: `action.devices.${intent}`, ...(payload === undefined ? {} : { payload }) }
  const headers = { authorization: `Bearer ${accessToken}` }
  const reply = await postJson(`${bridge}/google/fulfillment`, { requestId, inputs: [input] }, headers, signal)
  const what = `the reply to ${intent}`
  if (reply.status !== 200) throw new CallError('refused', `${intent} has HTTP status ${reply.status}`)
  const envelope = z.strictObject({ requestId: z.literal(requestId), payload: z.looseObject({}) })
  const answered = mustFit(envelope, jsonOf(reply, code, what), code, what).payload
  if (typeof answered.errorCode === 'string')
    throw new CallError('refused', `${intent} was answered ${answered.errorCode}`)
  return mustFit(schema, answered, code, what)
}
