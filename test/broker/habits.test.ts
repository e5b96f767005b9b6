/** A camera whose TURN server is dead is waited for now and then, not at each view. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { createBroker } from '../../src/bridge/broker/broker.ts'
import { createHabits } from '../../src/bridge/broker/habits.ts'
import { accountId, cameraId, type Camera, type CameraMessage } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { budgets, cSdkAnswer, echoOffer, echoRules, reflexiveCandidate } from './fixtures.ts'

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

const id = cameraId('front-door')
const camera: Camera = {
  id,
  accountId: accountId('a'),
  name: 'Front door',
  kind: 'doorbell',
  channel: { channelName: 'front-door', road: 'viewer' },
  manufacturer: 'Transom',
  model: 'Test',
  hasSpeaker: true,
}

function house(answer = cSdkAnswer) {
  const store = createSqliteStore(':memory:', Date.now)
  const viewers: string[] = []
  const broker = createBroker({
    signaling: {
      async *offer(_channel, viewerId, _sdp, signal): AsyncGenerator<CameraMessage> {
        viewers.push(viewerId)
        yield { kind: 'answer', sdp: answer }
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      },
      iceServers: async () => [{ urls: ['turn:dead.example:3478'], username: 'u', credential: 'p' }],
      warm: () => {},
    },
    presence: () => undefined,
    store,
    clock: Date.now,
    log: () => {},
    budgets,
  })
  let views = 0
  /** How long the display waited for its answer, in milliseconds. */
  const view = async (assistant: 'alexa' | 'google' = 'alexa'): Promise<number> => {
    const receivedAt = Date.now()
    const [reference, answerBy] = [`view-${(views += 1)}`, receivedAt + 5_000]
    const asked = { assistant, accountId: camera.accountId, camera, reference, offer: echoOffer }
    const answered = broker
      .negotiate({ ...asked, receivedAt, answerBy, rules: echoRules })
      .then(() => Date.now() - receivedAt)
    await jest.advanceTimersByTimeAsync(budgets.settleCapMs)
    return answered
  }
  return { broker, view, viewers }
}

test('the first view waits for the relay that does not come, those after it do not', async () => {
  const { view } = house()
  expect(await view()).toBeGreaterThanOrEqual(budgets.settleCapMs)
  for (let views = 0; views < 10; views += 1) expect(await view()).toBeLessThan(budgets.quietMs + 50)
  // The server may be back.
  expect(await view()).toBeGreaterThanOrEqual(budgets.settleCapMs)
  expect(await view()).toBeLessThan(budgets.quietMs + 50)
})

test('a reflexive address without a relay is evidence enough, until a view fails', async () => {
  const { broker, view, viewers } = house(`${cSdkAnswer}a=${reflexiveCandidate}\n`)
  expect(await view()).toBeLessThan(3 * budgets.quietMs + 50)
  expect(await view()).toBeLessThan(budgets.quietMs + 50)
  await broker.cameraReported(camera, { viewerId: viewers.at(-1) ?? '', state: 'failed' })
  expect(await view()).toBeGreaterThanOrEqual(budgets.settleCapMs)
  expect(await view()).toBeLessThan(budgets.quietMs + 50)
})

test('after a view that failed the relay is waited for again', async () => {
  const { broker, view, viewers } = house()
  await view()
  await view()
  await broker.cameraReported(camera, { viewerId: viewers.at(-1) ?? '', state: 'failed' })
  expect(await view()).toBeGreaterThanOrEqual(budgets.settleCapMs)
})

test('a display of Google’s that ends its view leaves a hint, or a cause where the camera tells of its viewers', async () => {
  const { broker, view, viewers } = house()
  const outcome = async (reference: string) => {
    await view('google')
    await jest.advanceTimersByTimeAsync(4_000)
    await broker.end({ assistant: 'google', accountId: camera.accountId, reference }, 'the display left')
    const [session] = await broker.recent(camera.accountId)
    return [session?.cause?.code, session?.hint?.code]
  }
  expect(await outcome('view-1')).toEqual([undefined, 'unconfirmed'])
  await broker.cameraReported(camera, { viewerId: viewers.at(-1) ?? '', state: 'left' })
  expect((await broker.recent(camera.accountId))[0]?.hint).toBeUndefined()
  expect(await outcome('view-2')).toEqual(['media_failed', undefined])
})

test('what was learned a day ago is found out again, and of too many cameras the oldest are forgotten', () => {
  const gathered = { types: ['host'], turn: true, stun: true }
  const habits = createHabits(Date.now)
  habits.learn(id, gathered)
  jest.advanceTimersByTime(86_399_000)
  expect(habits.expected(id)).toEqual(gathered)
  jest.advanceTimersByTime(1_000)
  expect(habits.expected(id)).toBeUndefined()
  habits.learn(id, gathered)
  for (let other = 0; other < 10_000; other += 1) habits.learn(cameraId(`c${other}`), gathered)
  expect([habits.expected(id), habits.expected(cameraId('c0'))]).toEqual([undefined, gathered])
})
