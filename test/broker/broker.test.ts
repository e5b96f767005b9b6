/** The broker with cameras that behave, and with cameras that do not: one verdict, the right cause, nothing left open. */
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  accountId,
  cameraId,
  type Camera,
  type CameraMessage,
  type Log,
  type Presence,
  type Signaling,
  type Store,
} from '../../src/core/ports.ts'
import { advice, BridgeError } from '../../src/core/errors.ts'
import { createBroker, type Broker, type BrokerDeps } from '../../src/bridge/broker/broker.ts'
import type { NegotiateRequest } from '../../src/bridge/broker/request.ts'
import type { SessionView, Wanted } from '../../src/bridge/broker/view.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { budgets, cSdkAnswer, echoOffer, echoRules, hostCandidate } from './fixtures.ts'
import { wrapped } from '../store/wrapped.ts'
import { until } from '../until.ts'

const camera: Camera = {
  id: cameraId('front-door'),
  accountId: accountId('a'),
  name: 'Front door',
  kind: 'doorbell',
  channel: { channelName: 'front-door', road: 'viewer' },
  manufacturer: 'Transom',
  model: 'Test',
  hasSpeaker: true,
}

/** A camera as a script: what it sends, when asked; it must notice the hang-up. */
type Script = (signal: AbortSignal, viewerId: string) => AsyncIterable<CameraMessage>

const untilHungUp = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const nothing: readonly CameraMessage[] = []
const answer: CameraMessage = { kind: 'answer', sdp: cSdkAnswer }
const silent: Script = async function* (signal) {
  yield* nothing
  await untilHungUp(signal)
}
const good: Script = async function* (signal) {
  yield answer
  yield { kind: 'candidate', candidate: hostCandidate, sdpMid: '0' }
  yield { kind: 'end-of-candidates' }
  await untilHungUp(signal)
}

interface House {
  readonly broker: Broker
  readonly store: Store
  readonly offers: () => number
  readonly lines: () => number
  ask(change?: Partial<NegotiateRequest>): Promise<string>
}

const houses: House[] = []

/** How long a silent camera is waited for: short, and yet long enough for a busy machine to have asked it. */
const silentMs = 400

function house(
  script: Script,
  options: {
    presence?: Presence
    servers?: Signaling['iceServers']
    budgetMs?: number
    store?: Store
    warm?: Signaling['warm']
    mostKept?: number
    onSession?: BrokerDeps['onSession']
    onOutcome?: BrokerDeps['onOutcome']
    mark?: string
    clock?: () => number
    log?: Log
  } = {},
): House {
  let offers = 0
  let lines = 0
  const clock = options.clock ?? Date.now
  const signaling: Signaling = {
    async *offer(_channel, viewerId, _sdp, signal) {
      offers++
      lines++
      try {
        yield* script(signal, viewerId)
      } finally {
        lines--
      }
    },
    iceServers: options.servers ?? (async () => [{ urls: ['stun:127.0.0.1:3478'] }]),
    warm: options.warm ?? (() => {}),
  }
  const store = options.store ?? createSqliteStore(':memory:', Date.now)
  const broker = createBroker({
    signaling,
    presence: options.presence ?? (() => undefined),
    store,
    budgets: { ...budgets, settleCapMs: 60, quietMs: 20, replyMs: 10 },
    ...(options.mostKept !== undefined && { mostKept: options.mostKept }),
    ...(options.onSession && { onSession: options.onSession }),
    ...(options.onOutcome && { onOutcome: options.onOutcome }),
    ...(options.mark !== undefined && { mark: options.mark }),
    clock,
    log: options.log ?? (() => {}),
  })
  const ask = (change: Partial<NegotiateRequest> = {}): Promise<string> => {
    const receivedAt = clock()
    const answerBy = receivedAt + (options.budgetMs ?? 5_000)
    const request = {
      assistant: 'alexa',
      accountId: camera.accountId,
      camera,
      reference: 'r',
      offer: echoOffer,
      rules: echoRules,
    } as const
    return broker.negotiate({ ...request, receivedAt, answerBy, ...change })
  }
  const one: House = { broker, store, ask, offers: () => offers, lines: () => lines }
  houses.push(one)
  return one
}

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'answered'
  } catch (thrown) {
    return thrown instanceof BridgeError ? thrown.code : `not a BridgeError: ${String(thrown)}`
  }
}

