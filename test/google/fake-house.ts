/** What stands behind the Google doors in these tests: a broker and cameras that do as they are told, a store in memory. */
import { createAfterwards } from '../../src/bridge/google/afterwards.ts'
import { createFulfillment, type FulfillmentDeps } from '../../src/bridge/google/fulfillment.ts'
import { createGoogleLinks } from '../../src/bridge/google/links.ts'
import { createStatesOf } from '../../src/bridge/google/reports.ts'
import { createSignalingDoor, type SignalingDoorDeps } from '../../src/bridge/google/signaling.ts'
import { BridgeError } from '../../src/core/errors.ts'
import {
  accountId,
  cameraId,
  type Camera,
  type CameraState,
  type Grant,
  type IceServer,
  type Store,
} from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import type { NegotiateRequest } from '../../src/bridge/broker/request.ts'

export const ada = accountId('account-ada')

export function camera(fields: Partial<Camera> = {}): Camera {
  return {
    id: cameraId('bell-1'),
    accountId: ada,
    name: 'Front door',
    kind: 'doorbell',
    channel: { channelName: 'transom-bell-1', road: 'viewer' },
    manufacturer: 'Acme',
    model: 'VB-2',
    hasSpeaker: true,
    ...fields,
  }
}

export const turnServer: IceServer = {
  urls: ['turn:192.0.2.1:443?transport=udp', 'turns:192.0.2.1:443?transport=tcp'],
  username: 'u',
  credential: 'p',
}

export interface FakeHouse {
  now: number
  cameras: Camera[]
  online: boolean | undefined
  /** How all cameras are. */
  state: CameraState
  authorize: (token: string) => Promise<Grant>
  iceServers: (by: number) => Promise<readonly IceServer[]>
  negotiate: (request: NegotiateRequest) => Promise<string>
  end: () => Promise<void>
  /** Ends a link; whether another one is left. */
  unlink: () => Promise<boolean>
  refused: () => Promise<void>
  readonly store: Store
  /** Every call that went to the broker or to account linking, in order. */
  readonly calls: unknown[][]
  readonly log: { level: string; event: string; fields: Record<string, unknown> }[]
}

export function fakeHouse(): FakeHouse {
  const house: FakeHouse = {
    now: 1_700_000_000_000,
    cameras: [camera()],
    online: true,
    state: {},
    authorize: async (token) => {
      if (token !== 'good') throw new BridgeError('unauthorized')
      return { accountId: ada, clientId: 'google', scopes: ['camera'] }
    },
    iceServers: async () => [turnServer],
    negotiate: async () => 'v=0\r\n(answer)\r\n',
    end: async () => {},
    unlink: async () => false,
    refused: async () => {},
    store: createSqliteStore(':memory:', () => house.now),
    calls: [],
    log: [],
  }
  return house
}

export const ports = (house: FakeHouse) => ({
  store: house.store,
  clock: () => house.now,
  log: (level: string, event: string, fields: object = {}) =>
    void house.log.push({ level, event, fields: { ...fields } }),
  cameras: {
    list: async () => house.cameras,
    find: async (_: string, id: string) => house.cameras.find((camera) => camera.id === id),
  },
  stateOf: async () => house.state,
})

export const linksOf = (house: FakeHouse) => createGoogleLinks({ store: house.store, clock: () => house.now })
export const statesOf = (house: FakeHouse) => createStatesOf({ isOnline: () => house.online }, ports(house).stateOf)

export function fulfillmentOf(house: FakeHouse, options: Partial<FulfillmentDeps> = {}) {
  return createFulfillment({
    ...ports(house),
    authorize: (token) => house.authorize(token),
    links: linksOf(house),
    statesOf: statesOf(house),
    reports: {
      statesChanged: async (account) => void house.calls.push(['statesChanged', account]),
      camerasChanged: async (account) => void house.calls.push(['camerasChanged', account]),
    },
    broker: {
      warm: ({ id }, ref) => void house.calls.push(['warm', id, ref?.reference]),
      iceServers: (camera, by) => {
        house.calls.push(['iceServers', camera.id, by])
        return house.iceServers(by)
      },
      isOnline: () => house.online,
      absence: () => (house.online === false ? new BridgeError('camera_offline') : undefined),
      refused: async (...given) => {
        house.calls.push(['refused', ...given])
        await house.refused()
      },
      endAll: async (...given) => {
        house.calls.push(['endAll', ...given])
        await house.end()
      },
    },
    unlink: async (account, token) => {
      house.calls.push(['unlink', account, token])
      return house.unlink()
    },
    afterwards: createAfterwards(ports(house).log),
    signalingUrl: 'https://bridge.example/google/signaling',
    canNotify: true,
    willReportState: true,
    ...options,
  })
}

export function signalingDoorOf(house: FakeHouse, options: Partial<SignalingDoorDeps> = {}) {
  return createSignalingDoor({
    ...ports(house),
    broker: {
      negotiate: (request) => {
        house.calls.push(['negotiate', request])
        return house.negotiate(request)
      },
      end: async (...given) => {
        house.calls.push(['end', ...given])
        await house.end()
      },
    },
    talkBack: true,
    ...options,
  })
}
