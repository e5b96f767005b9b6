/** What `/healthz` says of the store: tried by a write, and not for each who asks. */
import { expect, test } from '@jest/globals'
import { createHealth } from '../../src/bridge/doors/health.ts'
import { BridgeError } from '../../src/core/errors.ts'
import type { Collection, Store } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createJournal } from '../alexa/world.ts'

test('a full disk is named as long as it is full, and one write serves for five seconds of questions', async () => {
  let now = 0
  let isFull = false
  let writes = 0
  const store = createSqliteStore(':memory:', () => now)
  const spied: Store = {
    ...store,
    collection<T>(kind: string): Collection<T> {
      const records = store.collection<T>(kind)
      const put: typeof records.put = async (...args) => {
        writes += 1
        if (isFull) throw new BridgeError('no_room', '/data/transom.db has no room left')
        return records.put(...args)
      }
      return { ...records, put }
    },
  }
  const { lines, log } = createJournal()
  const health = createHealth({ store: spied, clock: () => now, log })

  expect(await Promise.all([health(), health(), health()])).toEqual([
    { status: 'ok' },
    { status: 'ok' },
    { status: 'ok' },
  ])
  expect(writes).toBe(1)
  isFull = true
  now += 4_999
  expect(await health()).toEqual({ status: 'ok' })
  now += 1
  expect(await health()).toEqual({ status: 'failing', cause: 'no_room' })
  expect(lines.map(({ event }) => event)).toEqual(['health.store-failed'])
  isFull = false
  now += 5_000
  expect(await health()).toEqual({ status: 'ok' })
  expect(writes).toBe(3)
  await store.close()
})
