/** `transom recordings`: lists, saves and deletes what a bridge has recorded; mistakes are wrong usage and change nothing. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import express from 'express'
import { BridgeError } from '../../src/core/errors.ts'
import { accountId, type Camera } from '../../src/core/ports.ts'
import { answerError } from '../../src/bridge/web/refusals.ts'
import { createRecordingRoutes } from '../../src/bridge/web/recordings.ts'
import { printTime } from '../../src/transom/times.ts'
import { recordStream } from '../recordings/streams.ts'
import { createWorld, door, type World } from '../recordings/world.ts'
import { createTerminal } from './terminal.ts'

const minute = 60_000
const camera: Camera = {
  record: 'events',
  id: door,
  accountId: accountId('ada'),
  name: 'Front Door',
  kind: 'doorbell',
  channel: { channelName: 'front-door', road: 'viewer' },
  manufacturer: 'Transom',
  model: 'Doorbell',
  hasSpeaker: true,
}
let world: World
let server: Server
let folder: string
let now: number
/** What was changed of the camera porch, and how cameras are listed. */
let changes: unknown[]
let added: { readonly id: string; readonly record?: string; readonly source?: string }[]
let listed: readonly object[]
beforeEach(async () => {
  changes = []
  added = []
  listed = []
  world = createWorld()
  folder = mkdtempSync(join(tmpdir(), 'transom-clips-'))
  now = Math.floor(Date.now() / 1_000) * 1_000
  const app = express()
  app.use(
    createRecordingRoutes({
      cameraOf: async ({ params: { id } }) => {
        if (id !== door) throw new BridgeError('camera_not_found', `there is no camera ${String(id)}`)
        return camera
      },
      noteView: async () => undefined,
      moments: async () => [{ kind: 'press', at: now - 10 * minute }],
      recordings: world.recordings,
      pauseRecording: async (_camera, isPaused) => void changes.push({ isPaused }),
      addresses: {
        mint: () => '',
        open: () => {
          throw new Error('nobody plays here')
        },
      },
      clock: Date.now,
    }),
  )
  app.patch('/cameras/porch', express.json(), ({ body }, response) => {
    changes.push(body)
    response.status(204).end()
  })
  app.post('/cameras', express.json(), ({ body }, response) => {
    added.push(body)
    response.status(201).json({ cameraId: body.id, channelName: body.id, eventsUrl: 'http://127.0.0.1/events' })
  })
  app.get('/cameras', (_request, response) => void response.json({ cameras: listed }))
  app.use(answerError(() => undefined))
  server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await world.close()
  rmSync(folder, { recursive: true, force: true })
})

const transom = (...words: readonly string[]) => commanded('recordings', ...words)

async function commanded(...words: readonly string[]) {
  const { port } = server.address() as AddressInfo
  const terminal = createTerminal({ access: { url: `http://127.0.0.1:${port}`, token: 'x' } })
  const code = await terminal.run(...words)
  return { code, out: terminal.printed(), err: terminal.complained(), bytes: terminal.bytes() }
}
const recorded = async (at: number) => {
  await recordStream(world.recordings, door, at, 1)
  return String(at)
}
const left = async () =>
  (await world.recordings.list(door, { from: 0, to: Infinity, limit: 1_000 })).map(({ startAt }) => startAt)
const isMp4 = (bytes: Buffer) => bytes.subarray(4, 8).toString() === 'ftyp'

test('a list shows when, how long, how large and what happened; the last day by default', async () => {
  await recorded(now - 50 * 60 * minute)
  const id = await recorded(now - 10 * minute - 1_000)
  const { code, out } = await transom('list', 'front-door')
  expect(code).toBe(0)
  const rang = printTime(now - 10 * minute).slice(11)
  expect(out).toMatch(new RegExp(`^${id}  ${printTime(Number(id))}    4 s  \\d\\.\\d MB  press ${rang}$`))
  const all = JSON.parse((await transom('list', 'front-door', '--from', '-3d', '--json')).out)
  expect(all).toMatchObject([{ id: now - 50 * 60 * minute }, { id: Number(id), isOpen: false }])
  expect((await transom('list', 'front-door', '--to', '-1d', '--from', '-2d')).out).toBe('No recordings')
})

test('a list of more than a page is whole, and each recording is in it once', async () => {
  const init = Buffer.from('init')
  for (let index = 0; index < 205; index += 1) {
    const at = now - 205 * minute + index * minute
    await world.recordings.begin(door, at, 'avc1.42e01f', init)
    await world.recordings.append(door, at, { number: 1, at, durationMs: minute + 500, data: init })
    await world.recordings.end(door, at)
  }
  const rows = JSON.parse((await transom('list', 'front-door', '--json')).out) as readonly { readonly id: number }[]
  expect(rows.map(({ id }) => id)).toEqual(await left())
  expect(rows).toHaveLength(205)
})

