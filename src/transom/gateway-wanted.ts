/** What each gateway is to do: which cameras it reads, by what address, and with which access keys it opens their channels. */
import type { Cameras } from 'transom-bridge/cameras/cameras'
import type { Camera, ChannelRef, Fault, Log } from 'transom-core/ports'
import type { RecordWish, Wanted, WantedCamera } from 'transom-core/wire/gateway'
import type { SignalingService } from 'transom-signaling/service'
import { homeGateway, unreadable, type Source, type Sources } from './sources.ts'

/** The access keys with which gateways open channels: made once by each start of the bridge, and shown to nobody. */
export const gatewayKeyName = 'gateway'

/** Which cameras there are, the service whose channels they open, and what all gateways have in common. */
export interface GatewayWantedDeps {
  readonly sources: Pick<Sources, 'get' | 'of' | 'certificatesOf' | 'remove'>
  readonly cameras: Pick<Cameras, 'byId'>
  readonly service: ChannelKeysService & Pick<SignalingService, 'endpoint' | 'localEndpoint' | 'ca' | 'caPath'>
  readonly region: string
  readonly maxViewers?: number
  readonly hasRelayAtHand?: boolean
  readonly networks?: readonly string[]
  /** What the built-in doorbell shows, where it is on; it is read by the gateway at home. */
  readonly builtIn?: { readonly cameraId: string; readonly source: string }
  /** The channel on which the gateway at home plays recordings; absent: none are played. */
  readonly playback?: ChannelRef
  /** Whether cameras may show any certificate. */
  readonly hasAnyCertificate: boolean
  /** What is to be recorded of a camera now, if anything. */
  readonly recordOf: (camera: Camera) => RecordWish | undefined
  readonly onFault: (camera: Camera, fault: Fault) => Promise<void>
  readonly log: Log
}

type ChannelKeysService = Pick<
  SignalingService,
  'ensureChannel' | 'createCredentials' | 'listCredentials' | 'revokeCredentials'
>

export interface GatewayWanted {
  /** All that there is to do for the gateway with this name. A camera that fails is logged and left out. */
  of(name: string): Promise<Wanted>
  /** The cameras that this gateway reads, the built-in doorbell among them. */
  sourcesOf(name: string): AsyncIterable<Source>
  /** The name of the gateway that reads this camera, if one does. */
  readerOf(cameraId: string): Promise<string | undefined>
  /** Another gateway reads it from now on, or none: what the one before was given opens nothing any more. */
  takeBack(cameraId: string): Promise<void>
}

/** Works out what gateways are to do, and makes the access keys for it as they are needed. */
export function createGatewayWanted(deps: GatewayWantedDeps): GatewayWanted {
  const { sources, cameras, service, builtIn, log } = deps
  const channelKeys = createChannelKeys(service)

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

  async function wantedOf(name: string): Promise<Wanted> {
    const found: WantedCamera[] = []
    for await (const source of sourcesOf(name)) {
      const wanted = await wantedCamera(source).catch((error: unknown) => {
        log('error', 'transom.network-camera-failed', { cameraId: source.cameraId, error })
        return undefined
      })
      if (wanted !== undefined) found.push(wanted)
    }
    const { region, maxViewers, hasRelayAtHand, networks, playback } = deps
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
      ...(isHome && playback && { playback: await playbackOf(playback) }),
    }
  }

  async function playbackOf({ channelName }: ChannelRef): Promise<NonNullable<Wanted['playback']>> {
    return { channelName, ...(await channelKeys.of(channelName, { channelName })) }
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
    const record = deps.recordOf(camera)
    const trusted = deps.hasAnyCertificate ? ('any' as const) : { ...certificates }
    const device = onvif !== undefined && { onvif: { address: onvif, isDoorbell: camera.kind === 'doorbell' } }
    return {
      cameraId,
      channelName,
      source: address,
      ...device,
      ...(await channelKeys.of(cameraId, camera.channel)),
      certificates: trusted,
      ...(record && { record }),
    }
  }

  return {
    of: wantedOf,
    sourcesOf,
    readerOf,
    async takeBack(cameraId) {
      channelKeys.forget(cameraId)
      const camera = await cameras.byId(cameraId)
      if (camera !== undefined) await channelKeys.revoke(camera.channel.channelName)
    },
  }
}

/** The access keys that gateways open channels with, one a camera, and one for the player. */
function createChannelKeys(service: ChannelKeysService) {
  /** By camera; those of the last start of the bridge are revoked when a camera is first given to a gateway. */
  const made = new Map<string, Promise<{ accessKeyId: string; secretAccessKey: string }>>()

  async function revoke(channelName: string): Promise<void> {
    const known = await service.listCredentials({ kind: 'camera', channelName })
    const older = known.filter(({ name }) => name === gatewayKeyName)
    await Promise.all(older.map(({ accessKeyId }) => service.revokeCredentials(accessKeyId)))
  }

  async function make(channelName: string) {
    await service.ensureChannel(channelName)
    await revoke(channelName)
    return service.createCredentials({ kind: 'camera', channelName }, gatewayKeyName)
  }

  return {
    of(id: string, { channelName }: Pick<ChannelRef, 'channelName'>) {
      const known = made.get(id)
      if (known !== undefined) return known
      const key = make(channelName)
      made.set(id, key)
      key.catch(() => made.delete(id))
      return key
    },
    forget: (cameraId: string) => void made.delete(cameraId),
    revoke,
  }
}
