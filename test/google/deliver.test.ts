/** What Google is told unasked, from the outbox to Home Graph: presses, states, requests to ask again, farewells. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { cameraId, type CameraNews } from '../../src/core/ports.ts'
import { ada, camera } from './fake-house.ts'
import { openHome } from './home.ts'
import { until } from '../until.ts'

let home: Awaited<ReturnType<typeof openHome>>
beforeEach(async () => {
  home = await openHome()
})
afterEach(async () => {
  await home.close()
  expect(home.google.complaints).toEqual([])
})

const press = (eventId = 'e1') => ({ kind: 'press', eventId, at: home.house.now }) as const
const tell = async (...news: CameraNews[]) => {
  await home.hear(...news)
  await home.outbox.settled()
}
const dropped = (reason: string) =>
  expect.objectContaining({
    event: 'outbox.dropped',
    fields: expect.objectContaining({ error: expect.stringContaining(reason) }),
  })
const states = () => home.google.reports.map(({ payload }) => payload.devices.states)

describe('a press', () => {
  test('is an ObjectDetection notification, and the camera that rings is online', async () => {
    await home.sync()
    home.house.online = false
    await tell(press())
    expect(home.google.reports).toEqual([
      {
        requestId: expect.any(String),
        eventId: 'google-press-bell-1-e1',
        agentUserId: ada,
        payload: {
          devices: {
            states: { 'bell-1': { online: true } },
            notifications: {
              'bell-1': {
                ObjectDetection: { objects: { unfamiliar: 1 }, priority: 0, detectionTimestamp: home.house.now },
              },
            },
          },
        },
      },
    ])
  })

  test('is spoken once, whatever fails on the way, and under one event id', async () => {
    await home.sync()
    home.google.script.push(503, 'hang', 500)
    await tell(press(), press())
    expect(home.google.reports).toHaveLength(1)
  })

  test('that is half a minute old is not spoken any more', async () => {
    await home.sync()
    const old = press()
    home.house.now += 30_000
    await tell(old)
    expect(home.google.calls).toEqual([])
  })

  test('for somebody who is not linked with Google costs no call', async () => {
    await tell(press())
    expect(home.google.calls).toEqual([])
    expect(home.house.log).not.toContainEqual(dropped(''))
  })

  test('of a user whom Home Graph does not know ends the link: nothing more is sent until the next SYNC', async () => {
    await home.sync()
    home.google.unlinked.add(ada)
    await tell(press('e1'))
    // The 404 of a report does not say whether it was the user or the device; the second call does.
    expect(home.google.calls.map(({ call }) => call)).toEqual(['report', 'sync'])
    await tell(press('e2'))
    await home.reports.statesChanged(ada)
    await home.outbox.settled()
    expect(home.google.calls).toHaveLength(2)
    expect(home.house.log).toContainEqual(expect.objectContaining({ level: 'warn', event: 'notices.added' }))
    await home.sync()
    await tell(press('e3'))
    expect(home.google.reports).toHaveLength(1)
  })

  test('of a camera that Google does not know yet makes it ask, waits for that, and is not lost', async () => {
    await home.sync()
    home.house.cameras = [camera(), camera({ id: cameraId('bell-2') })]
    await home.hearOf(camera({ id: cameraId('bell-2') }), press())
    await until(() => home.google.calls.some(({ call }) => call === 'requestSync'))
    home.google.devices.set(ada, [{ id: 'bell-1' }, { id: 'bell-2' }])
    await home.outbox.settled()
    expect(home.google.reports).toMatchObject([{ eventId: 'google-press-bell-2-e1' }])
    expect(await home.links.isOpen(ada)).toBe(true)
  })

  test('survives a crash: the next process says it', async () => {
    await home.sync()
    home.google.script.push(503)
    const crashed = await openHome(home.house, { firstRetryMs: 60_000 })
    crashed.google.script.push(503)
    await crashed.hear(press('before the crash'))
    await until(() => crashed.house.log.some(({ event }) => event === 'outbox.retry'))
    await crashed.close()
    home.google.script.length = 0
    await home.outbox.start()
    await home.outbox.settled()
    expect(home.google.reports).toMatchObject([{ eventId: 'google-press-bell-1-before the crash' }])
  })

  test('goes out while reports wait for the quota', async () => {
    await home.sync()
    home.google.script.push({ status: 429, headers: { 'retry-after': '60' } })
    await home.reports.statesChanged(ada)
    await until(() => home.house.log.some(({ event }) => event === 'outbox.retry'))
    await home.hear(press())
    await until(() => home.google.reports.length === 1)
    expect(home.google.reports[0]?.payload.devices.notifications).toBeDefined()
  })
})

const person = () => ({ kind: 'person', eventId: 'p1', at: home.house.now }) as const

describe('somebody who was seen', () => {
  test('is announced, by a doorbell or a camera that tells people apart', async () => {
    home.house.cameras = [camera({ kind: 'camera', detects: ['person'] })]
    await home.sync()
    await tell(person())
    const [report] = home.google.reports
    expect(report?.payload.devices.notifications?.['bell-1']).toMatchObject({
      ObjectDetection: { objects: { unfamiliar: 1 } },
    })
  })

  test('by a camera that is there no more is dropped', async () => {
    await home.sync()
    home.house.cameras = []
    await tell(person())
    expect(home.google.calls).toEqual([])
    expect(home.house.log).toContainEqual(dropped('the camera is gone'))
  })

  test('is dropped and logged when it was written down in words that we do not know', async () => {
    await home.sync()
    const at = home.house.now
    const strange = { id: 'x', destination: 'google', lane: 'report', accountId: ada, body: { kind: 'ghost' } } as const
    await home.outbox.add([{ ...strange, at, usefulUntil: at + 1000 }])
    await home.outbox.settled()
    expect(home.house.log).toContainEqual(dropped('no event for Google'))
  })
})

describe('a change of state', () => {
  test('goes out for all cameras of the account in one call, as they are when it leaves', async () => {
    home.house.cameras = [
      camera({ hasBattery: true, hasSwitch: true }),
      camera({ id: cameraId('cam-2'), kind: 'camera', sensors: [{ name: 'SmokeLevel', unit: 'PERCENTAGE' }] }),
    ]
    await home.sync()
    const changed = home.reports.statesChanged(ada)
    home.house.online = false
    const at = home.house.now
    home.house.state = {
      battery: { level: 8, at },
      switch: { isOn: false, at },
      sensors: { SmokeLevel: { value: 3, at } },
    }
    await changed
    await home.outbox.settled()
    expect(states()).toEqual([
      {
        'bell-1': {
          online: false,
          descriptiveCapacityRemaining: 'CRITICALLY_LOW',
          capacityRemaining: [{ rawValue: 8, unit: 'PERCENTAGE' }],
          on: false,
        },
        'cam-2': { online: false, currentSensorStateData: [{ name: 'SmokeLevel', rawValue: 3 }] },
      },
    ])
  })

  test.each([
    [{ kind: 'online', isOnline: true }, ['report']],
    [{ kind: 'battery', level: 50 }, ['report']],
    [{ kind: 'switch', isOn: true }, ['report']],
    [{ kind: 'sensor', name: 'SmokeLevel', value: 1 }, ['report']],
    [{ kind: 'changed' }, ['requestSync']],
    [{ kind: 'removed' }, ['requestSync']],
    [{ kind: 'motion', eventId: 'm1', isDetected: true }, []],
  ] as const)('%j', async (news, calls) => {
    await home.sync()
    await tell({ ...news, at: home.house.now })
    expect(home.google.calls.map(({ call }) => call)).toEqual(calls)
  })

  test('that comes while one is under way waits for it, and many that wait are one call; the last word is true', async () => {
    await home.sync()
    for (let round = 0; round < 40; round += 1) {
      home.house.online = round % 2 === 0
      await home.reports.statesChanged(ada)
      home.house.now += 1
    }
    home.house.online = true
    await home.reports.statesChanged(ada)
    await home.outbox.settled()
    expect(home.google.states.get(ada)).toEqual({ 'bell-1': { online: true } })
    expect(home.google.calls.length).toBeLessThan(42)
  })

  test('reaches Google by itself, without a sweep', async () => {
    await home.sync()
    await home.reports.statesChanged(ada)
    await until(() => home.google.reports.length === 1)
  })

  test('is reported once after each SYNC, however long Google needs to take that in, and the link stays', async () => {
    const request = { requestId: '1', inputs: [{ intent: 'action.devices.SYNC' }] }
    await home.fulfillment(request, { authorization: 'Bearer good' })
    // Home Graph knows no such user yet: its 404 is no farewell.
    await until(() => home.google.calls.length > 1)
    home.google.devices.set(ada, [{ id: 'bell-1' }])
    await until(() => home.google.reports.length === 1)
    expect(states()).toEqual([{ 'bell-1': { online: true } }])
    expect(await home.links.isOpen(ada)).toBe(true)
  })

  test('is told of the cameras that Google knows, although there is one that it has not asked for yet', async () => {
    await home.sync()
    home.house.cameras = [camera(), camera({ id: cameraId('cam-2') })]
    home.house.online = false
    await home.reports.statesChanged(ada)
    await home.outbox.settled()
    expect(states()).toEqual([{ 'bell-1': { online: false } }])
    expect(home.google.calls.map(({ call }) => call)).toEqual(['report', 'sync', 'requestSync', 'report'])
    expect(await home.links.isOpen(ada)).toBe(true)
  })

  test('that another process may have overtaken is told again', async () => {
    await home.sync()
    // As if the other process had written and told it while our report was on its way.
    const { statesOf } = home
    home.statesOf = async (asked) => {
      const before = await statesOf(asked)
      home.house.online = false
      return before
    }
    await home.reports.statesChanged(ada)
    await home.outbox.settled()
    expect(states()).toEqual([{ 'bell-1': { online: true } }, { 'bell-1': { online: false } }])
  })
})

describe('a change of cameras', () => {
  test('makes Google ask again', async () => {
    await home.sync()
    await home.reports.camerasChanged(ada)
    await home.outbox.settled()
    expect(home.google.calls).toMatchObject([{ call: 'requestSync', account: ada }])
  })

  test('shows in the mark that Google gives back: an old one makes Google ask again, a fresh one does not', async () => {
    await home.sync()
    const [device] = home.google.devices.get(ada) ?? []
    const query = (given: object) => {
      const inputs = [{ intent: 'action.devices.QUERY', payload: { devices: [given] } }]
      return home.fulfillment({ requestId: '1', inputs }, { authorization: 'Bearer good' })
    }
    await query({ id: 'bell-1', customData: device?.customData })
    await home.outbox.settled()
    expect(home.google.calls).toEqual([])
    home.house.cameras = [camera({ name: 'Back door' })]
    await query({ id: 'bell-1', customData: device?.customData })
    await until(() => home.google.calls.some(({ call }) => call === 'requestSync'))
  })

  test('is asked for once in ten minutes, though what Google gives back stay old', async () => {
    await home.sync()
    const inputs = [{ intent: 'action.devices.QUERY', payload: { devices: [{ id: 'gone' }] } }]
    const syncs = () => home.google.calls.filter(({ call }) => call === 'requestSync').length
    for (const count of [1, 1, 2]) {
      await home.fulfillment({ requestId: '1', inputs }, { authorization: 'Bearer good' })
      await until(() => syncs() >= count)
      await home.outbox.settled()
      expect(syncs()).toBe(count)
      if (count === 1) home.house.now += 5 * 60_000
    }
  })

  test('so does a device that we do not know any more', async () => {
    await home.sync()
    const inputs = [{ intent: 'action.devices.QUERY', payload: { devices: [{ id: 'gone' }] } }]
    await home.fulfillment({ requestId: '1', inputs }, { authorization: 'Bearer good' })
    await until(() => home.google.calls.some(({ call }) => call === 'requestSync'))
  })
})

describe('unlinking', () => {
  test('on our side deletes the agent user, once', async () => {
    await home.sync()
    await home.reports.unlinkedHere(ada)
    await home.reports.unlinkedHere(ada)
    await home.outbox.settled()
    expect(home.google.calls).toMatchObject([{ call: 'delete', account: ada }])
    await home.reports.statesChanged(ada)
    await home.outbox.settled()
    expect(home.google.calls).toHaveLength(1)
  })

  test('on our side is said until Google has heard it; that it is gone already is well', async () => {
    await home.sync()
    home.google.script.push(503, 404)
    await home.reports.unlinkedHere(ada)
    await home.outbox.settled()
    expect(home.house.log).toContainEqual(expect.objectContaining({ event: 'outbox.delivered' }))
  })

  test('on our side, told late, does not undo a link that was made anew in the meantime', async () => {
    await home.sync()
    home.google.script.push('hang')
    await home.reports.unlinkedHere(ada)
    await until(() => home.google.script.length === 0)
    await home.links.open(ada)
    await home.outbox.settled()
    expect(home.google.unlinked.has(ada)).toBe(false)
    expect(home.house.log).toContainEqual(dropped('linked again'))
  })

  test("on Google's side says nothing more to Home Graph", async () => {
    await home.sync()
    const inputs = [{ intent: 'action.devices.DISCONNECT' }]
    await home.fulfillment({ requestId: '1', inputs }, { authorization: 'Bearer good' })
    await tell(press())
    await home.reports.statesChanged(ada)
    await home.outbox.settled()
    expect(home.google.calls).toEqual([])
    expect(await home.links.isOpen(ada)).toBe(false)
  })
})

test('a refusal that asking again cannot mend is dropped, and the log says what to do', async () => {
  await home.sync()
  home.google.script.push(403)
  await tell(press())
  expect(home.house.log).toContainEqual(dropped('HomeGraph API switched on'))
})
