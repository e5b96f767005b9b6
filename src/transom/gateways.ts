/** Who reads which network camera: the gateways that are connected, what each is to do, and what is said of cameras whose gateway is away. */
import type { Response } from 'express'
import type { Cameras } from 'transom-bridge/cameras/cameras'
import type { NetworkSource } from 'transom-bridge/operator/registration-ports'
import { BridgeError } from 'transom-core/errors'
import type { Camera, Fault, Log } from 'transom-core/ports'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import { aliveEachMs, type GatewayLine, type Wanted, type WantedCamera } from 'transom-core/wire/gateway'
import type { SeenCertificate } from 'transom-core/wire/source'
import type { SignalingService } from 'transom-signaling/service'
import type { GatewayKeys } from './gateway-keys.ts'
import { createGatewayTasks, type GatewayTasks } from './gateway-tasks.ts'
import { homeGateway, placeOf, unreadable, type Source, type Sources } from './sources.ts'

/** The access keys with which gateways open channels: made once by each start of the bridge, and shown to nobody. */
export const gatewayKeyName = 'gateway'
/** A gateway that has not read so much is too slow to ever catch up: it is cut off, and comes again. */
const mostUnread = 4_194_304

/** Five seconds from before an event, ten from after it; five minutes in one. */
const recordedAround = { beforeMs: 5_000, afterMs: 10_000, longestMs: 300_000 } as const

export interface Gateways {
  /** Reads a camera there from now on; by another gateway than before if one is named. Throws `BridgeError` `invalid_request`. */
  put(cameraId: string, source: NetworkSource): Promise<void>
  /** Forgets the address and leaves the camera alone. What is not there is no error. */
  remove(cameraId: string): Promise<void>
  /** Of a camera that is read by a gateway: scheme, host and port of its address, by whom, its certificates by `host:port`. */
  placeOf(cameraId: string): Promise<SourcePlace | undefined>
  /** Trusts the certificate that the camera shows next. */
  forgetCertificates(cameraId: string): Promise<void>
  /** Trusts this certificate instead of the one before. */
  trustCertificate(cameraId: string, seen: SeenCertificate): Promise<void>
  /** The camera's address with its password, and who reads it; also of the built-in doorbell. */
  sourceOf(cameraId: string): Promise<Source | undefined>
  /** Somebody rings at this camera: its gateway takes a picture, and opens the stream before a display asks. */
  rang(cameraId: string): void
  /** Something happens there: its gateway records it, where that is wished. */
  happened(cameraId: string): void
  /** Something of what its gateway is to do is other than before. */
  renew(cameraId: string): Promise<void>
  /** The gateway with this name has connected: it is told what to do until either side ends this. */
  connect(name: string, response: Response): void
  /** The camera, if this gateway reads it. */
  cameraOf(name: string, cameraId: string): Promise<Camera | undefined>
  /** Has a gateway do something once; see `GatewayTasks`. */
  readonly tasks: GatewayTasks
  /** What one of its cameras has to say; true ends the viewer that it speaks of. */
  receive(camera: Camera, event: CameraEvent): Promise<boolean>
  /** The first certificate that one of its cameras has shown; false when it was another. */
  seen(cameraId: string, certificate: SeenCertificate): Promise<boolean>
  isConnected(name: string): boolean
  /** A gateway was removed: hangs up on it, and what it was given opens nothing any more. */
  removed(name: string): Promise<void>
  /** Says of every camera whose gateway is not there that this is why it is offline. */
  start(): Promise<void>
  /** Viewers that are connected to cameras behind gateways. */
  viewers(): number
  close(): void
}

export interface SourcePlace {
  readonly source: string
  readonly onvif?: string
  readonly gateway: string
  readonly certificates: Readonly<Record<string, string>>
}

export interface GatewaysDeps {
  readonly sources: Sources
  readonly keys: Pick<GatewayKeys, 'has' | 'list'>
  readonly cameras: Pick<Cameras, 'byId'>
  readonly service: Pick<
    SignalingService,
    | 'ensureChannel'
    | 'createCredentials'
    | 'listCredentials'
    | 'revokeCredentials'
    | 'endpoint'
    | 'localEndpoint'
    | 'ca'
    | 'caPath'
  >
  readonly region: string
  readonly maxViewers?: number
  readonly hasRelayAtHand?: boolean
  readonly networks?: readonly string[]
  /** What the built-in doorbell shows, where it is on; it is read by the gateway at home. */
  readonly builtIn?: { readonly cameraId: string; readonly source: string }
  /** Whether cameras may show any certificate. */
  readonly hasAnyCertificate: boolean
  readonly onEvent: (camera: Camera, event: CameraEvent) => Promise<boolean>
  readonly onFault: (camera: Camera, fault: Fault) => Promise<void>
  readonly log: Log
}

