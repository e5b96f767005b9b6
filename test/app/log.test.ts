/** How the log is written: JSON for programs, words for a terminal, and what a level leaves out; `transom logs` shows it. */
import { expect, test } from '@jest/globals'
import { createLog, type LogOptions } from '../../src/core/log.ts'
import type { Log } from '../../src/core/ports.ts'
import { readableLine } from '../../src/core/readable-log.ts'
import { createTerminal } from './terminal.ts'

const at = Date.UTC(2026, 10, 28, 8)
const time = new Date(at).toTimeString().slice(0, 8)

function write(work: (log: Log) => void, options?: LogOptions): readonly string[] {
  const lines: string[] = []
  work(
    createLog(
      (line) => void lines.push(line),
      () => at,
      options,
    ),
  )
  return lines
}
const closed = (log: Log) =>
  log('warn', 'broker.session', {
    cameraId: 'porch',
    sessionId: 's1',
    phase: 'closed',
    code: 'camera_silent',
    ms: 5120,
  })

test('for programs a line is JSON, with the stack of an error', () => {
  const [line = ''] = write((log) => log('error', 'web.failed', { path: '/x', error: new Error('broken') }))
  expect(line.endsWith('\n')).toBe(true)
  expect(JSON.parse(line)).toMatchObject({
    at: '2026-11-28T08:00:00.000Z',
    level: 'error',
    event: 'web.failed',
    error: { message: 'broken', stack: expect.stringContaining('log.test') },
  })
})

test('on a terminal it is what happened, in words, with its fields', () => {
  expect(write(closed, { inWords: readableLine })).toEqual([
    `${time} WARN  A session is in a new phase, or has a new cause. cameraId=porch sessionId=s1 phase=closed code=camera_silent ms=5120 [broker.session]\n`,
  ])
  const [line] = write((log) => log('error', 'web.failed', { path: '/a b', error: new Error('broken "x"') }), {
    inWords: readableLine,
  })
  expect(line).toContain('path="/a b" error="broken \\"x\\""')
  expect(line).not.toContain('log.test')
})

test.each([
  ['info', 3],
  ['warn', 2],
  ['error', 1],
] as const)('from %s on %d of three lines are written', (least, count) => {
  const lines = write(
    (log) => {
      for (const level of ['info', 'warn', 'error'] as const) log(level, 'transom.stopping', { signal: 'SIGINT' })
    },
    { least },
  )
  expect(lines).toHaveLength(count)
})

const piped = [
  '',
  '  Transom is running.',
  ...write((log) => {
    closed(log)
    log('info', 'signaling.presence', { channelName: 'porch', online: true })
    log('info', 'cameras.press', { cameraId: 'garden', eventId: '1' })
    log('error', 'outbox.store-failed', { error: 'full' })
  }).map((line) => line.trimEnd()),
  '{"at":"x"}',
]

test.each([
  [[], ['broker.session', 'signaling.presence', 'cameras.press', 'outbox.store-failed']],
  [
    ['--level', 'warn'],
    ['broker.session', 'outbox.store-failed'],
  ],
  [
    ['--camera', 'porch'],
    ['broker.session', 'signaling.presence'],
  ],
  [['--session', 's1'], ['broker.session']],
  [['--event', 'broker'], ['broker.session']],
  [['--event', 'cameras.press'], ['cameras.press']],
])('transom logs %j shows %j', async (words, events) => {
  const terminal = createTerminal({ piped })
  expect(await terminal.run('logs', ...words)).toBe(0)
  const shown = terminal.printed().split('\n')
  expect(shown.map((line) => /\[([\w.-]+)\]$/.exec(line)?.[1])).toEqual(events)
  const json = createTerminal({ piped })
  await json.run('logs', ...words, '--json')
  expect(
    json
      .printed()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event),
  ).toEqual(events)
})
