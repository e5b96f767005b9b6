/** The cameras' records: what checks a camera's key is kept, what signs its requests is sealed. */
import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createCameras } from '../../src/bridge/cameras/cameras.ts'
import { cameraId, type Store } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { anna, frontDoor, garden } from '../alexa/world.ts'
import { wrapped } from '../store/wrapped.ts'

const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest()
const key = 'the key of the camera'
const sealing = createSecretKey(randomBytes(32))

let store: Store
beforeEach(() => void (store = createSqliteStore(':memory:', Date.now)))
afterEach(() => store.close())

const open = (sealedWith = sealing) => createCameras(store, undefined, sealedWith)
const stored = async (id: string = frontDoor.id) => (await store.collection<object>('camera').get(id))?.value

test('a camera is known by its key, and its requests by the hash of it', async () => {
  const cameras = open()
  await cameras.put(frontDoor, key)
  expect(await cameras.byKey(frontDoor.id, key)).toEqual(frontDoor)
  expect(await cameras.byKey(frontDoor.id, `${key}x`)).toBeUndefined()
  expect((await cameras.signer(frontDoor.id))?.signingKey).toEqual(sha256(key))
})

test('who reads the store can neither show the key nor sign', async () => {
  await open().put(frontDoor, key)
  const strings = Object.values((await stored())!).filter((value) => typeof value === 'string')
  const candidates = strings.flatMap((text) => [Buffer.from(text, 'base64'), sha256(Buffer.from(text, 'base64'))])
  expect(candidates).toHaveLength(4)
  for (const candidate of candidates) expect(candidate.equals(sha256(key))).toBe(false)
})

test('what is sealed opens only with the same key, for the same camera', async () => {
  const cameras = open()
  await cameras.put(frontDoor, key)
  await cameras.put(garden, 'another')
  expect(await open(createSecretKey(randomBytes(32))).signer(frontDoor.id)).toBeUndefined()
  const mine = (await stored()) as { sealedKey: string }
  await store.collection('camera').put(garden.id, { ...(await stored(garden.id)), sealedKey: mine.sealedKey })
  expect(await cameras.signer(garden.id)).toBeUndefined()
})

test('a record of before is read as it is, and does not sign for a thief any more', async () => {
  const old = { camera: frontDoor, keyHash: sha256(key).toString('base64') }
  await store.collection('camera').put(frontDoor.id, old, { group: anna })
  expect(await createCameras(store).byKey(frontDoor.id, key)).toEqual(frontDoor)
  expect(await stored()).toEqual(old)

  const cameras = open()
  expect(await cameras.find(anna, frontDoor.id)).toEqual(frontDoor)
  expect(JSON.stringify(await stored())).not.toContain(old.keyHash)
  expect(await cameras.byKey(frontDoor.id, key)).toEqual(frontDoor)
  expect((await cameras.signer(frontDoor.id))?.signingKey).toEqual(sha256(key))
  expect(await cameras.list(anna)).toEqual([frontDoor])
})

test('a changed camera keeps its key, also one of before', async () => {
  const cameras = open()
  await cameras.put(frontDoor, key)
  const old = { camera: garden, keyHash: sha256('another').toString('base64') }
  await store.collection('camera').put(garden.id, old, { group: garden.accountId })
  for (const [camera, itsKey] of [
    [frontDoor, key],
    [garden, 'another'],
  ] as const) {
    expect(await cameras.change(camera.id, (before) => ({ ...before, name: 'Porch' }))).toMatchObject({ name: 'Porch' })
    expect(await cameras.byKey(camera.id, itsKey)).toEqual({ ...camera, name: 'Porch' })
    expect((await cameras.signer(camera.id))?.signingKey).toEqual(sha256(itsKey))
  }
  expect(await cameras.change('attic', (before) => before)).toBeUndefined()
})

