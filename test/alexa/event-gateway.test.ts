/** What happens at the door, on its way to Alexa. */
import { describe, expect, test } from '@jest/globals'
import { createAlexaDeliver, NOT_LINKED } from '../../src/bridge/alexa/event-gateway.ts'
import type { Bearer } from '../../src/bridge/alexa/grants.ts'
import { newsForAlexa } from '../../src/bridge/alexa/news.ts'
import type { AlexaRegion } from '../../src/bridge/alexa/region.ts'
import { cameraId, type Camera, type CameraNews } from '../../src/core/ports.ts'
import { startAmazon } from './amazon.ts'
import { createJournal, frontDoor, garden, noon } from './world.ts'

const never = new AbortController().signal

/** Grants that hand out a token for each ask, and remember what was turned down, forgotten and moved. */
async function setUp(
  options: {
    bearer?: () => Promise<Bearer>
    region?: AlexaRegion
    isGuess?: boolean
    urls?: Partial<Record<AlexaRegion, string>>
    motion?: { isDetected: boolean; at: number }
    movedError?: Error
  } = {},
) {
  const amazon = await startAmazon()
  const journal = createJournal()
  const rejected: (string | undefined)[] = []
  const forgotten: string[] = []
  const moved: string[] = []
  const deliver = createAlexaDeliver({
    grants: {
      bearer: async (_account, turnedDown) => {
        rejected.push(turnedDown)
        if (options.bearer) return options.bearer()
        const { region = 'NA', isGuess = false } = options
        return { kind: 'token', token: amazon.issueToken(), region, isGuess }
      },
      forget: async (account, why) => void forgotten.push(`${account}: ${why}`),
      moved: async (account, region) => {
        moved.push(`${account}: ${region}`)
        if (options.movedError) throw options.movedError
      },
    },
    cameras: { find: async (_account, id) => [frontDoor, garden].find((camera) => camera.id === id) },
    stateOf: async () => ({ motion: options.motion ?? { isDetected: false, at: noon } }),
    isOnline: () => true,
    gatewayUrls: { ...amazon.gatewayUrls, ...options.urls },
    clock: () => noon,
    log: journal.log,
  })
  const tell = (camera: Camera, news: CameraNews, signal = never) => deliver(newsForAlexa(camera, news)[0]!, signal)
  return {
    amazon,
    tell,
    press: (signal?: AbortSignal) => tell(frontDoor, { kind: 'press', eventId: 'press-1', at: noon }, signal),
    rejected,
    forgotten,
    moved,
    lines: journal.lines,
    [Symbol.asyncDispose]: amazon[Symbol.asyncDispose],
  }
}

const refusal = (status: number, code: string, headers = {}) => ({
  status,
  body: { payload: { code, description: 'why' } },
  headers,
})

