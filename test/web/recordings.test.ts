/** What happened and what was recorded, as owners and the operator ask for it: lists, files, pictures, deleting. */
import { createSecretKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ALL_FORMATS, BufferSource, Input } from 'mediabunny'
import { createShownRecordings } from '../../src/bridge/web/shown-recordings.ts'
import type { Camera } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createSegmenter, type Segment } from '../../src/gateway/record/segmenter.ts'
import { createRecordings, type KeptRecordings } from '../../src/transom/recordings/recordings.ts'
import { groupMs, send, stream } from '../gateway/record/stream.ts'
import { conforming } from '../wire/conform.ts'
import { openHouse } from './house.ts'

const minute = 60_000
let folder: string
let recordings: KeptRecordings
let happened: string[]
let pauses: Set<string>
let house: Awaited<ReturnType<typeof openHouse>>
let anna: { readonly token: string; readonly account: Camera['accountId'] }
let camera: Camera
let now: number

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'transom-recordings-'))
  const store = createSqliteStore(':memory:', Date.now)
  recordings = createRecordings({
    store,
    root: folder,
    sealing: createSecretKey(Buffer.alloc(32, 7)),
    log: () => undefined,
  })
  happened = []
  pauses = new Set()
  house = await openHouse({
    recording: {
      recordings,
      pauses: {
        isPaused: (id) => pauses.has(id),
        set: async (id, isPaused) => void (isPaused ? pauses.add(id) : pauses.delete(id)),
      },
      happened: ({ id }) => void happened.push(id),
    },
  })
  anna = await house.person('anna')
  camera = await house.addCamera(anna.account, { hasMotion: true, detects: ['person'] })
  now = Date.now()
})
afterEach(async () => {
  await house[Symbol.asyncDispose]()
  await recordings.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Records four seconds, as the gateway does. */
async function record(from: number): Promise<void> {
  const segments: Segment[] = []
  const sent = [...stream(from, 1)]
  const [first] = sent
  if (first === undefined || !('unit' in first)) throw new Error('the stream begins with a key frame')
  const segmenter = createSegmenter(first.unit, true, (one) => segments.push(one))
  for (const one of sent) send(segmenter, one)
  await segmenter.finish()
  await recordings.begin(camera.id, from, segmenter.codecs, segments[0]!.data)
  for (const one of segments.slice(1)) await recordings.append(camera.id, from, one)
  await recordings.end(camera.id, from)
}

interface Answer {
  readonly recordings: readonly {
    readonly id: number
    readonly from: number
    readonly to: number
    readonly events: object[]
  }[]
  readonly events: readonly { readonly kind: string; readonly at: number }[]
  readonly error: string
}
async function ask(method: string, path: string, token = anna.token) {
  const { status, body } = await house.ask(token, method, `/api/cameras/front-door${path}`)
  return { status, body: body as unknown as Answer }
}
const fetchFile = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${house.url}/api/cameras/front-door${path}`, {
    headers: { authorization: `Bearer ${anna.token}`, ...headers },
  })

test('what happens is told to whoever records, and kept for a list', async () => {
  const { events } = house.bridge
  await events.receive(camera, { kind: 'press', eventId: 'p', at: now - 3_000 })
  await events.receive(camera, { kind: 'person', eventId: 'm', at: now - 2_000 })
  await events.receive(camera, { kind: 'motion', eventId: 'v', at: now - 1_000, isDetected: true })
  await events.receive(camera, { kind: 'motion', eventId: 'w', at: now - 500, isDetected: false })
  expect(happened).toEqual(['front-door', 'front-door', 'front-door'])
  const { body } = await ask('GET', '/events')
  expect(body.events.map(({ kind, at }) => [kind, at - now])).toEqual([
    ['press', -3_000],
    ['person', -2_000],
    ['motion', -1_000],
  ])
})

test('the same twice is once, and what was long ago records nothing', async () => {
  const { events } = house.bridge
  for (const _time of [1, 2]) await events.receive(camera, { kind: 'person', eventId: 'm', at: now - 2_000 })
  await events.receive(camera, { kind: 'person', eventId: 'old', at: now - 10 * minute })
  expect((await ask('GET', '/events')).body.events).toHaveLength(2)
  expect(happened).toEqual(['front-door', 'front-door'])
})

test('recordings are listed with what happened meanwhile', async () => {
  await record(now - 5 * minute)
  await record(now - 60 * 25 * minute)
  await house.bridge.events.receive(camera, { kind: 'press', eventId: 'p', at: now - 5 * minute + 1_000 })
  const { body } = await ask('GET', '/recordings')
  expect(body.recordings).toMatchObject([
    { id: now - 5 * minute, from: now - 5 * minute, events: [{ kind: 'press', at: now - 5 * minute + 1_000 }] },
  ])
  const older = await ask('GET', `/recordings?from=${now - 60 * 26 * minute}&to=${now - 60 * 24 * minute}`)
  expect(older.body.recordings).toHaveLength(1)
})

test('a recording is one MP4 file, of which a player may ask for parts', async () => {
  await record(now - 5 * minute)
  const whole = await fetchFile(`/recordings/${now - 5 * minute}/clip.mp4`)
  expect([whole.status, whole.headers.get('content-type')]).toEqual([200, 'video/mp4'])
  expect(whole.headers.get('content-disposition')).toMatch(/^attachment; filename=front-door-.*\.mp4$/)
  const bytes = Buffer.from(await whole.arrayBuffer())
  expect(bytes.toString('latin1', 4, 8)).toBe('ftyp')
  const part = await fetchFile(`/recordings/${now - 5 * minute}/clip.mp4`, { range: 'bytes=4-7' })
  expect([part.status, await part.text()]).toEqual([206, 'ftyp'])
})

test('of a time comes one file, too', async () => {
  await record(now - 5 * minute)
  await record(now - 4 * minute)
  const one = await fetchFile(`/recordings/clip.mp4?from=${now - 5 * minute}&to=${now - 5 * minute + groupMs}`)
  const both = await fetchFile('/recordings/clip.mp4')
  const [small, large] = [(await one.arrayBuffer()).byteLength, (await both.arrayBuffer()).byteLength]
  expect(large).toBeGreaterThan(1.5 * small)
  expect((await fetchFile(`/recordings/clip.mp4?from=1&to=2`)).status).toBe(404)
})

test('the picture of a recording is there, or it is said that there is none', async () => {
  await record(now - 5 * minute)
  const path = `/recordings/${now - 5 * minute}/thumbnail.jpg`
  expect((await fetchFile(path)).status).toBe(404)
  const [kept] = await recordings.list(camera.id, { from: 0, to: Infinity })
  await recordings.putPicture(kept!, Buffer.from('a JPEG'))
  const picture = await fetchFile(path)
  expect([picture.headers.get('content-type'), await picture.text()]).toEqual(['image/jpeg', 'a JPEG'])
})

describe('deleting', () => {
  test('one, those of a time, and all', async () => {
    for (const ago of [1, 2, 3, 4]) await record(now - ago * minute)
    expect((await ask('DELETE', `/recordings/${now - minute}`)).status).toBe(204)
    expect((await ask('DELETE', `/recordings/${now - minute}`)).status).toBe(404)
    expect((await ask('DELETE', `/recordings?from=${now - 2 * minute}&to=${now}`)).status).toBe(204)
    expect((await ask('GET', '/recordings')).body.recordings).toHaveLength(2)
    expect((await ask('DELETE', '/recordings')).status).toBe(204)
    expect((await ask('GET', '/recordings')).body.recordings).toEqual([])
  })

  test('is not for other apps than the page', async () => {
    await record(now - minute)
    const app = await house.appToken('anna')
    expect((await ask('GET', '/recordings', app)).body.recordings).toHaveLength(1)
    expect((await ask('DELETE', `/recordings/${now - minute}`, app)).status).toBe(403)
  })

  test('a camera deletes what was recorded of it', async () => {
    await record(now - minute)
    await house.bridge.cameras.remove(camera.id)
    expect(await recordings.list(camera.id, { from: 0, to: Infinity })).toEqual([])
  })
})

test('what is not there, or of somebody else, is refused without a word about it', async () => {
  await record(now - minute)
  const bob = await house.person('bob')
  for (const path of ['/events', '/recordings', `/recordings/${now - minute}`, `/recordings/${now - minute}/clip.mp4`])
    expect((await ask('GET', path, bob.token)).status).toBe(404)
  for (const path of ['/recordings/1', '/recordings/x/clip.mp4', '/recordings/-1/thumbnail.jpg'])
    expect((await ask('GET', path)).status).toBe(404)
  expect((await ask('GET', '/recordings?from=yesterday')).status).toBe(400)
})

const guestPaths = () => [
  '/events',
  '/recordings',
  ...['', '/clip.mp4', '/thumbnail.jpg'].map((file) => `/recordings/${now - minute}${file}`),
  '/recordings/clip.mp4',
]
const statuses = async (token: string) => {
  const found: number[] = []
  for (const path of guestPaths())
    found.push((await fetchFile(path, { authorization: `Bearer ${token}`, range: 'bytes=4-7' })).status)
  return found
}
async function shareWithBob(): Promise<{ readonly token: string; readonly account: Camera['accountId'] }> {
  const bob = await house.person('bob')
  await record(now - minute)
  await recordings.putPicture((await recordings.find(camera.id, now - minute))!, Buffer.from('a JPEG'))
  await house.bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: true })
  return bob
}
const views = async () =>
  (await house.bridge.oauth.audit.read(anna.account))
    .filter(({ kind }) => kind === 'recording-viewed')
    .map(({ detail = '' }) => detail.replace(/[-\d]{10} [\d:]{5} UTC/, 'THEN'))
    .sort()

describe('a guest', () => {
  test('sees recordings only where the share says so, and at once no longer', async () => {
    const bob = await shareWithBob()
    expect(await statuses(bob.token)).toEqual([403, 403, 403, 403, 403, 403])
    const rights = { mayTalk: false, mayViewRecordings: true }
    const guest = '/api/cameras/front-door/guests/bob'
    expect((await house.ask(anna.token, 'PUT', guest, rights)).status).toBe(204)
    expect(await statuses(bob.token)).toEqual([200, 200, 200, 206, 200, 206])
    // What one of them does not know of, it does not take away.
    expect((await house.ask(anna.token, 'PUT', guest, { mayTalk: true })).status).toBe(204)
    expect(await statuses(bob.token)).toEqual([200, 200, 200, 206, 200, 206])
    expect((await ask('DELETE', `/recordings/${now - minute}`, bob.token)).status).toBe(404)
    expect((await ask('DELETE', '/recordings', bob.token)).status).toBe(404)
    expect((await house.ask(anna.token, 'DELETE', guest)).status).toBe(204)
    expect(await statuses(bob.token)).toEqual([404, 404, 404, 404, 404, 404])
  })

  test('leaves a line in the history of the owner for each view, who leaves none', async () => {
    const bob = await shareWithBob()
    await statuses(bob.token)
    await statuses(anna.token)
    expect(await views()).toEqual([])
    await house.bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: true, mayViewRecordings: true })
    for (const _part of [1, 2, 3]) await statuses(bob.token)
    expect(await views()).toEqual(['Front door, THEN, by bob', 'Front door, pictures, by bob'])
    await house.bridge.noteRecordingView(camera, 'operator', now - minute)
    expect(await views()).toContain('Front door, THEN, by the operator')
  })

  test('who is invited with the right has it once accepted', async () => {
    const bob = await house.person('bob')
    const guest = '/api/cameras/front-door/guests/bob'
    await house.ask(anna.token, 'PUT', guest, { mayTalk: true, mayViewRecordings: true })
    const [invitation] = (await house.ask(bob.token, 'GET', '/api/invitations')).body.invitations
    expect(invitation).toMatchObject({ mayTalk: true, mayViewRecordings: true })
    await house.ask(bob.token, 'POST', `/api/invitations/${invitation!.id}/accept`, {})
    expect((await ask('GET', '/recordings', bob.token)).status).toBe(200)
    expect((await house.ask(anna.token, 'GET', '/api/cameras/front-door/guests')).body).toEqual({
      guests: [{ login: 'bob', name: 'Name of bob', mayTalk: true, mayViewRecordings: true }],
    })
  })
})

const addressOf = async (token = anna.token, body: object = {}) => {
  const path = `/api/cameras/front-door/recordings/${now - minute}/address`
  const { status, body: answer } = await house.ask(token, 'POST', path, body)
  return { status, ...(answer as unknown as { readonly url: string; readonly until: number }) }
}
const openAddress = async (url: string) => conforming('GET', await fetch(`${house.url}${url}`))

describe('the address of a clip', () => {
  test('needs no token, plays in parts, and ends with the recording', async () => {
    await record(now - minute)
    const { url, until } = await addressOf()
    expect(until - Date.now()).toBeLessThanOrEqual(3 * 60 * minute)
    const whole = await openAddress(url)
    expect([whole.status, whole.headers.get('content-disposition')]).toEqual([200, null])
    expect(Buffer.from(await whole.arrayBuffer()).toString('latin1', 4, 8)).toBe('ftyp')
    const part = await fetch(`${house.url}${url}`, { headers: { range: 'bytes=4-7' } })
    expect([part.status, await part.text()]).toEqual([206, 'ftyp'])
    expect((await openAddress(`${url}?download`)).headers.get('content-disposition')).toMatch(
      /^attachment; filename=front-door-/,
    )
    // One file, and nothing beside it.
    for (const other of ['playlist.m3u8', 'manifest.mpd', `${now - minute}/all/1.m4s`])
      expect((await openAddress(url.replace('clip.mp4', other))).status).toBe(404)
    expect((await openAddress(url.replace('/media/', '/media/A'))).status).toBe(403)
    expect((await ask('DELETE', `/recordings/${now - minute}`)).status).toBe(204)
    expect((await openAddress(url)).status).toBe(404)
  })

  test('of a guest ends with the share, and is one view', async () => {
    const bob = await shareWithBob()
    expect((await addressOf(bob.token)).status).toBe(403)
    await house.bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: true, mayViewRecordings: true })
    const { url } = await addressOf(bob.token)
    expect((await openAddress(url)).status).toBe(200)
    expect(await views()).toEqual(['Front door, THEN, by bob'])
    expect((await addressOf(bob.token, { days: 1 })).status).toBe(404)
    await house.bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: true, mayViewRecordings: false })
    expect((await openAddress(url)).status).toBe(403)
  })

  test('is handed on by the owner for days, who finds the views in the history', async () => {
    await record(now - minute)
    const { url, until } = await addressOf(anna.token, { days: 7 })
    expect(Math.round((until - Date.now()) / minute)).toBe(7 * 24 * 60)
    expect((await openAddress(url)).status).toBe(200)
    expect(await views()).toEqual(['Front door, THEN, by somebody with the link'])
    expect((await addressOf(await house.appToken('anna'), { days: 7 })).status).toBe(403)
    for (const days of [0, 31, 1.5, 'all']) expect((await addressOf(anna.token, { days })).status).toBe(400)
  })
})

const shown = (publicUrl = 'https://bridge.example') =>
  createShownRecordings({
    recordings,
    addresses: house.bridge.mediaAddresses,
    publicUrl,
    noteView: house.bridge.noteRecordingView,
  })
const here = (url: string) => fetch(url.replace('https://bridge.example', house.url))

const tracksOf = async (file: Response) => {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(await file.arrayBuffer()) })
  return (await input.getTracks()).map(({ type }) => type)
}

describe('recording', () => {
  test('is paused by the owner and goes on, and the list says so', async () => {
    const bob = await shareWithBob()
    const paused = async () =>
      ((await house.ask(anna.token, 'GET', '/api/cameras/front-door')).body as { isRecordingPaused?: boolean })
        .isRecordingPaused
    expect((await ask('PUT', '/recording/pause')).status).toBe(400)
    expect(await paused()).toBeUndefined()
    await house.bridge.cameras.change(camera.id, (one) => ({ ...one, record: 'events' }))
    expect(await paused()).toBe(false)
    for (const _time of [1, 2]) expect((await ask('PUT', '/recording/pause')).status).toBe(204)
    expect(await paused()).toBe(true)
    expect((await ask('DELETE', '/recording/pause', bob.token)).status).toBe(404)
    expect((await ask('DELETE', '/recording/pause')).status).toBe(204)
    expect(await paused()).toBe(false)
  })

  test('of a camera that is removed is no longer paused', async () => {
    await house.bridge.cameras.change(camera.id, (one) => ({ ...one, record: 'events' }))
    await ask('PUT', '/recording/pause')
    expect([...pauses]).toEqual([camera.id])
    await house.bridge.cameras.remove(camera.id)
    expect([...pauses]).toEqual([])
  })
})

describe('for a display', () => {
  test('there is a clip without sound and its still, without a token', async () => {
    await record(now - minute)
    const [recording] = await recordings.list(camera.id, { from: 0, to: now })
    await recordings.putPicture(recording!, Buffer.from('a picture'))
    const found = await shown()(camera, anna.account, now - minute + 1_000)
    const still = await here(found!.stillUrl)
    expect([still.status, still.headers.get('content-type'), await still.text()]).toEqual([
      200,
      'image/jpeg',
      'a picture',
    ])
    const clip = await here(found!.clipUrl)
    expect([clip.status, clip.headers.get('content-type')]).toEqual([200, 'video/mp4'])
    expect(await tracksOf(clip)).toEqual(['video'])
    expect(await tracksOf(await here(found!.clipUrl.replace('silent', 'clip')))).toEqual(['video', 'audio'])
    expect(await views()).toEqual([])
  })

  test('it begins with what woke a camera that was asleep', async () => {
    await record(now - minute)
    expect((await here((await shown()(camera, anna.account, now - minute - 4_000))!.clipUrl)).status).toBe(200)
  })

  test.each([
    ['nothing was recorded', () => shown()(camera, anna.account, now - 10 * minute)],
    ['displays cannot reach the bridge', () => shown('http://192.168.1.5:8080')(camera, anna.account, now - minute)],
    [
      'a guest may not see recordings',
      () => shown()({ ...camera, sharedBy: anna.account }, anna.account, now - minute),
    ],
  ])('there is none where %s', async (_why, find) => {
    await record(now - minute)
    expect(await find()).toBeUndefined()
  })

  test('a guest who looks stands in the history of the owner', async () => {
    const bob = await shareWithBob()
    const seenByBob: Camera = { ...camera, sharedBy: anna.account, mayViewRecordings: true }
    expect(await shown()(seenByBob, bob.account, now - minute)).toBeDefined()
    expect(await views()).toEqual(['Front door, THEN, by bob'])
  })
})

test('where nothing is recorded it is said so', async () => {
  const other = await openHouse()
  const person = await other.person('anna')
  await other.addCamera(person.account)
  const { status, body } = await other.ask(person.token, 'GET', '/api/cameras/front-door/recordings')
  expect([status, body.error]).toEqual([501, 'not_supported'])
  await other[Symbol.asyncDispose]()
})

test('a camera that connects by itself cannot be set to be recorded, new or known', async () => {
  const changed = await house.ask(anna.token, 'PATCH', '/api/cameras/front-door', { record: 'always' })
  const added = await house.ask(anna.token, 'POST', '/api/cameras', { name: 'Porch', record: 'events' })
  expect([changed.status, added.status]).toEqual([400, 400])
})