test('of many changes of one camera at once every one counts', async () => {
  const cameras = open()
  await cameras.put({ ...frontDoor, name: '' }, key)
  const letters = 'abcdefghij'.split('')
  await Promise.all(letters.map((one) => cameras.change(frontDoor.id, (now) => ({ ...now, name: now.name + one }))))
  expect((await cameras.byId(frontDoor.id))?.name).toBe(letters.join(''))
  expect(await cameras.change('no such camera', (now) => now)).toBeUndefined()
})

const added = async (cameras: ReturnType<typeof createCameras>, id: string, channelName = 'v-7') =>
  cameras.add({ ...frontDoor, id: cameraId(id), channel: { channelName, road: 'viewer' } }, key).then(
    (isAdded) => (isAdded ? id : 'id taken'),
    () => undefined,
  )

test('of many cameras that are added for one channel at once one gets it, and no other is there', async () => {
  const ids = 'abcdefghij'.split('')
  const outcomes = await Promise.all(ids.map(async (id) => added(open(), id)))
  const [winner, ...others] = outcomes.filter((outcome) => outcome !== undefined)
  expect([winner, others]).toEqual([expect.stringMatching(/^[a-j]$/), []])
  expect(await open().byChannel('v-7')).toMatchObject({ id: winner })
  expect((await open().list(frontDoor.accountId)).map(({ id }) => id)).toEqual([winner])
})

test('of one camera that is added twice at once, one is it', async () => {
  const outcomes = await Promise.all([added(open(), 'a'), added(open(), 'a'), added(open(), 'a')])
  expect(outcomes.filter((outcome) => outcome === 'a')).toEqual(['a'])
  expect(outcomes.filter((outcome) => outcome === 'id taken')).toHaveLength(2)
  expect(await open().byChannel('v-7')).toMatchObject({ id: 'a' })
})

test('a channel that a camera has left is free, also where its process died in between', async () => {
  // Claimed, and nothing more.
  await store.collection('camera-channel').put('v-7', { cameraId: 'dead' })
  expect(await added(open(), 'a')).toBe('a')
  expect(await added(open(), 'dead')).toBeUndefined()
  await open().remove('a')
  expect(await added(open(), 'b')).toBe('b')
})

/** The store, which does something else before a write of this kind that nobody knows of. */
const before = (kind: string, happens: () => Promise<unknown>) => {
  let hasHappened = false
  return wrapped(store, (of, records) => ({
    ...records,
    async put(...args) {
      if (of === kind && !hasHappened) {
        hasHappened = true
        await happens()
      }
      return records.put(...args)
    },
  }))
}

test('whoever claims a channel while the camera before is still being added gives it back', async () => {
  await store.collection('camera-channel').put('v-7', { cameraId: 'slow' })
  // The slow one goes on between the look of the other at its record and its claim.
  const slow = async () =>
    store.collection('camera').put('slow', {
      camera: { ...frontDoor, id: 'slow', channel: { channelName: 'v-7', road: 'viewer' } },
      keyCheck: '',
    })
  expect(await added(createCameras(before('camera-channel', slow), undefined, sealing), 'a')).toBeUndefined()
  expect(await open().byId('a')).toBeUndefined()
  expect(await open().byChannel('v-7')).toMatchObject({ id: 'slow' })
})

test('whose claim was taken over before its record was written is not there', async () => {
  const other = async () => added(open(), 'other')
  expect(await added(createCameras(before('camera', other), undefined, sealing), 'slow')).toBeUndefined()
  expect(await open().byId('slow')).toBeUndefined()
  expect(await open().byChannel('v-7')).toMatchObject({ id: 'other' })
})

test('a removed camera takes nothing from the one that has its channel by now', async () => {
  await added(open(), 'a')
  const next = wrapped(store, (kind, records) => ({
    ...records,
    async take(id) {
      const taken = await records.take(id)
      if (kind === 'camera') await added(open(), 'b')
      return taken
    },
  }))
  await createCameras(next, undefined, sealing).remove('a')
  expect(await open().byChannel('v-7')).toMatchObject({ id: 'b' })
  expect(await added(open(), 'c')).toBeUndefined()
})