test('the newest recording is saved, however old it is', async () => {
  const out = join(folder, 'visitor.mp4')
  expect(await transom('export', 'front-door', '--last', '--out', out)).toMatchObject({
    code: 1,
    err: 'nothing is recorded of front-door',
  })
  await recorded(now - 3 * 1_440 * minute)
  await recorded(now - 2 * 1_440 * minute)
  const done = await transom('export', 'front-door', '--last', '--out', out, '--json')
  expect(done.code).toBe(0)
  const file = readFileSync(out)
  expect(isMp4(file)).toBe(true)
  expect(JSON.parse(done.out)).toEqual({ file: out, bytes: file.length })
})

test('a time, or one recording, is saved; to the standard output, too', async () => {
  const id = await recorded(now - 10 * minute)
  const bySpan = await transom('export', 'front-door', '--from', '-11m', '--to', 'now', '--out', '-')
  expect(bySpan).toMatchObject({ code: 0, out: '', err: '' })
  expect(isMp4(bySpan.bytes)).toBe(true)
  const byNumber = await transom('export', 'front-door', id, '--out', '-')
  expect(byNumber.bytes.equals(bySpan.bytes)).toBe(true)
  const nothing = await transom('export', 'front-door', '--from', '-2m', '--to', 'now', '--out', join(folder, 'x'))
  expect(nothing).toMatchObject({ code: 1, err: 'there is no such recording' })
  expect(readdirSync(folder)).toEqual([])
})

test('a file is overwritten only with --force', async () => {
  await recorded(now - 10 * minute)
  const out = join(folder, 'visitor.mp4')
  writeFileSync(out, 'mine')
  const refused = await transom('export', 'front-door', '--last', '--out', out)
  expect(refused).toMatchObject({ code: 1, err: `${out} exists: --force overwrites it` })
  expect(readFileSync(out, 'utf8')).toBe('mine')
  expect((await transom('export', 'front-door', '--last', '--out', out, '--force')).code).toBe(0)
  expect(isMp4(readFileSync(out))).toBe(true)
  expect(readdirSync(folder)).toEqual(['visitor.mp4'])
})

test('a folder that is not there is a failure and leaves nothing', async () => {
  await recorded(now - 10 * minute)
  const out = join(folder, 'none', 'visitor.mp4')
  expect(await transom('export', 'front-door', '--last', '--out', out)).toMatchObject({ code: 1, out: '' })
  expect(existsSync(out)).toBe(false)
})

test('one recording, those of a time, and all are deleted', async () => {
  const ids: string[] = []
  for (const ago of [50, 40, 30, 20, 10]) ids.push(await recorded(now - ago * minute))
  expect((await transom('remove', 'front-door', ids[0]!)).code).toBe(0)
  expect(await left()).toEqual(ids.slice(1).map(Number))
  expect((await transom('remove', 'front-door', ids[0]!)).code).toBe(1)
  expect((await transom('remove', 'front-door', '--from', '-45m', '--to', '-35m')).code).toBe(0)
  expect(await left()).toEqual(ids.slice(2).map(Number))
  expect((await transom('remove', 'front-door', '--to', '-25m')).code).toBe(0)
  expect(await left()).toEqual(ids.slice(3).map(Number))
  const all = await transom('remove', 'front-door', '--all', '--yes')
  expect(all).toMatchObject({ code: 0, out: 'front-door: all recordings deleted' })
  expect(await left()).toEqual([])
})

test.each([
  ['export of nothing', ['export', 'front-door', '--out', 'x'], 'give --last'],
  ['export without a file', ['export', 'front-door', '--last'], '--out <file>'],
  ['export of two things', ['export', 'front-door', '5', '--last', '--out', 'x'], 'give --last'],
  ['export from when on', ['export', 'front-door', '--from', '-5m', '--out', 'x'], 'give both --from and --to'],
  ['JSON into a video', ['export', 'front-door', '--last', '--out', '-', '--json'], '--out - both print'],
  ['a time that is none', ['list', 'front-door', '--from', 'noon'], '--from must be a time such as 21:14'],
  ['an end before its begin', ['list', 'front-door', '--from', '-5m', '--to', '-10m'], '--to must be later'],
  ['a recording that is none', ['remove', 'front-door', '..'], 'a recording has a number'],
  ['all without a yes', ['remove', 'front-door', '--all'], 'this deletes all recordings of front-door: add --yes'],
  ['all and one', ['remove', 'front-door', '5', '--all', '--yes'], 'give the number of a recording'],
  ['nothing to delete', ['remove', 'front-door', '--yes'], 'give the number of a recording'],
  ['a path', ['list', '..'], 'not . or ..'],
])('%s is wrong usage, and changes nothing', async (_, words, message) => {
  const id = await recorded(now - 10 * minute)
  const { code, out, err } = await transom(...words)
  expect([code, err || out]).toEqual([2, expect.stringContaining(message)])
  expect(await left()).toEqual([Number(id)])
})

