/** The cameras as people look for them. */
import { expect, test } from '@jest/globals'
import { byRoom, inOrder, isMany, withWords } from '../../src/console/wall.ts'
import type { Camera } from '../../src/console/api.ts'

const camera = (name: string, more: Partial<Camera> = {}) =>
  ({ id: name, name, kind: 'camera', isOnline: true, ...more }) as Camera
const names = (cameras: readonly Camera[]) => cameras.map(({ name }) => name)

test('who can be seen comes first, of these doorbells, then as people count', () => {
  const cameras = [
    camera('Gate 10'),
    camera('Gate 2'),
    camera('Away', { isOnline: false, kind: 'doorbell' }),
    camera('attic', { isOnline: null }),
    camera('Front Door', { kind: 'doorbell' }),
  ]
  expect(names(inOrder(cameras))).toEqual(['Front Door', 'attic', 'Gate 2', 'Gate 10', 'Away'])
})

test('all words are looked for, in name and room, in whatever case', () => {
  const cameras = [camera('Gate 2', { room: 'Garten Süd' }), camera('Gate 10'), camera('Tür', { room: 'Halle' })]
  expect(names(withWords(cameras, ''))).toEqual(names(cameras))
  expect(names(withWords(cameras, ' gate '))).toEqual(['Gate 2', 'Gate 10'])
  expect(names(withWords(cameras, 'SÜD gate'))).toEqual(['Gate 2'])
  expect(names(withWords(cameras, 'gate halle'))).toEqual([])
})

test('rooms are in order, each with its cameras; those without one come last', () => {
  const cameras = [
    camera('a', { room: 'Floor 10' }),
    camera('b'),
    camera('c', { room: 'Floor 2' }),
    camera('d', { room: 'Floor 10' }),
  ]
  expect(byRoom(cameras).map(([room, some]) => [room, ...names(some)])).toEqual([
    ['Floor 2', 'c'],
    ['Floor 10', 'a', 'd'],
    ['', 'b'],
  ])
  expect(byRoom([])).toEqual([])
})

test('a handful of cameras is shown as it is, and more than a screen of them as a wall', () => {
  expect([8, 9].map((count) => isMany(Array.from({ length: count }, (_, index) => camera(`c${index}`))))).toEqual([
    false,
    true,
  ])
})