export function createGateways(deps: GatewaysDeps): Gateways {
  const { sources, keys, cameras, service, builtIn, log } = deps
  const connected = new Map<string, Connection>()
  /** By camera; those of the last start of the bridge are revoked when a camera is first given to a gateway. */
  const accessKeys = new Map<string, Promise<{ accessKeyId: string; secretAccessKey: string }>>()
  const watching = new Map<string, Set<string>>()
  const tasks = createGatewayTasks({
    send: (name, line) => connected.get(name)?.send(line) ?? false,
    networks: deps.networks,
  })

  async function* sourcesOf(name: string): AsyncGenerator<Source> {
    if (builtIn !== undefined && name === homeGateway) {
      const certificates = await sources.certificatesOf(builtIn.cameraId)
      yield { cameraId: builtIn.cameraId, address: builtIn.source, gateway: name, certificates }
    }
    for await (const source of sources.of(name)) if (source.cameraId !== builtIn?.cameraId) yield source
  }

  async function readerOf(cameraId: string): Promise<string | undefined> {
    return cameraId === builtIn?.cameraId ? homeGateway : (await sources.get(cameraId))?.gateway
  }

  async function accessKeyOf({ id, channel: { channelName } }: Camera) {
    const known = accessKeys.get(id)
    if (known !== undefined) return known
    const made = (async () => {
      await service.ensureChannel(channelName)
      await revoke(channelName)
      return service.createCredentials({ kind: 'camera', channelName }, gatewayKeyName)
    })()
    accessKeys.set(id, made)
    made.catch(() => accessKeys.delete(id))
    return made
  }

  async function revoke(channelName: string): Promise<void> {
    const known = await service.listCredentials({ kind: 'camera', channelName })
    const older = known.filter(({ name }) => name === gatewayKeyName)
    await Promise.all(older.map(({ accessKeyId }) => service.revokeCredentials(accessKeyId)))
  }

  /** Another gateway reads it from now on, or none: what the one before was given opens nothing any more. */
  async function takeBack(cameraId: string): Promise<void> {
    accessKeys.delete(cameraId)
    const camera = await cameras.byId(cameraId)
    if (camera !== undefined) await revoke(camera.channel.channelName)
  }

  async function wantedOf(name: string): Promise<Wanted> {
    const found: WantedCamera[] = []
    for await (const source of sourcesOf(name)) {
      const wanted = await wantedCamera(source).catch((error: unknown) => {
        log('error', 'transom.network-camera-failed', { cameraId: source.cameraId, error })
        return undefined
      })
      if (wanted !== undefined) found.push(wanted)
    }
    const { region, maxViewers, hasRelayAtHand, networks } = deps
    // A gateway on another machine may know the service by its public address alone, and trusts what is public.
    const isHome = name === homeGateway
    const ca = isHome || service.caPath !== undefined ? service.ca : undefined
    return {
      kind: 'cameras',
      region,
      endpoint: isHome ? service.localEndpoint : service.endpoint,
      ...(ca !== undefined && { ca }),
      ...(maxViewers !== undefined && { maxViewers }),
      ...(hasRelayAtHand !== undefined && { hasRelayAtHand }),
      ...(networks !== undefined && { networks: [...networks] }),
      cameras: found,
    }
  }

  async function wantedCamera({ cameraId, address, onvif, certificates }: Source): Promise<WantedCamera | undefined> {
    const camera = await cameras.byId(cameraId)
    if (camera === undefined) {
      await sources.remove(cameraId)
      return undefined
    }
    if (address === undefined) {
      await deps.onFault(camera, { code: 'source_invalid', message: unreadable })
      return undefined
    }
    const { channelName } = camera.channel
    const record = camera.record && { ...recordedAround, mode: camera.record }
    const trusted = deps.hasAnyCertificate ? ('any' as const) : { ...certificates }
    const device = onvif !== undefined && { onvif: { address: onvif, isDoorbell: camera.kind === 'doorbell' } }
    return {
      cameraId,
      channelName,
      source: address,
      ...device,
      ...(await accessKeyOf(camera)),
      certificates: trusted,
      ...(record && { record }),
    }
  }

  /** Says of its cameras that it is away. */
  async function missing(name: string): Promise<void> {
    const fault: Fault = {
      code: 'source_gateway',
      message:
        name === homeGateway ? 'the gateway of the bridge is not running' : `the gateway ${name} is not connected`,
    }
    for await (const { cameraId } of sourcesOf(name)) {
      watching.delete(cameraId)
      const camera = await cameras.byId(cameraId)
      if (camera !== undefined && !connected.has(name)) await deps.onFault(camera, fault)
    }
  }
  const logged = (work: Promise<unknown>) =>
    void work.catch((error: unknown) => log('error', 'transom.gateway-failed', { error }))
  const tell = (cameraId: string, kind: 'press' | 'happened') => {
    const send = async () => {
      const name = await readerOf(cameraId)
      if (name !== undefined) connected.get(name)?.send({ kind, cameraId })
    }
    logged(send())
  }
  const refresh = (name: string | undefined) => (name === undefined ? undefined : connected.get(name)?.refresh())

  return {
    async put(cameraId, source) {
      const { gateway } = source
      placeOf(source.source)
      if (gateway !== undefined && !(await keys.has(gateway)))
        throw new BridgeError('invalid_request', `there is no gateway ${gateway}`)
      const before = (await sources.get(cameraId))?.gateway
      await sources.put(cameraId, source)
      const now = await readerOf(cameraId)
      if (before !== undefined && before !== now) await takeBack(cameraId)
      refresh(before)
      refresh(now)
      if (now !== undefined && !connected.has(now)) await missing(now)
    },
    async remove(cameraId) {
      const before = await sources.get(cameraId)
      await sources.remove(cameraId)
      if (before === undefined) return
      await takeBack(cameraId)
      refresh(before.gateway)
    },
    async placeOf(cameraId) {
      const source = await sources.get(cameraId)
      if (source === undefined) return undefined
      const { address, onvif, gateway, certificates } = source
      return {
        source: address === undefined ? unreadable : placeOf(address),
        ...(onvif !== undefined && { onvif: new URL(onvif).origin }),
        gateway,
        certificates,
      }
    },
    async forgetCertificates(cameraId) {
      await sources.unpin(cameraId)
      refresh(await readerOf(cameraId))
    },
    async trustCertificate(cameraId, seen) {
      await sources.repin(cameraId, seen)
      refresh(await readerOf(cameraId))
    },
    async sourceOf(cameraId) {
      for await (const source of builtIn?.cameraId === cameraId ? sourcesOf(homeGateway) : [])
        if (source.cameraId === cameraId) return source
      return sources.get(cameraId)
    },
    rang: (cameraId) => tell(cameraId, 'press'),
    happened: (cameraId) => tell(cameraId, 'happened'),
    async renew(cameraId) {
      refresh(await readerOf(cameraId))
    },
    connect(name, response) {
      connected.get(name)?.end()
      const connection = createConnection(
        response,
        () => wantedOf(name),
        (error) => log('error', 'transom.gateway-failed', { gateway: name, error }),
      )
      connected.set(name, connection)
      log('info', 'transom.gateway-connected', { gateway: name })
      response.once('close', () => {
        connection.end()
        if (connected.get(name) !== connection) return
        connected.delete(name)
        tasks.lost(name)
        log('warn', 'transom.gateway-disconnected', { gateway: name })
        logged(missing(name))
      })
    },
    async cameraOf(name, cameraId) {
      return (await readerOf(cameraId)) === name ? cameras.byId(cameraId) : undefined
    },
    async receive(camera, event) {
      if (event.kind === 'viewer') {
        const viewers = watching.get(camera.id) ?? new Set()
        if (event.state === 'connected') viewers.add(event.viewerId)
        else viewers.delete(event.viewerId)
        watching.set(camera.id, viewers)
      }
      return deps.onEvent(camera, event)
    },
    tasks,
    seen: sources.pin,
    isConnected: (name) => connected.has(name),
    async removed(name) {
      for await (const { cameraId } of sourcesOf(name)) await takeBack(cameraId)
      connected.get(name)?.end()
    },
    async start() {
      for (const name of [homeGateway, ...(await keys.list()).map((gateway) => gateway.name)]) await missing(name)
    },
    viewers: () => [...watching.values()].reduce((sum, viewers) => sum + viewers.size, 0),
    close() {
      for (const connection of connected.values()) connection.end()
      connected.clear()
    },
  }
}

