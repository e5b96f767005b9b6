/** A password that was refused: three tries in the first minute, then ten minutes apart. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { SourceError } from '../../../src/gateway/media.ts'
import { createPatience } from '../../../src/gateway/rtsp/patience.ts'

beforeEach(() => void jest.useFakeTimers({ now: 0 }))
afterEach(() => void jest.useRealTimers())

const minuteMs = 60_000

test('refusals are tried again rarely, all else at once, and a success forgets them', async () => {
  const { attempt } = createPatience()
  let tries = 0
  let code: 'source_password' | 'source_refused' | undefined = 'source_password'
  const work = async () => {
    tries += 1
    if (code) throw new SourceError(code, 'refused')
    return 'pictures'
  }
  const tryFor = async (ms: number) => {
    tries = 0
    for (let at = 0; at < ms; at += 1_000) {
      await attempt(work).catch((error: unknown) => expect(error).toMatchObject({ code: expect.any(String) }))
      jest.advanceTimersByTime(1_000)
    }
    return tries
  }
  expect(await tryFor(minuteMs)).toBe(3)
  expect(await tryFor(60 * minuteMs)).toBe(6)
  code = 'source_refused'
  jest.advanceTimersByTime(10 * minuteMs)
  expect(await tryFor(minuteMs)).toBe(60)
  code = undefined
  expect(await attempt(work)).toBe('pictures')
  code = 'source_password'
  expect(await tryFor(minuteMs)).toBe(3)
})
