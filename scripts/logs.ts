/** `npm run logs`: writes the table of log events in `docs/log.md`, between `<!-- events -->` and `<!-- /events -->`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { logEvents } from '../src/core/log-events.ts'

export const logDocument = join(import.meta.dirname, '..', 'docs', 'log.md')

const block = /(<!-- events -->\n)[^]*(<!-- \/events -->)/

/** The document as it should be: with a row for each event, in the order of their names. */
export function renderLogs(): string {
  const rows = Object.entries(logEvents)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { says, fields }]) => {
      const listed = fields.map((field) => `\`${field}\``).join(', ')
      return `| \`${name}\` | ${says} | ${listed} |\n`
    })
  const table = `| event | what happened | fields |\n|---|---|---|\n${rows.join('')}`
  return readFileSync(logDocument, 'utf8').replace(block, (_block, begin: string, end: string) => begin + table + end)
}

if (import.meta.main) writeFileSync(logDocument, renderLogs())
