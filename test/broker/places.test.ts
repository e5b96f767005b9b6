/** How many views an account may have at once, and that guests leave the owner a place. */
import { afterEach, expect, test } from '@jest/globals'
import { createBroker, type Broker } from '../../src/bridge/broker/broker.ts'
import type { ViewLimits } from '../../src/bridge/broker/places.ts'
import { accountId, cameraId, type Camera, type CameraMessage } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { cSdkAnswer, echoOffer, echoRules, hostCandidate } from './fixtures.ts'

const owner = accountId('owner')
const door: Camera = {
  id: cameraId('door'),
  accountId: owner,
  name: 'Door',
  kind: 'doorbell',
  channel: { channelName: 'door', road: 'viewer' },
  manufacturer: 'M',
  model: 'D',
  hasSpeaker: true,
}
const asGuest = (name: string): Camera => ({ ...door, accountId: accountId(name), sharedBy: door.accountId })

const closing: Broker[] = []
afterEach(() => Promise.all(closing.splice(0).map((broker) => broker.close())))

const refOf = (camera: Camera, reference: string) =>
  ({ assistant: 'console', accountId: camera.accountId, reference }) as const

function open(views: ViewLimits, { isSilent = false } = {}) {
  let offset = 0
  const clock = () => Date.now() + offset
  const viewers: string[] = []
  const warmed: (string | undefined)[] = []
  const broker = createBroker({
    store: createSqliteStore(':memory:', clock),
    signaling: {
      async *offer(_channel, viewerId, _sdp, signal): AsyncIterable<CameraMessage> {
        viewers.push(viewerId)
        if (!isSilent) {
          yield { kind: 'answer', sdp: cSdkAnswer }
          yield { kind: 'candidate', candidate: hostCandidate, sdpMid: '0' }
          yield { kind: 'end-of-candidates' }
        }
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve()
          else signal.addEventListener('abort', () => resolve(), { once: true })
        })
      },
      iceServers: async () => [],
      warm: (_channel, viewer) => void warmed.push(viewer),
    },
    presence: () => undefined,
    budgets: { settleCapMs: 200, quietMs: 20, replyMs: 100, absentMs: 500, lifetimeMs: 3_600_000 },
    views,
    clock,
    log: () => {},
  })
  closing.push(broker)
  /** `answered`, or the code of the refusal. */
  const view = (reference: string, camera = door): Promise<string> =>
    broker
      .negotiate({
        ...refOf(camera, reference),
        camera,
        offer: echoOffer,
        receivedAt: clock(),
        answerBy: clock() + 5_000,
        rules: echoRules,
      })
      .then(
        () => 'answered',
        (error: { readonly code: string }) => error.code,
      )
  const end = (reference: string, camera = door) => broker.end(refOf(camera, reference), 'seen enough')
  const warm = (reference: string, camera = door) => broker.warm(camera, refOf(camera, reference))
  return { broker, viewers, warmed, view, end, warm, pass: (ms: number) => void (offset += ms) }
}

const inTurn = async (names: readonly string[], view: (name: string) => Promise<string>) => {
  const outcomes: string[] = []
  for (const name of names) outcomes.push(await view(name))
  return outcomes
}

test('an account opens three views at once and no fourth, another account its own', async () => {
  const { broker, view } = open({ negotiating: 3, connected: 4 }, { isSilent: true })
  const running = ['a', 'b', 'c'].map((name) => view(name))
  expect(await view('d')).toBe('rate_limited')
  const guests = view('a', asGuest('guest'))
  // The same display again is the same view.
  const repeated = view('a')
  await broker.close()
  expect(await Promise.all([...running, guests, repeated])).not.toContain('rate_limited')
})

test('whatever is refused or ends gives its place back', async () => {
  const { view, end } = open({ negotiating: 1, connected: 2 })
  expect(await inTurn(['a', 'b', 'c'], view)).toEqual(['answered', 'answered', 'rate_limited'])
  await end('a')
  expect(await inTurn(['c', 'd'], view)).toEqual(['answered', 'rate_limited'])
})

test('a viewer of whom nothing is heard makes room, and one that is there does not', async () => {
  const { broker, viewers, view, pass } = open({ negotiating: 3, connected: 2 })
  expect(await inTurn(['a', 'b'], view)).toEqual(['answered', 'answered'])
  pass(31_000)
  await broker.cameraReported(door, { viewerId: viewers[0] ?? '', state: 'connected' })
  expect(await inTurn(['c', 'd'], view)).toEqual(['answered', 'rate_limited'])
  const phases = (await broker.recent(owner)).map(({ reference, phase }) => `${reference} ${phase}`)
  expect(phases.toSorted()).toEqual(['a answered', 'b closed', 'c answered'])
})

test('a guest who opens views as fast as they end holds places until the camera lets go, and the owner is let in', async () => {
  const { broker, viewers, view, end, pass } = open({ negotiating: 3, connected: 4 })
  const guest = asGuest('guest')
  const flood: string[] = []
  for (let n = 0; n < 20; n += 1) {
    flood.push(await view(`g${n}`, guest))
    await end(`g${n}`, guest)
  }
  expect(flood.filter((outcome) => outcome === 'answered')).toHaveLength(4)
  expect(await view('o')).toBe('answered')
  // One that the camera has let go is free, the others are in a while.
  await broker.cameraReported(door, { viewerId: viewers[0] ?? '', state: 'left' })
  expect(await inTurn(['h', 'i'], (name) => view(name, guest))).toEqual(['answered', 'rate_limited'])
  pass(31_000)
  expect(await view('j', guest)).toBe('answered')
})

test('all guests together leave one of the ten places of a camera to its owner', async () => {
  const { view } = open({ negotiating: 3, connected: 4 })
  const guests = ['g1', 'g2', 'g3'].flatMap((guest) => ['1', '2', '3', '4'].map((n) => `${guest} ${n}`))
  const outcomes = await inTurn(guests, (name) => view(name, asGuest(name.split(' ')[0] ?? '')))
  expect(outcomes.filter((outcome) => outcome === 'answered')).toHaveLength(9)
  expect(outcomes.slice(9)).toEqual(['camera_busy', 'camera_busy', 'camera_busy'])
  expect(await view('o')).toBe('answered')
})

test('lines that are opened ahead and never used take no more places than views', async () => {
  const { warm, warmed, view, pass } = open({ negotiating: 3, connected: 4 })
  const guest = asGuest('guest')
  for (let n = 0; n < 20; n += 1) warm(`g${n}`, guest)
  expect(warmed.filter((viewer) => viewer !== undefined)).toHaveLength(3)
  expect(await view('g0', guest)).toBe('answered')
  pass(16_000)
  warm('later', guest)
  expect(warmed.filter((viewer) => viewer !== undefined)).toHaveLength(4)
})
