/** Server-sent events: who is told what, in which order, and what becomes of listeners who are slow or no longer welcome. */
import { afterEach, expect, jest, test } from '@jest/globals'
import { EventEmitter } from 'node:events'
import { Router, type Response } from 'express'
import { chromiumOffer } from '../broker/fixtures.ts'
import { BridgeError } from '../../src/core/errors.ts'
import { accountId, type RecordingListener, type Recordings } from '../../src/core/ports.ts'
import { createAnnouncements } from '../../src/simulator/announcements.ts'
import { createFeed } from '../../src/bridge/web/feed.ts'
import type { CameraRow, DisplayEvent, Session } from '../../src/core/wire/api.ts'
import { conformEvent } from '../wire/conform.ts'
import { openHouse, type HouseOptions } from './house.ts'

type House = Awaited<ReturnType<typeof openHouse>>
const houses: House[] = []
const listeners: AbortController[] = []
afterEach(async () => {
  for (const one of listeners.splice(0)) one.abort()
  for (const one of houses.splice(0)) await one[Symbol.asyncDispose]()
  jest.useRealTimers()
})
async function house(options?: HouseOptions): Promise<House> {
  const one = await openHouse(options)
  houses.push(one)
  return one
}

interface Told {
  readonly event: string
  readonly data: Data
}
/** As much of the events as the tests look at. */
type Data = CameraRow & Session

/** Listens as the page does; `next` waits for an event that fits. */
async function listen(url: string, token: string) {
  const end = new AbortController()
  listeners.push(end)
  const response = await fetch(`${url}/api/stream`, {
    headers: { authorization: `Bearer ${token}` },
    signal: end.signal,
  })
  const told: Told[] = []
  const arrived = new EventEmitter()
  const reading = (async () => {
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const parts = text.split('\n\n')
      text = parts.pop()!
      for (const part of parts) {
        const [, event, data] = /^event: (.+)\ndata: (.+)$/.exec(part) ?? []
        if (event === undefined) continue
        const one = { event, data: JSON.parse(data!) }
        conformEvent(one)
        told.push(one)
      }
      arrived.emit('more')
    }
  })().catch(() => {})
  const next = async (event: string, claim: (data: Data) => boolean = () => true): Promise<Data> => {
    const giveUp = AbortSignal.timeout(60_000)
    for (;;) {
      const found = told.find((one) => one.event === event && claim(one.data))
      if (found !== undefined) return found.data
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      arrived.once('more', resolve)
      giveUp.addEventListener('abort', () => reject(new Error(`no such ${event}; told were ${JSON.stringify(told)}`)))
      await promise
    }
  }
  return { response, told, next, ended: reading }
}

test('a session is told of while it negotiates, and its viewer is counted until it goes', async () => {
  const { url, person, addCamera, ask } = await house()
  const { account, token } = await person('anna')
  await addCamera(account)
  const { told, next, response } = await listen(url, token)
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(told[0]?.event ?? 'hello').toBe('hello')
  const { reference } = (await ask(token, 'POST', '/api/cameras/front-door/views')).body
  await ask(token, 'POST', `/api/views/${reference}/offer`, { cameraId: 'front-door', sdp: chromiumOffer })
  await next('session', ({ phase }) => phase === 'answered')
  expect(await next('camera', ({ viewers }) => viewers === 1)).toMatchObject({ id: 'front-door', isOwner: true })
  await ask(token, 'POST', `/api/views/${reference}/connected`)
  await ask(token, 'POST', `/api/views/${reference}/end`)
  await next('session', ({ phase }) => phase === 'closed')
  await next('camera', ({ viewers }) => viewers === 0)
  const phases = told.filter(({ event }) => event === 'session').map(({ data }) => data.phase)
  expect(phases.filter((phase, index) => phase !== phases[index - 1])).toEqual([
    'offered',
    'gathering',
    'answered',
    'connected',
    'closed',
  ])
  // Each is the whole story so far: what was told last is what can be read.
  const last = told.findLast(({ event }) => event === 'session')!.data
  expect((await ask(token, 'GET', `/api/sessions/${last.id}`)).body).toEqual(last)
})