test('a camera that there is not is a failure', async () => {
  for (const words of [['list'], ['export', '--last', '--out', 'x'], ['remove', '--all', '--yes']]) {
    const [verb = '', ...rest] = words
    expect(await transom(verb, 'attic', ...rest)).toMatchObject({ code: 1, err: 'there is no camera attic' })
  }
})

test('what is recorded of a camera is said when it is added', async () => {
  for (const [id, when] of [
    ['never', 'never'],
    ['events', 'events'],
    ['always', 'always'],
  ] as const)
    expect(await commanded('camera', 'add', id, '--url', 'rtsp://h/1', '--record', when)).toMatchObject({ code: 0 })
  const often = await commanded('camera', 'add', 'often', '--url', 'rtsp://h/1', '--record', 'often')
  expect(often).toMatchObject({ code: 2, err: expect.stringContaining('never, events, always') })
  const said = added.map(({ id, record, source }) => [id, record, source])
  expect(said).toEqual([
    ['never', undefined, 'rtsp://h/1'],
    ['events', 'events', 'rtsp://h/1'],
    ['always', 'always', 'rtsp://h/1'],
  ])
})

test('what is recorded of a camera is changed and listed', async () => {
  for (const when of ['never', 'events', 'always'])
    expect((await commanded('camera', 'change', 'porch', '--record', when)).code).toBe(0)
  expect(changes).toEqual([{ record: null }, { record: 'events' }, { record: 'always' }])
  const porch = {
    cameraId: 'porch',
    accountId: 'ada',
    channelName: 'porch',
    name: 'Porch',
    kind: 'camera',
    manufacturer: 'Transom',
    model: 'Camera',
    hasSpeaker: false,
    isOnline: true,
    keys: [],
  }
  listed = [{ ...porch, record: 'always' }, { ...porch, record: 'events' }, porch]
  expect((await commanded('camera', 'list')).out.split('\n')).toEqual([
    'porch  camera  "Porch"  online',
    '  recorded always',
    'porch  camera  "Porch"  online',
    '  recorded when something happens',
    'porch  camera  "Porch"  online',
  ])
})

test('when, and from how long before to how long after, is said with it', async () => {
  const words = ['--record-hours', 'mon-wed,SUN 08:00-18:00; fri-sat 22:00 - 06:00', '--record-before', '3']
  expect((await commanded('camera', 'change', 'porch', ...words, '--record-longest', '60')).code).toBe(0)
  expect((await commanded('camera', 'change', 'porch', '--record-hours', '')).code).toBe(0)
  expect(changes).toEqual([
    {
      recordHours: [
        { days: ['mon', 'tue', 'wed', 'sun'], from: '08:00', to: '18:00' },
        { days: ['fri', 'sat'], from: '22:00', to: '06:00' },
      ],
      recordAround: { before: 3, longest: 60 },
    },
    { recordHours: null },
  ])
})

test.each([
  ['--record-hours', 'always'],
  ['--record-hours', 'mon 8:00-18:00'],
  ['--record-hours', 'mon 08:00-24:00'],
  ['--record-hours', 'mon-tue-wed 08:00-18:00'],
  ['--record-hours', 'mon,someday 08:00-18:00'],
  ['--record-hours', 'mon 08:00-18:00;'],
  ['--record-after', 'soon'],
  ['--record-after', '-1'],
])('%s %j is wrong usage', async (option, value) => {
  const { code, err } = await commanded('camera', 'change', 'porch', `${option}=${value}`)
  expect([code, err]).toEqual([2, expect.stringContaining(option)])
  expect(changes).toEqual([])
})

test('what is recorded is paused, and goes on', async () => {
  expect(await transom('pause', 'front-door')).toMatchObject({ code: 0, out: expect.stringContaining('resume') })
  expect(await transom('resume', 'front-door')).toMatchObject({ code: 0, out: 'front-door records again' })
  expect(changes).toEqual([{ isPaused: true }, { isPaused: false }])
})