/** Timers that our code has set and that neither ran nor were cleared; Jest's own are not among them. */
function watchTimers(): { left(): number; restore(): void } {
  const { setTimeout: set, clearTimeout: clear } = globalThis
  const pending = new Set<unknown>()
  globalThis.setTimeout = ((run: () => void, ms?: number) => {
    const timer = set(() => {
      pending.delete(timer)
      run()
    }, ms)
    pending.add(timer)
    return timer
  }) as typeof setTimeout
  globalThis.clearTimeout = (timer) => {
    pending.delete(timer)
    clear(timer)
  }
  return {
    left: () => pending.size,
    restore: () => void Object.assign(globalThis, { setTimeout: set, clearTimeout: clear }),
  }
}

afterEach(async () => {
  for (const { broker, store } of houses.splice(0)) {
    await broker.close()
    await store.close()
  }
})

describe('warming for a session that is to come', () => {
  const ref = { assistant: 'alexa', accountId: camera.accountId, reference: 'r' } as const

  test('opens the line under the name that its offer will have, whose next attempt has another', async () => {
    const warmed: (string | undefined)[] = []
    const used: string[] = []
    const script: Script = async function* (signal, viewerId) {
      used.push(viewerId)
      yield* good(signal, viewerId)
    }
    const { broker, ask } = house(script, { warm: (_, viewerId) => void warmed.push(viewerId) })
    broker.warm(camera)
    broker.warm(camera, ref)
    broker.warm(camera, ref)
    await ask()
    await ask({ offer: echoOffer.replace('o=- ', 'o=- 9') })
    const [plain, first, again] = warmed
    expect(plain).toBeUndefined()
    expect(again).toBe(first)
    expect(used[0]).toBe(first)
    expect(used).toHaveLength(2)
    expect(used[1]).not.toBe(first)
  })
})

