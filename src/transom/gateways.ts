/** Who reads which network camera: the gateways that are connected, what each is to do, and what is said of cameras whose gateway is away. */
import type { Response } from 'express'
import type { NetworkSource } from 'transom-bridge/operator/registration-ports'
import { BridgeError } from 'transom-core/errors'
import type { Camera, Fault } from 'transom-core/ports'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import type { GatewayLine } from 'transom-core/wire/gateway'
import type { SeenCertificate } from 'transom-core/wire/source'
import { createGatewayConnections, type GatewayConnections } from './gateway-connections.ts'
import type { GatewayKeys } from './gateway-keys.ts'
import { createGatewayTasks, type GatewayTasks } from './gateway-tasks.ts'
import { createGatewayWanted, type GatewayWanted, type GatewayWantedDeps } from './gateway-wanted.ts'
import { homeGateway, placeOf, unreadable, type Source, type Sources } from './sources.ts'

/** Which source each camera is read from, and by which gateway. */
interface Reading {
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
  /** Something of what its gateway is to do is other than before. */
  renew(cameraId: string): Promise<void>
}

/** The gateways and their cameras, as the doors and the operator use them. */
export interface Gateways extends Reading {
  /**
   * Somebody rings at this camera, in the event of this id: its gateway takes a picture, and opens the stream before a display
   * asks.
   */
  rang(this: void, cameraId: string, eventId: string): void
  /** Something happens there: its gateway records it, where that is wished. */
  happened(cameraId: string): void
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

/** Where a camera is read: addresses without passwords. */
export interface SourcePlace {
  readonly source: string
  readonly onvif?: string
  readonly gateway: string
  readonly certificates: Readonly<Record<string, string>>
}

/** What gateways are to do follows from these, and who learns of what they say. */
export interface GatewaysDeps extends Omit<GatewayWantedDeps, 'sources'> {
  readonly sources: Sources
  readonly keys: Pick<GatewayKeys, 'has' | 'list'>
  readonly onEvent: (camera: Camera, event: CameraEvent) => Promise<boolean>
}

/** Puts the parts together: what each gateway is to do, the connections, the tasks, and the cameras' sources. */
export function createGateways(deps: GatewaysDeps): Gateways {
  const { sources, keys, cameras, log } = deps
  const watching = new Map<string, Set<string>>()
  const wanted = createGatewayWanted(deps)
  const connections = createGatewayConnections({ wantedOf: wanted.of, onLost, log })
  const tasks = createGatewayTasks({ send: connections.send, networks: deps.networks })

  /** Says of its cameras that it is away. */
  async function missing(name: string): Promise<void> {
    const fault: Fault = {
      code: 'source_gateway',
      message:
        name === homeGateway ? 'the gateway of the bridge is not running' : `the gateway ${name} is not connected`,
    }
    for await (const { cameraId } of wanted.sourcesOf(name)) {
      watching.delete(cameraId)
      const camera = await cameras.byId(cameraId)
      if (camera !== undefined && !connections.has(name)) await deps.onFault(camera, fault)
    }
  }

  function onLost(name: string): void {
    tasks.lost(name)
    logged(missing(name))
  }

  const logged = (work: Promise<unknown>) =>
    void work.catch((error: unknown) => log('error', 'transom.gateway-failed', { error }))
  const tell = (line: Extract<GatewayLine, { readonly kind: 'press' | 'happened' }>) => {
    const send = async () => {
      const name = await wanted.readerOf(line.cameraId)
      if (name !== undefined) connections.send(name, line)
    }
    logged(send())
  }

  return {
    ...createReading({ ...deps, wanted, connections, missing }),
    rang: (cameraId, eventId) => tell({ kind: 'press', cameraId, eventId }),
    happened: (cameraId) => tell({ kind: 'happened', cameraId }),
    connect: connections.open,
    async cameraOf(name, cameraId) {
      return (await wanted.readerOf(cameraId)) === name ? cameras.byId(cameraId) : undefined
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
    isConnected: connections.has,
    async removed(name) {
      for await (const { cameraId } of wanted.sourcesOf(name)) await wanted.takeBack(cameraId)
      connections.end(name)
    },
    async start() {
      for (const name of [homeGateway, ...(await keys.list()).map((gateway) => gateway.name)]) await missing(name)
    },
    viewers: () => [...watching.values()].reduce((sum, viewers) => sum + viewers.size, 0),
    close: connections.close,
  }
}

interface ReadingDeps extends Pick<GatewaysDeps, 'sources' | 'keys' | 'builtIn'> {
  readonly wanted: GatewayWanted
  readonly connections: GatewayConnections
  /** Says of the cameras of a gateway that it is away. */
  readonly missing: (name: string) => Promise<void>
}

/** Which source each camera has: whoever reads a camera that is other than before is told so. */
function createReading({ sources, keys, builtIn, wanted, connections, missing }: ReadingDeps): Reading {
  const refresh = (name: string | undefined) => (name === undefined ? undefined : connections.refresh(name))

  return {
    async put(cameraId, source) {
      const { gateway } = source
      placeOf(source.source)
      if (gateway !== undefined && !(await keys.has(gateway)))
        throw new BridgeError('invalid_request', `there is no gateway ${gateway}`)
      const before = (await sources.get(cameraId))?.gateway
      await sources.put(cameraId, source)
      const now = await wanted.readerOf(cameraId)
      if (before !== undefined && before !== now) await wanted.takeBack(cameraId)
      refresh(before)
      refresh(now)
      if (now !== undefined && !connections.has(now)) await missing(now)
    },
    async remove(cameraId) {
      const before = await sources.get(cameraId)
      await sources.remove(cameraId)
      if (before === undefined) return
      await wanted.takeBack(cameraId)
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
      refresh(await wanted.readerOf(cameraId))
    },
    async trustCertificate(cameraId, seen) {
      await sources.repin(cameraId, seen)
      refresh(await wanted.readerOf(cameraId))
    },
    async sourceOf(cameraId) {
      for await (const source of builtIn?.cameraId === cameraId ? wanted.sourcesOf(homeGateway) : [])
        if (source.cameraId === cameraId) return source
      return sources.get(cameraId)
    },
    async renew(cameraId) {
      refresh(await wanted.readerOf(cameraId))
    },
  }
}
