/** What happened in a household, newest first: put together, filtered, page by page, and only for those who may know. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { Camera, Recording, Recordings, RecordingSpan } from '../../src/core/ports.ts'
import { cameraId } from '../../src/core/ports.ts'
import type { Activity } from '../../src/core/wire/api.ts'
import { chromiumOffer } from '../broker/fixtures.ts'
import { openHouse } from './house.ts'

const [second, minute, day] = [1_000, 60_000, 24 * 3_600_000]
let house: Awaited<ReturnType<typeof openHouse>>
let anna: Awaited<ReturnType<typeof house.person>>
let door: Camera
let kept: Recording[]
/** The begin of a minute, some hours ago. */
let then: number

beforeEach(async () => {
  kept = []
  const recordings = {
    list: async (id: string, { from, to, limit = 100 }: RecordingSpan) =>
      kept
        .filter((one) => one.cameraId === id && one.startAt < to && one.endAt > from)
        .sort((one, other) => one.startAt - other.startAt)
        .slice(0, limit),
    isRecording: () => false,
    follow: () => () => undefined,
  } as unknown as Recordings
  house = await openHouse({ recording: { recordings, happened: () => undefined } })
  anna = await house.person('anna')
  door = await house.addCamera(anna.account, { hasMotion: true, detects: ['person'] })
  then = Math.floor(Date.now() / minute) * minute - 5 * 60 * minute
})
afterEach(() => house[Symbol.asyncDispose]())

let count = 0
function happens(kind: 'press' | 'person' | 'motion', at: number, camera = door): Promise<void> {
  const news = { eventId: `e${(count += 1)}`, at }
  return house.bridge.events.receive(
    camera,
    kind === 'motion' ? { kind, ...news, isDetected: true } : { kind, ...news },
  )
}
function recorded(startAt: number, endAt: number, more: Partial<Recording> = {}): void {
  kept.push({ cameraId: door.id, startAt, endAt, isOpen: false, bytes: 1, codecs: 'avc1.42e01f', ...more })
}
async function list(query = '', token = anna.token) {
  const { status, body } = await house.ask(token, 'GET', `/api/activity${query}`)
  return { status, ...(body as unknown as Activity) }
}
/** Each entry: when, what, and whether there is a clip. */
const told = ({ entries }: Activity) =>
  entries.map(({ at, events, recording }) => {
    const what = events.map((event) => `${event.kind} ${(event.at - then) / second}`)
    return [(at - then) / second, what.join(', '), ...(recording ? [(recording.id - then) / second] : [])]
  })

test('a press is there at once, also where nothing is recorded', async () => {
  await happens('press', then)
  expect(told(await list())).toEqual([[0, 'press 0']])
})

const answers = async () => (await list()).entries.flatMap(({ events }) => events.map(({ answer }) => answer))

test('a press says whether anybody came to a display, and keeps it', async () => {
  await happens('press', Date.now())
  expect(await answers()).toEqual(['nobody'])
  const { reference } = (await house.ask(anna.token, 'POST', '/api/cameras/front-door/views')).body
  const offer = { cameraId: 'front-door', sdp: chromiumOffer }
  await house.ask(anna.token, 'POST', `/api/views/${reference}/offer`, offer)
  await house.ask(anna.token, 'POST', `/api/views/${reference}/connected`)
  // The display is answered first, and what follows from its view is kept then.
  while ((await answers())[0] !== 'seen') await new Promise((resolve) => setTimeout(resolve, 10))
})

test('what was recorded together is one entry, and what was not is one for each minute', async () => {
  await happens('motion', then)
  await happens('person', then + 5 * second)
  await happens('press', then + 70 * second)
  recorded(then - 5 * second, then + 80 * second)
  await happens('motion', then + 300 * second)
  await happens('motion', then + 330 * second)
  await happens('motion', then + 365 * second)
  expect(told(await list())).toEqual([
    [365, 'motion 365'],
    [300, 'motion 300, motion 330'],
    [0, 'motion 0, person 5, press 70', -5],
  ])
})

test('what woke a camera belongs to what was recorded then, and what happens now to what is being recorded', async () => {
  await happens('press', then)
  recorded(then + 8 * second, then + 20 * second)
  const now = Date.now()
  recorded(now - 20 * second, now - 4 * second, { isOpen: true })
  await happens('person', now - second)
  const { entries } = await list()
  expect(entries.map(({ recording }) => recording?.id)).toEqual([now - 20 * second, then + 8 * second])
  expect((await list('?kind=recorded')).entries.map(({ events }) => events[0]?.kind)).toEqual(['person', 'press'])
})

test('is filtered by camera, kind and day', async () => {
  const yard = await house.addCamera(anna.account, { id: cameraId('yard'), name: 'Yard', hasMotion: true })
  await happens('press', then)
  await happens('motion', then + minute, yard)
  await house.bridge.visits.note(door, { kind: 'person', at: then - 2 * day }, 'old')
  recorded(then + 30 * minute, then + 35 * minute)
  const ats = async (query: string) => (await list(query)).entries.map(({ at }) => (at - then) / minute)
  expect(await ats('')).toEqual([1, 0, -2 * 24 * 60])
  expect(await ats('?camera=yard')).toEqual([1])
  expect(await ats('?kind=person')).toEqual([-2 * 24 * 60])
  expect(await ats(`?from=${then - day}&to=${then + 1}`)).toEqual([0])
  expect(await ats('?kind=recorded')).toEqual([30])
  expect((await list('?camera=attic')).status).toBe(404)
  expect((await list('?kind=sound')).status).toBe(400)
})

test('an entry across midnight belongs to the day on which it began, whole', async () => {
  await happens('motion', then)
  await happens('press', then + 50 * second)
  recorded(then - 5 * second, then + 60 * second)
  const midnight = then + 30 * second
  expect(told(await list(`?to=${midnight}`))).toEqual([[0, 'motion 0, press 50', -5]])
  expect(told(await list(`?from=${midnight}`))).toEqual([])
})

test('goes on where it ended, also over weeks without anything', async () => {
  for (let index = 0; index < 130; index += 1)
    await house.bridge.visits.note(door, { kind: 'person', at: then - 12 * day - index * minute }, `old ${index}`)
  const first = await list()
  expect([first.entries.length, first.entries[0]?.at]).toEqual([100, then - 12 * day])
  const rest = await list(`?to=${first.next}`)
  expect([rest.entries.length, rest.next]).toEqual([30, undefined])
  const all = [...first.entries, ...rest.entries].map(({ at }) => at)
  expect(new Set(all).size).toBe(130)
})

test('a guest learns only of cameras whose recordings are shared', async () => {
  const bob = await house.person('bob')
  await happens('press', then)
  await house.bridge.shares.share(anna.account, door.id, bob.account, { mayTalk: true })
  expect((await list('', bob.token)).entries).toEqual([])
  expect((await list('?camera=front-door', bob.token)).status).toBe(404)
  await house.bridge.shares.share(anna.account, door.id, bob.account, { mayTalk: true, mayViewRecordings: true })
  expect(told(await list('', bob.token))).toEqual([[0, 'press 0']])
})
