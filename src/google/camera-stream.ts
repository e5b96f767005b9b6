/** EXECUTE: the answer to `GetCameraStream` says where and with which token a display may ask for the picture. No media yet. */
import type { Broker } from '../broker/broker.ts'
import { BridgeError, toBridgeError } from '../errors.ts'
import type { AccountId, Camera, Clock, IceServer, Log, Store } from '../ports.ts'
import { getCameraStreamParams, type CommandResult, type ExecuteCommand, type StreamStates } from '../wire/google.ts'
import type { Cameras } from './cameras.ts'
import { googleErrorCode, logFailure } from './errors.ts'
import { createStreamTokens } from './stream-token.ts'

export interface CameraStreamDeps {
  readonly cameras: Pick<Cameras, 'list'>
  readonly broker: Pick<Broker, 'warm' | 'iceServers' | 'isOnline'>
  readonly store: Store
  /** The absolute URL of the signaling door, as displays reach it. */
  readonly signalingUrl: string
  readonly clock: Clock
  readonly log: Log
}

/** A command's result before it is known for which ids it stands. */
type Outcome = CommandResult extends infer Result ? (Result extends CommandResult ? Omit<Result, 'ids'> : never) : never

/** Carries out all commands of one request; `iceBy` (epoch ms) is when we stop waiting for ICE servers. Never throws for a device. */
export type ExecuteCommands = (
  accountId: AccountId,
  commands: readonly ExecuteCommand[],
  iceBy: number,
) => Promise<CommandResult[]>

export function createExecute(deps: CameraStreamDeps): ExecuteCommands {
  const { cameras, broker, signalingUrl, log } = deps
  const tokens = createStreamTokens(deps)

  return async (accountId, commands, iceBy) => {
    const known = new Map((await cameras.list(accountId)).map((camera) => [String(camera.id), camera]))
    // One stream for each camera, however often a request names it.
    const streams = new Map<string, Promise<Outcome>>()
    const streamOf = (camera: Camera) => {
      const stream = streams.get(camera.id) ?? openStream(camera, iceBy)
      streams.set(camera.id, stream)
      return stream
    }
    const results = commands.flatMap(({ devices, execution }) => {
      const refusal = refusalOf(execution)
      return devices.map(async ({ id }): Promise<CommandResult> => {
        const camera = known.get(id)
        if (!camera) return { ids: [id], status: 'ERROR', errorCode: 'deviceNotFound' }
        return { ids: [id], ...(refusal ?? (await streamOf(camera))) }
      })
    })
    return Promise.all(results)
  }

  async function openStream(camera: Camera, iceBy: number): Promise<Outcome> {
    try {
      if (broker.isOnline(camera) === false) throw new BridgeError('camera_offline')
      // The offer will come in a moment; what it needs should be there by then.
      broker.warm(camera)
      const [token, iceServers] = await Promise.all([
        tokens.mint(camera.accountId, camera.id),
        iceServersOrNone(camera, iceBy),
      ])
      return { status: 'SUCCESS', states: streamStates(token, iceServers) }
    } catch (thrown) {
      const error = toBridgeError(thrown)
      const { code } = error
      logFailure(log, 'google.stream-refused', error, { cameraId: camera.id })
      if (code === 'camera_offline')
        return { status: 'OFFLINE', states: { online: false }, errorCode: googleErrorCode[code] }
      return { status: 'ERROR', errorCode: googleErrorCode[code] }
    }
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

  function streamStates(token: string, iceServers: readonly IceServer[]): StreamStates {
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

/** What speaks against a list of executions whatever the device, or `undefined`. */
function refusalOf(execution: ExecuteCommand['execution']): Outcome | undefined {
  for (const { command, params } of execution) {
    if (command !== 'action.devices.commands.GetCameraStream')
      return { status: 'ERROR', errorCode: 'functionNotSupported' }
    const read = getCameraStreamParams.safeParse(params)
    if (!read.success) return { status: 'ERROR', errorCode: googleErrorCode.invalid_request }
    if (!read.data.SupportedStreamProtocols.includes('webrtc'))
      return { status: 'ERROR', errorCode: 'functionNotSupported' }
  }
  return undefined
}
