/** The relay that a camera keeps for its next display. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createRelayAtHand, type RelayAtHand } from '../../src/gateway/relay-at-hand.ts'
import type { IceServer } from '../../src/core/ports.ts'
import { startIceServer, type TestIceServer } from '../patches/ice-server.ts'
import { chromiumOffer } from './offers.ts'
import { createWorld } from './world.ts'
import { until } from '../until.ts'

let turn: TestIceServer
let relay: RelayAtHand
let logged: string[]

beforeEach(async () => {
  turn = await startIceServer()
  logged = []
  relay = createRelayAtHand((_level, event) => void logged.push(event))
})
afterEach(async () => {
  await relay.close()
  turn.close()
})

const serversOf = ({ port }: TestIceServer, username = 'user'): readonly IceServer[] => [
  { urls: [`stun:127.0.0.1:${port}`] },
  { urls: [`turn:127.0.0.1:${port}?transport=udp`], username, credential: 'password' },
]

test('is one, handed over once, and the next is made at once', async () => {
  expect(relay.take()).toBeUndefined()
  relay.use(serversOf(turn))
  await until(() => turn.allocated === 1)
  const first = await taken()
  expect(first.url).toBe(serversOf(turn)[1]?.urls[0])
  await until(() => turn.allocated === 2)
  const second = await taken()
  expect(second.allocation.turn.relayedAddress).not.toEqual(first.allocation.turn.relayedAddress)
  await until(() => turn.allocated === 3)
  await relay.close()
  // The server is told, and not waited for.
  await until(() => turn.released === 1)
  await Promise.all([first.allocation.close(), second.allocation.close()])
  await until(() => turn.released === turn.allocated)
})

async function taken() {
  let found: ReturnType<RelayAtHand['take']>
  await until(() => (found ??= relay.take()) !== undefined)
  return found!
}

test('is given back when the camera leaves its channel, and made again when it returns', async () => {
  for (const round of [1, 2]) {
    relay.use(serversOf(turn))
    await until(() => turn.allocated === round)
    relay.use([])
    await until(() => turn.released === round)
    expect(relay.take()).toBeUndefined()
  }
})

test('is another one with another password, and the same one with the same', async () => {
  relay.use(serversOf(turn))
  await until(() => turn.allocated === 1)
  relay.use(serversOf(turn))
  const other = await startIceServer()
  relay.use(serversOf(other))
  await until(() => other.allocated === 1)
  await until(() => turn.released === 1)
  expect(turn.allocated).toBe(1)
  await relay.close()
  await until(() => other.released === 1)
  other.close()
})

test('that is made while it is not wanted any more is given back', async () => {
  relay.use(serversOf(turn))
  await relay.close()
  await until(() => turn.released === turn.allocated)
})

test('needs a TURN server with a password', async () => {
  relay.use([{ urls: [`stun:127.0.0.1:${turn.port}`, `turn:127.0.0.1:${turn.port}`] }])
  await relay.close()
  expect([turn.allocated, turn.bindings, logged]).toEqual([0, 0, []])
})

test('comes from the next server where the first refuses; where none gives one the log says so once', async () => {
  const refusing = await startIceServer({ refuses: true })
  relay.use([...serversOf(refusing), ...serversOf(turn)])
  await until(() => turn.allocated === 1)
  expect(logged).toEqual([])
  relay.use(serversOf(refusing))
  await until(() => logged.length > 0)
  expect(logged).toEqual(['gateway.relay-missing'])
  await relay.close()
  refusing.close()
})

test('is refreshed, and made anew when its server has forgotten it', async () => {
  const quick = createRelayAtHand(() => undefined, 10)
  quick.use(serversOf(turn))
  await until(() => turn.refreshed >= 3)
  expect(turn.allocated).toBe(1)
  turn.forget()
  await until(() => turn.allocated === 2)
  await quick.close()
})

test('of a camera is the relay of its first display, and nothing is left of it after the close', async () => {
  const world = await createWorld(serversOf(turn))
  await world.startCamera('synthetic', { hasRelayAtHand: true })
  await until(() => turn.allocated === 1)
  const line = await world.callIn('show')
  line.send({ kind: 'offer', sdp: chromiumOffer })
  await until(() => line.received.some(({ kind }) => kind === 'end-of-candidates'))
  const relays = JSON.stringify(line.received).match(/192\.0\.2\.9 \d+ typ relay/g)
  // The first that the server made, in each section of the answer.
  expect([...new Set(relays)]).toEqual(['192.0.2.9 40001 typ relay'])
  await until(() => turn.allocated === 2)
  await world.close()
  await until(() => turn.released === turn.allocated)
  expect(turn.allocated).toBe(2)
})
