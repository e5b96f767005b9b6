/** Which H.264 a display takes for which. */
import { expect, test } from '@jest/globals'
import { fitsProfile, isSameProfile } from '../../src/simulator/h264-profile.ts'

test.each([
  ['42e01f', '42e01f', true],
  ['42c01f', '42e01f', true],
  ['42e01f', '42001f', true],
  ['42e01f', '64001f', true],
  ['42e028', '42e01f', false],
  ['64001f', '42e01f', false],
  ['42001f', '42e01f', true],
  ['42001f', '4d001f', true],
  ['4d001f', '42001f', false],
  ['640c1f', '64001f', true],
  ['64001f', '640c1f', false],
  ['6e001f', '6e001f', true],
  ['4d401f', '64001f', true],
])('a stream of %s under an answer of %s: %s', (streamed, announced, fits) => {
  expect(fitsProfile(streamed, announced)).toBe(fits)
})

test.each([
  ['42e01f', '42C029', true],
  ['42e01f', '4d801f', true],
  ['42001f', '42e01f', false],
  ['4d001f', '4d401f', true],
  ['64001f', '640c1f', false],
  ['6e001f', '6e0028', true],
  ['6e001f', '6e101f', false],
])('%s and %s are one profile: %s', (one, other, isSame) => {
  expect(isSameProfile(one, other)).toBe(isSame)
})
