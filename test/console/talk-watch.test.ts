/** When a player says that somebody else is talking, from what the bridge says of its session. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createTalkWatch } from '../../src/player/talk-watch.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

/** A watch of a view; `replies` is what the bridge answers, one after another, and then its last word again. */
function watch(...replies: (boolean | Error)[]) {
  const reported: boolean[] = []
  let asked = 0
  const isWaiting = (): Promise<boolean> => {
    const reply = replies[Math.min(asked, replies.length - 1)]!
    asked += 1
    return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply)
  }
  const talk = createTalkWatch(isWaiting, (otherTalks) => reported.push(otherTalks))
  return { talk, reported, asked: () => asked }
}

const seconds = (count: number) => jest.advanceTimersByTimeAsync(count * 1_000)

describe('somebody else who talks', () => {
  test('is asked about only while the microphone is open', async () => {
    const { talk, asked } = watch(false)
    await seconds(5)
    expect(asked()).toBe(0)
    talk.set(true)
    talk.set(true)
    await seconds(3)
    expect(asked()).toBe(3)
    talk.set(false)
    await seconds(5)
    expect(asked()).toBe(3)
  })

  test('is reported once, and again when it is over', async () => {
    const { talk, reported } = watch(false, true, true, false, false)
    talk.set(true)
    await seconds(5)
    expect(reported).toEqual([true, false])
  })

  test('is nobody any more when the microphone is muted, and is asked about anew with the next word', async () => {
    const { talk, reported } = watch(true)
    talk.set(true)
    await seconds(1)
    talk.set(false)
    expect(reported).toEqual([true, false])
    talk.set(true)
    await seconds(1)
    expect(reported).toEqual([true, false, true])
  })

  test('is not claimed while the bridge does not answer', async () => {
    const { talk, reported } = watch(true, new Error('the bridge is away'), true)
    talk.set(true)
    await seconds(3)
    expect(reported).toEqual([true, false, true])
  })

  test('is no news of a view that is over, nor of an answer that comes after the last word', async () => {
    const reply = Promise.withResolvers<boolean>()
    const reported: boolean[] = []
    const signals: AbortSignal[] = []
    const talk = createTalkWatch(
      (signal) => {
        signals.push(signal)
        return reply.promise
      },
      (otherTalks) => reported.push(otherTalks),
    )
    talk.set(true)
    await seconds(1)
    talk.close()
    reply.resolve(true)
    await seconds(3)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    expect(reported).toEqual([])
  })
})
