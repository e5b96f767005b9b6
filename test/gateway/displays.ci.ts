/**
 * Displays of other makes at the built-in doorbell, on a network that loses packets. Needs the Debian packages of their stacks
 * (see .ci/run):
 *   jest --testMatch '<rootDir>/test/gateway/*.ci.ts'
 */
import { Socket } from 'node:dgram'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { isDtls } from 'werift'
import { showOn } from './foreign-display.ts'
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

// The camera is the DTLS client of who leaves it the choice, and the server of who is active: then it asks for a cookie first,
// so that each side has a datagram more (RFC 6347 section 4.2.1).
const losses = (['actpass', 'active'] as const).flatMap((setup) =>
  (['out', 'in'] as const).flatMap((way) =>
    (setup === 'active' ? [0, 1, 2] : [0, 1]).map((index) => [setup, way, index] as const),
  ),
)

describe.each(['aiortc', 'Chromium', 'libdatachannel', 'webrtcbin'] as const)('%s', (stack) => {
  test.each(losses)(
    'offering to be %s has a picture, although DTLS datagram %s %i is lost',
    async (setup, way, index) => {
      let lost = 0
      lose((each, datagram, count) => {
        const isLost = each === way && isDtls(datagram) && count === index
        if (isLost) lost += 1
        return isLost
      })
      await (await showOn(world, stack, { setup })).close()
      expect(lost).toBe(1)
    },
  )
})

test.each([1, 2, 3, 4, 5])('a picture at 12 %% loss each way (seed %i)', async (seed) => {
  let random = seed
  lose(() => (random = (random * 48_271) % 0x7fff_ffff) / 0x7fff_ffff < 0.12)
  await (await showOn(world, 'aiortc')).close()
})
