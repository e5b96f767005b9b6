/** A password that was refused: three tries in the first minute, then ten minutes apart. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { SourceError } from '../../src/gateway/media.ts'
import { createPatience } from '../../src/gateway/patience.ts'

beforeEach(() => void jest.useFakeTimers({ now: 0 }))
afterEach(() => void jest.useRealTimers())

const minuteMs = 60_000

test('refusals are tried again rarely, all else at once, and a success forgets them', async () => {
  const { attempt } = createPatience().door()
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

const refusing = () => Promise.reject(new SourceError('source_password', 'refused'))

test('the tries of all doors are counted together', async () => {
  const patience = createPatience()
  const doors = [patience.door(), patience.door(), patience.door()]
  let tries = 0
  const tryFor = async (ms: number) => {
    tries = 0
    const work = () => {
      tries += 1
      return refusing()
    }
    for (let at = 0; at < ms; at += 1_000) {
      const tried = await Promise.allSettled(doors.map((door) => door.attempt(work)))
      expect(tried.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
      jest.advanceTimersByTime(1_000)
    }
    return tries
  }
  expect(await tryFor(minuteMs)).toBe(3)
  expect(await tryFor(60 * minuteMs)).toBe(6)
})

test('no more than the tries that are left are under way at once, and what waits for them learns how they ended', async () => {
  const patience = createPatience()
  const refuse: (() => void)[] = []
  const work = () => new Promise<never>((_resolve, reject) => refuse.push(() => void refusing().catch(reject)))
  const attempts = Array.from({ length: 5 }, () => patience.door().attempt(work))
  const settled = Promise.allSettled(attempts)
  expect(refuse).toHaveLength(3)
  for (const end of refuse) end()
  for (const { status } of await settled) expect(status).toBe('rejected')
  expect(refuse).toHaveLength(3)
})

test('what waits for the tries under way goes on at once when one of them is accepted', async () => {
  const patience = createPatience()
  const accept: (() => void)[] = []
  const work = () => new Promise<void>((resolve) => accept.push(resolve))
  const attempts = Array.from({ length: 4 }, () => patience.door().attempt(work))
  accept[0]?.()
  await attempts[0]
  await jest.advanceTimersByTimeAsync(0)
  expect(accept).toHaveLength(4)
  for (const end of accept) end()
  await Promise.all(attempts)
})

test('a door that accepts the password is open whatever another says, until it refuses it itself', async () => {
  const patience = createPatience()
  const [stream, events, talk] = [patience.door(), patience.door(), patience.door()]
  await stream.attempt(async () => undefined)
  for (const _try of [1, 2, 3]) {
    await expect(events.attempt(refusing)).rejects.toThrow('refused')
    expect(events.check).toThrow('refused')
    expect(stream.check).not.toThrow()
    expect(talk.check).not.toThrow()
    jest.advanceTimersByTime(20_000)
  }
  expect(events.check).toThrow('refused')
  stream.failed(new SourceError('source_password', 'changed'))
  for (const door of [stream, events, talk]) expect(door.check).toThrow('changed')
  jest.advanceTimersByTime(10 * minuteMs)
  await talk.attempt(async () => undefined)
  expect(stream.check).not.toThrow()
})