describe('a press', () => {
  test('is POSTed with the same token in header and body, and a time in whole seconds', async () => {
    await using world = await setUp()
    expect(await world.press()).toEqual({ kind: 'done' })
    expect(world.amazon.events).toEqual([
      {
        context: {},
        event: {
          header: {
            namespace: 'Alexa.DoorbellEventSource',
            name: 'DoorbellPress',
            messageId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
            payloadVersion: '3',
          },
          endpoint: { scope: { type: 'BearerToken', token: 'Atza|access-1' }, endpointId: 'front-door' },
          payload: { cause: { type: 'PHYSICAL_INTERACTION' }, timestamp: '2026-11-22T12:00:00Z' },
        },
      },
    ])
    expect(JSON.stringify(world.lines)).not.toContain('Atza')
  })

  test('that is sent again has the same message id', async () => {
    await using world = await setUp()
    await world.press()
    await world.press()
    await world.tell(frontDoor, { kind: 'press', eventId: 'press-2', at: noon })
    const [first, again, other] = world.amazon.events.map(({ event }) => event.header.messageId)
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })

  test('is not sent for an account without a grant', async () => {
    await using world = await setUp({ bearer: async () => ({ kind: 'no-grant' }) })
    expect(await world.press()).toEqual({ kind: 'drop', reason: NOT_LINKED })
    expect(world.amazon.requests).toEqual([])
  })

  test('whose token is turned down is sent once more with a new one', async () => {
    await using world = await setUp()
    world.amazon.state.script.push(refusal(401, 'INVALID_ACCESS_TOKEN_EXCEPTION'))
    expect(await world.press()).toEqual({ kind: 'done' })
    expect(world.rejected).toEqual([undefined, 'Atza|access-1'])
    expect(world.forgotten).toEqual([])
  })

  test('whose second token is turned down too is from a customer who has withdrawn', async () => {
    await using world = await setUp()
    world.amazon.state.script.push(...Array.from({ length: 4 }, () => refusal(401, 'INVALID_ACCESS_TOKEN_EXCEPTION')))
    expect(await world.press()).toMatchObject({ kind: 'drop' })
    expect(world.forgotten).toEqual(['anna: event gateway: 401 INVALID_ACCESS_TOKEN_EXCEPTION'])
  })

  test('for a skill that was disabled ends the grant, when no other region knows the customer', async () => {
    await using world = await setUp()
    world.amazon.state.region = 'FE'
    world.amazon.state.script.push(
      refusal(403, 'SKILL_DISABLED_EXCEPTION'),
      refusal(403, 'SKILL_NEVER_ENABLED_EXCEPTION'),
      refusal(403, 'SKILL_NEVER_ENABLED_EXCEPTION'),
    )
    expect(await world.press()).toMatchObject({ kind: 'drop' })
    expect(world.forgotten).toEqual(['anna: event gateway: 403 SKILL_DISABLED_EXCEPTION'])
  })

  test('without the permission keeps the grant, and the log says what to do', async () => {
    await using world = await setUp()
    world.amazon.state.script.push(
      refusal(403, 'INSUFFICIENT_PERMISSION_EXCEPTION'),
      refusal(403, 'SKILL_NEVER_ENABLED_EXCEPTION'),
      refusal(403, 'SKILL_NEVER_ENABLED_EXCEPTION'),
    )
    expect(await world.press()).toMatchObject({ kind: 'drop' })
    expect(world.forgotten).toEqual([])
    expect(world.lines).toMatchObject([{ level: 'error', event: 'alexa.permission-missing' }])
  })

  test.each([
    [400, 'INVALID_REQUEST_EXCEPTION', 'drop'],
    [413, 'REQUEST_ENTITY_TOO_LARGE_EXCEPTION', 'drop'],
    [408, 'REQUEST_TIMEOUT_EXCEPTION', 'retry'],
    [429, 'THROTTLING_EXCEPTION', 'retry'],
    [500, 'INTERNAL_SERVICE_EXCEPTION', 'retry'],
    [503, 'SERVICE_UNAVAILABLE_EXCEPTION', 'retry'],
  ])('that is answered %i %s: %s', async (status, code, kind) => {
    await using world = await setUp()
    world.amazon.state.script.push(refusal(status, code))
    expect(await world.press()).toEqual({ kind, reason: `${status} ${code}` })
    expect(world.forgotten).toEqual([])
  })

  test.each([
    [404, 'ACCOUNT_NOT_FOUND_EXCEPTION'],
    [404, 'SKILL_NOT_FOUND_EXCEPTION'],
    [403, 'SOMETHING_NEW_EXCEPTION'],
  ])('that every region answers %i %s is dropped, and the grant kept', async (status, code) => {
    await using world = await setUp()
    world.amazon.state.script.push(...Array.from({ length: 3 }, () => refusal(status, code)))
    expect(await world.press()).toEqual({ kind: 'drop', reason: `${status} ${code}` })
    expect(world.forgotten).toEqual([])
  })

  test('is not sent again before the time that the gateway asks for', async () => {
    await using world = await setUp()
    world.amazon.state.script.push(refusal(429, 'THROTTLING_EXCEPTION', { 'retry-after': '7' }))
    expect(await world.press()).toMatchObject({ kind: 'retry', afterMs: 7_000 })
  })

  test.each([200, 201, 202, 204])('that is answered %i is delivered', async (status) => {
    await using world = await setUp()
    world.amazon.state.accepts = [status]
    expect(await world.press()).toEqual({ kind: 'done' })
    expect(world.amazon.requests).toEqual(['event'])
  })

  test('that is accepted, and whose answer breaks off after that, is not sent again', async () => {
    await using world = await setUp()
    const headers = { 'content-length': '64', connection: 'close' }
    world.amazon.state.script.push({ status: 202, body: {}, headers })
    expect(await world.press()).toEqual({ kind: 'done' })
    world.amazon.state.script.push({ status: 503, body: {}, headers })
    await expect(world.press()).rejects.toThrow()
  })

  test.each([
    ['guessed right', 'NA'],
    ['another', 'FE'],
  ] as const)('that is accepted is not sent again when the region, %s, cannot be stored', async (_name, region) => {
    await using world = await setUp({ isGuess: true, movedError: new Error('disk full') })
    world.amazon.state.region = region
    expect(await world.press()).toEqual({ kind: 'done' })
    expect(world.amazon.events).toHaveLength(1)
    expect(world.lines).toMatchObject([{ level: 'warn', event: 'alexa.region-not-kept', fields: { region } }])
  })

  test('that is never answered ends with its signal', async () => {
    await using world = await setUp()
    world.amazon.state.script.push('hang')
    await expect(world.press(AbortSignal.timeout(30))).rejects.toThrow()
    expect(world.amazon.events).toEqual([])
  })
})

