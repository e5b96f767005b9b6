/** What was recorded, at addresses for players: who gets one, what it opens, and what comes from there. */
import { createSecretKey } from 'node:crypto'
import { mkdtempSync, readFileSync, globSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny'
import { createMediaAddresses } from '../../src/bridge/web/media-address.ts'
import { accountId, cameraId, type Camera } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createRecordings, type KeptRecordings } from '../../src/transom/recordings/recordings.ts'
import { groupMs } from '../gateway/record/stream.ts'
import { recordStream } from '../recordings/streams.ts'
import { conforming } from '../wire/conform.ts'
import { openHouse } from './house.ts'

let folder: string
let recordings: KeptRecordings
let house: Awaited<ReturnType<typeof openHouse>>
let anna: { readonly token: string; readonly account: Camera['accountId'] }
let camera: Camera
let now: number

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'transom-media-'))
  const store = createSqliteStore(':memory:', Date.now)
  recordings = createRecordings({
    store,
    root: folder,
    sealing: createSecretKey(Buffer.alloc(32, 7)),
    log: () => undefined,
  })
  house = await openHouse({ recording: { recordings, happened: () => undefined } })
  anna = await house.person('anna')
  camera = await house.addCamera(anna.account)
  now = Date.now()
})
afterEach(async () => {
  await house[Symbol.asyncDispose]()
  await recordings.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Where it leads, or the refusal. */
async function address(path: string, token = anna.token): Promise<string> {
  const response = await fetch(`${house.url}/api/cameras/front-door/${path}`, {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'manual',
  })
  await conforming('GET', response)
  const location = response.headers.get('location')
  return location === null ? `${response.status} ${await response.text()}` : new URL(location, response.url).href
}
const get = async (url: string | URL): Promise<Response> => conforming('GET', await fetch(url))
const textOf = async (url: string | URL) => (await get(url)).text()
const refusal = async (url: string | URL) => {
  const response = await get(url)
  return `${response.status} ${((await response.json()) as { message: string }).message}`
}
/** The fragments of the playlist, as addresses. */
async function segmentsOf(playlist: string): Promise<readonly string[]> {
  const variant = (await textOf(playlist)).trimEnd().split('\n').at(-1)!
  const media = new URL(variant, playlist)
  return [...(await textOf(media)).matchAll(/^(?:#EXT-X-MAP:URI="(.*)"|([^#\n].*))$/gm)].map(
    ([, map, uri]) => new URL(map ?? uri!, media).href,
  )
}
const bytesOf = async (url: string) => Buffer.from(await (await get(url)).arrayBuffer())
const span = () => `from=${now - 60_000}&to=${now}`

describe('HLS', () => {
  test('gives out what was recorded octet by octet', async () => {
    await recordStream(recordings, camera.id, now - 40_000, 2)
    await recordStream(recordings, camera.id, now - 20_000, 1, false)
    const urls = await segmentsOf(await address(`recordings/playlist.m3u8?${span()}`))
    const kept: Buffer[] = []
    for (const recording of await recordings.list(camera.id, { from: 0, to: Infinity }))
      for await (const one of recordings.read(recording)) if (one.kind === 'whole') kept.push(one.data)
    expect(urls).toHaveLength(5)
    expect(Buffer.concat(await Promise.all(urls.map(bytesOf)))).toEqual(Buffer.concat(kept))
  })

  test('of a time has the groups of pictures that it touches, and opens no others', async () => {
    const from = now - 40_000
    await recordStream(recordings, camera.id, from, 3)
    const playlist = await address(`recordings/playlist.m3u8?from=${from + 5_000}&to=${from + 6_000}`)
    const [, second, ...others] = await segmentsOf(playlist)
    expect(others).toEqual([])
    expect(second).toMatch(/\/2\.m4s$/)
    expect(await refusal(second!.replace('2.m4s', '3.m4s'))).toBe('404 there is no such media')
    expect(await refusal(second!.replace('2.m4s', '9.m4s'))).toBe('404 there is no such media')
  })

  test('of what is still recorded does not change, and live it grows', async () => {
    await recordings.begin(camera.id, now - 8_000, 'avc1.42e01f', Buffer.from('init'))
    const append = (number: number) =>
      recordings.append(camera.id, now - 8_000, {
        number,
        at: now - 8_000 + (number - 1) * 4_000,
        durationMs: 4_000,
        data: Buffer.from('x'),
      })
    await append(1)
    const recorded = await address(`recordings/playlist.m3u8?from=${now - 60_000}&to=${now + 60_000}`)
    const live = await address('live/playlist.m3u8')
    const counts = async () => [(await segmentsOf(recorded)).length, (await segmentsOf(live)).length]
    expect(await counts()).toEqual([2, 2])
    await append(2)
    expect(await counts()).toEqual([2, 3])
    const media = await textOf(new URL('media.m3u8', live))
    expect(media).toContain('#EXT-X-TARGETDURATION:6')
    expect(media).not.toContain('#EXT-X-ENDLIST')
    expect(await textOf(await address('live/manifest.mpd'))).toContain('type="dynamic"')
  })
})

test('DASH has pictures and sound each by itself, and both are whole', async () => {
  await recordStream(recordings, camera.id, now - 40_000, 3)
  const url = await address(`recordings/manifest.mpd?${span()}`)
  const response = await get(url)
  expect(response.headers.get('content-type')).toMatch('application/dash+xml')
  const mpd = await response.text()
  for (const [track, packets] of [
    ['video', 180],
    ['audio', 600],
  ] as const) {
    expect(mpd).toContain(`<Representation id="${track}"`)
    const files = ['init.mp4', '1.m4s', '2.m4s', '3.m4s'].map((name) => `${now - 40_000}/${track}/${name}`)
    const data = Buffer.concat(await Promise.all(files.map((name) => bytesOf(new URL(name, url).href))))
    const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(data) })
    const tracks = await input.getTracks()
    expect(tracks.map(({ type }) => type)).toEqual([track])
    const times: number[] = []
    const sizes: number[] = []
    for await (const {
      timestamp,
      data: { length },
    } of new EncodedPacketSink(tracks[0]!).packets()) {
      times.push(timestamp)
      sizes.push(length)
    }
    expect(times.length).toBeGreaterThanOrEqual(packets)
    expect(times.at(-1)).toBeGreaterThan((3 * groupMs) / 1_000 - 0.1)
    // The same octets as in the recording with both.
    const all = Buffer.concat(
      await Promise.all(files.map((name) => bytesOf(new URL(name.replace(track, 'all'), url).href))),
    )
    const both = new Input({ formats: ALL_FORMATS, source: new BufferSource(all) })
    const whole = track === 'video' ? await both.getPrimaryVideoTrack() : await both.getPrimaryAudioTrack()
    const expected: number[] = []
    for await (const {
      data: { length },
    } of new EncodedPacketSink(whole!).packets())
      expected.push(length)
    expect(sizes).toEqual(expected)
  }
})

test('a track that a recording does not have is none, and no fault of the bridge', async () => {
  await recordStream(recordings, camera.id, now - 40_000, 1, false)
  const url = await address(`recordings/manifest.mpd?${span()}`)
  expect(await textOf(url)).not.toContain('audio')
  for (const name of ['audio/init.mp4', 'audio/1.m4s', 'text/1.m4s', 'video/2.m4s', 'video/999999999.m4s'])
    expect(await refusal(new URL(`${now - 40_000}/${name}`, url))).toBe('404 there is no such media')
})

describe('an address', () => {
  test('is for whoever may see the recordings, and for nobody else', async () => {
    await recordStream(recordings, camera.id, now - 40_000, 1)
    const berta = await house.person('berta')
    expect(await address(`recordings/playlist.m3u8?${span()}`, berta.token)).toMatch(/^404 /)
    expect(await address(`recordings/playlist.m3u8?${span()}`, 'nobody')).toMatch(/^401 /)
  })

  test('says nothing, and opens nothing once it was changed', async () => {
    await recordStream(recordings, camera.id, now - 40_000, 1)
    const url = new URL(await address(`recordings/playlist.m3u8?${span()}`))
    const [, , token = ''] = url.pathname.split('/')
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toMatch(/front-door|recorded/)
    for (const at of [0, 20, token.length - 10]) {
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
      for (const name of ['playlist.m3u8', 'media.m3u8', 'manifest.mpd', `${now - 40_000}/all/1.m4s`])
        expect(await refusal(`${house.url}/media/${changed}/${name}`)).toMatch(/^403 this address was changed/)
    }
  })

  test('of one camera opens nothing of another', async () => {
    const gate = await house.addCamera(anna.account, { id: cameraId('gate') })
    await recordStream(recordings, camera.id, now - 40_000, 1)
    await recordStream(recordings, gate.id, now - 50_000, 1)
    const url = await address(`recordings/playlist.m3u8?${span()}`)
    expect(await segmentsOf(url)).toHaveLength(2)
    expect(await refusal(new URL(`${now - 50_000}/all/1.m4s`, url))).toBe('404 there is no such media')
  })

  test('of what is live opens nothing from before', async () => {
    await recordStream(recordings, camera.id, now - 600_000, 1)
    await recordings.begin(camera.id, now - 8_000, 'avc1.42e01f', Buffer.from('init'))
    await recordings.append(camera.id, now - 8_000, {
      number: 1,
      at: now - 8_000,
      durationMs: 4_000,
      data: Buffer.from('x'),
    })
    const url = await address('live/playlist.m3u8')
    expect(await refusal(new URL(`${now - 600_000}/all/1.m4s`, url))).toBe('404 there is no such media')
    expect(await refusal(new URL(`${now - 600_000}/all/init.mp4`, url))).toBe('404 there is no such media')
  })

  test('for a guest with that right leaves a line with the owner, and opens nothing once the share has ended', async () => {
    await recordStream(recordings, camera.id, now - 40_000, 1)
    const berta = await house.person('berta')
    const { shares, oauth } = house.bridge
    await shares.share(anna.account, camera.id, berta.account, { mayTalk: false })
    expect(await address(`recordings/playlist.m3u8?${span()}`, berta.token)).toMatch(/^403 /)
    await shares.share(anna.account, camera.id, berta.account, { mayTalk: false, mayViewRecordings: true })
    const url = await address(`recordings/playlist.m3u8?${span()}`, berta.token)
    expect(await segmentsOf(url)).toHaveLength(2)
    expect(await oauth.audit.read(anna.account)).toContainEqual(
      expect.objectContaining({ kind: 'recording-viewed', detail: expect.stringContaining('berta') }),
    )
    await shares.unshare(anna.account, camera.id, berta.account)
    expect(await refusal(url)).toMatch(/^403 .*no longer shared/)
  })

  test('opens nothing any more once the camera is gone', async () => {
    await recordStream(recordings, camera.id, now - 40_000, 1)
    const url = await address(`recordings/playlist.m3u8?${span()}`)
    await house.bridge.cameras.remove(camera.id)
    expect(await refusal(url)).toMatch(/^403 /)
  })

  test('expires some minutes after as long as it takes to see it', () => {
    let at = now
    const key = createSecretKey(Buffer.alloc(32, 1))
    const addresses = createMediaAddresses({ key, clock: () => at })
    const use = { kind: 'recorded', from: now - 60_000, to: now } as const
    const grant = { accountId: accountId('anna'), cameraId: cameraId('front-door'), use }
    const token = addresses.mint(grant)
    at = now + 15 * 60_000 + 59_999
    expect(addresses.open(token)).toEqual(grant)
    at += 1
    expect(() => addresses.open(token)).toThrow('this address has expired: ask for a new one')
    const other = createMediaAddresses({ key: createSecretKey(Buffer.alloc(32, 2)), clock: () => now })
    expect(() => other.open(token)).toThrow('this address was changed')
  })

  test.each([
    ['recordings/playlist.m3u8', 404, 'nothing was recorded in this time'],
    ['recordings/manifest.mpd?from=0&to=100000000', 400, 'ask for a day at most'],
    ['live/playlist.m3u8', 404, 'this camera records nothing now'],
  ])('of %s, where there is nothing to see, is refused with %i', async (path, status, why) => {
    expect(await address(path)).toMatch(new RegExp(`^${status} .*${why}`))
  })
})

describe('a fragment', () => {
  test('comes in parts, to any origin, and is kept by nobody on the way', async () => {
    await recordStream(recordings, camera.id, now - 40_000, 1)
    const [, url = ''] = await segmentsOf(await address(`recordings/playlist.m3u8?${span()}`))
    const whole = await bytesOf(url)
    const part = await fetch(url, { headers: { range: 'bytes=4-7', origin: 'https://player.example' } })
    expect(part.status).toBe(206)
    expect(await part.text()).toBe('moof')
    expect(part.headers.get('content-range')).toBe(`bytes 4-7/${whole.length}`)
    expect(part.headers.get('access-control-allow-origin')).toBe('*')
    expect(part.headers.get('cache-control')).toMatch(/^private/)
    expect((await fetch(url, { headers: { range: 'bytes=99999999-' } })).status).toBe(416)
    const preflight = await fetch(url, { method: 'OPTIONS' })
    expect(preflight.headers.get('access-control-allow-headers')).toContain('range')
  })

  test('that is damaged is refused with its fault, and its neighbours play', async () => {
    await recordStream(recordings, camera.id, now - 40_000, 3)
    const [path = ''] = globSync('*/*/*.rec', { cwd: folder }).map((name) => join(folder, name))
    const bytes = readFileSync(path)
    const middle = bytes.length >> 1
    bytes[middle] = bytes[middle]! ^ 1
    writeFileSync(path, bytes)
    const urls = await segmentsOf(await address(`recordings/playlist.m3u8?${span()}`))
    expect(await refusal(urls[2]!)).toMatch(/^404 this part of the recording cannot be read/)
    for (const url of [urls[1]!, urls[3]!]) expect((await get(url)).status).toBe(200)
  })
})

async function sharedLink(): Promise<string> {
  const from = now - 40_000
  await recordStream(recordings, camera.id, from, 1)
  const use = { kind: 'clip', from, to: from + groupMs, isShared: true } as const
  const token = house.bridge.mediaAddresses.mint({ accountId: anna.account, cameraId: camera.id, use })
  return `${house.url}/media/${token}/clip.mp4`
}

describe('a link to a clip that does not work any more', () => {
  const chromium = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'
  const open = (url: string, accept = chromium, language = 'de-AT,de;q=0.9') =>
    fetch(url, { headers: { accept, 'accept-language': language } })

  test('opens a page that says so, in the language of the browser', async () => {
    const url = await sharedLink()
    expect((await open(url)).headers.get('content-type')).toBe('video/mp4')
    await recordings.remove(camera.id, now - 40_000)
    const german = await open(url)
    expect([german.status, german.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
    expect(german.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await german.text()).toMatch(/<html lang="de">[^]*Diese Aufnahme wurde gelöscht/)
    expect(await (await open(url, chromium, 'fr')).text()).toContain('This recording was deleted')
    const changed = await open(url.replace('/media/', '/media/A'))
    expect([changed.status, await changed.text()]).toEqual([
      403,
      expect.stringContaining('Dieser Link funktioniert nicht mehr'),
    ])
  })

  test('answers programs and players with JSON, as before', async () => {
    const url = await sharedLink()
    await recordings.remove(camera.id, now - 40_000)
    for (const accept of ['*/*', 'video/*,*/*;q=0.5', 'application/json'])
      expect(((await (await open(url, accept)).json()) as { error: string }).error).toBe('not_found')
    const playlist = await open(url.replace('clip.mp4', 'playlist.m3u8'))
    expect(playlist.headers.get('content-type')).toContain('application/json')
  })
})
