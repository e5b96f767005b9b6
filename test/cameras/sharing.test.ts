/** Sharing a camera: who sees it, who may talk, and what is left when anything of it ends. */
import { beforeEach, describe, expect, test } from '@jest/globals'
import { createCameras, type Cameras } from '../../src/bridge/cameras/cameras.ts'
import { createShares, type Shares } from '../../src/bridge/cameras/sharing.ts'
import { accountId, cameraId, type Camera, type Store } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { wrapped } from '../store/wrapped.ts'

const ada = accountId('ada')
const bob = accountId('bob')
const eve = accountId('eve')
const door = cameraId('front-door')
const camera: Camera = {
  id: door,
  accountId: ada,
  name: 'Front Door',
  kind: 'doorbell',
  channel: { channelName: 'front-door', road: 'viewer' },
  manufacturer: 'M',
  model: 'D',
  hasSpeaker: true,
}

let store: Store
let cameras: Cameras
let shares: Shares
beforeEach(async () => {
  store = createSqliteStore(':memory:', Date.now)
  cameras = createCameras(store)
  shares = createShares(store, cameras)
  await cameras.put(camera, 'key')
})

const seenBy = async (account: typeof ada) => [
  (await shares.visible.list(account)).map(({ id, hasSpeaker }) => [id, hasSpeaker]),
  (await shares.visible.find(account, door))?.hasSpeaker,
]

test('a camera that is not shared does not exist for another account', async () => {
  expect(await seenBy(ada)).toEqual([[[door, true]], true])
  expect(await seenBy(bob)).toEqual([[], undefined])
})

test('who may view sees it without a speaker, who may talk with one; both as their own account', async () => {
  await shares.share(ada, door, bob, { mayTalk: false })
  expect(await seenBy(bob)).toEqual([[[door, false]], false])
  expect(await shares.visible.find(bob, door)).toEqual({ ...camera, accountId: bob, sharedBy: ada, hasSpeaker: false })
  await shares.share(ada, door, bob, { mayTalk: true })
  expect(await seenBy(bob)).toEqual([[[door, true]], true])
  expect(await shares.guests(ada, door)).toEqual([{ accountId: bob, mayTalk: true }])
  expect(await seenBy(ada)).toEqual([[[door, true]], true])
  expect(await seenBy(eve)).toEqual([[], undefined])
})

test('no address that works on after the share reaches a guest', async () => {
  const uri = 'rtsp://user:password@192.0.2.7/live'
  const addresses = {
    streams: [{ uri, protocol: 'RTSP', width: 640, height: 480, audioCodec: 'NONE' }],
    dashUri: 'https://192.0.2.7/live.mpd',
  } as const
  await cameras.put({ ...camera, ...addresses }, 'key')
  await shares.share(ada, door, bob, { mayTalk: true })
  const seen = [
    await shares.visible.find(bob, door),
    ...(await shares.visible.list(bob)),
    ...(await shares.audience({ ...camera, ...addresses })).filter(({ accountId: whose }) => whose === bob),
  ]
  expect(seen).toHaveLength(3)
  for (const one of seen) expect(one).toEqual({ ...camera, accountId: bob, sharedBy: ada })
  expect(await shares.visible.find(ada, door)).toMatchObject(addresses)
})

test('recordings are a right of their own: at first not, then as it was where nothing is said', async () => {
  await shares.share(ada, door, bob, { mayTalk: true })
  const rights = async () => [
    (await shares.visible.find(bob, door))?.mayViewRecordings,
    (await shares.guests(ada, door))[0]?.mayViewRecordings,
    (await shares.audience(camera))[1]?.mayViewRecordings,
  ]
  expect(await rights()).toEqual([undefined, undefined, undefined])
  await shares.share(ada, door, bob, { mayTalk: true, mayViewRecordings: true })
  expect(await rights()).toEqual([true, true, true])
  await shares.share(ada, door, bob, { mayTalk: false })
  expect(await rights()).toEqual([true, true, true])
  await shares.share(ada, door, bob, { mayTalk: false, mayViewRecordings: false })
  expect(await rights()).toEqual([undefined, undefined, undefined])
})

test('a camera without a speaker gets none by sharing', async () => {
  await cameras.put({ ...camera, hasSpeaker: false }, 'key')
  await shares.share(ada, door, bob, { mayTalk: true })
  expect((await shares.visible.find(bob, door))?.hasSpeaker).toBe(false)
})

