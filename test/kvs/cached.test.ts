/** A fetched value: fetched once for all, renewed before it spoils. */
import { describe, expect, test } from '@jest/globals'
import { createCached } from '../../src/kvs/cached.ts'

const patient = new AbortController().signal

/** Lets everything that was settled be heard. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** A cache of numbers whose fetches the test settles, at a time the test owns. */
function numbers() {
  const fetches: ReturnType<typeof Promise.withResolvers<number>>[] = []
  const failures: unknown[] = []
  const time = { now: 0 }
  const cached = createCached(
    async () => {
      const fetch = Promise.withResolvers<number>()
      fetches.push(fetch)
      const value = await fetch.promise
      return { value, renewAt: time.now + 100, spoilsAt: time.now + 200 }
    },
    { clock: () => time.now, life: patient, onFailure: (error) => failures.push(error) },
  )
  return { cached, fetches, failures, time }
}

describe('a cached value', () => {
  test('is fetched once for all who ask at the same time', async () => {
    const { cached, fetches } = numbers()
    const asked = [cached.get(patient), cached.get(patient)]
    fetches[0]?.resolve(1)
    expect(await Promise.all([...asked, cached.get(patient)])).toEqual([1, 1, 1])
    expect(fetches).toHaveLength(1)
  })

  test('is renewed once it is due, and nobody waits for that', async () => {
    const { cached, fetches, time } = numbers()
    const first = cached.get(patient)
    fetches[0]?.resolve(1)
    await first
    time.now = 150
    expect(await Promise.all([cached.get(patient), cached.get(patient)])).toEqual([1, 1])
    expect(fetches).toHaveLength(2)
    fetches[1]?.resolve(2)
    await settled()
    expect(await cached.get(patient)).toBe(2)
  })

  test('is fetched again by who asks when the fetch of somebody else was frozen with its process', async () => {
    const { cached, fetches, time } = numbers()
    const frozen = cached.get(patient)
    time.now = 300_000
    const asked = cached.get(patient)
    expect(fetches).toHaveLength(2)
    fetches[0]?.reject(new Error('nothing within 8000 ms'))
    await expect(frozen).rejects.toThrow('nothing within 8000 ms')
    fetches[1]?.resolve(2)
    expect(await Promise.all([asked, cached.get(patient)])).toEqual([2, 2])
    expect(fetches).toHaveLength(2)
  })

  test('that could not be renewed is still given out until it spoils, and the failure is told once', async () => {
    const { cached, fetches, failures, time } = numbers()
    const first = cached.get(patient)
    fetches[0]?.resolve(1)
    await first
    time.now = 150
    expect(await cached.get(patient)).toBe(1)
    fetches[1]?.reject(new Error('down'))
    await settled()
    expect(failures).toEqual([new Error('down')])
    expect(cached.held()).toBe(1)
    time.now = 200
    expect(cached.held()).toBeUndefined()
  })

  test('that failed for all who asked is fetched again for the next', async () => {
    const { cached, fetches } = numbers()
    const asked = Promise.allSettled([cached.get(patient), cached.get(patient)])
    fetches[0]?.reject(new Error('down'))
    expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const next = cached.get(patient)
    fetches[1]?.resolve(2)
    expect(await next).toBe(2)
  })

  test('is not lost to the others when one of them gives up', async () => {
    const { cached, fetches } = numbers()
    const impatient = new AbortController()
    const one = cached.get(impatient.signal)
    const other = cached.get(patient)
    impatient.abort(new Error('enough'))
    await expect(one).rejects.toThrow('enough')
    fetches[0]?.resolve(1)
    expect(await other).toBe(1)
  })

  test('is dropped only if it is still the one that was found wrong', async () => {
    const { cached, fetches } = numbers()
    const first = cached.get(patient)
    fetches[0]?.resolve(1)
    await first
    cached.drop(7)
    expect(cached.held()).toBe(1)
    cached.drop(1)
    expect(cached.held()).toBeUndefined()
  })
})
