/** Google's part of a call: the intents of the cloud, then the player page in the display with its CORS rules. */

import { createHash, randomInt } from 'node:crypto'
import * as z from 'zod'
import type { IceServer } from 'transom-core/ports'
import type { Assistant, AssistantOptions, FoundCamera } from './assistant.ts'
import { isLoopback } from './browser.ts'
import { CallError, type CauseCode } from './causes.ts'
import { jsonOf, mustFit, postJson, type Reply, send } from './http.ts'

/** The page that plays the stream is served from here. */
const PLAYER_ORIGIN = 'https://www.gstatic.com'

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

const CAMERA_STREAM = 'action.devices.traits.CameraStream'

const someText = z.string().min(1)

const device = z.strictObject({
  id: someText,
  type: z.string().regex(/^action\.devices\.types\.[A-Z_]+$/),
  traits: z.array(z.string().regex(/^action\.devices\.traits\.[A-Za-z]+$/)).min(1),
  name: z.strictObject({
    name: someText.max(60),
    defaultNames: z.array(someText).optional(),
    nicknames: z.array(someText).optional(),
  }),
  willReportState: z.boolean(),
  notificationSupportedByAgent: z.boolean().optional(),
  roomHint: someText.optional(),
  structureHint: someText.optional(),
  deviceInfo: z
    .strictObject({ manufacturer: someText, model: someText, hwVersion: someText, swVersion: someText })
    .partial()
    .optional(),
  attributes: z.record(z.string(), z.unknown()).optional(),
  customData: z
    .record(z.string(), z.unknown())
    .refine((data) => Buffer.byteLength(JSON.stringify(data)) <= 512, 'is larger than 512 bytes')
    .optional(),
  otherDeviceIds: z.array(z.strictObject({ agentId: someText.optional(), deviceId: someText })).optional(),
})

const streamAttributes = z.object({
  cameraStreamSupportedProtocols: z.array(z.enum(['hls', 'dash', 'smooth_stream', 'progressive_mp4', 'webrtc'])).min(1),
  cameraStreamNeedAuthToken: z.literal(true),
})

const syncPayload = z.strictObject({ agentUserId: someText, devices: z.array(device) })

const queryPayload = z.strictObject({
  devices: z.record(
    z.string(),
    z.looseObject({
      online: z.boolean(),
      status: z.enum(['SUCCESS', 'OFFLINE', 'EXCEPTIONS', 'ERROR']),
      errorCode: someText.optional(),
    }),
  ),
})

const commandResult = z.strictObject({
  ids: z.array(someText).min(1),
  status: z.enum(['SUCCESS', 'PENDING', 'OFFLINE', 'EXCEPTIONS', 'ERROR']),
  states: z.record(z.string(), z.unknown()).optional(),
  errorCode: someText.optional(),
})

const executePayload = z.strictObject({ commands: z.array(commandResult).min(1) })

const stream = z.strictObject({
  online: z.literal(true),
  cameraStreamProtocol: z.literal('webrtc'),
  cameraStreamSignalingUrl: z.url().refine(isReachable, 'must be HTTPS'),
  cameraStreamAuthToken: someText,
  // Google wants the list as a string that holds JSON.
  cameraStreamIceServers: someText.optional(),
})

const accessStream = z.strictObject({
  online: z.literal(true),
  cameraStreamProtocol: z.enum(['hls', 'dash', 'smooth_stream', 'progressive_mp4']),
  cameraStreamAccessUrl: z.url().refine(isReachable, 'must be HTTPS'),
  // Without it Google would hand out the user's own.
  cameraStreamAuthToken: someText,
})

const iceServers = z.array(
  z.object({
    urls: z.union([someText.transform((url) => [url]), z.array(someText).min(1)]),
    username: someText.optional(),
    credential: someText.optional(),
  }),
)

type Stream = z.infer<typeof stream>

export interface Google extends Assistant {
  /** Where the display's player posts its offer, and with which token; after `prepare`. */
  player(): { readonly signalingUrl: string; readonly token: string }
}

