/** kill -9 at any instant while something is recorded: `npm run soak:recordings` has more rounds. */
import { expect, test } from '@jest/globals'
import { killRounds } from './kill-rounds.ts'

test('nothing that was acknowledged is lost, and the list and the files agree', async () => {
  const seed = Date.now() % 1_000_000
  const { faults, acknowledged, useful } = await killRounds(20, seed)
  expect({ seed, faults }).toEqual({ seed, faults: [] })
  expect({ seed, isUseful: acknowledged > 0 && useful > 5 }).toEqual({ seed, isUseful: true })
}, 180_000)
