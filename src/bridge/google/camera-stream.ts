/** EXECUTE: the answer to `GetCameraStream` says where and with which token a display may ask for the picture. No media yet. */
import { randomBytes } from 'node:crypto'
import type { Broker } from '../broker/broker.ts'
import { toBridgeError, type BridgeError } from 'transom-core/errors'
import type { Camera, Clock, IceServer, Log, Store } from 'transom-core/ports'
import {
  getCameraStreamParams,
  type CommandResult,
  type ExecuteCommand,
  type StreamStates,
} from 'transom-core/wire/google'
import type { Afterwards } from './afterwards.ts'
import { streamUrls, type StateOf } from './cameras.ts'
import { googleErrorCode, logFailure } from './errors.ts'
import { createStreamTokens, referenceOf } from './stream-token.ts'

export interface CameraStreamDeps {
  readonly stateOf: StateOf
  readonly broker: Pick<Broker, 'warm' | 'iceServers' | 'absence' | 'refused'>
  readonly store: Store
  /** The absolute URL of the signaling door, as displays reach it. */
  readonly signalingUrl: string
  readonly afterwards: Afterwards
  readonly clock: Clock
  readonly log: Log
}

/** A command's result before it is known for which ids it stands. */
type Outcome = CommandResult extends infer Result ? (Result extends CommandResult ? Omit<Result, 'ids'> : never) : never

interface Refusal {
  readonly camera: Camera
  readonly error: BridgeError
}

/**
 * Carries out all commands of one request; `known`: the account's cameras among those that it names; `iceBy` (epoch ms) is when
 * we stop waiting for ICE servers. Never throws for a device.
 */
export type ExecuteCommands = (
  known: ReadonlyMap<string, Camera>,
  commands: readonly ExecuteCommand[],
  iceBy: number,
) => Promise<CommandResult[]>

export function createExecute(deps: CameraStreamDeps): ExecuteCommands {
  const { stateOf, broker, signalingUrl, afterwards, log } = deps
  const tokens = createStreamTokens(deps)

  return async (known, commands, iceBy) => {
    // One stream of a kind for each camera, however often a request names it.
    const streams = new Map<string, Promise<Outcome>>()
    const refusals: Refusal[] = []
    const streamOf = (camera: Camera, road: Road) => {
      const key = `${road.protocol} ${camera.id}`
      const stream = streams.get(key) ?? openStream(camera, road, iceBy, refusals)
      streams.set(key, stream)
      return stream
    }
    const results = await Promise.all(
      commands.flatMap(({ devices, execution }) => {
        const wish = wishOf(execution)
        if (wish.kind === 'refused') {
          const { command, errorCode } = wish
          log('warn', 'google.command-refused', { command, errorCode })
        }
        return devices.map(async ({ id }): Promise<CommandResult> => {
          const camera = known.get(id)
          if (!camera) return { ids: [id], status: 'ERROR', errorCode: 'deviceNotFound' }
          if (wish.kind === 'refused') return { ids: [id], status: 'ERROR', errorCode: wish.errorCode }
          const road = roadFor(wish.protocols, camera)
          if (!road) {
            log('warn', 'google.no-common-protocol', { cameraId: camera.id, asked: wish.protocols.slice(0, 8) })
            return { ids: [id], status: 'ERROR', errorCode: 'functionNotSupported' }
          }
          return { ids: [id], ...(await streamOf(camera, road)) }
        })
      }),
    )
    if (refusals.length > 0) afterwards.do('google.refusal-not-kept', () => keep(refusals))
    return results
  }

  /** No offer will come, so this is the only place where the owner can find out why. One by one: each looks at the history. */
  async function keep(refusals: readonly Refusal[]): Promise<void> {
    for (const { camera, error } of refusals) await broker.refused(camera, 'google', error)
  }

  async function openStream(camera: Camera, road: Road, iceBy: number, refusals: Refusal[]): Promise<Outcome> {
    try {
      const absence = broker.absence(camera)
      if (absence) throw absence
      if (camera.hasSwitch && (await stateOf(camera)).switch?.isOn === false)
        return { status: 'ERROR', errorCode: 'deviceTurnedOff' }
      if (road.protocol !== 'webrtc') return { status: 'SUCCESS', states: urlStates(road) }
      const [token, iceServers] = await Promise.all([begin(camera), iceServersOrNone(camera, iceBy)])
      return { status: 'SUCCESS', states: webrtcStates(token, iceServers) }
    } catch (thrown) {
      const error = toBridgeError(thrown)
      const { code } = error
      logFailure(log, 'google.stream-refused', error, { cameraId: camera.id })
      refusals.push({ camera, error })
      const errorCode = googleErrorCode[code]
      return errorCode === 'deviceOffline'
        ? { status: 'OFFLINE', states: { online: false }, errorCode }
        : { status: 'ERROR', errorCode }
    }
  }

  /** The offer will come in a moment: all that it needs, down to the open line to the camera, should be there by then. */
  async function begin(camera: Camera): Promise<string> {
    const token = await tokens.mint(camera.accountId, camera.id)
    broker.warm(camera, { assistant: 'google', accountId: camera.accountId, reference: referenceOf(token) })
    return token
  }

  /** A stream without our TURN servers beats no stream: at home the host candidates do. The offer will find out the rest. */
  async function iceServersOrNone(camera: Camera, by: number): Promise<readonly IceServer[]> {
    try {
      return await broker.iceServers(camera, by)
    } catch (thrown) {
      logFailure(log, 'google.no-ice-servers', toBridgeError(thrown), { cameraId: camera.id })
      return []
    }
  }

  function webrtcStates(token: string, iceServers: readonly IceServer[]): StreamStates {
    // One entry for each URL, `urls` as a string: the form of Google's own example.
    const entries = iceServers.flatMap(({ urls, ...credentials }) => urls.map((url) => ({ urls: url, ...credentials })))
    return {
      online: true,
      cameraStreamProtocol: 'webrtc',
      cameraStreamSignalingUrl: signalingUrl,
      // Without it Google would hand the user's own access token to the player.
      cameraStreamAuthToken: token,
      ...(entries.length > 0 && { cameraStreamIceServers: JSON.stringify(entries) }),
    }
  }
}

