/** Who rings, for this browser. */
import { signal } from '@preact/signals'
import { expect, test } from '@jest/globals'
import { createBell, ringMs, type Press } from '../../src/console/bell.ts'

function open(kept: string | null = null) {
  const press = signal<Press | undefined>(undefined)
  const now = signal(1_000_000)
  let memory = kept
  const bell = createBell({ press, now }, { getItem: () => memory, setItem: (_key, value) => void (memory = value) })
  const ring = (eventId: string, cameraId = 'front-door') => void (press.value = { cameraId, eventId, at: now.value })
  return { bell, now, ring, memory: () => memory }
}

test('rings for half a minute, or until somebody has seen it', () => {
  const { bell, now, ring } = open()
  ring('one')
  expect(bell.ringing.value?.eventId).toBe('one')
  now.value += ringMs
  expect(bell.ringing.value).toBeUndefined()
  ring('two')
  bell.dismiss()
  expect(bell.ringing.value).toBeUndefined()
  ring('three')
  expect(bell.ringing.value?.eventId).toBe('three')
})

test('a muted camera does not ring, the others do; it rings again when the time is over or somebody says so', () => {
  const { bell, now, ring, memory } = open()
  bell.mute('front-door', now.value + 60_000)
  ring('one')
  expect(bell.ringing.value).toBeUndefined()
  ring('two', 'garage')
  expect(bell.ringing.value?.cameraId).toBe('garage')
  expect(open(memory()).bell.mutedUntil('front-door')).toBe(1_060_000)
  now.value += 60_000
  ring('three')
  expect(bell.ringing.value?.eventId).toBe('three')
  bell.mute('garage', now.value + 60_000)
  bell.mute('garage', 0)
  expect(bell.mutedUntil('garage')).toBeUndefined()
  expect(memory()).toBe('{}')
})

test('a memory that holds something else, or nothing, mutes nothing', () => {
  for (const kept of [null, '', '[]', '7', 'null', '{"front-door":"soon"}', '{'])
    expect(open(kept).bell.mutedUntil('front-door')).toBeUndefined()
})
