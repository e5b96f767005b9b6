/** Google's side as the bridge wires it, with shared cameras: each account that may see a camera has a copy of it in Home Graph. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createAuthority } from '../../src/bridge/authority.ts'
import { createCameras } from '../../src/bridge/cameras/cameras.ts'
import { readConfig } from '../../src/transom/config.ts'
import { createAnnouncements } from '../../src/bridge/cameras/announcements.ts'
import { createEvents } from '../../src/bridge/cameras/events.ts'
import { createGoogleDoors, createGoogleNotifications } from '../../src/bridge/assembly/google.ts'
import { createNotices } from '../../src/bridge/assembly/notices.ts'
import { createShares } from '../../src/bridge/cameras/sharing.ts'
import { createCameraStates } from '../../src/bridge/cameras/states.ts'
import { createVisits } from '../../src/bridge/cameras/visits.ts'
import { createBroker } from '../../src/bridge/broker/broker.ts'
import { createOutbox } from '../../src/bridge/outbox/outbox.ts'
import { accountId, cameraId, type AccountId, type Camera, type Signaling } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { executeReply, queryReply, syncReply, type SyncDevice } from '../../src/core/wire/google.ts'
import { startFakeGoogle } from '../google/fake-google.ts'

const ada = accountId('ada')
const bob = accountId('bob')
const hls = {
  uri: 'https://camera.example/i.m3u8',
  protocol: 'HLS',
  width: 1280,
  height: 720,
  audioCodec: 'AAC',
} as const
const door: Camera = {
  id: cameraId('front-door'),
  accountId: ada,
  name: 'Front Door',
  kind: 'doorbell',
  channel: { channelName: 'front-door', road: 'viewer' },
  manufacturer: 'M',
  model: 'D',
  hasSpeaker: true,
  hasBattery: true,
  streams: [hls],
}
const intercom: Camera = {
  ...door,
  id: cameraId('gate'),
  kind: 'camera',
  channel: { channelName: 'gate', road: 'viewer' },
  hasVideo: false,
}

let house: Awaited<ReturnType<typeof openHouse>>
beforeEach(async () => {
  house = await openHouse()
})
afterEach(async () => {
  await house.close()
  expect(house.google.complaints).toEqual([])
})

const log = (): void => {}

async function openHouse() {
  let now = 1_700_000_000_000
  const clock = () => now
  const google = await startFakeGoogle(clock)
  const store = createSqliteStore(':memory:', clock)
  const base = { store, clock, log }
  let isOnline = true
  const signaling: Signaling = {
    // oxlint-disable-next-line require-yield -- no offer comes this far
    async *offer() {
      throw new Error('nobody offers')
    },
    iceServers: async () => [],
    warm: () => {},
  }
  const { budgets, google: config } = readConfig({
    TRANSOM_GOOGLE_SERVICE_ACCOUNT: JSON.stringify(google.keyFile),
    TRANSOM_HOME_GRAPH_URL: google.url,
  })
  const broker = createBroker({ ...base, signaling, presence: () => ({ online: isOnline, sinceAt: 0 }), budgets })
  const cameras = createCameras(store, (camera, kind) => events.receive(camera, { kind, at: clock() }))
  const shares = createShares(store, cameras)
  const linked = new Set<string>([ada, bob])
  const states = createCameraStates(base)
  const known = { ...base, states, broker }
  const openNotifications = (settings: typeof config) =>
    createGoogleNotifications({
      ...known,
      isLive: true,
      config: settings,
      cameras: { ...cameras, ...shares.visible },
      notices: createNotices(base),
    })
  const notifications = openNotifications(config)
  const outbox = createOutbox({ ...base, deliver: { ...(notifications.deliver && { google: notifications.deliver }) } })
  const announcements = createAnnouncements({
    audience: shares.audience,
    visits: createVisits(store, clock),
    translate: [notifications.translate],
    outbox,
  })
  const events = createEvents({
    ...base,
    states,
    announcements,
    visits: createVisits(store, base.clock),
    onRing: async () => {},
  })
  const { fulfillment, reports, reconcile, afterwards, close } = createGoogleDoors({
    ...known,
    config,
    cameras: { ...cameras, ...shares.visible },
    publicUrl: 'https://bridge.example',
    notifications,
    outbox,
    linking: {
      authority: createAuthority({
        verifyToken: async (token) => ({ accountId: accountId(token), clientId: 'google', scopes: ['camera'] }),
        kindsOf: async () => ['google'],
      }),
      oauth: {
        unlinkToken: async (token) => void linked.delete(token),
        isLinked: async (account) => linked.has(account),
      },
    },
  })
  await cameras.put(door, 'key')
  await cameras.put(intercom, 'key')
  await shares.share(ada, door.id, bob, { mayTalk: false })
  await shares.share(ada, intercom.id, bob, { mayTalk: false })

  const ask = async (account: AccountId, intent: string, payload?: object) => {
    const inputs = [{ intent: `action.devices.${intent}`, payload }]
    return (await fulfillment({ requestId: '1', inputs }, { authorization: `Bearer ${account}` })).body
  }
  const quiet = async () => {
    await afterwards.settled()
    await outbox.settled()
  }
  return {
    google,
    openNotifications,
    cameras,
    shares,
    reports,
    reconcile,
    events,
    ask,
    quiet,
    /** What was said since the last time, as `account call`. */
    said: () => google.calls.splice(0).map(({ call, account }) => `${account} ${call}`),
    setOnline: (value: boolean) => void (isOnline = value),
    /** Google asks for the devices of an account, and has taken them in some time after. */
    async sync(account: AccountId): Promise<readonly SyncDevice[]> {
      const { agentUserId, devices } = syncReply.parse(await ask(account, 'SYNC')).payload
      google.devices.set(agentUserId, devices)
      await quiet()
      now += 60_000
      google.calls.length = 0
      return devices
    },
    clock,
    async close() {
      await close()
      await broker.close()
      await outbox.close()
      await store.close()
      await google.close()
    },
  }
}

