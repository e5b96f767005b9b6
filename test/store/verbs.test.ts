import { expect, test } from '@jest/globals'
import type { BasicCollection } from '../../src/core/ports.ts'
import { createTurns, withVerbs } from '../../src/core/store/verbs.ts'

/** Records that another process writes faster than we do, as often as `losses` says. */
function contested(losses: number) {
  let version = 1
  let lost = 0
  const records: BasicCollection<number> = {
    get: async (id) => ({ id, value: version * 10, version }),
    async put(_id, _value, { onlyIf } = {}) {
      if (lost < losses) {
        lost += 1
        version += 1
      }
      if (typeof onlyIf !== 'object' || onlyIf.version !== version) return undefined
      return (version += 1)
    },
    take: async () => undefined,
    remove: async () => {},
    list: async () => [],
  }
  return withVerbs('test', records, createTurns())
}

test('a change that loses a race is made again of what the winner wrote', async () => {
  const seen: (number | undefined)[] = []
  const written = await contested(3).change('id', (stored) => {
    seen.push(stored?.value)
    return { value: (stored?.value ?? 0) + 1 }
  })
  expect(seen).toEqual([10, 20, 30, 40])
  expect(written).toEqual({ id: 'id', value: 41, version: 5 })
})

test('what the caller has just read spares a read, and is asked for again where it was not true', async () => {
  const read = { id: 'id', value: 10, version: 1 }
  const seen: (number | undefined)[] = []
  const add = (stored: { readonly value: number } | undefined) => {
    seen.push(stored?.value)
    return { value: (stored?.value ?? 0) + 1 }
  }
  await contested(0).change('id', add, { read })
  await contested(1).change('id', add, { read })
  await contested(0).change('id', add, { read: undefined })
  expect(seen).toEqual([10, 10, 20, undefined, 10])
})

test('a change that loses again and again fails, and is not lost in silence', async () => {
  const change = contested(Infinity).change('id', () => ({ value: 1 }))
  await expect(change).rejects.toMatchObject({ code: 'rate_limited' })
})

test('a change that fails does not stop the one behind it, and different records do not wait for one another', async () => {
  const inTurn = createTurns()
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const order: string[] = []
  const failing = inTurn('a', async () => {
    await gate
    order.push('a1')
    throw new Error('no')
  })
  const behind = inTurn('a', async () => void order.push('a2'))
  await inTurn('b', async () => void order.push('b'))
  open()
  await expect(failing).rejects.toThrow('no')
  await behind
  expect(order).toEqual(['b', 'a1', 'a2'])
})
