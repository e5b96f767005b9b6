/** What is recorded is there, sealed, in the order of time, and agrees with its list after a crash at any instant. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createSecretKey } from 'node:crypto'
import { appendFileSync, globSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createWorld, door, fragment, gate, init, record, sealing, startAt, texts, type World } from './world.ts'

let world: World
beforeEach(() => {
  world = createWorld()
})
afterEach(() => world.close())

const day = 24 * 3_600_000
const whole = ['ftyp and moov', 'fragment 1', 'fragment 2', 'fragment 3']
const files = (pattern = '*/*/*.rec') => globSync(pattern, { cwd: world.root }).map((name) => join(world.root, name))
const everything = { from: 0, to: Infinity }

test('a recording is listed and read while it is open, and after its end', async () => {
  const { recordings } = world
  const open = await record(recordings, 3)
  expect(open).toMatchObject({ startAt, endAt: startAt + 6_000, isOpen: true })
  expect(await texts(recordings.read(open))).toEqual(whole)
  await recordings.end(door, startAt)
  const [closed] = await recordings.list(door, everything)
  expect(closed).toMatchObject({ startAt, endAt: startAt + 6_000, isOpen: false, codecs: 'avc1.42e01f,opus' })
  expect(await texts(recordings.read(closed!))).toEqual(whole)
  await recordings.end(door, startAt)
})

test('of a span comes the initialization segment and what overlaps it', async () => {
  const { recordings } = world
  const recording = await record(recordings, 3)
  const span = { from: startAt + 2_500, to: startAt + 3_500 }
  expect(await texts(recordings.read(recording, span))).toEqual(['ftyp and moov', 'fragment 2'])
})

test('a list has those that overlap its span, in the order of time, and goes on where it ended', async () => {
  const { recordings } = world
  for (const from of [startAt + 60_000, startAt, startAt + 120_000]) {
    await record(recordings, 3, from)
    await recordings.end(door, from)
  }
  await record(recordings, 1, startAt, gate)
  const starts = async (span: Parameters<typeof recordings.list>[1]) =>
    (await recordings.list(door, span)).map((one) => one.startAt - startAt)
  expect(await starts(everything)).toEqual([0, 60_000, 120_000])
  expect(await starts({ from: startAt + 5_000, to: startAt + 60_001 })).toEqual([0, 60_000])
  expect(await starts({ from: startAt + 6_000, to: startAt + 60_000 })).toEqual([])
  expect(await starts({ ...everything, limit: 2 })).toEqual([0, 60_000])
  expect(await starts({ ...everything, after: startAt + 60_000 })).toEqual([120_000])
})

test('who follows learns what begins, ends and is deleted, and whether a camera is recorded now', async () => {
  const { recordings } = world
  const told: string[] = []
  const stop = recordings.follow(({ cameraId, startAt: at }, change) =>
    told.push(`${cameraId} ${at - startAt} ${change} ${recordings.isRecording(door)}`),
  )
  await record(recordings, 2)
  await record(recordings, 1)
  await recordings.end(door, startAt)
  await recordings.end(door, startAt)
  await record(recordings, 1, startAt + 60_000)
  await recordings.remove(door, startAt)
  await recordings.remove(door, startAt)
  await recordings.remove(door, startAt + 60_000)
  stop()
  await record(recordings, 1, startAt + 120_000)
  expect(told).toEqual([
    'front-door 0 begun true',
    'front-door 0 ended false',
    'front-door 60000 begun true',
    'front-door 0 removed true',
    'front-door 60000 removed false',
  ])
})

test('a recording whose gateway has left without a word ends', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
  try {
    const { recordings } = world
    await record(recordings, 1)
    const ended = new Promise((resolve) => recordings.follow((_about, change) => resolve(change)))
    jest.advanceTimersByTime(119_000)
    await recordings.append(door, startAt, fragment(2))
    jest.advanceTimersByTime(119_000)
    expect(recordings.isRecording(door)).toBe(true)
    jest.advanceTimersByTime(1_000)
    expect(await ended).toBe('ended')
    expect(await recordings.find(door, startAt)).toMatchObject({ isOpen: false, endAt: startAt + 4_000 })
  } finally {
    jest.useRealTimers()
  }
})

test('a fragment that comes again changes nothing, and none may be left out', async () => {
  const { recordings } = world
  const recording = await record(recordings, 3)
  await recordings.append(door, startAt, fragment(2, 'another one'))
  await expect(recordings.append(door, startAt, fragment(5))).rejects.toMatchObject({ code: 'invalid_request' })
  expect(await texts(recordings.read(recording))).toEqual(whole)
})

test('what is not open takes no fragment, and does not begin again', async () => {
  const { recordings } = world
  await expect(recordings.append(door, startAt, fragment(1))).rejects.toMatchObject({ code: 'invalid_request' })
  await record(recordings, 1)
  await recordings.end(door, startAt)
  await expect(recordings.begin(door, startAt, '', init)).rejects.toMatchObject({ code: 'invalid_request' })
  await expect(recordings.append(door, startAt, fragment(2))).rejects.toMatchObject({ code: 'invalid_request' })
})

describe('sealed', () => {
  test('nothing of a recording, nor its picture, stands in the folder as it was', async () => {
    const recording = await record(world.recordings, 3)
    await world.recordings.putPicture(recording, Buffer.from('a JPEG'))
    for (const path of files('*/*/*')) {
      expect(readFileSync(path).includes('fragment')).toBe(false)
      expect(readFileSync(path).includes('moov')).toBe(false)
      expect(path).not.toContain('front-door')
    }
    expect((await world.recordings.picture(recording))?.toString()).toBe('a JPEG')
  })

  test('with another key of the data directory nothing opens, and it is said so', async () => {
    const recording = await record(world.recordings, 1)
    const stranger = world.again(createSecretKey(Buffer.alloc(32, 8)))
    await expect(texts(stranger.read(recording))).rejects.toMatchObject({ code: 'store_failed' })
  })

  test.each([
    ['changed', (bytes: Buffer) => void bytes.writeUInt8(bytes.readUInt8(at(2) + 40) ^ 1, at(2) + 40)],
    ['with another time', (bytes: Buffer) => void bytes.writeDoubleBE(startAt, at(2) + 8)],
  ])('a fragment that was %s is refused, and its neighbours play', async (_how, change) => {
    const recording = await record(world.recordings, 3)
    await world.recordings.end(door, startAt)
    const [path = ''] = files()
    const bytes = readFileSync(path)
    change(bytes)
    writeFileSync(path, bytes)
    expect(await texts(world.recordings.read({ ...recording, isOpen: false }))).toEqual([
      'ftyp and moov',
      'fragment 1',
      '! it is damaged, or not of this key',
      'fragment 3',
    ])
  })

  test('fragments that were swapped are refused, within a recording and between two', async () => {
    const { recordings } = world
    const one = await record(recordings, 3)
    await recordings.end(door, startAt)
    const [path = ''] = files()
    const bytes = readFileSync(path)
    const [second, third] = [bytes.subarray(at(2), at(3)), bytes.subarray(at(3))]
    writeFileSync(path, Buffer.concat([bytes.subarray(0, at(2)), third, second]))
    const misplaced = '! another fragment stands in its place'
    expect(await texts(recordings.read(one))).toEqual(['ftyp and moov', 'fragment 1', misplaced, misplaced])

    await record(recordings, 3, startAt + 60_000)
    const other = files().find((file) => file !== path)!
    writeFileSync(path, Buffer.concat([bytes.subarray(0, at(2)), readFileSync(other).subarray(at(2))]))
    const foreign = '! it is damaged, or not of this key'
    expect(await texts(recordings.read(one))).toEqual(['ftyp and moov', 'fragment 1', foreign, foreign])
  })

  test('what lies behind a length that cannot be is said to be lost', async () => {
    const recording = await record(world.recordings, 3)
    await world.recordings.end(door, startAt)
    const [path = ''] = files()
    const bytes = readFileSync(path)
    bytes.writeUInt32BE(0xff_ff_ff_ff, at(2))
    writeFileSync(path, bytes)
    const read = await texts(world.recordings.read({ ...recording, isOpen: false }))
    expect(read).toEqual(['ftyp and moov', 'fragment 1', '! what follows cannot be read'])
  })
})

/** Where a fragment begins: the initialization segment has 13 octets, the others 10, and 48 are around each. */
const at = (number: number): number => 48 + 13 + (number - 1) * 58