const show = (protocol: string) => ({
  commands: [
    {
      devices: [{ id: door.id }],
      execution: [
        {
          command: 'action.devices.commands.GetCameraStream',
          params: { StreamToChromecast: true, SupportedStreamProtocols: [protocol] },
        },
      ],
    },
  ],
})

/** What a surface of this protocol is answered when the account asks to see the door. */
const watch = async (account: AccountId, protocol: 'hls' | 'dash') => {
  const { commands } = executeReply.parse(await house.ask(account, 'EXECUTE', show(protocol))).payload
  return commands[0] as { states: { cameraStreamAuthToken: string } }
}

describe('a guest', () => {
  beforeEach(async () => {
    await house.sync(ada)
    expect((await house.sync(bob)).map(({ id }) => id)).toEqual([door.id])
  })

  test('hears the bell as the owner does, each as his own user and under an id of his own', async () => {
    await house.events.receive(door, { kind: 'press', eventId: 'e1', at: house.clock() })
    await house.quiet()
    const { reports } = house.google
    const rung = reports.filter(({ payload }) => payload.devices.notifications)
    expect(new Set(rung.map(({ agentUserId }) => agentUserId))).toEqual(new Set([ada, bob]))
    expect(new Set(rung.map(({ eventId }) => eventId)).size).toBe(2)
  })

  test('is told of presence and battery, and of a new name', async () => {
    house.setOnline(false)
    await house.events.receive(door, { kind: 'online', isOnline: false, at: house.clock() })
    await house.events.receive(door, { kind: 'battery', level: 12, at: house.clock() })
    await house.quiet()
    for (const account of [ada, bob])
      expect(house.google.states.get(account)?.[door.id]).toMatchObject({
        online: false,
        descriptiveCapacityRemaining: 'LOW',
      })
    house.said()
    await house.cameras.put({ ...door, name: 'Back Door' }, 'key')
    await house.quiet()
    expect(house.said().sort()).toEqual([`${ada} requestSync`, `${bob} requestSync`])
  })

  test('is not given the address of a stream, which would outlive the share; the owner is, with a new token each time', async () => {
    const results = [await watch(ada, 'hls'), await watch(ada, 'hls')]
    for (const result of results)
      expect(result).toMatchObject({
        status: 'SUCCESS',
        states: { cameraStreamProtocol: 'hls', cameraStreamAccessUrl: hls.uri },
      })
    expect(new Set(results.map(({ states }) => states.cameraStreamAuthToken)).size).toBe(2)
    const refused = { ids: [door.id], status: 'ERROR', errorCode: 'functionNotSupported' }
    expect([await watch(bob, 'hls'), await watch(bob, 'dash')]).toEqual([refused, refused])
  })

  test('is reconciled as a user of his own', async () => {
    house.google.states.delete(bob)
    expect(await house.reconcile?.(AbortSignal.timeout(60_000))).toEqual({
      accounts: 2,
      unlinked: 0,
      resynced: 0,
      reported: 1,
      failed: 0,
      isComplete: true,
    })
    await house.quiet()
    expect(house.google.states.get(bob)).toMatchObject({ [door.id]: { online: true } })
  })

  test('who unlinks is deleted from Home Graph, and nobody else is', async () => {
    await house.reports?.unlinkedHere(bob)
    await house.quiet()
    expect(house.said()).toEqual([`${bob} delete`])
    await house.events.receive(door, { kind: 'press', eventId: 'e2', at: house.clock() })
    await house.quiet()
    expect(house.said()).toEqual([`${ada} report`])
  })

  test('who unlinks at Google is let go, and the owner hears on', async () => {
    expect(await house.ask(bob, 'DISCONNECT')).toEqual({})
    await house.events.receive(door, { kind: 'press', eventId: 'e3', at: house.clock() })
    await house.quiet()
    expect(house.said()).toEqual([`${ada} report`])
  })
})

