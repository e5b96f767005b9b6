/** Network cameras: their addresses, sealed in the store, and a camera master of the gateway for each while the bridge runs. */
import type { KeyObject } from 'node:crypto'
import { startCamera, type CameraMaster, type CameraOptions } from 'transom-gateway/camera'
import { readAddress } from 'transom-gateway/rtsp/address'
import type { Cameras } from 'transom-bridge/cameras/cameras'
import { BridgeError } from 'transom-core/errors'
import type { Camera, Clock, Log, Store } from 'transom-core/ports'
import { seal, unseal } from 'transom-core/seal'
import type { CameraEvent } from 'transom-core/wire/camera-event'
import type { SignalingService } from 'transom-signaling/service'

/** The access keys of the gateway itself: made at each start, and shown to nobody. */
export const gatewayKeyName = 'gateway'

export interface Gateway {
  /** Reads every camera whose address is kept; waits for none of them. */
  start(): Promise<void>
  /** Keeps the address of this camera and reads it there from now on. */
  put(id: string, address: string): Promise<void>
  /** Forgets the address and leaves the camera alone. What is not there is no error. */
  remove(id: string): Promise<void>
  /** As the function of this name, for a camera that is read here; otherwise undefined. */
  placeOf(id: string): Promise<string | undefined>
  /** Viewers of all these cameras. */
  viewers(): number
  /** Leaves all cameras alone. May be called again. */
  close(): Promise<void>
}

export interface GatewayDeps {
  readonly store: Store
  /** 32 bytes that seal the addresses. */
  readonly sealing: KeyObject
  readonly cameras: Pick<Cameras, 'byId'>
  readonly service: Pick<
    SignalingService,
    'ensureChannel' | 'createCredentials' | 'listCredentials' | 'revokeCredentials'
  >
  readonly access: Omit<CameraOptions['access'], 'credentials'>
  readonly maxViewers?: number
  /** Told what a camera has to say; true ends the viewer that it speaks of. */
  readonly receive: (camera: Camera, event: CameraEvent) => Promise<boolean>
  readonly leaveStill: (camera: Camera, jpeg: Buffer) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** One list: there are as many as one machine can read. */
const group = 'all'

export function createGateway(deps: GatewayDeps): Gateway {
  const { store, sealing, cameras, service, clock, log } = deps
  const sources = store.collection<{ readonly sealed: string }>('camera-source')
  const running = new Map<string, Promise<CameraMaster | undefined>>()
  const masters = new Set<CameraMaster>()
  let isClosed = false

  /** Stops what runs for this camera, then starts what the store says by then: whoever comes last has the last word. */
  function renew(id: string): Promise<unknown> {
    const before = running.get(id)
    const now = replace(id, before).catch((error: unknown) => {
      log('error', 'network-camera', { camera: id, error })
      return undefined
    })
    running.set(id, now)
    void now.then((master) => {
      if (master === undefined && running.get(id) === now) running.delete(id)
    })
    return now
  }

  async function replace(id: string, before: Promise<CameraMaster | undefined> | undefined) {
    await stop(await before)
    if (isClosed) return undefined
    const stored = await sources.get(id)
    if (stored === undefined) return undefined
    const source = open(id, stored.value)
    if (source === undefined) throw new Error(unreadable)
    const camera = await cameras.byId(id)
    if (camera === undefined) {
      await sources.remove(id)
      return undefined
    }
    const master = await begin(camera, source)
    masters.add(master)
    return master
  }

  async function begin({ id, channel: { channelName } }: Camera, source: string): Promise<CameraMaster> {
    await service.ensureChannel(channelName)
    const known = await service.listCredentials({ kind: 'camera', channelName })
    const older = known.filter(({ name }) => name === gatewayKeyName)
    await Promise.all(older.map(({ accessKeyId }) => service.revokeCredentials(accessKeyId)))
    const credentials = await service.createCredentials({ kind: 'camera', channelName }, gatewayKeyName)
    /** As it is now; nothing is left to say of one that was removed. */
    const withCamera = async (work: (camera: Camera) => Promise<boolean | void>) => {
      const camera = await cameras.byId(id)
      return camera !== undefined && (await work(camera)) === true
    }
    return startCamera({
      access: { ...deps.access, credentials },
      channelName,
      source,
      report: (event) => withCamera((camera) => deps.receive(camera, event)),
      leaveStill: async (jpeg) => void (await withCamera((camera) => deps.leaveStill(camera, jpeg))),
      ...(deps.maxViewers !== undefined && { maxViewers: deps.maxViewers }),
      clock,
      log,
    })
  }

  async function stop(master: CameraMaster | undefined): Promise<void> {
    if (master === undefined) return
    masters.delete(master)
    await master.close().catch((error: unknown) => log('error', 'closing', { error }))
  }

  const open = (id: string, { sealed }: { readonly sealed: string }) => unseal(sealing, contextOf(id), sealed)

  return {
    async start() {
      for await (const { id } of sources.all(group)) void renew(id)
    },
    async put(id, address) {
      await sources.put(id, { sealed: seal(sealing, contextOf(id), address) }, { group })
      await renew(id)
    },
    async remove(id) {
      await sources.remove(id)
      await renew(id)
    },
    async placeOf(id) {
      const stored = await sources.get(id)
      if (stored === undefined) return undefined
      const address = open(id, stored.value)
      return address === undefined ? unreadable : placeOf(address)
    },
    viewers: () => [...masters].reduce((sum, master) => sum + master.viewers(), 0),
    async close() {
      isClosed = true
      await Promise.all([...running.keys()].map((id) => renew(id)))
    },
  }
}

const unreadable = 'its address was sealed with another key: give it again'
const contextOf = (id: string): string => `source of camera ${id}`

/** What may be shown of an address: scheme, host and port. Throws `BridgeError` `invalid_request` if it is none. */
export function placeOf(address: string): string {
  try {
    return readAddress(address).label
  } catch (error) {
    throw new BridgeError('invalid_request', error instanceof Error ? error.message : String(error))
  }
}
