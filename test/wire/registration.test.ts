/** What may be a camera's id: it stands in paths, topics and the assistants' messages. */
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