describe('a customer of another region', () => {
  test.each([
    ['202 by the documentation', 202, 403, 'SKILL_NEVER_ENABLED_EXCEPTION'],
    ['204', 204, 403, 'SKILL_NEVER_ENABLED_EXCEPTION'],
    // sweharris/Alexa-Smart-Home-VirtualButtons#6
    ['though the wrong one says "disabled"', 202, 403, 'SKILL_DISABLED_EXCEPTION'],
    ['though the wrong one says "no account"', 204, 404, 'ACCOUNT_NOT_FOUND_EXCEPTION'],
    ['though the wrong one wants a permission', 201, 403, 'INSUFFICIENT_PERMISSION_EXCEPTION'],
    ['though the wrong one has a new word', 200, 403, 'SOMETHING_NEW_EXCEPTION'],
  ])('is found there, once, and remembered: %s', async (_name, accepted, status, code) => {
    await using world = await setUp()
    world.amazon.state.region = 'FE'
    world.amazon.state.accepts = [accepted]
    world.amazon.state.script.push(refusal(status, code), refusal(status, code))
    expect(await world.press()).toEqual({ kind: 'done' })
    expect(world.amazon.requests).toEqual([`scripted ${status}`, `scripted ${status}`, 'event'])
    expect(world.amazon.events).toHaveLength(1)
    expect(world.moved).toEqual(['anna: FE'])
    expect(world.forgotten).toEqual([])
  })

  test('is found there though the wrong one turns down a fresh token, too', async () => {
    await using world = await setUp()
    world.amazon.state.region = 'EU'
    const refused = refusal(401, 'INVALID_ACCESS_TOKEN_EXCEPTION')
    world.amazon.state.script.push(refused, refused)
    expect(await world.press()).toEqual({ kind: 'done' })
    expect(world.moved).toEqual(['anna: EU'])
    expect(world.forgotten).toEqual([])
  })

  test.each([
    ['is out of order', refusal(503, 'SERVICE_UNAVAILABLE_EXCEPTION')],
    ['asks for patience', refusal(429, 'THROTTLING_EXCEPTION')],
  ])('who disabled the skill, it seems, is asked about again while one region %s', async (_name, answer) => {
    await using world = await setUp()
    world.amazon.state.script.push(
      refusal(403, 'SKILL_DISABLED_EXCEPTION'),
      refusal(403, 'SKILL_NEVER_ENABLED_EXCEPTION'),
      answer,
    )
    expect(await world.press()).toEqual({ kind: 'retry', reason: '403 SKILL_DISABLED_EXCEPTION' })
    expect(world.forgotten).toEqual([])
  })

  test('who disabled the skill, it seems, is asked about again while one region cannot be reached', async () => {
    await using world = await setUp({ urls: { FE: 'http://127.0.0.1:1/v3/events' } })
    world.amazon.state.script.push(refusal(403, 'SKILL_DISABLED_EXCEPTION'), refusal(403, 'SKILL_DISABLED_EXCEPTION'))
    expect(await world.press()).toMatchObject({ kind: 'retry' })
    expect(world.forgotten).toEqual([])
  })

  test('whose region is a guess keeps the grant when that says "disabled" and the others know nobody yet', async () => {
    await using world = await setUp({ isGuess: true })
    const [disabled, unknown] = [
      refusal(403, 'SKILL_DISABLED_EXCEPTION'),
      refusal(403, 'SKILL_NEVER_ENABLED_EXCEPTION'),
    ]
    world.amazon.state.script.push(disabled, unknown, unknown)
    expect(await world.press()).toMatchObject({ kind: 'retry' })
    expect(world.forgotten).toEqual([])
    world.amazon.state.script.push(disabled, disabled, disabled)
    expect(await world.press()).toMatchObject({ kind: 'drop' })
    expect(world.forgotten).toHaveLength(1)
  })

  test('whose region was guessed right is known from then on', async () => {
    await using world = await setUp({ isGuess: true })
    expect(await world.press()).toEqual({ kind: 'done' })
    expect(world.moved).toEqual(['anna: NA'])
  })

  test('is found there, too, when a gateway on the way to it is out of order', async () => {
    await using world = await setUp({ urls: { EU: 'http://127.0.0.1:1/v3/events' } })
    world.amazon.state.region = 'FE'
    expect(await world.press()).toEqual({ kind: 'done' })
    expect(world.moved).toEqual(['anna: FE'])
  })

  test('is addressed there at once when the region is known', async () => {
    await using world = await setUp({ region: 'EU' })
    world.amazon.state.region = 'EU'
    expect(await world.press()).toEqual({ kind: 'done' })
    expect(world.amazon.requests).toEqual(['event'])
    expect(world.moved).toEqual([])
  })

  test('whom no region knows yet may have enabled the skill a moment ago', async () => {
    await using world = await setUp()
    world.amazon.state.script.push(...Array.from({ length: 3 }, () => refusal(403, 'SKILL_NEVER_ENABLED_EXCEPTION')))
    expect(await world.press()).toMatchObject({ kind: 'retry' })
    expect(world.forgotten).toEqual([])
  })
})

