/** A camera whose packets arrive, and at which there is nothing to be seen: `transom call` says so, and exits with 1. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { makeMovie } from '../gateway/movie.ts'
import { createHouse, doorbellIsOnline } from './house.ts'

const directory = mkdtempSync(join(tmpdir(), 'flow-pictures-'))
afterAll(() => rmSync(directory, { recursive: true }))

describe.each([
  ['black', { seconds: 2, paint: () => 16 }, 'alexa', 'black_picture', 'check the lens'],
  // One picture, which is shown again and again.
  ['frozen', { seconds: 0.1 }, 'google', 'frozen_picture', 'restart the camera'],
] as const)('a %s picture', (name, movie, assistant, code, advice) => {
  const house = createHouse()
  afterAll(() => house.close())

  test(`is a failed call of ${assistant} with its cause`, async () => {
    const path = join(directory, `${name}.mp4`)
    await makeMovie({ path, ...movie })
    await house.start({ TRANSOM_SOURCE: path })
    await house.untilPrinted(doorbellIsOnline)
    const called = await house.call('--assistant', assistant, '--seconds', '3')
    expect(called.report).toMatchObject({
      ok: false,
      cause: { code, message: expect.stringContaining(advice) },
      video: { decoded: expect.any(Number), reason: null },
    })
    expect(called.report.video.decoded).toBeGreaterThan(5)
    expect(called.code).toBe(1)
  })
})