describe('whatever the camera does, there is one verdict, the right cause, and nothing is left open', () => {
  test.each<[name: string, outcome: string, script: Script]>([
    ['it answers and trickles', 'answered', good],
    [
      'it answers without ever ending its candidates',
      'answered',
      async function* (signal) {
        yield answer
        await untilHungUp(signal)
      },
    ],
    [
      'it answers twice',
      'answered',
      async function* (signal) {
        yield answer
        yield { kind: 'answer', sdp: cSdkAnswer.replaceAll('aBcD', 'evil') }
        yield { kind: 'end-of-candidates' }
        await untilHungUp(signal)
      },
    ],
    [
      'it answers and the line breaks',
      'answered',
      async function* () {
        yield answer
        throw new Error('broken pipe')
      },
    ],
    ['it stays silent', 'camera_silent', silent],
    [
      'it answers too late',
      'camera_silent',
      async function* (signal) {
        await untilHungUp(signal)
        yield answer
      },
    ],
    [
      'it sends garbage',
      'camera_garbled',
      async function* (signal) {
        yield { kind: 'garbled', what: 'an answer that is not JSON' }
        await untilHungUp(signal)
      },
    ],
    [
      'it answers nonsense',
      'camera_garbled',
      async function* (signal) {
        yield { kind: 'answer', sdp: 'nonsense' }
        await untilHungUp(signal)
      },
    ],
    [
      'its line ends at once',
      'camera_hung_up',
      async function* () {
        yield* nothing
      },
    ],
    [
      'the signaling service refuses',
      'camera_busy',
      async function* () {
        yield* nothing
        throw new BridgeError('camera_busy')
      },
    ],
    [
      'our own code breaks',
      'internal',
      async function* () {
        yield* nothing
        throw new TypeError('undefined is not a function')
      },
    ],
  ])('%s: %s', async (_, outcome, script) => {
    const timers = watchTimers()
    const { ask, broker, lines } = house(script, outcome === 'camera_silent' ? { budgetMs: silentMs } : {})
    expect(await codeOf(ask())).toBe(outcome)
    await broker.close()
    expect({ running: broker.running(), lines: lines(), timers: timers.left() }).toEqual({
      running: 0,
      lines: 0,
      timers: 0,
    })
    timers.restore()
    const [view] = await broker.recent(camera.accountId)
    expect(view?.cause?.code).toBe(outcome === 'answered' ? undefined : outcome)
    expect(view?.phase).toBe(outcome === 'answered' ? 'answered' : 'closed')
    expect(view?.answerMs === undefined).toBe(outcome !== 'answered')
  })

  test('a camera that leaves in the middle is named so', async () => {
    let online = true
    const startedAt = Date.now()
    const presence = () => ({ online, sinceAt: online ? 0 : startedAt + 5_000 })
    const { ask } = house(silent, { presence, budgetMs: silentMs })
    const verdict = codeOf(ask())
    online = false
    expect(await verdict).toBe('camera_hung_up')
  })

  test('a camera that says that it is full is not waited for, and nobody else can say so', async () => {
    const asked = Promise.withResolvers<string>()
    const { ask, broker } = house(
      (signal, viewerId) => {
        asked.resolve(viewerId)
        return silent(signal, viewerId)
      },
      { budgetMs: 10_000 },
    )
    const verdict = codeOf(ask())
    const viewer = await asked.promise
    await broker.cameraReported({ ...camera, id: cameraId('other') }, { viewerId: viewer, state: 'busy' })
    await broker.cameraReported(camera, { viewerId: `${viewer}x`, state: 'busy' })
    expect(broker.running()).toBe(1)
    await broker.cameraReported(camera, { viewerId: viewer, state: 'busy' })
    expect(await verdict).toBe('camera_busy')
    expect(await broker.recent(camera.accountId)).toMatchObject([{ cause: { code: 'camera_busy' } }])
  })

  test('a camera that cannot answer says why, and its display is told at once', async () => {
    const asked = Promise.withResolvers<string>()
    const { ask, broker } = house(
      (signal, viewerId) => {
        asked.resolve(viewerId)
        return silent(signal, viewerId)
      },
      { budgetMs: 10_000 },
    )
    const verdict = codeOf(ask())
    const cause = { code: 'no_common_codec', message: 'it offers no H.264' } as const
    await broker.cameraReported(camera, { viewerId: await asked.promise, state: 'failed', cause })
    expect(await verdict).toBe('no_common_codec')
    expect(await broker.recent(camera.accountId)).toMatchObject([{ cause }])
  })

  test.each([
    ['with a picture', undefined, 'no_picture'],
    ['without one, as it is registered,', false, 'answered'],
  ])('an answer of sound only, by a camera %s', async (_, hasVideo, outcome) => {
    const { ask } = house(async function* (signal) {
      yield { kind: 'answer', sdp: cSdkAnswer.replace('m=video 9', 'm=video 0') }
      await untilHungUp(signal)
    })
    expect(await codeOf(ask({ camera: { ...camera, ...(hasVideo !== undefined && { hasVideo }) } }))).toBe(outcome)
  })

  test('each turn of a session is one line in the log, with its cause', async () => {
    const lines: unknown[] = []
    let aheadMs = 0
    const { ask, broker } = house(good, {
      clock: () => Date.now() + aheadMs,
      log: (_level, event, fields) => {
        const { isNew, phase, code, outcome }: Readonly<Record<string, unknown>> = fields ?? {}
        lines.push([event, isNew, phase, code, outcome])
      },
    })
    await ask()
    aheadMs = 5_000
    await broker.end({ assistant: 'alexa', accountId: camera.accountId, reference: 'r' }, 'the viewer left')
    expect(lines).toEqual([
      ['broker.session', true, 'answered', undefined, undefined],
      ['broker.session', undefined, 'closed', 'media_failed', 'media_failed'],
    ])
  })

  test('a camera that is long gone is not waited for', async () => {
    const { ask, offers } = house(silent, { presence: () => ({ online: false, sinceAt: 0 }), budgetMs: 10_000 })
    expect(await codeOf(ask())).toBe('camera_offline')
    expect(offers()).toBe(0)
  })

  test('ICE servers that cannot be had cost no verdict', async () => {
    const { ask } = house(good, {
      servers: async () => {
        throw new BridgeError('signaling_failed')
      },
    })
    expect(await codeOf(ask())).toBe('answered')
  })
})

