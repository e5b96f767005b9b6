/** A camera at whose picture there is nothing to be seen: `transom call` says so, and exits with 1; one that does not change has not failed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { makeMovie } from '../gateway/movie.ts'
import { createHouse, doorbellIsOnline } from './house.ts'

const directory = mkdtempSync(join(tmpdir(), 'flow-pictures-'))
afterAll(() => rmSync(directory, { recursive: true }))

const failed = {
  ok: false,
  cause: { code: 'black_picture', message: expect.stringContaining('check the lens') },
  video: { reason: null, remark: null },
}
const still = { ok: true, cause: null, video: { reason: null, remark: expect.stringContaining('did not change') } }

describe.each([
  ['black', { seconds: 2, paint: () => 16 }, 'alexa', 'a failed call with its cause', failed, 1],
  // One picture, which is shown again and again.
  ['still', { seconds: 0.1 }, 'google', 'a call that works, with a remark', still, 0],
] as const)('a %s picture', (name, movie, assistant, what, report, code) => {
  const house = createHouse()
  afterAll(() => house.close())

  test(`is ${what}`, async () => {
    const path = join(directory, `${name}.mp4`)
    await makeMovie({ path, ...movie })
    await house.start({ TRANSOM_SOURCE: path })
    await house.untilPrinted(doorbellIsOnline)
    const called = await house.call('--assistant', assistant, '--seconds', '3')
    expect(called.report).toMatchObject(report)
    expect(called.report.video.decoded).toBeGreaterThan(5)
    expect(called.code).toBe(code)
  })
})
