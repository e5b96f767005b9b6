/** What the log may say: one list of events, of which the operator's table is made. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { logDocument, renderLogs } from '../scripts/logs.ts'
import { logEvents } from '../src/core/log-events.ts'

const root = join(import.meta.dirname, '..')
const names = Object.keys(logEvents)

test('the table in docs/log.md is fresh (else: npm run logs)', () => {
  expect(readFileSync(logDocument, 'utf8')).toBe(renderLogs())
  expect(renderLogs().match(/^\| `/gm)).toHaveLength(names.length)
})

test('a name is a room or package, a point, and what happened', () => {
  expect(names.filter((name) => !/^[a-z]+\.[a-z]+(-[a-z]+)*$/.test(name))).toEqual([])
})

test('every event is written somewhere', () => {
  const sources = globSync('src/**/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('log-events.ts'))
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('')
  expect(names.filter((name) => !sources.includes(`'${name}'`))).toEqual([])
})

test('the filters and hints in the docs name events that exist', () => {
  const docs = globSync('docs/*.md', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'))
  const rooms = new Set(names.map((name) => name.split('.')[0]))
  const named = docs.flatMap((text) => [
    ...[...text.matchAll(/\$\.event = "([^"]+)"/g)].map(([, name]) => name!),
    ...[...text.matchAll(/`([a-z]+)\.([a-z]+(?:[-_][a-z]+)*)`/g)]
      .filter(([, room]) => rooms.has(room))
      .map(([, room, event]) => `${room}.${event}`)
      .filter((name) => !/\.(ts|md|json|yaml|js|sqlite|db|env|example)$/.test(name)),
  ])
  expect(named.length).toBeGreaterThan(10)
  expect([...new Set(named)].filter((name) => !names.includes(name))).toEqual([])
})