/** A store that notes what is asked of it, and keeps nothing while its gate is closed. */
function slowStore() {
  const kept = createSqliteStore(':memory:', Date.now)
  const asked: string[] = []
  let gate = Promise.withResolvers<void>()
  gate.resolve()
  const store = wrapped(kept, (_kind, records) => ({
    ...records,
    get: async (id) => (asked.push('get'), records.get(id)),
    put: async (id, value, options) => (asked.push('put'), await gate.promise, records.put(id, value, options)),
  }))
  return { store, asked, shut: () => void (gate = Promise.withResolvers()), open: () => gate.resolve() }
}

describe('a viewer that is connected', () => {
  const ref = { assistant: 'alexa', accountId: camera.accountId, reference: 'r' } as const
  const garden: Camera = { ...camera, id: cameraId('garden') }
  const heard = { packets: 0, level: 0 }
  const anHour = 3_600_000

  /** A house whose clock can be put forward, and whose cameras note who comes. */
  function watched(options: Parameters<typeof house>[1] = {}) {
    const viewers: string[] = []
    let aheadMs = 0
    const script: Script = (signal, viewerId) => {
      viewers.push(viewerId)
      return good(signal, viewerId)
    }
    const one = house(script, { clock: () => Date.now() + aheadMs, ...options })
    return {
      ...one,
      viewers,
      wait: (ms: number) => void (aheadMs += ms),
      /** Whether the camera is to end it. */
      isOver: (viewerId: string | undefined, at = camera) =>
        one.broker.cameraReported(at, { viewerId: viewerId ?? 'nobody came', state: 'connected', heard }),
    }
  }

  test('is left alone while its session lives, and is to be ended once that is over, also after a restart', async () => {
    const { ask, broker, viewers, isOver, store } = watched()
    await ask()
    expect(await isOver(viewers[0])).toBe(false)
    await broker.end(ref, 'bye')
    expect([await isOver(viewers[0]), await isOver(viewers[0])]).toEqual([true, true])
    const restarted = watched({ store })
    expect(await restarted.isOver(viewers[0])).toBe(true)
    expect(await broker.cameraReported(camera, { viewerId: viewers[0]!, state: 'left', heard })).toBe(false)
    const [view] = await broker.recent(camera.accountId)
    expect(view?.timeline.at(-1)).toMatchObject({ step: 'ended', detail: 'bye' })
  })

  test('costs one read a report, and no write when there is nothing new', async () => {
    const { store, asked } = slowStore()
    const { ask, broker, viewers, isOver } = watched({ store })
    await ask()
    await isOver(viewers[0])
    asked.length = 0
    for (const _ of [1, 2, 3]) await isOver(viewers[0])
    expect(asked).toEqual(['get', 'get', 'get'])
    await broker.cameraReported(camera, {
      viewerId: viewers[0]!,
      state: 'connected',
      heard: { packets: 1, level: 0 },
    })
    await until(() => broker.running() === 0)
    await broker.end(ref, 'bye')
    await isOver(viewers[0])
    asked.length = 0
    expect(await isOver(viewers[0])).toBe(true)
    expect(asked).toEqual(['get'])
  })

  test('is left alone while its record is not kept yet, and ended if it never is', async () => {
    const { store, shut, open } = slowStore()
    const { ask, viewers, isOver, wait } = watched({ store })
    shut()
    await ask()
    expect(await isOver(viewers[0])).toBe(false)
    wait(119_000)
    expect(await isOver(viewers[0])).toBe(false)
    wait(2_000)
    expect(await isOver(viewers[0])).toBe(true)
    open()
  })

  test('is left alone while the record is still that of an attempt before it, which is over', async () => {
    const { store, shut, open } = slowStore()
    const { ask, broker, viewers, isOver, wait } = watched({ store })
    await ask()
    await until(() => broker.running() === 0)
    await broker.end(ref, 'bye')
    // Its first word is written down, which must not wait for the gate.
    await isOver(viewers[0])
    wait(1_000)
    shut()
    await ask({ offer: `${echoOffer}a=x-later\r\n` })
    expect([await isOver(viewers[0]), await isOver(viewers[1])]).toEqual([true, false])
    open()
    await broker.close()
    expect([await isOver(viewers[0]), await isOver(viewers[1])]).toEqual([false, false])
  })

  test('of an attempt that was replaced goes with the session', async () => {
    const { ask, broker, viewers, isOver, wait } = watched()
    await ask()
    await until(() => broker.running() === 0)
    wait(100)
    await ask({ offer: `${echoOffer}a=x-later\r\n` })
    expect(await isOver(viewers[0])).toBe(false)
    await broker.endCamera(camera.accountId, camera.id, 'not shared any more')
    expect([await isOver(viewers[0]), await isOver(viewers[1])]).toEqual([true, true])
  })

  test('does not outlive its share by using its reference for a view of another camera', async () => {
    const { ask, broker, viewers, isOver, wait } = watched()
    await ask()
    await until(() => broker.running() === 0)
    wait(100)
    await ask({ offer: `${echoOffer}a=x-later\r\n`, camera: garden })
    await broker.endCamera(camera.accountId, camera.id, 'not shared any more')
    expect([await isOver(viewers[0]), await isOver(viewers[1], garden)]).toEqual([true, false])
  })

  test('is to be ended when the time of its session is over, which is noted', async () => {
    const { ask, broker, viewers, isOver, wait } = watched()
    await ask()
    wait(budgets.lifetimeMs)
    expect(await isOver(viewers[0])).toBe(true)
    expect((await broker.recent(camera.accountId))[0]?.timeline.at(-1)).toMatchObject({ detail: expect.any(String) })
  })

  test.each([
    ['came by other means', () => 'AWS_DEFAULT_SINGLE_MASTER-viewer'],
    ['is named in the old way', (ours: string) => ours.replace(/\..*/, '.0a1b2c3d')],
    ['is that of another bridge', (ours: string) => ours.replace('.mine.', '.theirs.')],
  ])('and %s is not ours to end', async (_, name) => {
    const { ask, broker, viewers, isOver, wait } = watched({ mark: 'mine' })
    await ask()
    await broker.end(ref, 'bye')
    wait(anHour)
    const viewerId = name(viewers[0]!)
    expect(viewerId).not.toBe(viewers[0])
    expect([await isOver(viewerId), await isOver(viewers[0])]).toEqual([false, true])
  })
})

