/** A gateway whose networks are bounded reaches no camera outside of them: by its address, by its name, or sent on by another. */
import { afterEach, describe, expect, test } from '@jest/globals'
import { createNetworks, isNetwork } from '../../src/core/networks.ts'
import { createNetworkSource } from '../../src/gateway/network-source.ts'
import { createTrust } from '../../src/gateway/trust.ts'
import { createFakeCamera, type FakeCamera } from './rtsp/camera.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (let end = closing.pop(); end !== undefined; end = closing.pop()) await end()
})

async function camera(habits?: Parameters<typeof createFakeCamera>[0]): Promise<FakeCamera> {
  const made = await createFakeCamera(habits)
  closing.push(() => made.close())
  return made
}

async function look(url: string, networks?: readonly string[]): Promise<unknown> {
  const source = createNetworkSource(url, Date.now, () => undefined, createTrust({ networks }))
  closing.push(() => source.close())
  return source.describe(AbortSignal.timeout(60_000)).catch((error: unknown) => error)
}

const shown = { profileLevelId: '42c01f' }
const refused = { code: 'source_invalid', message: expect.stringContaining('TRANSOM_SOURCE_NETWORKS') }

describe.each(['127.0.0.1', 'localhost'])('a camera at %s', (host) => {
  test.each([
    ['anywhere', undefined, shown],
    ['in its network', ['10.0.0.0/8', '127.0.0.0/8', '::1'], shown],
    ['in another', ['192.168.0.0/16', 'fd00::/8'], refused],
    ['nowhere', [], refused],
  ])('that may be %s', async (_where, networks, outcome) => {
    const { port, connections, requests } = await camera()
    expect(await look(`rtsp://${host}:${port}/live`, networks)).toMatchObject(outcome)
    if (outcome === refused) expect([connections(), requests]).toEqual([0, []])
  })
})

test('a redirect leads out of the networks for nobody', async () => {
  const outside = await camera({ host: '127.0.0.2' })
  const inside = await camera({ redirect: `rtsp://127.0.0.2:${outside.port}/live` })
  expect(await look(`rtsp://127.0.0.1:${inside.port}/live`, ['127.0.0.1'])).toMatchObject(refused)
  expect(outside.requests).toEqual([])
  expect(await look(`rtsp://127.0.0.1:${inside.port}/live`, ['127.0.0.0/30'])).toMatchObject(shown)
})

test('an IPv4 address within IPv6 is the IPv4 address that it is', () => {
  const home = createNetworks(['192.168.1.0/24', 'fd00::/8'])
  expect(
    ['192.168.1.20', '::ffff:192.168.1.20', 'fd12::1', '192.168.2.1', '::ffff:10.0.0.1', 'fe80::1', 'x'].map(home),
  ).toEqual([true, true, true, false, false, false, false])
})

test.each([
  ['192.168.1.0/24', true],
  ['192.168.1.7', true],
  ['fd00::/8', true],
  ['::/0', true],
  ['192.168.1.0/33', false],
  ['fd00::/129', false],
  ['camera.local', false],
  ['192.168.1/24', false],
  ['', false],
])('%s as a network: %s', (text, is) => {
  expect(isNetwork(text)).toBe(is)
})
