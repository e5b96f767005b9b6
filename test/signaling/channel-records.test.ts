/** The channels' records over a store that fails for a while. */
import { afterAll, expect, test } from '@jest/globals'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { openChannels } from '../../src/signaling/channels.ts'
import { wrapped } from '../store/wrapped.ts'

let fails = false
const sqlite = createSqliteStore(':memory:', () => 1_000)
const store = wrapped(sqlite, (_kind, records) => ({
  ...records,
  async list(group, page) {
    if (fails) throw new Error('the disk is away')
    return records.list(group, page)
  },
}))
afterAll(() => sqlite.close())

test('channels that could not be counted once are counted again, and removing one meanwhile harms nobody', async () => {
  const channels = openChannels(store, 'local', () => 1_000, 2)
  await channels.create('porch', {})
  const others = openChannels(store, 'local', () => 1_000, 2)
  fails = true
  await expect(others.create('gate', {})).rejects.toThrow('the disk is away')
  // Nobody waits for the count here: its failure, once kept, would end the process.
  await others.removeByName('porch')
  fails = false
  expect(await others.create('gate', {})).toMatchObject({ name: 'gate' })
  expect(await others.create('yard', {})).toMatchObject({ name: 'yard' })
  await expect(others.create('porch', {})).rejects.toThrow('There are 2 channels already.')
})
