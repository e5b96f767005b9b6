/** Cameras of a vendor's registry: asked within its time, copied into the records, and the copy's age bounded. */
import { createSecretKey, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { createCameras } from '../../src/bridge/cameras/cameras.ts'
import { freshMs, lastMs, withRegistry } from '../../src/bridge/cameras/registry.ts'
import { createUntoldChanges } from '../../src/bridge/cameras/untold-changes.ts'
import { accountId, cameraId, type Camera, type CameraRegistry, type Store } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { anna, frontDoor } from '../alexa/world.ts'

type Registered = Omit<Camera, 'accountId'>
const { accountId: _, ...described } = frontDoor
const camera = (id: string, more: Partial<Registered> = {}): Registered => ({
  ...described,
  id: cameraId(id),
  channel: { channelName: id, road: 'viewer' },
  ...more,
})
const bob = accountId('bob')
const sealing = createSecretKey(randomBytes(32))

let store: Store
let now: number
/** What the registry says of each account; null: it fails. */
let says: Map<string, readonly Registered[] | null>
let asked: string[]
let changes: string[]
let lines: string[]
beforeEach(() => {
  now = 1_000_000_000
  store = createSqliteStore(':memory:', () => now)
  says = new Map()
  asked = []
  changes = []
  lines = []
})
afterEach(async () => {
  jest.useRealTimers()
  await store.close()
})

const registry: CameraRegistry = {
  async camerasOf(account) {
    asked.push(account)
    const said = says.get(account)
    if (said === null) throw new Error('the registry is away')
    return said ?? []
  },
}
const records = () => createCameras(store, async ({ id }, kind) => void changes.push(`${kind} ${id}`), sealing)
/** As in another process. */
const open = (port = registry) =>
  withRegistry(records(), {
    registry: port,
    store,
    clock: () => now,
    log: (_level, event, fields) => void lines.push(`${event} ${JSON.stringify(fields)}`),
  })
const idsOf = async (cameras: ReturnType<typeof open>, account = anna) =>
  (await cameras.list(account)).map(({ id }) => id)

test('the cameras of an account are the registry’s, and those of nobody else', async () => {
  says.set(anna, [camera('a'), camera('b')])
  const cameras = open()
  expect(await idsOf(cameras)).toEqual(['a', 'b'])
  expect(await cameras.find(anna, cameraId('a'))).toEqual({ ...camera('a'), accountId: anna })
  expect(await cameras.find(bob, cameraId('a'))).toBeUndefined()
  expect(await cameras.byChannel('b')).toMatchObject({ id: 'b' })
  expect(changes).toEqual(['changed a', 'changed b'])
})

test('no camera of it has a key that opens anything, until one is issued', async () => {
  says.set(anna, [camera('a')])
  const cameras = open()
  const [found] = await cameras.list(anna)
  for (const key of ['', 'undefined', 'key']) expect(await cameras.byKey('a', key)).toBeUndefined()
  expect(await cameras.signer('a')).toBeUndefined()
  await cameras.put(found!, 'key')
  expect(await cameras.byKey('a', 'key')).toBeDefined()
})

test('for a minute the copy counts, in every process; then the registry is asked once, however many ask', async () => {
  says.set(anna, [camera('a')])
  await idsOf(open())
  says.set(anna, [camera('a', { name: 'Other' }), camera('c')])
  now += freshMs - 1
  const cameras = open()
  expect(await idsOf(cameras)).toEqual(['a'])
  now += 1
  const all = await Promise.all([
    cameras.find(anna, cameraId('a')),
    cameras.list(anna),
    cameras.find(anna, cameraId('c')),
  ])
  expect(all).toMatchObject([{ name: 'Other' }, [{ id: 'a' }, { id: 'c' }], { id: 'c' }])
  expect(asked).toEqual([anna, anna])
})

test('what is not in it any more is removed, and what is unchanged is not written', async () => {
  says.set(anna, [camera('a'), camera('b')])
  await idsOf(open())
  says.set(anna, [camera('a')])
  now += freshMs
  expect(await idsOf(open())).toEqual(['a'])
  expect(changes.slice(2)).toEqual(['removed b'])
  expect((await store.collection('camera').get('a'))?.version).toBe(1)
})

test('cameras that were entered here stay, and the registry takes neither their ids nor their channels', async () => {
  await records().add({ ...camera('own'), accountId: anna }, 'key')
  await records().add({ ...camera('bobs', { channel: { channelName: 'c', road: 'viewer' } }), accountId: bob }, 'key')
  says.set(anna, [camera('bobs'), camera('c'), camera('a')])
  for (let round = 0; round < 2; round += 1) {
    expect(await idsOf(open())).toEqual(['a', 'own'])
    now += freshMs
  }
  expect(await records().byId('bobs')).toMatchObject({ accountId: bob, channel: { channelName: 'c' } })
  expect(lines.filter((line) => line.startsWith('registry.camera-refused'))).toHaveLength(4)
})

test('a camera that changes hands, or its channel, is the new owner’s', async () => {
  says.set(anna, [camera('a')])
  says.set(bob, [])
  await idsOf(open())
  says.set(anna, [])
  says.set(bob, [camera('a', { channel: { channelName: 'new', road: 'viewer' } })])
  now += freshMs
  // The new one is asked for first: the copy of the old one still has it.
  expect(await idsOf(open(), bob)).toEqual(['a'])
  expect(await idsOf(open(), anna)).toEqual([])
  expect(await idsOf(open(), bob)).toEqual(['a'])
  expect(await records().byChannel('new')).toMatchObject({ id: 'a', accountId: bob })
  expect(await records().byChannel('a')).toBeUndefined()
})

test('while it is away the last copy counts for a day, and then the cause is said', async () => {
  says.set(anna, [camera('a')])
  await idsOf(open())
  says.set(anna, null)
  now += lastMs - 1
  expect(await idsOf(open())).toEqual(['a'])
  expect(lines).toEqual([expect.stringMatching(/^registry\.failed .*away.*"ageMs":86399999/)])
  now += 1
  for (const ask of [open().list(anna), open().find(anna, cameraId('a'))])
    await expect(ask).rejects.toMatchObject({ code: 'registry_failed' })
  says.set(anna, [camera('b')])
  expect(await idsOf(open())).toEqual(['b'])
})

test('an account that it never told of has a cause, too, and not everybody waits for a registry that is away', async () => {
  says.set(anna, null)
  const cameras = open()
  await expect(cameras.list(anna)).rejects.toMatchObject({ code: 'registry_failed' })
  await expect(cameras.list(bob)).rejects.toMatchObject({ code: 'registry_failed' })
  expect(asked).toEqual([anna])
  now += 5_000
  says.set(anna, [camera('a')])
  expect(await idsOf(cameras)).toEqual(['a'])
})

test('a registry that is silent is given up in time: soon where there is a copy, and its late word changes nothing', async () => {
  says.set(anna, [camera('a')])
  await idsOf(open())
  now += freshMs
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] })
  const silent = Promise.withResolvers<readonly Registered[]>()
  const begun = Promise.withResolvers<AbortSignal>()
  const cameras = open({
    camerasOf: async (_account, signal) => {
      begun.resolve(signal)
      return silent.promise
    },
  })
  const found = cameras.find(anna, cameraId('a'))
  const signal = await begun.promise
  jest.advanceTimersByTime(600)
  expect(await found).toMatchObject({ id: 'a' })
  expect(signal.aborted).toBe(true)
  silent.resolve([])
  expect(await cameras.byId('a')).toBeDefined()
})

test('changes of a process that cannot tell of them are told once by one that can', async () => {
  const untold = createUntoldChanges(store)
  await untold.note({ ...frontDoor, id: cameraId('a') }, 'changed')
  await untold.note({ ...frontDoor, id: cameraId('a') }, 'removed')
  await untold.note({ ...frontDoor, id: cameraId('b') }, 'changed')
  const told: string[] = []
  await expect(untold.tell(() => Promise.reject(new Error('the store')))).rejects.toThrow('the store')
  for (let round = 0; round < 2; round += 1) await untold.tell(async ({ id }, kind) => void told.push(`${kind} ${id}`))
  expect(told).toEqual(['removed a', 'changed b'])
})