test('presses, presence, pictures and changes are told to who may see the camera, and to nobody else', async () => {
  const { url, person, addCamera, ask, bridge } = await house()
  const [anna, bob, carl] = [await person('anna'), await person('bob'), await person('carl')]
  const camera = await addCamera(anna.account)
  const [annas, bobs, carls] = await Promise.all([anna, bob, carl].map(({ token }) => listen(url, token)))
  await bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: false })
  await bobs!.next('camera', ({ isOwner, mayTalk }) => !isOwner && !mayTalk)

  const { body } = await ask(anna.token, 'POST', '/api/cameras/front-door/ring')
  for (const one of [annas!, bobs!]) {
    expect(await one.next('press')).toEqual({ ...body, cameraId: 'front-door' })
    await one.next('camera', ({ lastPressAt }) => lastPressAt === body.at)
  }
  // The camera says it again, as after a lost reply: it was one press.
  await bridge.events.receive(camera, { kind: 'press', ...body })
  const at = Date.now()
  await bridge.events.pictured(camera, at)
  await annas!.next('camera', ({ snapshotAt }) => snapshotAt === at)
  expect(annas!.told.filter(({ event }) => event === 'press')).toHaveLength(1)

  await bridge.cameras.put({ ...camera, name: 'Back door' }, 'k'.repeat(43))
  await bobs!.next('camera', ({ name }) => name === 'Back door')
  await ask(anna.token, 'DELETE', '/api/cameras/front-door/guests/bob')
  expect(await bobs!.next('camera-removed')).toEqual({ id: 'front-door' })
  await ask(anna.token, 'DELETE', '/api/cameras/front-door')
  expect(await annas!.next('camera-removed')).toEqual({ id: 'front-door' })
  expect(carls!.told.map(({ event }) => event)).toEqual(['hello'])
})

