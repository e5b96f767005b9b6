/** Recordings on a channel of their own: a viewer is asked for at the bridge, sent what was recorded, and follows its data channel. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { fragmentHeaders, playbackLabel, type PlaybackState } from '../../../src/core/wire/playback.ts'
import { cameraEvent, type CameraEvent } from '../../../src/core/wire/camera-event.ts'
import { readPart } from '../../../src/gateway/playback/fragments.ts'
import { createSegmenter, type Segment } from '../../../src/gateway/record/segmenter.ts'
import { groupMs, send, stream } from '../record/stream.ts'
import { createWorld, type World } from '../world.ts'
import { until } from '../../until.ts'

const patience = 30_000
const t0 = Date.UTC(2026, 10, 28, 21, 14)
const groups = 3
let segments: readonly Segment[]
let world: World
let server: Server
let events: CameraEvent[]
/** What the bridge answers about this viewer, before anything else. */
let refusal: number | undefined

/** What the gateway would have left with the bridge: three groups of pictures. */
async function recorded(hasSound: boolean): Promise<readonly Segment[]> {
  const found: Segment[] = []
  const sent = [...stream(t0, groups, hasSound ? undefined : 'silent')]
  const [first] = sent
  if (first === undefined || !('unit' in first)) throw new Error('the stream begins with a key frame')
  const segmenter = createSegmenter(first.unit, hasSound, (one) => found.push(one))
  for (const one of sent) send(segmenter, one)
  await segmenter.finish()
  return found
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://bridge')
  expect(request.headers.authorization).toBe('Bearer gateway-key')
  if (pathname.endsWith('/events')) {
    events.push(cameraEvent.parse(JSON.parse(await text(request))))
    return void response.writeHead(202, { 'content-type': 'application/json' }).end('{}')
  }
  if (refusal !== undefined) return void response.writeHead(refusal).end()
  if (!pathname.endsWith('/fragment')) {
    const body = JSON.stringify({ from: t0 + 1_000 })
    return void response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  }
  const [init, ...fragments] = segments
  const found = fragments.find(({ at, durationMs }) => at + durationMs > Number(searchParams.get('at')))
  if (init === undefined || found === undefined) return void response.writeHead(204).end()
  const until = `${found.at + found.durationMs}`
  response.writeHead(200, { [fragmentHeaders.recording]: `${t0}`, [fragmentHeaders.until]: until })
  response.end(Buffer.concat([init.data, found.data]))
}

beforeAll(async () => {
  segments = await recorded(true)
})
beforeEach(async () => {
  refusal = undefined
  events = []
  server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  world = await createWorld()
}, patience)
afterEach(async () => {
  await world.close()
  server.close()
}, patience)

const start = (maxViewers?: number) =>
  world.startPlayer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, maxViewers)

const reported = (state: string) => events.find((event) => event.kind === 'viewer' && event.state === state)

test(
  'a viewer sees what was recorded, hears it, and goes to another instant by its data channel',
  async () => {
    start()
    const viewer = await world.view('anna', { channel: playbackLabel, audio: 'recvonly' })
    const states = () => (viewer.channel?.received ?? []).map((one) => JSON.parse(one) as PlaybackState)
    await until(() => viewer.video.packets.length > 0 && viewer.audio.length > 0 && states().length > 0)
    expect(states()[0]?.at).toBeGreaterThanOrEqual(t0 + 900)
    viewer.channel?.send(JSON.stringify({ id: 1, at: t0 + 2 * groupMs + 500, isPaused: true }))
    await until(() => states().some(({ id }) => id === 1))
    const followed = states().find(({ id }) => id === 1)!
    expect(followed).toMatchObject({ isPaused: true, isOver: false })
    expect(followed.at).toBeGreaterThan(t0 + 2 * groupMs + 300)
    expect(followed.at).toBeLessThanOrEqual(t0 + 2 * groupMs + 500)
    viewer.channel?.send('no JSON')
    viewer.channel?.send(JSON.stringify({ id: 2, speed: 40 }))
    viewer.channel?.send(JSON.stringify({ id: 3, speed: 4, isPaused: false }))
    await until(() => states().at(-1)?.isOver === true)
    expect(states().at(-1)).toMatchObject({ id: 3, speed: 4 })
    await until(() => reported('connected') !== undefined)
    await viewer.leave()
    await until(() => reported('left') !== undefined)
  },
  patience,
)

test(
  'without a data channel it plays, too; what the bridge refuses fails with a cause; a full channel says that it is busy',
  async () => {
    start(1)
    const viewer = await world.view('anna')
    await until(() => viewer.video.packets.length > 0)
    const second = await world.callIn('ben')
    second.send({ kind: 'offer', sdp: viewer.connection.localDescription?.sdp ?? '' })
    await until(() => reported('busy') !== undefined)
    await viewer.leave()
    await until(() => reported('left') !== undefined)
    refusal = 404
    const third = await world.callIn('cleo')
    third.send({ kind: 'offer', sdp: viewer.connection.localDescription?.sdp ?? '' })
    await until(() => reported('failed') !== undefined)
    expect(reported('failed')).toMatchObject({ viewerId: 'cleo', cause: { code: 'source_stopped' } })
  },
  patience,
)

test('a fragment is taken apart into the pictures and the sound that were put into it, at their times', async () => {
  const [init, first] = segments
  const part = await readPart(Buffer.concat([init!.data, first!.data]), t0, t0 + first!.durationMs)
  const [key, ...others] = part.items.flatMap((item) => (item.kind === 'video' ? [item.unit] : []))
  const sent = [...stream(t0, 1)].flatMap((one) => ('unit' in one ? [one.unit] : []))
  expect(key).toMatchObject({ isKey: true, at: t0 })
  expect(others.every(({ isKey }) => !isKey)).toBe(true)
  expect(others).toHaveLength(sent.length - 1)
  expect(Buffer.concat(others[3]!.payloads)).toEqual(Buffer.concat(sent[4]!.payloads))
  expect(part.items.filter(({ kind }) => kind === 'audio').length).toBeGreaterThan(190)
  expect(part).toMatchObject({ from: t0, to: t0 + groupMs, info: { sound: ['opus'] } })
})

test('of a camera without sound, silence is promised; what is no MP4 is refused', async () => {
  const [init, first] = await recorded(false)
  const part = await readPart(Buffer.concat([init!.data, first!.data]), t0, t0 + first!.durationMs)
  expect(part.info.sound).toEqual(['opus', 'PCMU'])
  await expect(readPart(Buffer.from('no MP4'), t0, t0 + 1)).rejects.toThrow()
})
