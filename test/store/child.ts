/** A second process on a store's file, for the tests. Usage: child.ts write|share <file>. Each line it prints was acknowledged. */
import { createSqliteStore } from '../../src/core/store/sqlite.ts'

const [job, path = ''] = process.argv.slice(2)
const store = createSqliteStore(path, Date.now)
const records = store.collection<number>('shared')

if (job === 'write') {
  // Until it is killed, or the disk says no.
  try {
    for (let n = 0; ; n += 1) {
      await records.put(`${n}`, n, { onlyIf: 'absent' })
      say(n)
    }
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
  }
} else {
  // As fast as the other process that does the same: counts up, and draws the tickets.
  for (let n = 0; n < 50; n += 1) {
    const counter = await records.get('counter')
    const options = counter === undefined ? { onlyIf: 'absent' as const } : { onlyIf: { version: counter.version } }
    if ((await records.put('counter', (counter?.value ?? 0) + 1, options)) !== undefined) say('counted')
    if ((await records.take(`ticket-${n}`)) !== undefined) say(`drew ${n}`)
  }
}
await store.close()

function say(line: string | number): void {
  process.stdout.write(`${line}\n`)
}
