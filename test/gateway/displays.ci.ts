/**
 * A display of another make (aiortc) at the built-in doorbell, on a network that loses packets. Needs Debian's python3-aiortc:
 *   jest --testMatch '<rootDir>/test/gateway/*.ci.ts'
 */
import { spawn } from 'node:child_process'
import { Socket } from 'node:dgram'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { isDtls } from 'werift'
import { createWorld, until, type World } from './world.ts'

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

/** Shows the doorbell on an aiortc display; resolves to how long it took from the offer to the fifth decoded picture. */
async function view(viewerId: string, setup: 'actpass' | 'active'): Promise<number> {
  const display = spawn('/usr/bin/python3', [join(import.meta.dirname, 'aiortc-display.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: display.stdout })[Symbol.asyncIterator]()
  try {
    const offer = String(JSON.parse((await lines.next()).value ?? '{}').sdp)
    const line = await world.callIn(viewerId)
    const startedAt = performance.now()
    line.send({ kind: 'offer', sdp: offer.replaceAll('a=setup:actpass', `a=setup:${setup}`) })
    await until(() => line.received.some(({ kind }) => kind === 'end-of-candidates'))
    let answer = ''
    const candidates: string[] = []
    for (const message of line.received) {
      if (message.kind === 'answer') answer = message.sdp
      if (message.kind === 'candidate') candidates.push(`a=${message.candidate}\r\n`)
    }
    expect(answer).toContain(setup === 'active' ? 'a=setup:passive' : 'a=setup:active')
    const [session, ...sections] = answer.split(/^(?=m=)/m)
    const sdp = [session, ...sections.map((section) => section + candidates.join(''))].join('')
    display.stdin.write(`${JSON.stringify({ sdp })}\n`)
    const { value = '{}' } = await lines.next()
    expect(JSON.parse(value)).toEqual({ pictures: 5 })
    return performance.now() - startedAt
  } finally {
    display.kill()
  }
}

const losses = (['out', 'in'] as const).flatMap((way) => [0, 1, 2].map((index) => [way, index] as const))

test.each(losses)(
  'as DTLS client: a picture, although DTLS datagram %s %i is lost',
  async (way, index) => {
    lose((each, datagram, count) => each === way && isDtls(datagram) && count === index)
    await view('aiortc', 'actpass')
  },
  30_000,
)

test.each(losses)(
  'as DTLS server: a picture, although DTLS datagram %s %i is lost',
  async (way, index) => {
    lose((each, datagram, count) => each === way && isDtls(datagram) && count === index)
    await view('aiortc', 'active')
  },
  30_000,
)

test.each([1, 2, 3, 4, 5])(
  'a picture at 12 %% loss each way (seed %i)',
  async (seed) => {
    let random = seed
    lose(() => (random = (random * 48_271) % 0x7fff_ffff) / 0x7fff_ffff < 0.12)
    await view('aiortc', 'actpass')
  },
  30_000,
)
