/** Whether anybody came to a display because of a press is kept with it, longer than the sessions. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { SessionView } from '../../src/bridge/broker/view.ts'
import { createPressAnswers } from '../../src/bridge/cameras/press-answers.ts'
import { createPresses } from '../../src/bridge/cameras/presses.ts'
import { createCameraStates } from '../../src/bridge/cameras/states.ts'
import { createVisits, type Visits } from '../../src/bridge/cameras/visits.ts'
import { accountId, cameraId, type Camera, type Store } from '../../src/core/ports.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'

const start = 1_800_000_000_000
const day = 24 * 3_600_000
const camera: Camera = {
  id: cameraId('front'),
  accountId: accountId('ada'),
  name: 'Front door',
  kind: 'doorbell',
  channel: { channelName: 'front', road: 'viewer' },
  manufacturer: 'M',
  model: 'D',
  hasSpeaker: true,
}
let now: number
let store: Store
let visits: Visits
let moved: (view: SessionView) => Promise<void>
let lines: string[]
beforeEach(() => {
  now = start
  lines = []
  store = createSqliteStore(':memory:', clock)
  visits = createVisits(store, clock)
  moved = createPressAnswers({ ...parts(), visits })
})

afterEach(() => store.close())

const clock = () => now
const log = (_level: string, event: string) => void lines.push(event)

function parts() {
  return { store, clock, log, states: createCameraStates({ store, clock }) }
}

async function press(at = now, of = camera): Promise<void> {
  const presses = createPresses({
    ...parts(),
    announcements: { toAll: async () => {} },
    keepsAnswers: true,
    onRing: async () => {},
  })
  await presses.receive(of, { kind: 'press', eventId: `${at}`, at })
}
const view = (afterMs: number, more: Partial<SessionView> = {}): SessionView =>
  ({ id: `${afterMs}`, cameraId: camera.id, startedAt: start + afterMs, phase: 'connected', ...more }) as SessionView
const kept = async (of = camera) => (await visits.moments(of, { from: 0, to: Infinity })).map(({ answer }) => answer)

describe('a press', () => {
  test('is nobody’s until somebody comes, and tells it as long as it is kept', async () => {
    await press()
    expect(await kept()).toEqual(['nobody'])
    await moved(view(10_000))
    now = start + 6 * day
    expect(await kept()).toEqual(['seen'])
  })

  test.each<[string, SessionView, string]>([
    ['a picture', view(1), 'seen'],
    ['the last moment', view(119_999), 'seen'],
    ['a voice', view(1, { phase: 'closed', heard: { packets: 3 } }), 'answered'],
    ['a view that ended well', view(1, { phase: 'closed' }), 'seen'],
    ['silence', view(1, { phase: 'offered' }), 'nobody'],
    [
      'a view that failed',
      view(1, { phase: 'closed', cause: { code: 'camera_offline', message: '', advice: '' } }),
      'nobody',
    ],
    ['a view of what was recorded', view(1, { recording: { from: start } }), 'nobody'],
    ['a view from before', view(-1), 'nobody'],
    ['a view from too late', view(120_000), 'nobody'],
    ['a view of another camera', view(1, { cameraId: cameraId('yard') }), 'nobody'],
  ])('and %s', async (_name, one, answer) => {
    await press()
    await moved(one)
    expect(await kept()).toEqual([answer])
  })

  test('that was answered stays so, whoever looks next, and however often it comes again', async () => {
    await press()
    await moved(view(1, { heard: { packets: 3 } }))
    await moved(view(20_000))
    await press()
    expect(await kept()).toEqual(['answered'])
  })

  test('of several in two minutes is each answered; of those after it none is', async () => {
    await press(start)
    await press(start + 5_000)
    now = start + 30_000
    await press(start + 30_000)
    await moved(view(10_000))
    expect(await kept()).toEqual(['seen', 'seen', 'nobody'])
  })

  test('answered at two displays at once is answered, and not only seen', async () => {
    await press()
    const spoken = view(2, { heard: { packets: 1 } })
    await Promise.all([moved(view(1)), moved(spoken), moved(view(3))])
    expect(await kept()).toEqual(['answered'])
  })

  test('that comes late, or from before this was kept, says nothing of it', async () => {
    await press(start - day)
    await store.collection('press').put('old', { cameraId: camera.id, at: start }, { group: camera.id })
    expect(await kept()).toEqual([undefined, undefined])
  })

  test('tells no guest when others look', async () => {
    await press()
    await moved(view(1))
    expect(await kept({ ...camera, sharedBy: accountId('ada'), accountId: accountId('bob') })).toEqual([undefined])
  })
})

test('a store that fails costs the session nothing', async () => {
  await press()
  const broken = { noteAnswer: () => Promise.reject(new Error('the store is down')) }
  await createPressAnswers({ ...parts(), visits: broken })(view(1))
  expect(lines).toContain('cameras.press-not-noted')
})
