/** kill -9 while something is recorded, round after round. Usage: npm run soak:recordings [-- ROUNDS [SEED]] */
import { killRounds } from '../test/recordings/kill-rounds.ts'

const [, , rounds = '200', seed = `${Date.now() % 1_000_000}`] = process.argv
console.log(`${rounds} rounds, seed ${seed}`)
const { acknowledged, removed, useful, faults } = await killRounds(Number(rounds), Number(seed))
for (const fault of faults) console.error(`FAULT ${fault}`)
console.log(
  `${acknowledged} fragments and ${removed} deletions acknowledged in ${useful} rounds, ${faults.length} faults`,
)
process.exitCode = faults.length === 0 && useful > 0 ? 0 : 1