describe('after a crash', () => {
  test('an open recording ends at its last whole fragment', async () => {
    await record(world.recordings, 3)
    const [path = ''] = files()
    appendFileSync(path, Buffer.alloc(30))
    const after = world.again()
    await after.start()
    const [recording] = await after.list(door, everything)
    expect(recording).toMatchObject({ isOpen: false, endAt: startAt + 6_000, bytes: at(4) })
    expect(readFileSync(path)).toHaveLength(at(4))
    expect(await texts(after.read(recording!))).toEqual(whole)
  })

  test.each([1, 20, 57])('a last fragment that lacks %i octets is cut off', async (missing) => {
    await record(world.recordings, 3)
    const [path = ''] = files()
    truncateSync(path, at(4) - missing)
    const after = world.again()
    await after.start()
    const [recording] = await after.list(door, everything)
    expect(recording).toMatchObject({ endAt: startAt + 4_000, bytes: at(3) })
    expect(await texts(after.read(recording!))).toEqual(whole.slice(0, 3))
  })

  test('a last fragment of which the disk kept the length alone is cut off', async () => {
    await record(world.recordings, 3)
    const [path = ''] = files()
    const bytes = readFileSync(path).fill(0, at(3) + 20)
    writeFileSync(path, bytes)
    const after = world.again()
    await after.start()
    expect(await after.list(door, everything)).toMatchObject([{ endAt: startAt + 4_000, bytes: at(3) }])
  })

  test('a recording of which no picture is left is not listed', async () => {
    await record(world.recordings, 0)
    const after = world.again()
    await after.start()
    expect(await after.list(door, everything)).toEqual([])
    expect(files('*/*/*')).toEqual([])
  })

  test('what is listed without a file goes, and a file without an entry is listed again', async () => {
    const { recordings, store } = world
    await record(recordings, 3)
    await record(recordings, 2, startAt + 60_000)
    await recordings.end(door, startAt)
    await recordings.end(door, startAt + 60_000)
    rmSync(files(`*/*/${startAt}.rec`)[0]!)
    await store.collection('recording').remove(`${door}#${String(startAt + 60_000).padStart(15, '0')}`)
    const after = world.again()
    await after.start()
    expect(await after.list(door, everything)).toMatchObject([{ startAt: startAt + 60_000, endAt: startAt + 64_000 }])
  })

  test('what cannot be opened is left as it is', async () => {
    await record(world.recordings, 3)
    const stranger = world.again(createSecretKey(Buffer.alloc(32, 8)))
    await stranger.start()
    expect(files()).toHaveLength(1)
    const after = world.again(sealing)
    await after.start()
    expect(await after.list(door, everything)).toMatchObject([{ endAt: startAt + 6_000 }])
  })
})

