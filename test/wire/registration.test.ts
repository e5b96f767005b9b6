/** What may be a camera's id, which stands in paths, topics and the assistants' messages, and its name, which people are shown. */
import { expect, test } from '@jest/globals'
import { registrationRequest } from '../../src/core/wire/registration.ts'

const isCamera = (given: object): boolean =>
  registrationRequest.safeParse({ id: 'porch', name: 'Porch', ...given }).success

test.each(['porch', '...', '.porch', 'porch..', 'a.b-c_D9', 'x'.repeat(256)])('%j may be an id and a channel', (id) => {
  expect([isCamera({ id }), isCamera({ channelName: id })]).toEqual([true, true])
})

test.each([
  '',
  '.',
  '..',
  './',
  '../..',
  'a/b',
  '/',
  '\\',
  '%2e',
  '%2e%2e',
  '.%2E',
  '..;',
  '..\n',
  '\u2024\u2024',
  '\uFF0E',
  'a b',
  '?',
  '#',
  'a?b',
  'a#b',
  '\u0000',
  'x'.repeat(257),
])('%j may be neither', (id) => {
  expect([isCamera({ id }), isCamera({ channelName: id })]).toEqual([false, false])
})

test.each(['Front Door', ' Haustür ', '門口', 'الباب', '1', '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}'])(
  '%j may be its name and its room',
  (name) => {
    expect([isCamera({ name }), isCamera({ room: name })]).toEqual([true, true])
  },
)

test.each(['', ' ', '\u200B', 'a\u0000b', 'a\nb', 'a\u2028b', '\u202Erood', '\u2066door', 'half \uD83D', '\u007F'])(
  '%j is not shown to anybody',
  (name) => {
    expect([isCamera({ name }), isCamera({ room: name })]).toEqual([false, false])
  },
)
