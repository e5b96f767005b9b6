/** Frigate's messages as news: one person for each object, motion while something moves, by the names and zones of the camera. */
import { describe, expect, test } from '@jest/globals'
import type { Camera } from '../../src/core/ports.ts'
import { createFrigate } from '../../src/transom/frigate.ts'
import { frontDoor } from '../alexa/world.ts'

const now = 1_732_600_000_000
const id = '1732600000.123456-abc123'

function start(zones?: readonly string[]) {
  const camera: Camera = { ...frontDoor, frigate: { camera: 'front_door', ...(zones && { zones }) } }
  const frigate = createFrigate({ cameras: async () => [camera], clock: () => now })
  const said = async (topic: 'events' | 'reviews', message: object) =>
    (await frigate.read(topic, message))?.map(({ news }) =>
      news.kind === 'motion' ? `motion ${news.isDetected}` : `${news.kind} ${'eventId' in news ? news.eventId : ''}`,
    )
  return { frigate, said }
}

/** As Frigate 0.14 to 0.16 publish it, with some of what is not read. */
const event = (type: string, after: object = {}) => ({
  type,
  before: { id, camera: 'front_door', label: 'person', top_score: 0.7 },
  after: {
    id,
    camera: 'front_door',
    frame_time: now / 1_000,
    snapshot: { frame_time: 1, box: [1, 2, 3, 4], attributes: [] },
    label: 'person',
    sub_label: ['Anna', 0.9],
    top_score: 0.95,
    false_positive: false,
    start_time: now / 1_000 - 2,
    end_time: null,
    score: 0.9,
    stationary: false,
    current_zones: [],
    entered_zones: [],
    has_clip: false,
    ...after,
  },
})
const review = (type: string, data: object = {}) => ({
  type,
  before: { id: 'r1', camera: 'front_door', severity: 'detection', data: { objects: [] } },
  after: {
    id: 'r1',
    camera: 'front_door',
    start_time: now / 1_000,
    end_time: null,
    severity: 'alert',
    thumb_path: '/media/frigate/clips/review/thumb.webp',
    data: { detections: [id], objects: ['person'], sub_labels: [], zones: [], audio: [], ...data },
  },
})

test('a person is announced once, however many updates come, and motion lasts until its end', async () => {
  const { said } = start()
  expect(await said('events', event('new', { false_positive: true }))).toEqual([])
  expect(await said('events', event('update'))).toEqual([`person frigate-${id}`, 'motion true'])
  expect(await said('events', event('update', { top_score: 0.99 }))).toEqual([])
  expect(await said('events', event('end', { end_time: now / 1_000 }))).toEqual(['motion false'])
})

test('the review of the same object is the same person, and motion ends with the last of both', async () => {
  const { said } = start()
  expect(await said('reviews', review('new'))).toEqual([`person frigate-${id}`, 'motion true'])
  expect(await said('events', event('new'))).toEqual([])
  expect(await said('reviews', review('update', { objects: ['person-verified', 'car'] }))).toEqual([])
  expect(await said('events', event('end'))).toEqual([])
  expect(await said('reviews', review('end'))).toEqual(['motion false'])
  const another = '1732600009.5-zzz'
  expect(await said('reviews', review('new', { detections: [another], objects: ['person-verified'] }))).toEqual([
    `person frigate-${another}`,
    'motion true',
  ])
})

test('a car moves and is no person, a parked one does not move', async () => {
  const { said } = start()
  expect(await said('events', event('new', { label: 'car' }))).toEqual(['motion true'])
  expect(await said('events', event('update', { label: 'car', stationary: true }))).toEqual(['motion false'])
})

test('only what has entered one of the zones of the camera counts', async () => {
  const { said } = start(['porch', 'steps'])
  expect(await said('events', event('new', { entered_zones: ['street'] }))).toEqual([])
  expect(await said('events', event('update', { entered_zones: ['street', 'steps'] }))).toEqual([
    `person frigate-${id}`,
    'motion true',
  ])
  expect(await said('events', event('end', { entered_zones: ['street', 'steps'] }))).toEqual(['motion false'])
  expect(await said('reviews', review('new', { zones: ['street'], detections: ['other'] }))).toEqual([])
})

test('the time is that of the picture, or now where that makes no sense', async () => {
  const { frigate } = start()
  const [first] = (await frigate.read('events', event('new', { frame_time: now / 1_000 - 5 }))) ?? []
  const [other] = (await frigate.read('events', event('new', { id: 'x', frame_time: 12, start_time: null }))) ?? []
  expect([first?.news.at, other?.news.at]).toEqual([now - 5_000, now])
})

test('a camera that is not known, and what is no message of Frigate’s, is nothing', async () => {
  const { said, frigate } = start()
  expect(await said('events', event('new', { camera: 'garage' }))).toEqual([])
  for (const bad of [undefined, {}, { type: 'new' }, { type: 'other', after: event('new').after }, 'text', [1]])
    expect(await frigate.read('events', bad)).toBeUndefined()
})

test('nothing moves any more when Frigate has begun anew', async () => {
  const { said, frigate } = start()
  await said('events', event('new'))
  expect(frigate.restarted()).toMatchObject([{ news: { kind: 'motion', isDetected: false } }])
  expect(frigate.restarted()).toEqual([])
})

const named = (frigateName: string): Camera => ({ ...frontDoor, frigate: { camera: frigateName } })

function follow() {
  const house = { cameras: [named('front_door')] as readonly Camera[], reads: 0, isBroken: false }
  const frigate = createFrigate({
    cameras: async () => {
      house.reads += 1
      const { cameras } = house
      if (house.isBroken) throw new Error('the store is away')
      return cameras
    },
    clock: () => now,
  })
  const heard = async (camera: string, objectId = camera) =>
    (await frigate.read('events', event('new', { camera, id: objectId })))?.length
  return { house, frigate, heard }
}

describe('the names of cameras', () => {
  test('are read once for any number of messages', async () => {
    const { house, heard } = follow()
    for (const name of ['front_door', 'garage', 'yard', 'front_door']) await heard(name)
    expect(house.reads).toBe(1)
  })

  test('follow a change, also one that comes while they are read', async () => {
    const { house, frigate, heard } = follow()
    expect([await heard('front_door'), await heard('porch')]).toEqual([2, 0])
    house.cameras = [named('porch')]
    frigate.changed(frontDoor, 'changed')
    expect([await heard('front_door', 'b'), await heard('porch', 'b')]).toEqual([0, 1])
    frigate.changed(frontDoor, 'changed')
    const reading = heard('yard')
    house.cameras = [named('yard')]
    frigate.changed(frontDoor, 'changed')
    expect(await reading).toBe(0)
    expect(await heard('yard', 'c')).toBe(1)
  })

  test('one of a camera that is gone is nobody’s, and what moved there does not end later', async () => {
    const { house, frigate, heard } = follow()
    await heard('front_door')
    house.cameras = []
    frigate.changed(frontDoor, 'removed')
    expect(await heard('front_door', 'b')).toBe(0)
    expect(frigate.restarted()).toEqual([])
  })

  test('are read again after a failure, which refuses the message', async () => {
    const { house, heard } = follow()
    house.isBroken = true
    await expect(heard('front_door')).rejects.toThrow('away')
    house.isBroken = false
    expect(await heard('front_door')).toBe(2)
  })
})
