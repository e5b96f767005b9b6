/** Who may name the address of a network camera. */
import { expect, test } from '@jest/globals'
import { mayNameSource } from '../../src/bridge/cameras/source-rule.ts'

test.each([
  ['somebody on a bridge of their own', {}, true],
  ['somebody of a tenant', { tenant: 'vendor' }, false],
  ['an account of another server', undefined, false],
])('%s: %s', (_who, owner, may) => {
  expect(mayNameSource(owner)).toBe(may)
})
