/** Windows of one browser share one stream: whoever leads passes on, whoever is hidden stops leading. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import type { ServerSent } from '../../src/console/server-sent.ts'
import { followTogether, type Browser } from '../../src/console/together.ts'

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['performance'] }))
afterEach(() => void jest.useRealTimers())

/** What a browser gives each of its windows: locks and channels, delivered in order. */
function openBrowser(isSecure = true) {
  const channels = new Set<EventTarget>()
  const line: { run: () => unknown; isOver: () => boolean }[] = []
  let isHeld = false
  async function serve(): Promise<void> {
    for (let one = line.shift(); one; one = line.shift()) {
      isHeld = true
      if (!one.isOver()) await one.run()
      isHeld = false
    }
  }
  const streams: { write(event: string, data: object): void; beat(): void; isOpen(): boolean }[] = []
  const api = {
    async stream(_path: string, signal: AbortSignal) {
      let to!: ReadableStreamDefaultController<Uint8Array>
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void (to = controller) })
      signal.addEventListener('abort', () => to.error(signal.reason))
      streams.push({
        write: (event, data) =>
          to.enqueue(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)),
        beat: () => to.enqueue(new TextEncoder().encode(':\n\n')),
        isOpen: () => !signal.aborted,
      })
      return body
    },
  }
  function openWindow() {
    const target = new EventTarget()
    channels.add(target)
    let isHidden = false
    let look: (() => void) | undefined
    const browser: Browser = {
      locks: isSecure
        ? ({
            request: async (_name: string, { signal }: LockOptions, run: () => unknown) => {
              line.push({ run, isOver: () => signal?.aborted === true })
              if (!isHeld) void serve()
            },
          } as unknown as LockManager)
        : undefined,
      openChannel: () =>
        Object.assign(target, {
          postMessage(data: unknown) {
            for (const other of channels)
              if (other !== target) other.dispatchEvent(new MessageEvent('message', { data: structuredClone(data) }))
          },
        }) as unknown as BroadcastChannel,
      isHidden: () => isHidden,
      onVisibility: (listener) => void (look = listener),
      memory: { getItem: () => null, setItem: () => undefined },
    }
    const heard: ServerSent[] = []
    const states: boolean[] = []
    followTogether(
      api,
      { path: '/api/stream', name: 'transom ada' },
      (event) => void heard.push(event),
      (isUp) => void states.push(isUp),
      browser,
    )
    return {
      heard: () => heard.map(({ event }) => event),
      states,
      turn(hidden: boolean) {
        isHidden = hidden
        look?.()
      },
    }
  }
  const open = () => streams.filter((one) => one.isOpen())
  /** The bridge says something every 15 s, if only a comment. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 15_000) {
      await settle(Math.min(left, 15_000))
      for (const one of open()) one.beat()
    }
    await settle()
  }
  return { openWindow, open, pass }
}

const settle = (ms = 0) => jest.advanceTimersByTimeAsync(ms)

test('twenty windows have one stream, and each hears all of it', async () => {
  const { openWindow, open } = openBrowser()
  const windows = Array.from({ length: 20 }, openWindow)
  await settle()
  expect(open()).toHaveLength(1)
  open()[0]!.write('hello', { at: 1 })
  open()[0]!.write('press', { cameraId: 'front-door' })
  await settle()
  for (const { heard } of windows) expect(heard()).toEqual(['hello', 'press'])
})

test('a window that opens later is greeted by the one that leads, alone', async () => {
  const { openWindow, open } = openBrowser()
  const first = openWindow()
  await settle()
  open()[0]!.write('hello', { at: 1 })
  await settle()
  const late = openWindow()
  await settle()
  expect(late.heard()).toEqual(['hello'])
  expect(late.states).toEqual([true])
  expect(first.heard()).toEqual(['hello'])
})

test('a hidden window hands over after a minute; when all are hidden nobody listens, and whoever looks hears a hello', async () => {
  const { openWindow, open, pass } = openBrowser()
  const [first, second] = [openWindow(), openWindow()]
  await settle()
  open()[0]!.write('hello', { at: 1 })
  await settle()
  first.turn(true)
  await pass(59_000)
  first.turn(false)
  await pass(59_000)
  expect(open()).toHaveLength(1)
  first.turn(true)
  await pass(60_000)
  expect(open()).toHaveLength(1)
  open()[0]!.write('hello', { at: 2 })
  open()[0]!.write('camera', {})
  await settle()
  expect(second.heard()).toEqual(['hello', 'hello', 'camera'])
  expect(first.heard()).toEqual(['hello', 'camera'])
  second.turn(true)
  await pass(60_000)
  expect(open()).toHaveLength(0)
  first.turn(false)
  await settle()
  expect(first.heard()).toEqual(['hello', 'camera', 'hello'])
  open()[0]!.write('hello', { at: 3 })
  await settle()
  expect(first.heard()).toEqual(['hello', 'camera', 'hello', 'hello'])
  expect(second.heard()).toEqual(['hello', 'hello', 'camera'])
})

test('where a page is not secure each window follows by itself, while it is seen', async () => {
  const { openWindow, open, pass } = openBrowser(false)
  const [first] = [openWindow(), openWindow()]
  await settle()
  expect(open()).toHaveLength(2)
  first.turn(true)
  await pass(60_000)
  expect(open()).toHaveLength(1)
})