export function createGoogle({ bridge, accessToken, note }: AssistantOptions, surface: Surface = 'hub'): Google {
  let current: { readonly camera: FoundCamera; readonly stream: Stream } | undefined

  async function ask<T>(
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
      const { devices } = await ask('SYNC', undefined, syncPayload, 'discovery_invalid', within)
      const ids = devices.map(({ id }) => id)
      if (new Set(ids).size !== ids.length) throw new CallError('discovery_invalid', 'a device id stands there twice')
      return devices.flatMap((found) => {
        if (!found.traits.includes(CAMERA_STREAM)) return []
        const attributes = mustFit(
          streamAttributes,
          found.attributes,
          'discovery_invalid',
          `the attributes of ${found.id}`,
        )
        // Google announces no talk-back: whether there is one shows in the answer.
        return attributes.cameraStreamSupportedProtocols.includes('webrtc')
          ? [{ id: found.id, name: found.name.name, isTwoWay: false }]
          : []
      })
    },

    async prepare(camera, within) {
      const devices = [{ id: camera.id }]
      const states = (await ask('QUERY', { devices }, queryPayload, 'state_invalid', within)).devices
      const state = states[camera.id]
      if (state === undefined) throw new CallError('state_invalid', 'QUERY was answered without the camera')
      note(
        'state',
        `online ${state.online}, ${state.status}${state.errorCode === undefined ? '' : ` ${state.errorCode}`}`,
      )

      const params = requests[surface]
      const execution = [{ command: 'action.devices.commands.GetCameraStream', params }]
      const { commands } = await ask(
        'EXECUTE',
        { commands: [{ devices, execution }] },
        executePayload,
        'stream_invalid',
        within,
      )
      const result = commands.find(({ ids }) => ids.includes(camera.id))
      if (result === undefined) throw new CallError('stream_invalid', 'EXECUTE was answered without the camera')
      if (result.errorCode === 'functionNotSupported')
        throw new CallError('not_supported', `the ${surface} can do ${params.SupportedStreamProtocols.join(', ')}`)
      if (result.status !== 'SUCCESS') {
        throw new CallError(
          'refused',
          `GetCameraStream was answered ${result.status} ${result.errorCode ?? 'without an error code'}`,
        )
      }
      if (result.states?.['cameraStreamProtocol'] !== 'webrtc') {
        const access = mustFit(accessStream, result.states, 'stream_invalid', 'the result of GetCameraStream')
        const asked: readonly string[] = params.SupportedStreamProtocols
        if (!asked.includes(access.cameraStreamProtocol))
          throw new CallError('stream_invalid', `${access.cameraStreamProtocol} was not asked for`)
        if (access.cameraStreamAuthToken === accessToken)
          throw new CallError('stream_invalid', "the stream's token is the user's own access token")
        note('stream', access.cameraStreamProtocol)
        await watchManifest(access, within)
        return 'shown'
      }
      const opened = mustFit(stream, result.states, 'stream_invalid', 'the result of GetCameraStream')
      if (opened.cameraStreamAuthToken === accessToken) {
        throw new CallError('stream_invalid', "the stream's token is the user's own access token")
      }
      current = { camera, stream: opened }
      note('stream', new URL(opened.cameraStreamSignalingUrl).origin)
      await preflight(opened.cameraStreamSignalingUrl, within)
      return iceServersOf(opened)
    },

    async offer(sdp, within) {
      const reply = await signal('offer', sdp, within)
      const schema = z.strictObject({ action: z.literal('answer'), sdp: someText })
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

/** What a Cast receiver fetches first; a page of another origin, it needs leave to read it. */
async function watchManifest(
  { cameraStreamAccessUrl: url, cameraStreamProtocol: protocol }: z.infer<typeof accessStream>,
  signal: AbortSignal,
): Promise<void> {
  const { status, headers, body } = await send(url, { headers: { origin: PLAYER_ORIGIN } }, signal)
  if (status !== 200) throw new CallError('no_video', `the ${protocol} address has HTTP status ${status}`)
  if (!['*', PLAYER_ORIGIN].includes(headers.get('access-control-allow-origin') ?? ''))
    throw new CallError('cors_refused', `the ${protocol} address does not allow pages of other origins`)
  const isManifest = protocol === 'hls' ? body.startsWith('#EXTM3U') : protocol !== 'dash' || body.includes('<MPD')
  if (!isManifest) throw new CallError('no_video', `what the ${protocol} address has is no manifest`)
}

/** The browser's question before the player's first POST. */
async function preflight(url: string, signal: AbortSignal): Promise<void> {
  const headers = {
    origin: PLAYER_ORIGIN,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  }
  const reply = await send(url, { method: 'OPTIONS', headers }, signal)
  if (reply.status !== 200 && reply.status !== 204)
    throw new CallError('cors_refused', `the preflight has HTTP status ${reply.status}`)
  checkCors(reply, 'the preflight')
  const list = (name: string): string[] => (reply.headers.get(name) ?? '').toLowerCase().split(/\s*,\s*/)
  if (!list('access-control-allow-methods').includes('post'))
    throw new CallError('cors_refused', 'the preflight does not allow POST')
  // `*` does not cover a credentialed request, nor Authorization in any.
  const missing = ['authorization', 'content-type'].filter(
    (name) => !list('access-control-allow-headers').includes(name),
  )
  if (missing.length > 0) throw new CallError('cors_refused', `the preflight does not allow ${missing.join(' and ')}`)
}

function checkCors(reply: Reply, what: string): void {
  const origin = reply.headers.get('access-control-allow-origin')
  if (origin !== PLAYER_ORIGIN)
    throw new CallError('cors_refused', `${what} allows the origin ${origin ?? 'nobody'}, not ${PLAYER_ORIGIN}`)
  if (reply.headers.get('access-control-allow-credentials') !== 'true') {
    throw new CallError('cors_refused', `${what} does not allow credentials`)
  }
}

function iceServersOf({ cameraStreamIceServers }: Stream): readonly IceServer[] {
  // Without a list the player would ask Google's public STUN server. The simulator calls no strangers.
  if (cameraStreamIceServers === undefined) return []
  let list: unknown
  try {
    list = JSON.parse(cameraStreamIceServers)
  } catch (error) {
    throw new CallError('stream_invalid', 'cameraStreamIceServers is not JSON', { cause: error })
  }
  return mustFit(iceServers, list, 'stream_invalid', 'cameraStreamIceServers').map(
    ({ urls, username, credential }) => ({
      urls,
      ...(username === undefined ? {} : { username }),
      ...(credential === undefined ? {} : { credential }),
    }),
  )
}

/** Google's players open HTTPS only; plain HTTP can do on one's own machine. */
function isReachable(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || isLoopback(hostname)
}