test('what happens and what is recorded is told to those who may view recordings', async () => {
  const listeners = new Set<RecordingListener>()
  const recording = new Set<string>()
  const recordings = {
    isRecording: (id: string) => recording.has(id),
    follow(listener: RecordingListener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  } as unknown as Recordings
  const { url, person, addCamera, bridge } = await house({ recording: { recordings, happened: () => undefined } })
  const [anna, bob, carl] = [await person('anna'), await person('bob'), await person('carl')]
  const camera = await addCamera(anna.account, { detects: ['person'] })
  await bridge.shares.share(anna.account, camera.id, bob.account, { mayTalk: false, mayViewRecordings: true })
  await bridge.shares.share(anna.account, camera.id, carl.account, { mayTalk: true })
  const [annas, bobs, carls] = await Promise.all([anna, bob, carl].map(({ token }) => listen(url, token)))
  const at = Date.now()
  await bridge.events.receive(camera, { kind: 'person', eventId: 'p', at })
  recording.add(camera.id)
  for (const listener of listeners) listener({ cameraId: camera.id, startAt: at - 5_000 }, 'begun')
  for (const one of [annas!, bobs!]) {
    expect(await one.next('moment')).toEqual({ cameraId: 'front-door', kind: 'person', at })
    expect(await one.next('recording')).toEqual({ cameraId: 'front-door', id: at - 5_000, change: 'begun' })
  }
  // That it is recorded now concerns everybody who may be seen or heard there.
  for (const one of [annas!, bobs!, carls!]) await one.next('camera', ({ isRecording }) => isRecording)
  recording.clear()
  for (const listener of listeners) listener({ cameraId: camera.id, startAt: at - 5_000 }, 'ended')
  await carls!.next('camera', ({ isRecording }) => !isRecording)
  expect(carls!.told.map(({ event }) => event)).not.toContain('moment')
  expect(carls!.told.map(({ event }) => event)).not.toContain('recording')
  await bridge.close()
  expect(listeners.size).toBe(0)
})

test('a muted doorbell still shows on the page that somebody rang', async () => {
  const { url, person, addCamera, ask, bridge } = await house()
  const { account, token } = await person('anna')
  await addCamera(account)
  await bridge.visits.mute(account, Date.now() + 60_000)
  const { next } = await listen(url, token)
  await ask(token, 'POST', '/api/cameras/front-door/ring')
  await next('press')
})

test('streams end with the bridge', async () => {
  const { url, person, bridge } = await house()
  const { token } = await person('anna')
  const { ended } = await listen(url, token)
  await bridge.close()
  await ended
})

test('what the displays of an account are told comes in the page’s one stream, and in nobody else’s', async () => {
  const announcements = createAnnouncements()
  const hear = (account: string, tell: (event: DisplayEvent) => void) => announcements.listen(account, tell)
  const { url, person, appToken, addCamera, ask } = await house({ simulator: { router: Router(), hear } })
  const [anna, bob] = [await person('anna'), await person('bob')]
  await addCamera(anna.account)
  expect((await ask(anna.token, 'GET', '/api/me')).body).toMatchObject({ canSimulate: true })
  const [page, other, app] = [
    await listen(url, anna.token),
    await listen(url, bob.token),
    await listen(url, await appToken('anna')),
  ]
  const announced = { assistant: 'alexa', cameraId: 'front-door', at: 2, pressedAt: 1 } as const
  announcements.announced(anna.account, announced)
  expect(await page.next('announced')).toEqual(announced)
  // What comes later has come to all of them.
  await ask(anna.token, 'POST', '/api/cameras/front-door/ring')
  await app.next('press')
  announcements.announced(bob.account, announced)
  await other.next('announced')
  expect(app.told.some(({ event }) => event === 'announced')).toBe(false)
  expect(page.told.filter(({ event }) => event === 'announced')).toHaveLength(1)
})

/** As much of a response as the feed uses. */
function reader() {
  const written: string[] = []
  const events = new EventEmitter()
  const state = { writableEnded: false, destroyed: false, writableLength: 0 }
  const leave = (how: 'writableEnded' | 'destroyed') => () => {
    state[how] = true
    events.emit('close')
  }
  const response = Object.assign(events, state, {
    status: () => response,
    set: () => response,
    write: (text: string) => void written.push(text),
    end: leave('writableEnded'),
    destroy: leave('destroyed'),
  })
  return { response, written, as: response as unknown as Response }
}
const anna = accountId('anna')

test('who does not read is dropped, and costs nobody else an event', () => {
  const feed = createFeed({ clock: Date.now, log: () => {} })
  const [slow, quick] = [reader(), reader()]
  for (const one of [slow, quick]) feed.open(one.as, anna, async () => {})
  slow.response.writableLength = 1024 * 1024
  feed.send(anna, { event: 'camera-removed', data: { id: 'front-door' } })
  feed.send(anna, { event: 'camera-removed', data: { id: 'garden' } })
  expect(slow.written).toHaveLength(1)
  expect(quick.written).toHaveLength(3)
  feed.close()
  expect(feed.isIdle()).toBe(true)
})

test('a stream lives as long as its token, and outlives a store that is away', async () => {
  jest.useFakeTimers()
  const feed = createFeed({ clock: Date.now, log: () => {} })
  const one = reader()
  let refusal: BridgeError | undefined
  feed.open(one.as, anna, async () => {
    if (refusal !== undefined) throw refusal
  })
  await jest.advanceTimersByTimeAsync(15_000)
  refusal = new BridgeError('internal', 'the store is down')
  await jest.advanceTimersByTimeAsync(15_000)
  expect(one.written.slice(1)).toEqual([':\n\n', ':\n\n'])
  refusal = new BridgeError('token_expired')
  await jest.advanceTimersByTimeAsync(15_000)
  expect(one.written).toHaveLength(3)
  expect(feed.isIdle()).toBe(true)
  expect(jest.getTimerCount()).toBe(0)
})

test('who has left while the token was looked at leaves nothing behind', () => {
  jest.useFakeTimers()
  const feed = createFeed({ clock: Date.now, log: () => {} })
  const gone = reader()
  gone.response.destroyed = true
  let isHeard = false
  feed.open(
    gone.as,
    anna,
    async () => {},
    () => {
      isHeard = true
      return () => {}
    },
  )
  expect([feed.isIdle(), isHeard, jest.getTimerCount()]).toEqual([true, false, 0])
})

test('an account cannot open streams without end', () => {
  const feed = createFeed({ clock: Date.now, log: () => {} })
  const readers = Array.from({ length: 24 }, reader)
  for (const one of readers) feed.open(one.as, anna, async () => {})
  expect(() => feed.open(reader().as, anna, async () => {})).toThrow('too many event streams')
  feed.open(reader().as, accountId('bob'), async () => {})
  readers[0]!.as.end()
  feed.open(reader().as, anna, async () => {})
  feed.close()
})
