/** Views of what was recorded: who may have one, what the gateway that plays it is given, and what is kept of it. */
import { createSecretKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Camera } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { fragmentHeaders } from '../../src/core/wire/playback.ts'
import { createRecordings, type KeptRecordings } from '../../src/transom/recordings/recordings.ts'
import { chromiumOffer } from '../broker/fixtures.ts'
import { gatewayKey, openHouse } from './house.ts'

const t0 = Date.UTC(2026, 10, 28, 21, 14)
const channelName = 'recordings-channel'
let folder: string
let recordings: KeptRecordings
let house: Awaited<ReturnType<typeof openHouse>>
let anna: Awaited<ReturnType<(typeof house)['person']>>
let camera: Camera

async function open(hasPlayer = true): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'transom-playback-'))
  const sealing = createSecretKey(Buffer.alloc(32, 7))
  const store = createSqliteStore(':memory:', Date.now)
  recordings = createRecordings({ store, root: folder, sealing, log: () => undefined })
  const playback = hasPlayer && { playback: { channelName, road: 'viewer' } as const }
  house = await openHouse({ hasGateways: true, recording: { recordings, ...playback, happened: () => undefined } })
  anna = await house.person('anna')
  camera = await house.addCamera(anna.account)
}

beforeEach(() => open())
afterEach(async () => {
  await house[Symbol.asyncDispose]()
  await recordings.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Three fragments of two seconds; what is in them is nobody's business here. */
async function record(from = t0): Promise<void> {
  await recordings.begin(camera.id, from, 'avc1.42e01f', Buffer.from('init '))
  for (const number of [1, 2, 3])
    await recordings.append(camera.id, from, {
      number,
      at: from + (number - 1) * 2_000,
      durationMs: 2_000,
      data: Buffer.from(`fragment ${number}`),
    })
  await recordings.end(camera.id, from)
}

const begin = (token: string, recording: object) =>
  house.ask(token, 'POST', '/api/cameras/front-door/views', { recording })

/** Begins a view and offers; resolves with the name that the gateway knows the viewer by. */
async function view(token: string, recording: object): Promise<string> {
  const { reference } = (await begin(token, recording)).body
  const offer = { cameraId: camera.id, sdp: chromiumOffer, recording }
  expect((await house.ask(token, 'POST', `/api/views/${reference}/offer`, offer)).status).toBe(200)
  const sent = house.offers.at(-1)!
  expect(sent.channelName).toBe(channelName)
  return sent.viewerId
}

const asGateway = (
  path: string,
  init: Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> } = {},
  key = gatewayKey,
) =>
  fetch(`${house.url}/gateway/playback/${path}`, {
    ...init,
    headers: { authorization: `Bearer ${key}`, ...init.headers },
  })

async function fragment(viewerId: string, at: number) {
  const reply = await asGateway(`${viewerId}/fragment?at=${at}`)
  const { status, headers } = reply
  return { status, text: await reply.text(), until: Number(headers.get(fragmentHeaders.until)) }
}

test('the gateway is given what the view is of, and fragment after fragment of it, past gaps', async () => {
  await record()
  await record(t0 + 3_600_000)
  const viewerId = await view(anna.token, { from: t0 + 3_000 })
  expect(await (await asGateway(viewerId)).json()).toEqual({ from: t0 + 3_000 })
  expect(await fragment(viewerId, t0 + 3_000)).toEqual({ status: 200, text: 'init fragment 2', until: t0 + 4_000 })
  expect(await fragment(viewerId, t0 + 4_000)).toMatchObject({ text: 'init fragment 3', until: t0 + 6_000 })
  expect(await fragment(viewerId, t0 + 6_000)).toMatchObject({ text: 'init fragment 1', until: t0 + 3_602_000 })
  expect((await fragment(viewerId, t0 + 3_606_000)).status).toBe(204)
})

test('nothing after the end of the view is given out', async () => {
  await record()
  const viewerId = await view(anna.token, { from: t0, to: t0 + 4_000 })
  expect((await fragment(viewerId, t0 + 3_999)).text).toBe('init fragment 2')
  expect((await fragment(viewerId, t0 + 4_000)).status).toBe(204)
})

test('the session is kept like any other, and says what it showed', async () => {
  await record()
  const viewerId = await view(anna.token, { from: t0 })
  const event = { kind: 'viewer', viewerId, state: 'connected', at: Date.now() }
  const json = { 'content-type': 'application/json' }
  const reply = await asGateway(`${viewerId}/events`, { method: 'POST', headers: json, body: JSON.stringify(event) })
  expect([reply.status, await reply.json()]).toEqual([202, {}])
  const { sessions } = (await house.ask(anna.token, 'GET', '/api/sessions')).body
  expect(sessions).toMatchObject([{ cameraId: 'front-door', recording: { from: t0 }, mayTalk: false }])
  const { timeline } = (await house.ask(anna.token, 'GET', `/api/sessions/${sessions[0]!.id}`)).body
  expect(timeline.map(({ step }) => step)).toContain('camera-connected')
  const press = JSON.stringify({ kind: 'press', eventId: 'p', at: Date.now() })
  expect((await asGateway(`${viewerId}/events`, { method: 'POST', headers: json, body: press })).status).toBe(400)
})

test('it needs the channel of the player, not that of the camera', async () => {
  await record()
  const { online } = house.presence
  expect((await begin(anna.token, { from: t0 })).status).toBe(201)
  house.presence.online = !online
  expect((await begin(anna.token, { from: t0 })).body.error).toBe('source_gateway')
})

describe('is refused', () => {
  test('where nothing was recorded, and for a time that ends before it begins', async () => {
    await record()
    expect((await begin(anna.token, { from: t0 + 6_000 })).body.error).toBe('not_found')
    expect((await begin(anna.token, { from: t0, to: t0 })).body.error).toBe('invalid_request')
    expect((await begin(anna.token, { from: 'yesterday' })).body.error).toBe('invalid_request')
  })

  test('where no gateway plays recordings', async () => {
    await house[Symbol.asyncDispose]()
    await recordings.close()
    rmSync(folder, { recursive: true, force: true })
    await open(false)
    await record()
    expect((await begin(anna.token, { from: t0 })).body.error).toBe('not_supported')
  })

  test('to a guest without the right to clips; one who had it gets no more when it ends', async () => {
    await record()
    const bob = await house.person('bob')
    const share = (mayViewRecordings: boolean) =>
      house.bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: true, mayViewRecordings })
    await share(false)
    expect((await begin(bob.token, { from: t0 })).body.error).toBe('forbidden')
    await share(true)
    const viewerId = await view(bob.token, { from: t0 })
    expect((await fragment(viewerId, t0)).status).toBe(200)
    const noted = await house.bridge.oauth.audit.read(anna.account)
    expect(noted.map(({ kind }) => kind)).toContain('recording-viewed')
    await share(false)
    expect((await fragment(viewerId, t0)).status).toBe(404)
  })

  test('to whoever is not the gateway of the bridge, and of viewers that are none', async () => {
    await record()
    const viewerId = await view(anna.token, { from: t0 })
    expect((await asGateway(viewerId, {}, 'wrong')).status).toBe(401)
    const another = `${viewerId.slice(0, -1)}${viewerId.endsWith('0') ? '1' : '0'}`
    expect((await asGateway(another)).status).toBe(404)
    expect((await asGateway('anna')).status).toBe(404)
    expect((await asGateway(`${viewerId}/fragment?at=soon`)).status).toBe(400)
  })

  test('of a live view', async () => {
    const { reference } = (await house.ask(anna.token, 'POST', '/api/cameras/front-door/views')).body
    await house.ask(anna.token, 'POST', `/api/views/${reference}/offer`, { cameraId: camera.id, sdp: chromiumOffer })
    const { viewerId, channelName: used } = house.offers.at(-1)!
    expect(used).toBe('front-door')
    expect((await asGateway(viewerId)).status).toBe(404)
  })
})
