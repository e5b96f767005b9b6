/** Everything around the Alexa handler, as fakes of its ports: who may ask, the cameras, a broker, the grants, the log. */
import { BridgeError } from '../../src/core/errors.ts'
import type { AlexaDeps } from '../../src/bridge/alexa/directives.ts'
import { createAlexaHandler } from '../../src/bridge/alexa/handler.ts'
import { accountId, cameraId, type Camera, type Log } from '../../src/core/ports.ts'
import type { AlexaEvent } from '../../src/core/wire/alexa.ts'

export const anna = accountId('anna')
export const noon = Date.UTC(2026, 10, 22, 12, 0, 0, 345)
export const answerSdp = 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n'

export const frontDoor: Camera = {
  id: cameraId('front-door'),
  accountId: anna,
  name: 'Front door',
  kind: 'doorbell',
  channel: { channelName: 'front-door', road: 'viewer' },
  manufacturer: 'Transom',
  model: 'Synthetic doorbell',
  serialNumber: 'T-0001',
  firmwareVersion: '1.2.3',
  hasSpeaker: true,
}

/** A camera that has everything that a camera can have. */
export const garden: Camera = {
  ...frontDoor,
  id: cameraId('garden'),
  name: 'Garden',
  kind: 'camera',
  room: 'Garden',
  hasSpeaker: false,
  hasMotion: true,
  detects: ['person'],
  hasBattery: true,
  hasSnapshots: true,
  streams: [
    { uri: 'rtsp://camera.example:443/garden', protocol: 'RTSP', width: 1280, height: 720, audioCodec: 'AAC' },
    { uri: 'https://camera.example/garden.m3u8', protocol: 'HLS', width: 1920, height: 1080, audioCodec: 'NONE' },
  ],
}

export interface LogLine {
  readonly level: string
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

export function createJournal(): { readonly lines: readonly LogLine[]; readonly log: Log } {
  const lines: LogLine[] = []
  return { lines, log: (level, event, fields) => void lines.push({ level, event, fields: fields ?? {} }) }
}

export type Request = Parameters<AlexaDeps['broker']['negotiate']>[0]

/** A world in which everything works, except for what `overrides` replaces. `calls` is what the ports were asked, in order. */
export function createWorld(
  overrides: Partial<AlexaDeps> & { readonly negotiate?: (request: Request) => Promise<string> } = {},
) {
  const journal = createJournal()
  const calls: string[] = []
  const requests: Request[] = []
  const { negotiate = async () => answerSdp, ...rest } = overrides
  const deps: AlexaDeps = {
    authorize: async (token) => {
      calls.push('authorize')
      if (token === 'expired') throw new BridgeError('token_expired')
      if (token !== 'good') throw new BridgeError('unauthorized')
      return { accountId: anna, clientId: 'alexa', scopes: ['camera'], linkId: 'link-1' }
    },
    cameras: {
      list: async () => {
        calls.push('cameras.list')
        return [frontDoor]
      },
      find: async (account, id) => {
        calls.push('cameras.find')
        return account === anna && id === frontDoor.id ? frontDoor : undefined
      },
    },
    broker: {
      negotiate: async (request) => {
        calls.push('broker.negotiate')
        requests.push(request)
        return negotiate(request)
      },
      connected: async (ref) => void calls.push(`broker.connected ${ref.assistant} ${ref.accountId} ${ref.reference}`),
      end: async (ref) => void calls.push(`broker.end ${ref.assistant} ${ref.accountId} ${ref.reference}`),
      isOnline: () => true,
    },
    grants: {
      accept: async ({ accountId, code, linkId }) => void calls.push(`grants.accept ${accountId} ${code} ${linkId}`),
      forget: async (account, _why, only) => void calls.push(`grants.forget ${account} ${only?.linkId}`),
    },
    stateOf: async () => ({ motion: { isDetected: true, at: noon - 5_000 }, snapshot: { at: noon - 60_000 } }),
    snapshotUrl: ({ id }) => `https://bridge.example/cameras/${id}/snapshot`,
    canSendEvents: true,
    warn: async () => {},
    clock: () => noon,
    log: journal.log,
    ...rest,
  }
  return { handle: createAlexaHandler(deps), deps, calls, requests, lines: journal.lines }
}

/** Namespace and name of an event. */
export const nameOf = ({ event }: AlexaEvent) => `${event.header.namespace}/${event.header.name}`
