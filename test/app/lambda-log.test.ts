/** The log of a Lambda function: whatever libraries and Node itself print is a line of JSON in it. */
import { EventEmitter } from 'node:events'
import { expect, jest, test } from '@jest/globals'
import { keepToLog } from '../../src/bridge/aws/log.ts'

test('what libraries print, and what Node warns of, are lines of the log', () => {
  const written: string[] = []
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  try {
    const printed = jest.fn()
    const theirs = { debug: printed, error: printed, info: printed, log: printed, warn: printed }
    const node = Object.assign(new EventEmitter(), process)
    node.on('warning', printed)
    keepToLog(theirs, node)
    theirs.warn('a request has exceeded', 800, { ms: 1 })
    theirs.error(new Error('broken'))
    theirs.debug('two\nlines')
    node.emit('warning', new Error('deprecated'))
    expect(printed).not.toHaveBeenCalled()
  } finally {
    write.mockRestore()
  }
  expect(written.map((line) => line.split('\n').length)).toEqual([2, 2, 2, 2])
  expect(written.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', event: 'aws.printed', error: 'a request has exceeded 800 { ms: 1 }' },
    { level: 'error', event: 'aws.printed', error: expect.stringContaining('broken') },
    { level: 'info', event: 'aws.printed', error: 'two\nlines' },
    { level: 'warn', event: 'aws.printed', error: { message: 'deprecated' } },
  ])
})
