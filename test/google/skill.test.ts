/** skills/google: what is entered in the console agrees with what the bridge says, and the list of tests with the tests. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { syncReply } from '../../src/core/wire/google.ts'

const root = join(import.meta.dirname, '..', '..')
const file = (name: string): string => readFileSync(join(root, 'skills', 'google', name), 'utf8')
const json = (name: string) => JSON.parse(file(name)) as Record<string, unknown>
const { element: device } = syncReply.shape.payload.shape.devices

test('the console is told of the types and traits that SYNC can have', () => {
  const { deviceTypes, traits } = json('project.json')
  expect(deviceTypes).toEqual(device.shape.type.options)
  expect(traits).toEqual(device.shape.traits.element.options)
})

test('all addresses are of one bridge, over HTTPS, and where its routes are', () => {
  const { cloudFulfillmentUrl } = json('project.json')
  const { authorizationUrl, tokenUrl, revocationUrl } = json('account-linking.json')
  const urls = [cloudFulfillmentUrl, authorizationUrl, tokenUrl, revocationUrl].map((url) => new URL(String(url)))
  expect(new Set(urls.map(({ origin }) => origin))).toEqual(new Set(['https://bridge.example.org']))
  expect(urls.map(({ pathname }) => pathname)).toEqual([
    '/google/fulfillment',
    '/oauth/auth',
    '/oauth/token',
    '/oauth/token/revocation',
  ])
})

test('the icon is a PNG of 144 by 144', () => {
  const icon = readFileSync(join(root, 'skills', 'google', 'icon-144.png'))
  expect(icon.subarray(1, 4).toString()).toBe('PNG')
  expect([icon.readUInt32BE(16), icon.readUInt32BE(20)]).toEqual([144, 144])
})

const cases = file('test-suite.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| case of'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, name = '', , tests = '']) => ({ name, tests: tests.split(/, (?=`)/) }))

test('the list of cases is read to its end', () => expect(cases.length).toBeGreaterThan(10))

test.each(cases)('the case "$name" is covered by tests that are there', ({ tests }) => {
  for (const one of tests) {
    const [, path = '', name = ''] = /^`(test\/[\w/.-]+)` › (.+)$/.exec(one) ?? []
    // Fails on a missing file, and on a cell without both.
    const text = readFileSync(join(root, path), 'utf8')
    expect(text.match(/(?:describe|test)(?:\.each\([\s\S]*?\))?\(\s*'(?:[^'\\]|\\.)+'/g)?.join('\n')).toContain(
      `'${name}'`,
    )
  }
})