test('a line that was opened long ago lends its name to no offer', async () => {
  const warmed: (string | undefined)[] = []
  const used: string[] = []
  let now = Date.now()
  const { ask, broker } = house((signal, viewerId) => (used.push(viewerId), good(signal, viewerId)), {
    warm: (_, viewerId) => void warmed.push(viewerId),
    clock: () => now,
  })
  broker.warm(camera, { assistant: 'alexa', accountId: camera.accountId, reference: 'r' })
  now += 30_000
  await ask()
  expect([warmed.length, used.length]).toEqual([1, 1])
  expect(used[0]).not.toBe(warmed[0])
})

test('a camera without a speaker is answered without talk-back, one with it with', async () => {
  const { ask } = house(good)
  expect(await ask()).toContain('a=sendrecv')
  const mute = await ask({ camera: { ...camera, hasSpeaker: false }, reference: 'mute' })
  expect(mute).not.toContain('a=sendrecv')
  expect(mute).toContain('a=sendonly')
})

describe('repeats', () => {
  test('the same offer again gets the same answer, while it is negotiated and afterwards, and the camera is asked once', async () => {
    const { ask, offers } = house(good)
    const [first, second] = await Promise.all([ask(), ask()])
    expect(second).toBe(first)
    expect(await ask()).toBe(first)
    expect(offers()).toBe(1)
  })

  test('another offer under the same reference replaces the first attempt', async () => {
    const viewers: string[] = []
    let calls = 0
    const { ask } = house((signal, viewerId) => {
      viewers.push(viewerId)
      return calls++ === 0 ? silent(signal, viewerId) : good(signal, viewerId)
    })
    const first = codeOf(ask())
    await new Promise(setImmediate)
    const second = codeOf(ask({ offer: echoOffer.replaceAll('x9Qk', 'newU') }))
    expect([await first, await second]).toEqual(['display_gave_up', 'answered'])
    expect(new Set(viewers).size).toBe(2)
  })

  test('after a refusal the same offer is tried anew', async () => {
    let calls = 0
    const { ask, broker } = house((signal, viewerId) =>
      calls++ === 0 ? silent(signal, viewerId) : good(signal, viewerId),
    )
    expect(await codeOf(ask({ answerBy: Date.now() + silentMs }))).toBe('camera_silent')
    expect(await codeOf(ask())).toBe('answered')
    expect(broker.running()).toBeLessThanOrEqual(1)
  })

  test('a closed broker refuses what comes', async () => {
    const { ask, broker } = house(good)
    await broker.close()
    expect(await codeOf(ask())).toBe('internal')
  })
})