test('what has no picture and announces nobody is no device of Google, and no report names it', async () => {
  expect((await house.sync(ada)).map(({ id }) => id)).toEqual([door.id])
  await house.events.receive(intercom, { kind: 'battery', level: 50, at: house.clock() })
  await house.quiet()
  expect(Object.keys(house.google.states.get(ada) ?? {})).toEqual([door.id])
  expect(await house.reconcile?.(AbortSignal.timeout(60_000))).toMatchObject({ resynced: 0, reported: 0 })
})

test('SYNC names 400 cameras, those that are shared included', async () => {
  const names = Array.from({ length: 399 }, (_, index) => `camera-${index}`)
  for (const name of names) {
    const camera = { ...door, id: cameraId(name), channel: { channelName: name, road: 'viewer' } } as const
    await house.cameras.put(camera, 'key')
    await house.shares.share(ada, camera.id, bob, { mayTalk: false })
  }
  await house.quiet()
  house.said()
  for (const account of [ada, bob]) {
    const devices = await house.sync(account)
    expect(devices.map(({ id }) => id).sort()).toEqual([door.id, ...names].sort())
  }
})

test('QUERY says what was reported', async () => {
  await house.sync(ada)
  const asQueried = async () => {
    const { devices } = queryReply.parse(await house.ask(ada, 'QUERY', { devices: [{ id: door.id }] })).payload
    const { status, errorCode: _, ...states } = devices[door.id]!
    expect(status).toBe(states.online ? 'SUCCESS' : 'OFFLINE')
    return states
  }
  const news = [
    { kind: 'online', isOnline: true },
    { kind: 'battery', level: 55.4 },
    { kind: 'online', isOnline: false },
    { kind: 'battery', level: 3 },
  ] as const
  for (const one of news) {
    if (one.kind === 'online') house.setOnline(one.isOnline)
    await house.events.receive(door, { ...one, at: house.clock() })
    await house.quiet()
    expect(house.google.states.get(ada)?.[door.id]).toEqual(await asQueried())
  }
})

test('what follows from a reply has gone to the outbox when all is settled', async () => {
  house.google.devices.set(ada, [{ id: door.id }])
  await house.ask(ada, 'SYNC')
  await house.quiet()
  expect(house.said()).toEqual([`${ada} report`])
})

test.each([
  ['/nowhere/key.json', '/nowhere/key.json cannot be read'],
  ['{"client_email":"a"}', 'is not the JSON key of a service account'],
  ['{"private_key":"secret', 'is not the JSON key of a service account'],
])('a service account %s is refused with what to do, and its key is not shown', async (given, message) => {
  const { google } = readConfig({ TRANSOM_GOOGLE_SERVICE_ACCOUNT: given })
  const open = () => house.openNotifications(google)
  expect(open).toThrow(message)
  expect(open).toThrow('docs/google-home.md')
  expect(open).not.toThrow('secret')
})
