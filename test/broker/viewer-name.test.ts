/** Under which name we come to a camera: a fresh one for each attempt, unless a line was opened ahead under one. */
import { expect, test } from '@jest/globals'
import { createViewerNames } from '../../src/bridge/broker/viewer-name.ts'
import { sessionId } from '../../src/core/ports.ts'

const door = sessionId('d'.repeat(22))
const numbered = (n: number) => sessionId(String(n).padStart(22, '0'))
const garden = sessionId('g'.repeat(22))

function setUp() {
  const clock = { now: 1_000 }
  return { clock, names: createViewerNames('mark', () => clock.now) }
}

test('each attempt has a name of its own, which says whose it is and since when', () => {
  const { names } = setUp()
  const [first, second] = [names.take(door), names.take(door)]
  expect(first).not.toBe(second)
  expect(names.read(first)).toEqual({ id: door, madeAt: 1_000 })
  expect(createViewerNames('other', () => 0).read(first)).toBeUndefined()
})

test('the name of a line that was opened ahead is that of the next attempt, and of no other', () => {
  const { names } = setUp()
  const ready = names.prepare(door)
  expect(names.prepare(door)).toBe(ready)
  expect(names.take(garden)).not.toBe(ready)
  expect(names.take(door)).toBe(ready)
  expect(names.take(door)).not.toBe(ready)
})

test('a line that is not there any more has no name for anybody', () => {
  const { clock, names } = setUp()
  const ready = names.prepare(door)
  clock.now += 29_999
  expect(names.prepare(door)).toBe(ready)
  clock.now += 1
  expect(names.prepare(door)).not.toBe(ready)
})

test('of too many the oldest is forgotten', () => {
  const { names } = setUp()
  const ready = Array.from({ length: 1_001 }, (_, n) => names.prepare(numbered(n)))
  expect(names.take(numbered(0))).not.toBe(ready[0])
  expect(names.take(numbered(1))).toBe(ready[1])
  expect(names.take(numbered(1_000))).toBe(ready[1_000])
})
