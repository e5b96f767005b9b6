/** `npm run attack [-- --seconds N]`: floods, fuzzers and kills, on this machine's loopback alone. N bounds each part. */
import { parseArgs } from 'node:util'
import { floodDoors } from './doors.ts'
import { killRounds } from './kills.ts'
import { attackParser, parsers } from './parsers.ts'

/** Whatever N is: each part ends. */
const most = { inputs: 5_000_000, requests: 1_000_000, rounds: 500 }
/** A single input that takes longer would let a stranger stop the bridge. */
const slowMs = 2_000

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' }, seed: { type: 'string' } } })
const seconds = Number(values.seconds)
const seed = Number(values.seed ?? Date.now() % 1_000_000)
if (!Number.isFinite(seconds) || seconds <= 0 || !Number.isInteger(seed)) {
  console.error('npm run attack [-- --seconds N --seed S]   N seconds for each part')
  process.exit(2)
}
console.log(`attack: ${seconds} s for each part, --seed ${seed}`)
const faults: string[] = []
let total = 0
const show = (part: string, count: number, note: string) =>
  console.log(`${part.padEnd(24)}${String(count).padStart(9)}  ${note}`)

for (const [index, parser] of parsers.entries()) {
  // The parsers together are one part.
  const endBy = performance.now() + (seconds * 1_000) / parsers.length
  const enough = (inputs: number) => inputs >= most.inputs / parsers.length || performance.now() > endBy
  const { inputs, broken, slowestMs } = await attackParser(parser, seed + index, enough)
  show(parser.name, inputs, `inputs, slowest ${slowestMs.toFixed(1)} ms, ${broken.length} broken`)
  faults.push(...broken, ...(slowestMs > slowMs ? [`${parser.name}: one input took ${slowestMs.toFixed(0)} ms`] : []))
  total += inputs
}

const flood = await floodDoors(seconds, most.requests)
show('doors', flood.requests, `requests, ${flood.broken.length} broken`)
faults.push(...flood.broken)
total += flood.requests

const kills = await killRounds(seconds, most.rounds)
const promised = Object.values(kills.acknowledged).reduce((sum, count) => sum + count, 0)
const kinds = Object.entries(kills.acknowledged).map(([kind, count]) => `${count} ${kind}`)
show('kill -9', promised, `acknowledged in ${kills.rounds} rounds (${kinds.join(', ')}), ${kills.lost.length} lost`)
faults.push(...kills.lost)
total += promised

for (const fault of faults) console.error(`FAULT ${fault}`)
console.log(`sum: ${total} inputs, ${faults.length} faults`)
process.exitCode = faults.length === 0 ? 0 : 1
