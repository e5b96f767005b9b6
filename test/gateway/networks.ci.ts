/**
 * Displays of other makes on networks that are in their way. Needs root, Debian's iproute2, nftables and coturn, and the packages
 * of the stacks (see .ci/run), and fails without them:
 *   jest --testMatch '<rootDir>/test/gateway/networks.ci.ts'
 */
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterEach, describe, expect, test } from '@jest/globals'
import { showOn, type ForeignDisplay } from './foreign-display.ts'
import { createNetwork, type Network, type Turn } from './network.ts'
import { createWorld, type World } from './world.ts'
import { until } from '../until.ts'

let network: Network
let world: World
let display: ForeignDisplay | undefined

afterEach(async () => {
  await display?.close()
  display = undefined
  await world.close()
  network.close()
})

/** The world with its camera, which knows these servers. */
async function start(servers: readonly ReturnType<Turn['server']>[] = [], hasRelayAtHand = false): Promise<void> {
  world = await createWorld(servers.map((server) => ({ ...server, urls: [server.urls] })))
  await world.startCamera('synthetic', { hasRelayAtHand })
}

test('a picture where the display has IPv6 only', async () => {
  network = createNetwork('IPv6')
  await start()
  display = await showOn(world, 'aiortc', network)
})

test('a picture at 3 % loss each way', async () => {
  network = createNetwork()
  await start()
  network.lose(3)
  display = await showOn(world, 'aiortc', network)
})

test('a picture in ten views of ten at 12 % loss each way', async () => {
  network = createNetwork()
  await start()
  network.lose(12)
  for (let view = 0; view < 10; view += 1) await (await showOn(world, 'Chromium', network)).close()
})

describe('without UDP', () => {
  test.each(['tcp', 'tls'] as const)('at the camera, a picture over its relay by %s', async (transport) => {
    network = createNetwork()
    const turn = await network.startTurn()
    const known = getCACertificates('default')
    setDefaultCACertificates([...known, turn.ca])
    try {
      network.blockUdp('camera')
      await start([turn.server('udp'), turn.server(transport)])
      display = await showOn(world, 'Chromium', network)
      // The first has its relay whenever it comes; by now the camera knows its servers, and waits for it.
      const next = await showOn(world, 'aiortc', network)
      await Promise.all([display.close(), next.close()])
      expect(next.candidates.join('\n')).toMatch(/ 203\.0\.113\.1 \d+ typ relay /)
      await until(() => turn.allocations().ended === turn.allocations().made)
    } finally {
      setDefaultCACertificates(known)
    }
  })

  test.each(['aiortc', 'Chromium'] as const)('at the display, a picture on %s over its relay by TCP', async (stack) => {
    network = createNetwork()
    const turn = await network.startTurn()
    network.blockUdp('display')
    await start()
    display = await showOn(world, stack, { ...network, iceServers: [turn.server('tcp')] })
  })
})

test.each(['aiortc', 'Chromium'] as const)(
  'a picture on %s behind a symmetric NAT, with the camera behind another',
  async (stack) => {
    network = createNetwork()
    network.translate('camera')
    network.translate('display')
    const turn = await network.startTurn()
    await start([turn.server('udp')])
    display = await showOn(world, stack, { ...network, iceServers: [turn.server('udp')] })
  },
)

test('a relay at hand is the way of a display that has no other, and coturn has none left at the end', async () => {
  network = createNetwork()
  network.blockUdp('camera')
  const turn = await network.startTurn()
  await start([turn.server('udp'), turn.server('tcp')], true)
  // The server over UDP has two seconds to be silent.
  await until(() => turn.allocations().made === 1)
  display = await showOn(world, 'Chromium', network)
  await until(() => turn.allocations().made === 2)
  await display.close()
  await world.close()
  await until(() => turn.allocations().ended === 2)
  expect(turn.allocations().made).toBe(2)
})

/** Whether its picture goes on, or else how its view ends by the camera's report. */
async function outcomeOf({ viewerId, peer }: ForeignDisplay): Promise<string> {
  const { pictures } = await peer.seen()
  for (;;) {
    const seen = await peer.seen()
    if (seen.pictures > pictures + 40) return 'goes on'
    const reports = world.events.flatMap((event) =>
      event.kind === 'viewer' && event.viewerId === viewerId ? [event] : [],
    )
    const state = reports.at(-1)?.state
    if (state !== undefined && state !== 'connected') return state
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

describe('in the middle of a view', () => {
  // Chromium looks for another way, and finds it now before and now after the camera has given it up.
  test.each([
    ['Chromium', ['goes on', 'silent']],
    ['aiortc', ['silent']],
  ] as const)('%s has another address in its home: the view %j', async (stack, outcomes) => {
    network = createNetwork()
    await start()
    display = await showOn(world, stack, network)
    network.moveDisplay()
    expect(outcomes).toContain(await outcomeOf(display))
  })

  // libwebrtc, as in an Echo or a Nest Hub, nominates the pair with the new address; libdatachannel nominates once.
  test.each([
    ['Chromium', 'goes on'],
    ['libdatachannel', 'silent'],
  ] as const)('the NAT of %s has another address: the view %s', async (stack, outcome) => {
    network = createNetwork()
    network.translate('display')
    await start()
    display = await showOn(world, stack, network)
    network.redial()
    expect(await outcomeOf(display)).toBe(outcome)
  })
})