describe('a report', () => {
  test('of motion names what changed and what did not', async () => {
    await using world = await setUp()
    await world.tell(garden, { kind: 'motion', eventId: 'm', isDetected: true, at: noon })
    expect(world.amazon.events[0]).toMatchObject({
      context: { properties: [{ name: 'connectivity', value: { value: 'OK' } }, { name: 'objectDetectionClasses' }] },
      event: {
        header: { name: 'ChangeReport' },
        payload: { change: { properties: [{ name: 'detectionState', value: 'DETECTED' }] } },
      },
    })
  })

  test('of a camera that came back says that what moved long ago moves no more', async () => {
    await using world = await setUp({ motion: { isDetected: true, at: noon - 3_600_000 } })
    await world.tell(garden, { kind: 'online', isOnline: true, at: noon })
    expect(world.amazon.events[0]).toMatchObject({
      context: { properties: [{ name: 'detectionState', value: 'NOT_DETECTED' }, { name: 'objectDetectionClasses' }] },
      event: { payload: { change: { properties: [{ name: 'connectivity', value: { value: 'OK' } }] } } },
    })
  })

  test('of a camera that is gone is a DeleteReport, whatever was to be said', async () => {
    await using world = await setUp()
    const gone = { ...frontDoor, id: cameraId('gone') }
    expect(await world.tell(gone, { kind: 'press', eventId: 'p', at: noon })).toMatchObject({ kind: 'drop' })
    await world.tell(gone, { kind: 'changed', at: noon })
    expect(world.amazon.events).toMatchObject([
      { event: { header: { name: 'DeleteReport' }, payload: { endpoints: [{ endpointId: 'gone' }] } } },
    ])
  })
})

describe('what Alexa is to hear', () => {
  const news: readonly CameraNews[] = [
    { kind: 'press', eventId: 'e', at: noon },
    { kind: 'motion', eventId: 'e', isDetected: true, at: noon },
    { kind: 'person', eventId: 'e', at: noon },
    { kind: 'battery', level: 5, at: noon },
    { kind: 'online', isOnline: true, at: noon },
    { kind: 'changed', at: noon },
  ]
  const heard = (camera: Camera) => news.filter((each) => newsForAlexa(camera, each).length > 0).map(({ kind }) => kind)

  test('is what the endpoint has declared', () => {
    expect(heard(frontDoor)).toEqual(['press', 'online', 'changed'])
    expect(heard(garden)).toEqual(['motion', 'person', 'online', 'changed'])
  })

  test('a press goes in the lane of presses, and for half a minute', () => {
    expect(newsForAlexa(frontDoor, news[0]!)).toMatchObject([{ lane: 'press', usefulUntil: noon + 30_000 }])
  })
})
