/** A press is kept before it is announced, once, and not when nobody stands at the door any more. */
import { expect, test } from '@jest/globals'
import { createPresses } from '../../src/app/presses.ts'
import { accountId, cameraId, type Camera } from '../../src/ports.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'

const camera: Camera = {
  id: cameraId('front-door'),
  accountId: accountId('a'),
  name: 'Front Door',
  kind: 'doorbell',
  channel: { channelName: 'front-door', road: 'viewer' },
  manufacturer: 'T',
  model: 'T',
  hasSpeaker: true,
}

test('each assistant hears of a press once, however often the camera posts it', async () => {
  const store = createSqliteStore(':memory:', () => 10_000)
  const told: string[] = []
  const presses = createPresses({
    store,
    announce: [
      async (_camera, at, eventId) => told.push(`alexa ${eventId} ${at}`),
      async (_camera, _at, eventId) => told.push(`google ${eventId}`),
    ],
    clock: () => 10_000,
    log: () => {},
  })
  await Promise.all([presses.receive(camera, 'one', 9_000), presses.receive(camera, 'one', 9_000)])
  await presses.receive(camera, 'two', 9_500)
  await presses.settled()
  expect(told.sort()).toEqual(['alexa one 9000', 'alexa two 9500', 'google one', 'google two'])
  expect(await store.collection('press').list('front-door')).toHaveLength(2)
  await store.close()
})

test('a stale press is kept but not announced', async () => {
  const store = createSqliteStore(':memory:', () => 100_000)
  const told: string[] = []
  const presses = createPresses({
    store,
    announce: [async (_camera, _at, eventId) => told.push(eventId)],
    clock: () => 100_000,
    log: () => {},
  })
  await (
    await presses.receive(camera, 'old', 60_000)
  ).announced
  expect(told).toEqual([])
  expect(await store.collection('press').list('front-door')).toHaveLength(1)
  await store.close()
})

test('one assistant that fails does not keep the other from hearing', async () => {
  const store = createSqliteStore(':memory:', () => 0)
  const told: string[] = []
  const announce = [() => Promise.reject(new Error('down')), async () => told.push('google')]
  const presses = createPresses({ store, announce, clock: () => 0, log: () => {} })
  await presses.receive(camera, 'one', 0)
  await presses.settled()
  expect(told).toEqual(['google'])
  await store.close()
})
