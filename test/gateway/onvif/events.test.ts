/** What a device notices: subscribed to, told once, reported as events of the camera, and followed whatever breaks. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { CameraEvent } from '../../../src/core/wire/camera-event.ts'
import { openDevice } from '../../../src/gateway/onvif/device.ts'
import { followEvents } from '../../../src/gateway/onvif/events.ts'
import { openListener } from '../../../src/gateway/onvif/listener.ts'
import type { Notice } from '../../../src/gateway/onvif/notices.ts'
import { sources, topics } from '../../../src/gateway/onvif/topics.ts'
import { createTeller } from '../../../src/gateway/onvif/watch.ts'
import { createFakeOnvif, type OnvifHabits } from './device.ts'
import { until } from '../../until.ts'

const never = new AbortController().signal
const login = { user: 'admin', password: 'pa"<55' }
const fail = (error: unknown) => {
  throw error
}
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function follow(habits: OnvifHabits = {}) {
  const camera = await createFakeOnvif(habits)
  closing.push(() => camera.close())
  const device = await openDevice(`127.0.0.1:${camera.port}`, login, never)
  const end = new AbortController()
  const notices: Notice[] = []
  const pulled = camera.pulled()
  const subscribed = Promise.withResolvers<void>()
  const follower = { onNotice: (notice: Notice) => notices.push(notice), onSubscribed: subscribed.resolve }
  const following = followEvents(device, follower, end.signal)
  closing.push(async () => {
    end.abort()
    await following.catch(() => undefined)
  })
  await Promise.all([pulled, subscribed.promise])
  return { camera, notices, end, following }
}

describe.each<[string, OnvifHabits]>([
  ['a pull point', { login }],
  ['a base subscription alone', { login, events: 'notify' }],
])('a device with %s', (_name, habits) => {
  test('a press is one press: not what was so before, not said again, not its end', async () => {
    const { camera, notices } = await follow(habits)
    const topic = 'tns1:RuleEngine/MyRuleDetector/Visitor'
    for (const [value, operation] of [
      ['true', 'Initialized'],
      ['false', 'Changed'],
      ['true', 'Changed'],
      ['true', 'Changed'],
      ['false', 'Changed'],
    ] as const) {
      camera.emit(topic, { State: value }, operation)
      // One after the other: a device that notifies makes a connection for each.
      if (habits.events === 'notify') await camera.delivered()
    }
    camera.emit('tns1:Unheard/Of', { State: 'true' }, 'Changed')
    if (habits.events === 'notify') await camera.delivered()
    camera.emit('tns1:RuleEngine/CellMotionDetector/Motion/Rule1', { IsMotion: 'true' }, 'Changed')
    await until(() => notices.length >= 2)
    expect(notices).toMatchObject([{ means: 'press' }, { means: 'motion', isOn: true, isMoment: false }])
  })

  test('a mistake of ours in what follows from a message breaks the subscription, and nothing else', async () => {
    const camera = await createFakeOnvif(habits)
    closing.push(() => camera.close())
    const device = await openDevice(`127.0.0.1:${camera.port}`, login, never)
    const subscribed = Promise.withResolvers<void>()
    const mistake = new TypeError('ours')
    const follower = { onNotice: () => fail(mistake), onSubscribed: subscribed.resolve }
    const pulled = camera.pulled()
    const following = followEvents(device, follower, never)
    const broken = expect(following).rejects.toBe(mistake)
    await Promise.all([pulled, subscribed.promise])
    camera.emit('tns1:RuleEngine/MyRuleDetector/Visitor', { State: 'true' }, 'Changed')
    await broken
    expect(camera.asked.at(-1)).toBe('Unsubscribe')
  })

  test('the subscription is ended when nobody listens any more', async () => {
    const { camera, end, following } = await follow(habits)
    end.abort()
    await following
    expect(camera.asked.at(-1)).toBe('Unsubscribe')
  })
})

test('the end of a subscription carries the parameters of its reference', async () => {
  const { camera, end, following } = await follow()
  end.abort()
  await following
  expect(camera.received.at(-1)).toMatch(/<SubscriptionId a:IsReferenceParameter="true">7</)
})

test.each<[string, OnvifHabits, string]>([
  ['has no events of either kind', { events: 'none' }, 'source_garbled'],
  ['refuses the password', { login: { user: 'admin', password: 'other' } }, 'source_password'],
])('a device that %s is one with a cause', async (_name, habits, code) => {
  const camera = await createFakeOnvif(habits)
  closing.push(() => camera.close())
  const followed = openDevice(`127.0.0.1:${camera.port}`, login, never).then((device) =>
    followEvents(device, { onNotice: () => undefined }, never),
  )
  await expect(followed).rejects.toMatchObject({ code })
})

test('a camera that has forgotten the subscription breaks it', async () => {
  const { camera, following } = await follow()
  camera.forgetSubscriptions()
  await expect(following).rejects.toMatchObject({ code: 'source_garbled' })
})

test.each([
  ['tns1:RuleEngine/PeopleDetector/People', { IsPeople: 'true' }, { means: 'person' }],
  ['tns1:VideoSource/MotionAlarm', { State: '1' }, { means: 'motion', isOn: true, isMoment: false }],
  ['tns1:RuleEngine/LineDetector/Crossed', { ObjectId: '4' }, { means: 'motion', isOn: true, isMoment: true }],
  ['tns1:VideoAnalytics/tnssamsung:MotionDetection', { Motion: '1' }, { means: 'motion', isOn: true }],
  ['tns1:RuleEngine/CellMotionDetector/TpSmartEvent', { IsVehicle: 'true' }, { means: 'motion', isOn: true }],
  ['tns1:RuleEngine/LineCrossDetector/LineCross', { IsLineCross: 'true' }, { means: 'motion', isMoment: false }],
  ['tns1:Device/Trigger/tnshik:AlarmIn', { State: 'true' }, { means: 'input' }],
  ['tns1:Device/Trigger/DigitalInput', { LogicalState: 'true' }, { means: 'input' }],
  ['tns1:Device/tnsaxis:IO/VirtualPort', { state: '1' }, { means: 'input' }],
  [
    'tnsaxis:CameraApplicationPlatform/VMD/Camera1Profile1',
    { active: '1' },
    { means: 'motion', isOn: true, isMoment: false },
  ],
])('%s', async (topic, items, notice) => {
  const { camera, notices } = await follow({ isOld: true })
  camera.emit(topic, items, 'Changed')
  await until(() => notices.length > 0)
  expect(notices).toMatchObject([notice])
})

test('no row of the table says the same as another, and no source is named for none', () => {
  const rows = topics.map(({ path, item, means }) => `${path} ${item} ${means}`)
  expect(new Set(rows).size).toBe(rows.length)
  expect(new Set(topics.map(({ source }) => source))).toEqual(new Set(Object.keys(sources)))
})

describe('the time of a notice', () => {
  const topic = 'tns1:RuleEngine/LineDetector/Crossed'

  test('is the camera’s own, by the clock that it has, and names it: the same message twice is one', async () => {
    const clockAheadMs = 7_200_000
    const { camera, notices } = await follow({ clockAheadMs })
    const at = new Date(Date.now() + clockAheadMs - 30_000).toISOString()
    camera.emit(topic, {}, undefined, at)
    camera.emit(topic, {}, undefined, at)
    camera.emit(topic, {})
    await until(() => notices.length === 3)
    const [first, again, later] = notices
    expect(first?.ageMs).toBeGreaterThan(29_000)
    expect(first?.ageMs).toBeLessThan(60_000)
    expect(again?.id).toBe(first?.id)
    expect(later?.id).not.toBe(first?.id)
  })

  test.each(['1970-01-01T00:00:00Z', 'yesterday', new Date(Date.now() + 3_600_000).toISOString()])(
    '%s makes no sense: it happened now, and each is one of its own',
    async (time) => {
      const { camera, notices } = await follow()
      camera.emit(topic, {}, undefined, time)
      camera.emit(topic, {}, undefined, time)
      await until(() => notices.length === 2)
      expect(notices.map(({ ageMs }) => ageMs)).toEqual([0, 0])
      expect(notices[0]?.id).not.toBe(notices[1]?.id)
    },
  )
})

const post = async (url: string, body: string, method = 'POST') =>
  (await fetch(url, { method, ...(method === 'POST' && { body }) })).status

describe('the address for a camera that notifies', () => {
  test('takes nothing but messages at its own path, and nothing that is too large or no XML', async () => {
    const messages: unknown[] = []
    const listener = await openListener('127.0.0.1', (message) => messages.push(message), fail)
    closing.push(() => listener.close())
    const right = '<e><Body><Notify><NotificationMessage/><Other/></Notify></Body></e>'
    expect([
      await post(listener.url, right),
      await post(`${new URL(listener.url).origin}/guess`, right),
      await post(listener.url, '', 'GET'),
      await post(listener.url, 'not XML'),
      await post(listener.url, `<e>${' '.repeat(70_000)}</e>`),
    ]).toEqual([202, 404, 404, 400, 400])
    expect(messages).toHaveLength(1)
    expect(listener.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}$/)
  })
})

function teller(isDoorbell = true) {
  const events: CameraEvent[] = []
  const made = createTeller({
    isDoorbell,
    clock: Date.now,
    report: (event) => void events.push(event),
  })
  let count = 0
  const tell = (means: Notice['means'], more: Partial<Notice> = {}) =>
    made.tell({ means, from: means, isOn: true, isMoment: false, id: `n${(count += 1)}`, ageMs: 0, ...more })
  return { events, tell, rest: made.rest }
}

describe('what the bridge is told', () => {
  beforeEach(() => void jest.useFakeTimers({ now: 1_000_000 }))
  afterEach(() => void jest.useRealTimers())

  test('a press: with the notice’s own id and time, and several topics at once are one', () => {
    const { events, tell } = teller()
    tell('press', { ageMs: 1_500 })
    tell('input')
    jest.advanceTimersByTime(5_000)
    tell('press')
    expect(events).toEqual([
      { kind: 'press', eventId: 'n1', at: 998_500 },
      { kind: 'press', eventId: 'n3', at: 1_005_000 },
    ])
  })

  test('a contact is the button of a doorbell, and nothing of another camera', () => {
    const bell = teller()
    bell.tell('input')
    const camera = teller(false)
    camera.tell('input')
    expect([bell.events.map(({ kind }) => kind), camera.events]).toEqual([['press'], []])
  })

  test('motion: one for several detectors, until the last of them is quiet', () => {
    const { events, tell } = teller()
    tell('motion', { from: 'a' })
    tell('motion', { from: 'b' })
    tell('motion', { from: 'a', isOn: false })
    tell('motion', { from: 'unknown', isOn: false })
    expect(events).toEqual([{ kind: 'motion', isDetected: true, eventId: 'n1', at: 1_000_000 }])
    tell('motion', { from: 'b', isOn: false })
    expect(events[1]).toEqual({ kind: 'motion', isDetected: false, eventId: 'n5', at: 1_000_000 })
  })

  test('a line that is crossed has no end: it is over 20 s after the last time', () => {
    const { events, tell } = teller()
    tell('motion', { isMoment: true })
    jest.advanceTimersByTime(15_000)
    tell('motion', { isMoment: true })
    jest.advanceTimersByTime(15_000)
    expect(events).toHaveLength(1)
    jest.advanceTimersByTime(5_000)
    expect(events[1]).toMatchObject({ kind: 'motion', isDetected: false, at: 1_035_000 })
  })

  test('motion does not outlast the subscription that told of it', () => {
    const { events, tell, rest } = teller()
    tell('motion', { from: 'a' })
    tell('motion', { from: 'b', isMoment: true })
    rest()
    jest.advanceTimersByTime(60_000)
    expect(events.map((event) => event.kind === 'motion' && event.isDetected)).toEqual([true, false])
  })

  test('persons are told once for several topics', () => {
    const { events, tell } = teller()
    tell('person')
    tell('person', { from: 'face' })
    expect(events).toEqual([{ kind: 'person', eventId: 'n1', at: 1_000_000 }])
  })
})
