import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { noted, createCameraStates, type StateNews } from '../../src/bridge/cameras/states.ts'
import { snapshotKeptMs } from '../../src/bridge/cameras/snapshots.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import type { CameraState, Store } from '../../src/core/ports.ts'
import { frontDoor as door } from '../alexa/world.ts'

const rows: readonly [StateNews, CameraState][] = [
  [{ kind: 'press', at: 5 }, { press: { at: 5 } }],
  [{ kind: 'pictured', at: 5 }, { snapshot: { at: 5 } }],
  [{ kind: 'motion', eventId: '1', isDetected: true, at: 5 }, { motion: { isDetected: true, at: 5 } }],
  [{ kind: 'battery', level: 80, at: 5 }, { battery: { level: 80, at: 5 } }],
  [{ kind: 'switch', isOn: false, at: 5 }, { switch: { isOn: false, at: 5 } }],
  [{ kind: 'presence', isOnline: true, at: 5 }, { presence: { isOnline: true, at: 5, sinceAt: 5 } }],
  [{ kind: 'sensor', name: 'AirQuality', state: 'good', at: 5 }, { sensors: { AirQuality: { state: 'good', at: 5 } } }],
]

test.each(rows)(
  'news of %j is kept beside the rest, and what is older than what is known changes nothing',
  (news, kept) => {
    const before: CameraState = { battery: { level: 1, at: 1 }, sensors: { SmokeLevel: { value: 2, at: 9 } } }
    const after = noted(before, news)
    expect(after).toEqual({
      ...before,
      ...kept,
      ...(kept.sensors && { sensors: { ...before.sensors, ...kept.sensors } }),
    })
    expect(noted(after, { ...news, at: 4 })).toBe(after)
  },
)

let store: Store
beforeAll(() => void (store = createSqliteStore(':memory:', () => 0)))
afterAll(() => store.close())

test('many things said at once are all kept', async () => {
  const states = createCameraStates({ store, clock: () => 10 })
  await Promise.all(rows.map(([news]) => states.note(door, news)))
  expect(await states.of(door)).toEqual(Object.assign({}, ...rows.map(([, kept]) => kept)))
  await states.forget(door)
  expect(await states.of(door)).toEqual({})
})

test('a picture is not reported for longer than it is kept', async () => {
  let now = 10
  const states = createCameraStates({ store, clock: () => now })
  await states.note(door, { kind: 'pictured', at: 10 })
  now = 9 + snapshotKeptMs
  expect(await states.of(door)).toEqual({ snapshot: { at: 10 } })
  now += 1
  expect(await states.of(door)).toEqual({})
})