interface Connection {
  /** Says again what there is to do. */
  refresh(): void
  /** False when nothing can be sent any more. */
  send(line: GatewayLine): boolean
  end(): void
}

/** One gateway that listens. What it is told is always the last word: a change while one is being read is read after it. */
function createConnection(
  response: Response,
  read: () => Promise<Wanted>,
  onError: (error: unknown) => void,
): Connection {
  let isWanted = false
  let isReading = false
  const send = (line: GatewayLine): boolean => {
    if (response.writableLength > mostUnread) response.destroy()
    if (response.writableEnded || response.destroyed) return false
    response.write(`${JSON.stringify(line)}\n`)
    return true
  }
  async function tell(): Promise<void> {
    isReading = true
    while (isWanted) {
      isWanted = false
      send(await read())
    }
  }
  const refresh = () => {
    isWanted = true
    if (isReading) return
    tell()
      .catch((error: unknown) => {
        onError(error)
        // It connects again, and is told then.
        response.destroy()
      })
      .finally(() => (isReading = false))
  }
  const alive = setInterval(() => send({ kind: 'alive' }), aliveEachMs)
  response.status(200).set({
    'content-type': 'application/x-ndjson; charset=utf-8',
    'cache-control': 'no-store',
    // A proxy that collects what it passes on would hold back every line.
    'x-accel-buffering': 'no',
  })
  refresh()
  return {
    refresh,
    send,
    end() {
      clearInterval(alive)
      if (!response.writableEnded) response.end()
    },
  }
}
