/** Addresses, times and outcomes in words. */
import { describe, expect, test } from '@jest/globals'
import { hrefs, readRoute } from '../../src/console/route.ts'
import { en } from '../../src/console/language/en.ts'
import { createFormats } from '../../src/console/language/formats.ts'
import { outcomeOf } from '../../src/console/words.ts'

const { ago, duration } = createFormats('en', en)

describe('an address', () => {
  test.each([
    ['', { screen: 'cameras' }],
    [hrefs.cameras, { screen: 'cameras' }],
    [hrefs.camera('a/b c'), { screen: 'camera', cameraId: 'a/b c' }],
    [hrefs.answer('a/b c'), { screen: 'camera', cameraId: 'a/b c', talk: true }],
    [hrefs.recorded('a/b c', 1_764_000_000_000.4), { screen: 'camera', cameraId: 'a/b c', at: 1_764_000_000_000 }],
    ['#/camera/a?at=yesterday', { screen: 'camera', cameraId: 'a' }],
    ['#/camera/a?at=-1', { screen: 'camera', cameraId: 'a' }],
    ['#/camera/a?at=', { screen: 'camera', cameraId: 'a' }],
    ['#/camera/a?talk&at=1', { screen: 'camera', cameraId: 'a', talk: true }],
    [hrefs.sessions, { screen: 'sessions', filter: {} }],
    [hrefs.session('x'), { screen: 'session', sessionId: 'x', filter: {} }],
    [hrefs.display('alexa', 'front-door'), { screen: 'display', assistant: 'alexa', cameraId: 'front-door' }],
    [
      '#/display/google/front-door?problem=too%20late',
      { screen: 'display', assistant: 'google', cameraId: 'front-door', problem: 'too late' },
    ],
    ['#/display/siri/front-door', { screen: 'lost' }],
    ['#/camera/%E0%A4%A', { screen: 'camera', cameraId: '%E0%A4%A' }],
    ['#/elsewhere', { screen: 'lost' }],
  ])('%s', (hash, route) => {
    expect(readRoute(hash)).toEqual(route)
  })
})

test.each([
  [0, 'just now'],
  [12_000, '12 seconds ago'],
  [119_000, '1 minute ago'],
  [7_200_000, '2 hours ago'],
  [90_000_000, 'yesterday'],
])('%i ms ago: %s', (ms, words) => {
  expect(ago(1_000_000_000 - ms, 1_000_000_000)).toBe(words)
})

test.each([
  [7.4, '7 ms'],
  [999, '999 ms'],
  [1_250, '1.3 s'],
  [59_970, '1 min 0 s'],
  [61_000, '1 min 1 s'],
  [119_800, '2 min 0 s'],
])('%d ms lasts %s', (ms, words) => {
  expect(duration(ms)).toBe(words)
})

test('a session of which nobody knows whether it was seen is neither fine nor failed', () => {
  const hint = { code: 'unconfirmed', message: '', advice: '' } as const
  expect(outcomeOf({ phase: 'closed', hint })).toBe('unconfirmed')
})

test.each([
  ['connected', undefined, 'running'],
  ['closed', undefined, 'fine'],
  ['closed', 'camera_silent', 'failed'],
  ['connected', 'no_sound', 'failed'],
] as const)('a session that is %s with the cause %s: %s', (phase, code, outcome) => {
  expect(outcomeOf({ phase, ...(code && { cause: { code, message: '', advice: '' } }) })).toBe(outcome)
})
