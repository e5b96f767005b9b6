/** The replies to Google's intents, as its cloud and its displays demand them. */

import * as z from 'zod'
import type { IceServer } from 'transom-core/ports'
import { isLoopback } from './browser.ts'
import { CallError } from './causes.ts'
import { mustFit } from './http.ts'

export const CAMERA_STREAM = 'action.devices.traits.CameraStream'

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

export const streamAttributes = z.object({
  cameraStreamSupportedProtocols: z.array(z.enum(['hls', 'dash', 'smooth_stream', 'progressive_mp4', 'webrtc'])).min(1),
  cameraStreamNeedAuthToken: z.literal(true),
})

export const syncPayload = z.strictObject({ agentUserId: someText, devices: z.array(device) })

export const queryPayload = z.strictObject({
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

export const executePayload = z.strictObject({ commands: z.array(commandResult).min(1) })

export const stream = z.strictObject({
  online: z.literal(true),
  cameraStreamProtocol: z.literal('webrtc'),
  cameraStreamSignalingUrl: z.url().refine(isReachable, 'must be HTTPS'),
  cameraStreamAuthToken: someText,
  // Google wants the list as a string that holds JSON.
  cameraStreamIceServers: someText.optional(),
})

export const accessStream = z.strictObject({
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

export type Stream = z.infer<typeof stream>

/** The ICE servers that a display is given with a stream. Throws `stream_invalid`. */
export function iceServersOf({ cameraStreamIceServers }: Stream): readonly IceServer[] {
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
