/**
 * A display of another make (aiortc) at the built-in doorbell, on a network that loses packets. Needs Debian's python3-aiortc:
 *   jest --testMatch '<rootDir>/test/gateway/*.ci.ts'
 */
import { Socket } from 'node:dgram'
import { afterEach, beforeEach, jest, test } from '@jest/globals'
import { isDtls } from 'werift'
import { showOnAiortc } from './aiortc-display.ts'
import { createWorld, type World } from './world.ts'

type Way = 'out' | 'in'
/** Whether a datagram of this process is lost; `count` DTLS datagrams went this way before it. */
type Loss = (way: Way, datagram: Buffer, count: number) => boolean

let world: World
beforeEach(async () => {
  world = await createWorld()
  await world.startCamera()
})
afterEach(async () => {
  jest.restoreAllMocks()
  await world.close()
})

function lose(isLost: Loss): void {
  const { send, emit } = Socket.prototype
  const counts = { out: 0, in: 0 }
  const drops = (way: Way, datagram: unknown): boolean => {
    if (!Buffer.isBuffer(datagram)) return false
    return isLost(way, datagram, isDtls(datagram) ? counts[way]++ : counts[way])
  }
  jest.spyOn(Socket.prototype, 'send').mockImplementation(function (this: Socket, ...given: unknown[]) {
    if (!drops('out', given[0])) Reflect.apply(send, this, given)
  })
  jest.spyOn(Socket.prototype, 'emit').mockImplementation(function (this: Socket, ...given: unknown[]) {
    return given[0] === 'message' && drops('in', given[1]) ? true : Boolean(Reflect.apply(emit, this, given))
  })
}

const losses = (['out', 'in'] as const).flatMap((way) => [0, 1, 2].map((index) => [way, index] as const))

test.each(losses)(
  'as DTLS client: a picture, although DTLS datagram %s %i is lost',
  async (way, index) => {
    lose((each, datagram, count) => each === way && isDtls(datagram) && count === index)
    await showOnAiortc(world, 'actpass')
  },
  30_000,
)

test.each(losses)(
  'as DTLS server: a picture, although DTLS datagram %s %i is lost',
  async (way, index) => {
    lose((each, datagram, count) => each === way && isDtls(datagram) && count === index)
    await showOnAiortc(world, 'active')
  },
  30_000,
)

test.each([1, 2, 3, 4, 5])(
  'a picture at 12 %% loss each way (seed %i)',
  async (seed) => {
    let random = seed
    lose(() => (random = (random * 48_271) % 0x7fff_ffff) / 0x7fff_ffff < 0.12)
    await showOnAiortc(world, 'actpass')
  },
  30_000,
)
