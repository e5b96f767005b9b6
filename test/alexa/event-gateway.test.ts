/** A press of the doorbell on its way to Alexa. */
import { describe, expect, jest, test } from '@jest/globals'
import { createAlexaEvents } from '../../src/alexa/event-gateway.ts'
import type { Bearer } from '../../src/alexa/grants.ts'
import { startAmazon } from './amazon.ts'
import { createJournal, frontDoor, noon } from './world.ts'

/** Grants that hand out a token for each ask, and remember what was turned down and what was forgotten. */
async function setUp(options: { bearer?: () => Promise<Bearer>; deadlineMs?: number } = {}) {
  const amazon = await startAmazon()
  const journal = createJournal()
  const rejected: (string | undefined)[] = []
  const forgotten: string[] = []
  const events = createAlexaEvents({
    grants: {
      bearer: async (_account, turnedDown) => {
        rejected.push(turnedDown)
        return options.bearer ? options.bearer() : { kind: 'token', token: amazon.issueToken() }
      },
      forget: async (account, why) => void forgotten.push(`${account}: ${why}`),
    },
    gatewayUrl: amazon.gatewayUrl,
    ...(options.deadlineMs !== undefined && { deadlineMs: options.deadlineMs }),
    clock: () => noon,
    log: journal.log,
  })
  const press = () => events.doorbellPress(frontDoor, noon, 'press-1')
  return {
    amazon,
    press,
    rejected,
    forgotten,
    lines: journal.lines,
    [Symbol.asyncDispose]: amazon[Symbol.asyncDispose],
  }
}

const refusal = (status: number, code: string) => ({ status, body: { payload: { code, description: 'why' } } })

describe('a press', () => {
  test('is POSTed with the same token in header and body, and a time in whole seconds', async () => {
    await using world = await setUp()
    expect(await world.press()).toEqual({ kind: 'accepted' })
    expect(world.amazon.events).toEqual([
      {
        context: {},
        event: {
          header: {
            namespace: 'Alexa.DoorbellEventSource',
            name: 'DoorbellPress',
            messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
            payloadVersion: '3',
          },
          endpoint: { scope: { type: 'BearerToken', token: 'Atza|access-1' }, endpointId: 'front-door' },
          payload: { cause: { type: 'PHYSICAL_INTERACTION' }, timestamp: '2026-11-22T12:00:00Z' },
        },
      },
    ])
    expect(world.lines).toMatchObject([
      { level: 'info', event: 'alexa.doorbell_press', fields: { cameraId: 'front-door', eventId: 'press-1' } },
    ])
    expect(JSON.stringify(world.lines)).not.toContain('Atza')
  })

  test('is not sent for an account without a grant', async () => {
    await using world = await setUp({ bearer: async () => ({ kind: 'no-grant' }) })
    expect(await world.press()).toEqual({ kind: 'no-grant' })
    expect(world.amazon.requests).toEqual([])
  })

  test('whose token is turned down is sent once more with a new one', async () => {
    await using world = await setUp()
    world.amazon.state.script.push(refusal(401, 'INVALID_ACCESS_TOKEN_EXCEPTION'))
    expect(await world.press()).toEqual({ kind: 'accepted' })
    expect(world.rejected).toEqual([undefined, 'Atza|access-1'])
    expect(world.forgotten).toEqual([])
  })

  test('whose second token is turned down too is from a customer who has withdrawn', async () => {
    await using world = await setUp()
    world.amazon.state.script.push(refusal(401, 'INVALID_ACCESS_TOKEN_EXCEPTION'))
    world.amazon.state.script.push(refusal(401, 'INVALID_ACCESS_TOKEN_EXCEPTION'))
    expect(await world.press()).toEqual({ kind: 'no-grant' })
    expect(world.forgotten).toEqual(['anna: event gateway: 401 INVALID_ACCESS_TOKEN_EXCEPTION'])
  })

  test('for a skill that was disabled ends the grant', async () => {
    await using world = await setUp()
    world.amazon.state.script.push(refusal(403, 'SKILL_DISABLED_EXCEPTION'))
    expect(await world.press()).toEqual({ kind: 'no-grant' })
    expect(world.forgotten).toHaveLength(1)
  })

  test.each([
    [400, 'INVALID_REQUEST_EXCEPTION', false],
    [403, 'INSUFFICIENT_PERMISSION_EXCEPTION', false],
    [403, 'SKILL_NEVER_ENABLED_EXCEPTION', true],
    [404, 'ACCOUNT_NOT_FOUND_EXCEPTION', false],
    [413, 'REQUEST_ENTITY_TOO_LARGE_EXCEPTION', false],
    [429, 'THROTTLING_EXCEPTION', true],
    [500, 'INTERNAL_SERVICE_EXCEPTION', true],
    [503, 'SERVICE_UNAVAILABLE_EXCEPTION', true],
  ])('that is answered %i %s has failed; worth a retry: %s', async (status, code, isRetryable) => {
    await using world = await setUp()
    world.amazon.state.script.push(refusal(status, code))
    expect(await world.press()).toEqual({ kind: 'failed', isRetryable, reason: code, status })
    expect(world.forgotten).toEqual([])
    expect(world.lines.at(-1)).toMatchObject({ level: 'error', fields: { outcome: 'failed', status, reason: code } })
  })

  test('that is answered 200 is not delivered: only 202 says so', async () => {
    await using world = await setUp()
    world.amazon.state.script.push({ status: 200, body: {} })
    expect(await world.press()).toEqual({ kind: 'failed', isRetryable: false, reason: 'no code', status: 200 })
  })

  test('that is never answered ends at its deadline', async () => {
    await using world = await setUp({ deadlineMs: 30 })
    world.amazon.state.script.push('hang')
    expect(await world.press()).toMatchObject({ kind: 'failed', isRetryable: true })
    expect(world.amazon.events).toEqual([])
  })

  test('ends at its deadline even if the store hangs', async () => {
    await using world = await setUp({ bearer: () => new Promise<Bearer>(() => {}) })
    jest.useFakeTimers()
    try {
      const pressed = world.press()
      await jest.advanceTimersByTimeAsync(10_000)
      expect(await pressed).toMatchObject({ kind: 'failed', isRetryable: true })
    } finally {
      jest.useRealTimers()
    }
  })

  test('does not reject when the store fails or nobody listens', async () => {
    await using broken = await setUp({ bearer: () => Promise.reject(new Error('disk full')) })
    expect(await broken.press()).toMatchObject({ kind: 'failed', reason: expect.stringContaining('disk full') })
    const gone = await setUp()
    await gone[Symbol.asyncDispose]()
    expect(await gone.press()).toMatchObject({ kind: 'failed', isRetryable: true })
  })
})