describe('the record', () => {
  const ref = { assistant: 'alexa', accountId: camera.accountId, reference: 'r' } as const

  test('follows the session to its end, and is shown to its owner alone', async () => {
    let viewer = ''
    const { ask, broker } = house((signal, viewerId) => {
      viewer = viewerId
      return good(signal, viewerId)
    })
    await ask()
    await broker.connected(ref)
    await broker.cameraReported(camera, { viewerId: viewer, state: 'connected', heard: { packets: 9, level: 0.5 } })
    await broker.cameraReported(camera, { viewerId: 's-unknown', state: 'failed' })
    await broker.cameraReported({ ...camera, id: cameraId('other') }, { viewerId: viewer, state: 'failed' })
    const [recent] = await broker.recent(camera.accountId)
    expect(recent).toMatchObject({ phase: 'connected', heard: { packets: 9, level: 0.5 } })
    await broker.end(ref, 'bye')
    const view = await broker.view(camera.accountId, recent!.id)
    expect(view?.timeline.map((one) => one.step)).toEqual([
      'offer-received',
      'offer-sent',
      'camera-answered',
      'camera-candidate',
      'camera-gathered',
      'answer-sent',
      'display-connected',
      'camera-connected',
      'talk-back-heard',
      'ended',
    ])
    expect(JSON.stringify(view)).not.toMatch(/192\.0\.2|a=|candidate:/)
    expect(await broker.view(accountId('somebody-else'), recent!.id)).toBeUndefined()
  })

  test('ending a session that is still negotiated refuses it and frees the camera', async () => {
    const { ask, broker, lines } = house(silent, { budgetMs: 10_000 })
    const verdict = codeOf(ask())
    await new Promise(setImmediate)
    await broker.end(ref, 'the display went away')
    expect([await verdict, lines(), broker.running()]).toEqual(['display_gave_up', 0, 0])
  })

  test('endAll ends one assistant’s sessions of one account', async () => {
    const { ask, broker } = house(good)
    await ask()
    await ask({ assistant: 'google', reference: 'g' })
    await broker.endAll(camera.accountId, 'google', 'unlinked')
    const phases = (await broker.recent(camera.accountId)).map(({ assistant, phase }) => `${assistant} ${phase}`)
    expect(phases.sort()).toEqual(['alexa answered', 'google closed'])
  })

  test('endAll also ends what is still being negotiated', async () => {
    const { ask, broker } = house(silent, { budgetMs: 10_000 })
    const verdict = codeOf(ask())
    await until(() => broker.running() === 1)
    await broker.endAll(camera.accountId, 'alexa', 'unlinked')
    expect([await verdict, broker.running()]).toEqual(['display_gave_up', 0])
  })

  test('a view that is refused before there is an offer is kept with its cause', async () => {
    const { broker } = house(good)
    await broker.refused(camera, 'google', new BridgeError('camera_offline'))
    expect(await broker.recent(camera.accountId)).toMatchObject([
      {
        assistant: 'google',
        phase: 'closed',
        cause: { code: 'camera_offline' },
        timeline: [{ step: 'asked-for' }, { step: 'refused' }],
      },
    ])
  })

  test('unknown sessions are ignored', async () => {
    const { broker } = house(good)
    await broker.connected(ref)
    await broker.end(ref, 'bye')
    expect(await broker.recent(camera.accountId)).toEqual([])
  })

  test('an account keeps its latest fifty, and whatever began earlier and goes on', async () => {
    let now = Date.now()
    const { ask, broker } = house(good, { clock: () => now++ })
    for (let call = 0; call < 5; call++) await ask({ reference: `open-${call}` })
    for (let call = 0; call < 55; call++) {
      await ask({ reference: `call-${call}` })
      await broker.end({ ...ref, reference: `call-${call}` }, 'bye')
    }
    const kept = (await broker.recent(camera.accountId)).map(({ reference }) => reference)
    expect(kept).toHaveLength(55)
    expect([kept[0], kept[49], ...kept.slice(50)]).toEqual([
      'call-54',
      'call-5',
      'open-4',
      'open-3',
      'open-2',
      'open-1',
      'open-0',
    ])
  })

  test('sessions come page by page, each once, whatever began meanwhile', async () => {
    let now = Date.now()
    const { ask, broker } = house(good, { mostKept: 200, clock: () => now++ })
    for (let call = 0; call < 120; call++) await ask({ reference: `call-${call}` })
    const first = await broker.page(camera.accountId, { limit: 70 })
    await ask({ reference: 'newer' })
    const second = await broker.page(camera.accountId, { limit: 70, after: first.next! })
    const references = [...first.views, ...second.views].map(({ reference }) => reference)
    expect(references).toEqual(Array.from({ length: 120 }, (_, index) => `call-${119 - index}`))
    expect(second).not.toHaveProperty('next')
  })

  test('a reference that is used again is listed once, where it began last', async () => {
    let now = Date.now()
    const { ask, broker } = house(good, { clock: () => now++ })
    await ask({ reference: 'again' })
    await ask({ reference: 'other' })
    await ask({ reference: 'again', offer: `${echoOffer}a=another:1\r\n` })
    const { views } = await broker.page(camera.accountId, { limit: 10 })
    expect(views.map(({ reference }) => reference)).toEqual(['again', 'other'])
  })

  test('sessions are looked for by what became of them, and by when they began', async () => {
    let now = 1_795_000_000_000
    const answers = house(good, { clock: () => now++ })
    await answers.ask({ reference: 'runs' })
    const secondAt = now
    await answers.ask({ reference: 'ended' })
    await answers.broker.connected({ ...ref, reference: 'ended' })
    await answers.broker.end({ ...ref, reference: 'ended' }, 'bye')
    const thirdAt = now
    await answers.broker.refused(camera, 'alexa', new BridgeError('camera_offline'))
    const found = async (wanted: Wanted) =>
      (await answers.broker.page(camera.accountId, { limit: 10, ...wanted })).views.map(({ phase }) => phase)
    expect(await found({ outcome: 'running' })).toEqual(['answered'])
    expect(await found({ outcome: 'fine' })).toEqual(['closed'])
    expect(await found({ outcome: 'failed' })).toEqual(['closed'])
    expect(await found({ outcome: 'unconfirmed' })).toEqual([])
    expect(await found({ from: secondAt })).toEqual(['closed', 'closed'])
    expect(await found({ to: secondAt })).toEqual(['answered'])
    expect(await found({ from: secondAt, to: thirdAt, outcome: 'fine' })).toHaveLength(1)
    expect(await found({ from: secondAt, to: thirdAt, outcome: 'failed' })).toEqual([])
  })

  test('each view is told once when it has failed or is over, with the picture it had', async () => {
    const ends: string[] = []
    const { ask, broker } = house(good, { onOutcome: (view) => ends.push(`${view.reference} ${view.phase}`) })
    await ask({ reference: 'one' })
    await broker.connected({ ...ref, reference: 'one' })
    expect(ends).toEqual([])
    await broker.end({ ...ref, reference: 'one' }, 'bye')
    await broker.end({ ...ref, reference: 'one' }, 'bye again')
    expect(ends).toEqual(['one closed'])
  })

  test('a longer history is cut less often, and never grows by much', async () => {
    const { ask, broker } = house(good, { mostKept: 200 })
    for (let call = 0; call < 206; call++) {
      await ask({ reference: `call-${call}` })
      await broker.end({ ...ref, reference: `call-${call}` }, 'bye')
    }
    const kept = await broker.recent(camera.accountId)
    expect(kept.length).toBeGreaterThanOrEqual(200)
    expect(kept.length).toBeLessThanOrEqual(202)
    expect(kept[0]).toMatchObject({ reference: 'call-205' })
  })

  test('sessions are looked for by assistant and camera, the newest first', async () => {
    const { ask, broker } = house(good)
    await ask({ reference: 'one', assistant: 'google' })
    await ask({ reference: 'two', assistant: 'console' })
    await ask({ reference: 'three', assistant: 'console' })
    const found = async (wanted: Wanted) =>
      (await broker.recent(camera.accountId, wanted)).map(({ reference }) => reference).sort()
    expect(await found({ assistant: 'console' })).toEqual(['three', 'two'])
    expect(await found({ cameraId: cameraId('garden') })).toEqual([])
    expect(await found({ limit: 1, assistant: 'google' })).toEqual(['one'])
  })

  test('each change of a session is told, also while it negotiates, and the last is what is stored', async () => {
    const told: SessionView[] = []
    const { ask, broker } = house(good, { onSession: (view) => void told.push(view) })
    await ask()
    await broker.connected(ref)
    await broker.end(ref, 'bye')
    const phases = told.map(({ phase }) => phase)
    expect(phases.filter((phase, index) => phase !== phases[index - 1])).toEqual([
      'offered',
      'gathering',
      'answered',
      'connected',
      'closed',
    ])
    expect(await broker.recent(camera.accountId)).toEqual([told.at(-1)])
  })

  test('an attempt that was replaced does not speak for the session any more', async () => {
    const told: SessionView[] = []
    const { ask, broker } = house(silent, { onSession: (view) => void told.push(view), budgetMs: silentMs })
    const codes = await Promise.all([codeOf(ask()), codeOf(ask({ offer: `${echoOffer}a=x-later\r\n` }))])
    expect(codes).toEqual(['display_gave_up', 'camera_silent'])
    // The first was still recalling when the second came: only the second one's story is told.
    expect(new Set(told.map(({ cause }) => cause?.code))).toEqual(new Set([undefined, 'camera_silent']))
    expect(await broker.recent(camera.accountId)).toMatchObject([{ cause: { code: 'camera_silent' } }])
  })

  test('a refusal comes with what the owner can do about it, and with its end', async () => {
    const { ask, broker } = house(silent, { budgetMs: silentMs })
    await codeOf(ask())
    const [view] = await broker.recent(camera.accountId)
    expect(view).toMatchObject({ cause: { code: 'camera_silent', advice: advice.camera_silent }, phase: 'closed' })
    expect(view!.endedAt).toBe(view!.timeline.at(-1)!.at)
  })

  test.each<[name: string, slow: 'get' | 'put']>([
    ['recall', 'get'],
    ['keep', 'put'],
  ])('a store that is slow to %s does not hold up the answer', async (_, slow) => {
    const kept = createSqliteStore(':memory:', Date.now)
    const gate = Promise.withResolvers<void>()
    const store = wrapped(kept, (_kind, records) => ({
      ...records,
      get: async (id) => (slow === 'get' && (await gate.promise), records.get(id)),
      put: async (id, value, options) => (slow === 'put' && (await gate.promise), records.put(id, value, options)),
    }))
    const { ask, broker } = house(good, { store })
    expect(await codeOf(ask())).toBe('answered')
    gate.resolve()
    await broker.close()
    expect(await broker.recent(camera.accountId)).toMatchObject([{ phase: 'answered' }])
  })

  test('a superseded attempt that is slow to be kept does not replace the newer one', async () => {
    const kept = createSqliteStore(':memory:', Date.now)
    const gate = Promise.withResolvers<void>()
    let puts = 0
    const store = wrapped(kept, (_kind, records) => ({
      ...records,
      put: async (id, value, options) => (puts++ === 0 && (await gate.promise), records.put(id, value, options)),
    }))
    let calls = 0
    const { ask, broker } = house(
      (signal, viewerId) => (calls++ === 0 ? silent(signal, viewerId) : good(signal, viewerId)),
      { store },
    )
    const first = codeOf(ask({ receivedAt: Date.now() - 20 }))
    await until(() => calls === 1)
    const second = codeOf(ask({ offer: echoOffer.replaceAll('x9Qk', 'newU') }))
    expect(await second).toBe('answered')
    gate.resolve()
    expect(await first).toBe('display_gave_up')
    await broker.close()
    expect(await broker.recent(camera.accountId)).toMatchObject([{ phase: 'answered' }])
  })

  test('a camera without a speaker is never sent sound', async () => {
    const { ask } = house(good)
    expect(await ask({ camera: { ...camera, hasSpeaker: false } })).not.toContain('a=sendrecv')
    expect(await ask({ reference: 'other' })).toContain('a=sendrecv')
  })

  test('a store that fails to write costs the display nothing', async () => {
    const { ask, store } = house(async function* (signal) {
      await store.close()
      yield* good(signal, '')
    })
    expect(await codeOf(ask())).toBe('answered')
  })
})
