/** Where network cameras are read: their addresses, sealed in the store, which gateway reads each, and the certificates they showed. */
import type { KeyObject } from 'node:crypto'
import { readAddress } from 'transom-gateway/rtsp/address'
import type { NetworkSource } from 'transom-bridge/operator/registration-ports'
import { BridgeError } from 'transom-core/errors'
import type { Store } from 'transom-core/ports'
import { seal, unseal } from 'transom-core/seal'
import type { SeenCertificate } from 'transom-core/wire/source'

/** The gateway that runs with the bridge, where no other is named. */
export const homeGateway = 'home'

export interface Source {
  readonly cameraId: string
  /** `undefined` when it was sealed with another key. */
  readonly address: string | undefined
  /** Of its ONVIF device, where it is asked as one. */
  readonly onvif?: string
  readonly gateway: string
  readonly certificates: Readonly<Record<string, string>>
}

export interface Sources {
  get(cameraId: string): Promise<Source | undefined>
  /** All that this gateway reads. */
  of(gateway: string): AsyncIterable<Source>
  /** Keeps the addresses; another gateway than before only if one is named. What was known of other hosts is forgotten. */
  put(cameraId: string, source: NetworkSource): Promise<void>
  remove(cameraId: string): Promise<void>
  /** Keeps the first certificate that a camera has shown at a place; false when another was first there. */
  pin(cameraId: string, seen: SeenCertificate): Promise<boolean>
  /** Keeps this certificate instead of the one before at its place. */
  repin(cameraId: string, seen: SeenCertificate): Promise<void>
  /** Fingerprints by `host:port`. */
  certificatesOf(cameraId: string): Promise<Readonly<Record<string, string>>>
  /** Forgets the certificates: those that the camera shows next are the first. */
  unpin(cameraId: string): Promise<void>
}

interface Kept {
  readonly sealed: string
  readonly host?: string
  /** Sealed like the address: its path may be a secret, too. */
  readonly onvif?: string
  /** Absent: the one that runs with the bridge. */
  readonly gateway?: string
}

/** One list: there are as many as a few machines can read. */
const group = 'all'
/** A camera is at one place, and may send on to a few others. */
const mostPlaces = 8

/** `sealing`: 32 bytes that seal the addresses. */
export function createSources(store: Store, sealing: KeyObject): Sources {
  const sources = store.collection<Kept>('camera-source')
  // Of their own, since the built-in doorbell has certificates and no address here.
  const pinned = store.collection<Readonly<Record<string, string>>>('camera-certificate')

  async function toSource(cameraId: string, { sealed, onvif, gateway = homeGateway }: Kept): Promise<Source> {
    const device = onvif === undefined ? undefined : unseal(sealing, contextOf(cameraId), onvif)
    return {
      cameraId,
      address: unseal(sealing, contextOf(cameraId), sealed),
      ...(device !== undefined && { onvif: device }),
      gateway,
      certificates: await certificatesOf(cameraId),
    }
  }
  const certificatesOf = async (cameraId: string) => (await pinned.get(cameraId))?.value ?? {}

  return {
    async get(cameraId) {
      const stored = await sources.get(cameraId)
      return stored && toSource(cameraId, stored.value)
    },
    async *of(gateway) {
      for await (const { id, value } of sources.all(group))
        if ((value.gateway ?? homeGateway) === gateway) yield toSource(id, value)
    },
    async put(cameraId, { source, onvif, gateway }) {
      const { host } = readPlace(source)
      const isHere = (place: string) => place.startsWith(`${host.toLowerCase()}:`)
      await pinned.change(cameraId, (stored) => {
        const kept = Object.entries(stored?.value ?? {}).filter(([place]) => isHere(place))
        return stored && { value: Object.fromEntries(kept) }
      })
      const sealed = (text: string) => seal(sealing, contextOf(cameraId), text)
      await sources.change(cameraId, (stored) => {
        const before = stored?.value
        const reader = gateway ?? before?.gateway
        const kept = before?.host === host ? before.onvif : undefined
        const device = typeof onvif === 'string' ? sealed(onvif) : onvif === undefined ? kept : undefined
        return {
          value: {
            sealed: sealed(source),
            host,
            ...(device !== undefined && { onvif: device }),
            ...(reader !== undefined && reader !== homeGateway && { gateway: reader }),
          },
          group,
        }
      })
    },
    async remove(cameraId) {
      await Promise.all([sources.remove(cameraId), pinned.remove(cameraId)])
    },
    async pin(cameraId, { place, fingerprint }) {
      const written = await pinned.change(cameraId, (stored) => {
        const known = stored?.value ?? {}
        if (Object.hasOwn(known, place) || Object.keys(known).length >= mostPlaces) return undefined
        return { value: { ...known, [place]: fingerprint } }
      })
      return written !== undefined || (await certificatesOf(cameraId))[place] === fingerprint
    },
    async repin(cameraId, { place, fingerprint }) {
      await pinned.change(cameraId, (stored) => {
        const known = stored?.value ?? {}
        const isFull = !Object.hasOwn(known, place) && Object.keys(known).length >= mostPlaces
        return isFull ? undefined : { value: { ...known, [place]: fingerprint } }
      })
    },
    certificatesOf,
    async unpin(cameraId) {
      await pinned.remove(cameraId)
    },
  }
}

export const unreadable = 'its address was sealed with another key: give it again'
const contextOf = (id: string): string => `source of camera ${id}`

/** What may be shown of an address: scheme, host and port. Throws `BridgeError` `invalid_request` if it is none. */
export const placeOf = (address: string): string => readPlace(address).label

function readPlace(address: string) {
  try {
    return readAddress(address)
  } catch (error) {
    throw new BridgeError('invalid_request', error instanceof Error ? error.message : String(error))
  }
}
