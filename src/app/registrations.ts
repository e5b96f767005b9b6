/** Cameras in one step: the bridge's record, the signaling channel and the keys are made, shown and removed together. */
import { randomBytes } from 'node:crypto'
import { BridgeError } from '../errors.ts'
import { cameraId, type AccountId, type Camera } from '../ports.ts'
import type { SignalingService } from '../signaling/service.ts'
import type { RegisteredCamera, Registration, RegistrationRequest } from '../wire/registration.ts'
import type { Cameras } from '../cameras/cameras.ts'

export interface Registrations {
  /** Throws `BridgeError` `invalid_request` when the id is taken. */
  add(request: Omit<RegistrationRequest, 'owner'>, owner: AccountId): Promise<Registration>
  isTaken(id: string): Promise<boolean>
  /** The account of the user with this login. Throws `invalid_request` when nobody has it. */
  ownerOf(login: string): Promise<AccountId>
  /** The cameras of the user with this login. Throws `invalid_request` when there is none. */
  list(owner: string): Promise<readonly RegisteredCamera[]>
  /** A further access key; with `replace` the only one, and a new camera key too. Throws `camera_not_found`. */
  issueKey(id: string, replace: boolean): Promise<Registration>
  /** Throws `camera_not_found` when there is no such key. */
  revokeKey(accessKeyId: string): Promise<void>
  /**
   * Removes the camera, its channel, everybody connected to it, and its keys. Throws `camera_not_found`, and
   * `invalid_request` for the built-in doorbell, which would be back at the next start.
   */
  remove(id: string): Promise<void>
}

export interface RegistrationDeps {
  readonly cameras: Cameras
  readonly service: SignalingService
  readonly findOwner: (login: string) => Promise<AccountId | undefined>
  readonly publicUrl: string
  readonly region: string
  /** The id of the built-in doorbell, where it runs. */
  readonly builtIn?: string
}

export function createRegistrations({
  cameras,
  service,
  findOwner,
  publicUrl,
  region,
  builtIn,
}: RegistrationDeps): Registrations {
  const ownerOf = async (login: string) => {
    const accountId = await findOwner(login)
    if (accountId === undefined) throw new BridgeError('invalid_request', `nobody has the login ${login}`)
    return accountId
  }
  const existing = async (id: string) => {
    const camera = await cameras.byId(id)
    if (camera === undefined) throw new BridgeError('camera_not_found', `there is no camera ${id}`)
    return camera
  }

  /** Makes an access key, and says everything that goes with it. */
  const issue = async ({ id, channel: { channelName } }: Camera, cameraKey?: string): Promise<Registration> => {
    const channelArn = await service.ensureChannel(channelName)
    const { accessKeyId, secretAccessKey } = await service.createCredentials({ kind: 'camera', channelName })
    const { endpoint, caPath = null } = service
    return {
      cameraId: id,
      channelName,
      channelArn,
      region,
      accessKeyId,
      secretAccessKey,
      ...(cameraKey !== undefined && { cameraKey }),
      eventsUrl: `${publicUrl}/cameras/${id}/events`,
      endpoint,
      caPath,
      environment: {
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_DEFAULT_REGION: region,
        CONTROL_PLANE_URI: endpoint,
        ...(caPath !== null && { AWS_KVS_CACERT_PATH: caPath }),
      },
      warnings: warningsOf(endpoint, publicUrl),
    }
  }

  return {
    ownerOf,
    isTaken: async (id) => (await cameras.byId(id)) !== undefined,
    async add({ id, road, ...described }, accountId) {
      const camera: Camera = { ...described, id: cameraId(id), accountId, channel: { channelName: id, road } }
      const cameraKey = newKey()
      // The record first: it is what makes the id taken.
      if (!(await cameras.add(camera, cameraKey))) {
        throw new BridgeError('invalid_request', `there is a camera ${id} already`)
      }
      try {
        return await issue(camera, cameraKey)
      } catch (error) {
        await cameras.remove(id)
        throw error
      }
    },
    async list(owner) {
      const found = await cameras.list(await ownerOf(owner))
      return Promise.all(
        found.map(async ({ id, name, kind, channel: { channelName } }) => {
          const keys = await service.listCredentials({ kind: 'camera', channelName })
          const { online: isOnline, sinceAt } = service.presence(channelName) ?? { online: false, sinceAt: 0 }
          return { cameraId: id, name, kind, channelName, isOnline, sinceAt, keys: [...keys] }
        }),
      )
    },
    async issueKey(id, replace) {
      const camera = await existing(id)
      const scope = { kind: 'camera', channelName: camera.channel.channelName } as const
      const older = replace ? await service.listCredentials(scope) : []
      const cameraKey = replace ? newKey() : undefined
      const issued = await issue(camera, cameraKey)
      if (cameraKey !== undefined) await cameras.put(camera, cameraKey)
      await Promise.all(older.map(({ accessKeyId }) => service.revokeCredentials(accessKeyId)))
      return issued
    },
    async revokeKey(accessKeyId) {
      if (!(await service.revokeCredentials(accessKeyId))) {
        throw new BridgeError('camera_not_found', `there is no key ${accessKeyId}`)
      }
    },
    async remove(id) {
      const camera = await existing(id)
      if (id === builtIn)
        throw new BridgeError('invalid_request', `${id} is the built-in doorbell: TRANSOM_DOORBELL=off turns it off`)
      await service.removeChannel(camera.channel.channelName)
      await cameras.remove(id)
    },
  }
}

const newKey = () => randomBytes(32).toString('base64url')

const isThisMachine = (url: string) => /^(127\.|localhost$|\[::1\]$)/.test(new URL(url).hostname)

function warningsOf(endpoint: string, publicUrl: string): string[] {
  const { protocol, port } = new URL(endpoint)
  return [
    ...(port !== '' || protocol !== 'https:'
      ? [
          "AWS's C SDK speaks HTTPS to port 443 only: lead that port here and set TRANSOM_SIGNALING_URL to https://<name>, without a port",
        ]
      : []),
    ...(isThisMachine(endpoint)
      ? ['only this machine reaches that endpoint: set TRANSOM_HOST and TRANSOM_SIGNALING_HOST for cameras elsewhere']
      : []),
    ...(isThisMachine(publicUrl)
      ? [
          'a press can be told from this machine only: set TRANSOM_PUBLIC_URL to http://<its address>:<port> for cameras elsewhere',
        ]
      : []),
  ]
}