test('a share ends at once, and ending it again is no error', async () => {
  await shares.share(ada, door, bob, { mayTalk: true })
  await shares.unshare(ada, door, bob)
  await shares.unshare(ada, door, bob)
  expect(await seenBy(bob)).toEqual([[], undefined])
  expect(await shares.guests(ada, door)).toEqual([])
})

test('a press is told to everybody who may see the camera, as theirs', async () => {
  await shares.share(ada, door, bob, { mayTalk: false })
  await shares.share(ada, door, eve, { mayTalk: true })
  const told = (await shares.audience(camera)).map(({ accountId: account, hasSpeaker }) => [account, hasSpeaker])
  expect(told).toEqual([
    [ada, true],
    [bob, false],
    [eve, true],
  ])
})

test('an account is shared a thousand cameras, and whoever shares one more is told', async () => {
  const names = Array.from({ length: 1_001 }, (_, index) => cameraId(`camera-${index}`))
  for (const id of names) await cameras.put({ ...camera, id, channel: { channelName: id, road: 'viewer' } }, 'key')
  for (const id of names.slice(0, 1_000)) await shares.share(ada, id, bob, { mayTalk: false })
  const refused = { code: 'invalid_request', message: expect.stringContaining('1000') }
  await expect(shares.share(ada, names[1_000]!, bob, { mayTalk: false })).rejects.toMatchObject(refused)
  // What is shared already can still be changed.
  await shares.share(ada, names[0]!, bob, { mayTalk: true })
  expect(await shares.visible.list(bob)).toHaveLength(1_000)
  expect(await shares.guests(ada, names[1_000]!)).toEqual([])
})

describe('nobody shares', () => {
  test("a camera of somebody else's, not even one that is shared with them", async () => {
    await shares.share(ada, door, bob, { mayTalk: true })
    await expect(shares.share(bob, door, eve, { mayTalk: true })).rejects.toMatchObject({ code: 'camera_not_found' })
    await expect(shares.share(eve, door, eve, { mayTalk: true })).rejects.toMatchObject({ code: 'camera_not_found' })
    await shares.unshare(eve, door, bob)
    expect((await seenBy(bob))[1]).toBe(true)
  })

  test('with themselves', async () => {
    await expect(shares.share(ada, door, ada, { mayTalk: true })).rejects.toMatchObject({ code: 'invalid_request' })
  })
})

test('a camera that changes hands is shared with nobody any more', async () => {
  await shares.share(ada, door, bob, { mayTalk: true })
  await cameras.put({ ...camera, accountId: eve }, 'key')
  expect(await seenBy(bob)).toEqual([[], undefined])
  expect(await shares.guests(eve, door)).toEqual([])
})

test('a share that was half written or half removed is none that its owner cannot see', async () => {
  let failing = ''
  const fragile = wrapped(store, (kind, records) => {
    const guard = () => {
      if (kind === failing) throw new Error('the store is down')
    }
    return {
      ...records,
      put: async (...args) => (guard(), records.put(...args)),
      remove: async (...args) => (guard(), records.remove(...args)),
    }
  })
  const risky = createShares(fragile, cameras)
  for (const kind of ['share', 'share-of']) {
    failing = kind
    await expect(risky.share(ada, door, bob, { mayTalk: true })).rejects.toThrow('down')
    expect((await seenBy(bob))[1]).toBeUndefined()
  }
  failing = ''
  await risky.share(ada, door, bob, { mayTalk: true })
  failing = 'share-of'
  await expect(risky.unshare(ada, door, bob)).rejects.toThrow('down')
  expect((await seenBy(bob))[1]).toBeUndefined()
})

test('what follows for the guest can be repeated when it failed half-way', async () => {
  const done: string[] = []
  let isDown = false
  const risky = createShares(store, cameras, async ({ accountId: guest }, kind) => {
    if (isDown) throw new Error('the store is down')
    done.push(`${guest}: ${kind}`)
  })
  await risky.share(ada, door, bob, { mayTalk: true })
  isDown = true
  await expect(risky.unshare(ada, door, bob)).rejects.toThrow('down')
  expect(await seenBy(bob)).toEqual([[], undefined])
  isDown = false
  await risky.unshare(ada, door, bob)
  await risky.unshare(ada, door, bob)
  expect(done).toEqual(['bob: changed', 'bob: removed'])
})
