/** Time in tests whose I/O is real. */
import { jest } from '@jest/globals'

const fakes = [
  'Date',
  'hrtime',
  'performance',
  'nextTick',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const

/** Stops timers of these kinds until the test advances them, or goes back to the real ones; all else goes on, I/O too. */
export function hold(...kinds: readonly ('setInterval' | 'setTimeout')[]): void {
  const held = new Set<string>(kinds.flatMap((kind) => [kind, kind.replace('set', 'clear')]))
  jest.useFakeTimers({ doNotFake: fakes.filter((fake) => !held.has(fake)) })
}

/** Lets the event loop go round so many times. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
