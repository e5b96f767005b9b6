/** What the page knows: by whose clock, and that a list which was long on its way takes nothing back. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import type { Api, Camera, Me } from '../../src/console/api.ts'
import { openHouse } from '../../src/console/house.ts'
import type { SignIn } from '../../src/console/sign-in.ts'
import type { Browser } from '../../src/console/together.ts'

beforeEach(() => void jest.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void jest.useRealTimers())

const doorbell = { id: 'front-door', name: 'Front Door', kind: 'doorbell', isOnline: false } as Camera

/** The only window, looked at, without a memory. */
const alone: Browser = {
  locks: undefined,
  openChannel: () => {
    throw new Error('nobody to speak to')
  },
  isHidden: () => false,
  onVisibility: () => undefined,
  memory: { getItem: () => null, setItem: () => undefined },
}

/** A bridge that says what it is told to say, and answers when it is told to. */
function open() {
  let say: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (say = controller) })
  const lists: ((cameras: Camera[]) => void)[] = []
  const api: Pick<Api, 'stream' | 'cameras' | 'sessions'> = {
    stream: async () => body,
    cameras: () => new Promise((resolve) => void lists.push(resolve)),
    sessions: async () => ({ sessions: [] }),
  }
  const house = openHouse(api as Api, {} as SignIn, {} as Me, alone)
  return {
    house,
    async tell(event: string, data: object) {
      say.enqueue(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
      await jest.advanceTimersByTimeAsync(0)
    },
    async answer(...cameras: Camera[]) {
      lists.shift()?.(cameras)
      await jest.advanceTimersByTimeAsync(0)
    },
  }
}

test('times are by the bridge’s clock, whatever this device’s says, and whoever sets it', async () => {
  const { house, tell } = open()
  await tell('hello', { at: 50_000 })
  expect(house.now.value).toBe(50_000)
  jest.setSystemTime(9_000_000)
  await jest.advanceTimersByTimeAsync(5_000)
  expect(house.now.value).toBe(55_000)
})

test('what changes while the lists are on their way is newer than the lists', async () => {
  const { house, tell, answer } = open()
  await tell('hello', { at: 1 })
  await tell('camera', { ...doorbell, isOnline: true })
  await tell('camera-removed', { id: 'garage' })
  await answer(doorbell, { ...doorbell, id: 'garage' })
  expect(house.cameras.value).toEqual([{ ...doorbell, isOnline: true }])
  // The next list is from after it.
  await tell('hello', { at: 2 })
  await answer(doorbell)
  expect(house.cameras.value).toEqual([doorbell])
})

test('everything told is passed on to who listens, until they stop', async () => {
  const { house, tell } = open()
  const told: unknown[] = []
  const off = house.on('complaint', (one) => told.push(one))
  const complaint = { assistant: 'alexa', message: 'no' }
  await tell('complaint', complaint)
  off()
  await tell('complaint', complaint)
  expect(told).toEqual([complaint])
})

test('the list is in the order of the wall, whichever order it came in', async () => {
  const { house, tell, answer } = open()
  await tell('hello', { at: 1 })
  const cameras = ['Gate 10', 'Gate 2', 'attic'].map((name) => ({ id: name, name, kind: 'camera' }) as Camera)
  await answer(...cameras, doorbell)
  expect(house.cameras.value?.map(({ name }) => name)).toEqual(['attic', 'Gate 2', 'Gate 10', 'Front Door'])
})