describe('deleting', () => {
  test('takes the file, the picture and the entry, and the key of the day with the last of them', async () => {
    const { recordings } = world
    const one = await record(recordings, 1)
    await recordings.putPicture(one, Buffer.from('a JPEG'))
    await record(recordings, 1, startAt + 60_000)
    expect(await recordings.remove(door, startAt)).toBe(true)
    expect(await recordings.remove(door, startAt)).toBe(false)
    expect(await recordings.find(door, startAt)).toBeUndefined()
    expect(new Set(files('*/*/*').map((path) => path.split('/').at(-1)))).toEqual(
      new Set([`${startAt + 60_000}.rec`, 'key']),
    )
    await recordings.remove(door, startAt + 60_000)
    expect(files('*/*')).toEqual([])
  })

  test('of the last recording of a day does not take the key from one that begins', async () => {
    const { recordings } = world
    await record(recordings, 1)
    await Promise.all([recordings.remove(door, startAt), record(recordings, 3, startAt + 60_000)])
    const after = world.again()
    await after.start()
    const [left] = await after.list(door, everything)
    expect(await texts(after.read(left!))).toEqual(whole)
  })

  test('all of a camera leaves nothing of it, and everything of the others', async () => {
    const { recordings } = world
    await record(recordings, 1)
    await record(recordings, 1, startAt + day)
    const other = await record(recordings, 3, startAt, gate)
    await recordings.removeAll(door)
    expect(await recordings.list(door, everything)).toEqual([])
    expect(files()).toHaveLength(1)
    expect(await texts(recordings.read(other))).toEqual(whole)
    await expect(recordings.append(door, startAt, fragment(2))).rejects.toMatchObject({ code: 'invalid_request' })
  })
})

test('two recordings that begin a day together share its key', async () => {
  const { recordings } = world
  await Promise.all([record(recordings, 3), record(recordings, 3, startAt + 1)])
  const after = world.again()
  await after.start()
  const found = await after.list(door, everything)
  expect(await Promise.all(found.map((one) => texts(after.read(one))))).toEqual([whole, whole])
})