/** How the picture comes to a surface. */
type Road = { readonly protocol: 'webrtc' } | { readonly protocol: 'hls' | 'dash'; readonly url: string }

type Wish =
  | { readonly kind: 'stream'; readonly protocols: readonly string[] }
  | { readonly kind: 'refused'; readonly command: string; readonly errorCode: 'functionNotSupported' | 'protocolError' }

/** The protocols with which every execution of a list would be content, or what is wrong with it whatever the device. */
function wishOf(execution: ExecuteCommand['execution']): Wish {
  let protocols: readonly string[] | undefined
  for (const { command: name, params } of execution) {
    const command = name.slice(0, 64)
    // Of the traits that we announce only this one has commands that can be carried out: a lens switch and a battery are
    // announced as query-only. No PIN would change that, so none is asked for, and one that comes along is not looked at.
    if (name !== 'action.devices.commands.GetCameraStream')
      return { kind: 'refused', command, errorCode: 'functionNotSupported' }
    const read = getCameraStreamParams.safeParse(params)
    if (!read.success) return { kind: 'refused', command, errorCode: 'protocolError' }
    const asked = read.data.SupportedStreamProtocols
    protocols = protocols?.filter((protocol) => asked.includes(protocol)) ?? asked
  }
  return { kind: 'stream', protocols: protocols ?? [] }
}

/** WebRTC first: it begins at once and can be talked to. `undefined` when camera and surface have nothing in common. */
function roadFor(protocols: readonly string[], camera: Camera): Road | undefined {
  if (camera.hasVideo === false) return undefined
  if (protocols.includes('webrtc')) return { protocol: 'webrtc' }
  const urls = streamUrls(camera)
  const protocol = (['hls', 'dash'] as const).find((one) => protocols.includes(one) && urls[one] !== undefined)
  const url = protocol && urls[protocol]
  return protocol && url !== undefined ? { protocol, url } : undefined
}

function urlStates({ protocol, url }: Extract<Road, { url: string }>): StreamStates {
  return {
    online: true,
    cameraStreamProtocol: protocol,
    cameraStreamAccessUrl: url,
    // It opens nothing, and stands here only lest Google hand the user's own access token to the receiver.
    cameraStreamAuthToken: randomBytes(32).toString('base64url'),
  }
}
