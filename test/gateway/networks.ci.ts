/**
 * A display of another make in a network of its own: a namespace of the kernel, with its losses made by nftables. Needs root and
 * Debian's iproute2, nftables and python3-aiortc, and fails without them:
 *   jest --testMatch '<rootDir>/test/gateway/networks.ci.ts'
 */
import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, test } from '@jest/globals'
import { showOnAiortc } from './aiortc-display.ts'
import { createWorld, type World } from './world.ts'

const run = (command: string): void => void execFileSync('/bin/sh', ['-ec', command], { encoding: 'utf8' })

// The kernel takes its time to take a wire away: each test has one of its own.
let count = 0
let name: string
let wire: string
let inside: string[]
let world: World

beforeEach(async () => {
  count += 1
  name = `transom-${process.pid}-${count}`
  wire = `tr${process.pid % 100_000}n${count}`
  inside = ['ip', 'netns', 'exec', name]
  run(`ip netns add ${name}
ip link add ${wire}a type veth peer name ${wire}b netns ${name}
ip link set ${wire}a up
ip -n ${name} link set lo up
ip -n ${name} link set ${wire}b up`)
  world = await createWorld()
})
afterEach(async () => {
  await world.close()
  // Its end of the wire takes the other along.
  run(`ip netns delete ${name}`)
})

const useIpv4 = () =>
  run(`ip address add 198.51.100.1/24 dev ${wire}a
ip -n ${name} address add 198.51.100.2/24 dev ${wire}b`)
const useIpv6 = () =>
  run(`ip address add fd73:7472::1/64 dev ${wire}a nodad
ip -n ${name} address add fd73:7472::2/64 dev ${wire}b nodad`)
/** Each way for itself. */
const lose = (percent: number) =>
  run(`${inside.join(' ')} nft -f - <<'END'
table inet loss {
  chain in { type filter hook input priority 0; meta l4proto udp numgen random mod 100 < ${percent} drop; }
  chain out { type filter hook output priority 0; meta l4proto udp numgen random mod 100 < ${percent} drop; }
}
END`)

test.each([0, 3, 12])(
  'a picture at %i %% loss each way',
  async (percent) => {
    useIpv4()
    if (percent > 0) lose(percent)
    await world.startCamera()
    await showOnAiortc(world, 'actpass', inside)
  },
  30_000,
)

test('a picture where the display has IPv6 only', async () => {
  useIpv6()
  await world.startCamera()
  await showOnAiortc(world, 'actpass', inside)
}, 30_000)
