import { jest } from '@jest/globals'

/** Stops the service's intervals, and nothing else: its heartbeat comes when the test advances the timers. */
export function holdHeartbeats(): void {
  jest.useFakeTimers({
    doNotFake: [
      'Date',
      'hrtime',
      'performance',
      'nextTick',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setTimeout',
      'clearTimeout',
    ],
  })
}
