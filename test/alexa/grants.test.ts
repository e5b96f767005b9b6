/** Grants: taken from Amazon, kept encrypted, refreshed once for all who ask. */
import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { BridgeError } from '../../src/core/errors.ts'
import { createAlexaGrants } from '../../src/bridge/alexa/grants.ts'
import { regionOfLambda, type AlexaRegion } from '../../src/bridge/alexa/region.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { accountId } from '../../src/core/ports.ts'
import { client, startAmazon, type Amazon } from './amazon.ts'
import { acceptGrant } from './directives.ts'
import { anna, createJournal, createWorld, nameOf, noon } from './world.ts'

const { signal } = new AbortController()

async function setUp(lwa: object = client) {
  const amazon = await startAmazon()
  let now = noon
  const clock = () => now
  const store = createSqliteStore(':memory:', clock)
  const journal = createJournal()
  const key = createSecretKey(randomBytes(32))
  const make = (withKey = key) =>
    createAlexaGrants({ store, key: withKey, lwa: { ...lwa, tokenUrl: amazon.tokenUrl }, clock, log: journal.log })
  return {
    amazon,
    store,
    lines: journal.lines,
    make,
    grants: make(),
    pass: (ms: number) => void (now += ms),
    async [Symbol.asyncDispose]() {
      await store.close()
      await amazon[Symbol.asyncDispose]()
    },
  }
}

const given = (code: string, region?: AlexaRegion) => ({ accountId: anna, linkId: 'link-1', code, region })
const refreshes = ({ requests }: Amazon) => requests.filter((name) => name === 'refresh_token').length

describe('a grant', () => {
  test('is exchanged, stored, and then good for events', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    expect(await world.grants.bearer(anna)).toMatchObject({ kind: 'token', region: 'NA', token: 'Atza|access-1' })
    expect(world.amazon.requests).toEqual(['authorization_code'])
  })

  test('is stored before AcceptGrant is answered', async () => {
    await using world = await setUp()
    const { handle } = createWorld({ grants: world.grants })
    expect(nameOf(await handle(acceptGrant('code-1')))).toBe('Alexa.Authorization/AcceptGrant.Response')
    expect(await world.store.collection('alexa-link').get(anna)).toBeDefined()
    // The code is used up: the same directive again is answered alike, another with a code that is none fails, and the grant stays.
    expect(nameOf(await handle(acceptGrant('code-1')))).toBe('Alexa.Authorization/AcceptGrant.Response')
    expect((await handle(acceptGrant('code-0'))).event.payload).toHaveProperty('type', 'ACCEPT_GRANT_FAILED')
    expect(await world.grants.bearer(anna)).toHaveProperty('kind', 'token')
  })

  test('ends with the link that brought it, and with no other', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    await world.grants.forget(anna, 'its link was removed', { linkId: 'link-2' })
    expect(await world.grants.has(anna)).toBe(true)
    world.amazon.state.codes.add('code-2')
    await world.grants.accept({ ...given('code-2'), linkId: 'link-2' }, signal)
    await world.grants.forget(anna, 'its link was removed', { linkId: 'link-1' })
    expect(await world.grants.has(anna)).toBe(true)
    await world.grants.forget(anna, 'its link was removed', { linkId: 'link-2' })
    expect(await world.grants.bearer(anna)).toEqual({ kind: 'no-grant' })
  })

  test('keeps its link when its tokens are renewed', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    world.pass(2 * 3_600_000)
    expect(await world.grants.bearer(anna)).toMatchObject({ kind: 'token', token: 'Atza|access-2' })
    await world.grants.forget(anna, 'its link was removed', { linkId: 'link-1' })
    expect(await world.grants.has(anna)).toBe(false)
  })

  test('is not kept when its link ended while Alexa gave it', async () => {
    await using world = await setUp()
    let isLinked = true
    const authorize = async () => {
      if (!isLinked) throw new BridgeError('unauthorized')
      return { accountId: anna, clientId: 'alexa', scopes: [], linkId: 'link-1' }
    }
    const grants = {
      ...world.grants,
      accept: async (...given: Parameters<typeof world.grants.accept>) => {
        await world.grants.accept(...given)
        isLinked = false
      },
    }
    const { handle } = createWorld({ grants, authorize })
    expect((await handle(acceptGrant('code-1'))).event.payload).toHaveProperty('type', 'ACCEPT_GRANT_FAILED')
    expect(await world.grants.has(anna)).toBe(false)
  })

  test('cannot be read from the store, nor used for another account or with another key', async () => {
    await using world = await setUp()
    const bob = accountId('bob')
    await world.grants.accept(given('code-1'), signal)
    const links = world.store.collection('alexa-link')
    const record = await links.get(anna)
    expect(JSON.stringify(record)).not.toContain('Atz')
    await links.put(bob, record?.value)
    expect(await world.grants.bearer(bob)).toEqual({ kind: 'no-grant' })
    expect(await world.make(createSecretKey(randomBytes(32))).bearer(anna)).toEqual({ kind: 'no-grant' })
    expect(world.lines.filter(({ event }) => event === 'alexa.grant-unreadable')).toHaveLength(2)
  })

  test.each([
    ['lwa.clientId', { clientSecret: 'x' }],
    ['lwa.clientSecret', { clientId: 'x' }],
  ])('without the setting %s is refused, and the log names the setting', async (setting, lwa) => {
    await using world = await setUp(lwa)
    expect(world.grants.isConfigured).toBe(false)
    const { handle } = createWorld({ grants: world.grants })
    expect((await handle(acceptGrant())).event.payload).toHaveProperty('type', 'ACCEPT_GRANT_FAILED')
    expect(world.lines).toContainEqual({
      level: 'error',
      event: 'alexa.grant-not-configured',
      fields: expect.objectContaining({ missing: [setting] }),
    })
    expect(world.amazon.requests).toEqual([])
  })

  test('is not taken when LWA refuses our client, fails, or answers no tokens', async () => {
    await using wrongClient = await setUp({ ...client, clientSecret: 'wrong' })
    await expect(wrongClient.grants.accept(given('code-1'), signal)).rejects.toThrow('invalid_client')
    await using world = await setUp()
    const refused = { status: 400, body: { error: 'invalid_client' } }
    world.amazon.state.script.push({ status: 200, body: { access_token: 'a' } }, refused)
    await expect(world.grants.accept(given('code-1'), signal)).rejects.toThrow('invalid_client')
    expect(await world.grants.bearer(anna)).toEqual({ kind: 'no-grant' })
  })

  test.each([
    ['500', { status: 500, body: {} }],
    ['503 in HTML', { status: 503, body: '<html>', headers: { 'content-type': 'text/html' } }],
    ['429', { status: 429, body: { error: 'slow_down' } }],
    ['a broken connection', 'break' as const],
  ])('is asked for once more when LWA answers %s (alexa-smarthome#168)', async (_name, answer) => {
    await using world = await setUp()
    world.amazon.state.script.push(answer)
    await world.grants.accept(given('code-1'), signal)
    expect(await world.grants.bearer(anna)).toHaveProperty('kind', 'token')
    expect(world.amazon.requests.at(-1)).toBe('authorization_code')
  })

  test('is asked for once only when LWA says no', async () => {
    await using world = await setUp()
    world.amazon.state.script.push({ status: 400, body: { error: 'invalid_grant' } })
    const refusal = expect.objectContaining({
      code: 'invalid_request',
      message: expect.stringContaining('invalid_grant'),
    })
    await expect(world.grants.accept(given('code-1'), signal)).rejects.toEqual(refusal)
    expect(world.amazon.requests).toEqual(['scripted 400'])
  })

  test('is given up when nobody waits for it any more', async () => {
    await using world = await setUp()
    world.amazon.state.script.push('hang')
    const hangUp = new AbortController()
    const accepted = world.grants.accept(given('code-1'), hangUp.signal)
    hangUp.abort(new Error('nobody waits'))
    await expect(accepted).rejects.toThrow('nobody waits')
  })
})

describe('a region', () => {
  test('that nobody told is a guess until it is learned', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    expect(await world.grants.bearer(anna)).toMatchObject({ region: 'NA', isGuess: true })
    await world.grants.moved(anna, 'NA')
    expect(await world.grants.bearer(anna)).toEqual({ kind: 'token', token: 'Atza|access-1', region: 'NA' })
  })

  test('is that of the Lambda which took the grant, else the setting, and can be corrected', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1', 'FE'), signal)
    expect(await world.grants.bearer(anna)).toEqual({ kind: 'token', token: 'Atza|access-1', region: 'FE' })
    await world.grants.moved(anna, 'EU')
    expect(await world.grants.bearer(anna)).toHaveProperty('region', 'EU')
    world.pass(3_600_000)
    expect(await world.grants.bearer(anna)).toEqual({ kind: 'token', region: 'EU', token: 'Atza|access-2' })
  })

  test.each([
    ['us-east-1', 'NA'],
    ['eu-west-1', 'EU'],
    ['us-west-2', 'FE'],
    ['eu-central-1', undefined],
    [undefined, undefined],
  ])('of a Lambda in %s is %s', (awsRegion, region) => {
    expect(regionOfLambda(awsRegion)).toBe(region)
  })
})

describe('several processes', () => {
  test('refresh a token once between them', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    world.pass(3_600_000)
    const processes = [world.make(), world.make(), world.make()]
    const bearers = await Promise.all(processes.map((grants) => grants.bearer(anna)))
    expect(bearers).toMatchObject(processes.map(() => ({ kind: 'token', region: 'NA', token: 'Atza|access-2' })))
    expect(refreshes(world.amazon)).toBe(1)
  })
})

const pause = () => new Promise((resolve) => setTimeout(resolve, 250))

describe('at the same time', () => {
  test('a corrected region does not cost the tokens that a refresh brings', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    world.pass(3_600_000)
    const answer = Promise.withResolvers<void>()
    world.amazon.state.beforeRefresh = answer.promise
    const refreshed = world.grants.bearer(anna)
    await pause()
    await world.make().moved(anna, 'EU')
    answer.resolve()
    expect(await refreshed).toEqual({ kind: 'token', region: 'EU', token: 'Atza|access-2' })
    world.pass(3_600_000)
    expect(await world.grants.bearer(anna)).toEqual({ kind: 'token', region: 'EU', token: 'Atza|access-3' })
  })

  test('a corrected region is not taken for a new token', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    const answer = Promise.withResolvers<void>()
    world.amazon.state.beforeRefresh = answer.promise
    const bearers = [world.make(), world.make()].map((grants) => grants.bearer(anna, 'Atza|access-1'))
    await pause()
    await world.make().moved(anna, 'EU')
    await pause()
    answer.resolve()
    for (const bearer of await Promise.all(bearers)) expect(bearer).toHaveProperty('token', 'Atza|access-2')
  })

  test('a grant given anew is not forgotten for what the gateway said of the old one', async () => {
    await using world = await setUp()
    world.amazon.state.codes.add('code-2')
    await world.grants.accept(given('code-1'), signal)
    await world.grants.accept(given('code-2'), signal)
    await world.grants.forget(anna, 'event gateway: 403', { token: 'Atza|access-1' })
    expect(await world.grants.bearer(anna)).toHaveProperty('token', 'Atza|access-2')
    await world.grants.forget(anna, 'event gateway: 403', { token: 'Atza|access-2' })
    expect(await world.grants.bearer(anna)).toEqual({ kind: 'no-grant' })
    expect(await world.grants.has(anna)).toBe(false)
  })

  test('who refreshes after somebody who died has as long for it as anybody', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    world.pass(3_600_000)
    const dead = { onlyIf: 'absent', expiresAt: noon + 3_600_000 + 4_800 } as const
    await world.store.collection('alexa-refresh').put(anna, { heldAt: 0 }, dead)
    const answer = Promise.withResolvers<void>()
    world.amazon.state.beforeRefresh = answer.promise
    const first = world.make().bearer(anna)
    await pause()
    world.pass(4_900)
    await pause()
    world.pass(200)
    const second = world.make().bearer(anna)
    await pause()
    answer.resolve()
    expect(await Promise.all([first, second])).toMatchObject(
      [1, 2].map(() => ({ kind: 'token', region: 'NA', token: 'Atza|access-2' })),
    )
    expect(refreshes(world.amazon)).toBe(1)
  })
})

describe('a token', () => {
  test('is refreshed five minutes ahead of its end, once for all who ask, and the new refresh token is kept', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    world.pass(3_299_000)
    expect(await world.grants.bearer(anna)).toMatchObject({ kind: 'token', region: 'NA', token: 'Atza|access-1' })
    world.pass(1_000)
    const all = await Promise.all(Array.from({ length: 8 }, () => world.grants.bearer(anna)))
    expect(new Set(all.map((bearer) => JSON.stringify(bearer))).size).toBe(1)
    expect(all[0]).toMatchObject({ kind: 'token', region: 'NA', token: 'Atza|access-2' })
    expect(refreshes(world.amazon)).toBe(1)
    world.pass(3_600_000)
    expect(await world.grants.bearer(anna)).toMatchObject({ kind: 'token', region: 'NA', token: 'Atza|access-3' })
  })

  test('that was turned down is refreshed at once, and not again by those who learn of it later', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    expect(await world.grants.bearer(anna, 'Atza|access-1')).toMatchObject({
      kind: 'token',
      region: 'NA',
      token: 'Atza|access-2',
    })
    expect(await world.grants.bearer(anna, 'Atza|access-1')).toMatchObject({
      kind: 'token',
      region: 'NA',
      token: 'Atza|access-2',
    })
    expect(refreshes(world.amazon)).toBe(1)
  })

  test('from a grant accepted during a refresh wins over the refreshed one, and over a refusal', async () => {
    for (const isRefused of [false, true]) {
      await using world = await setUp()
      world.amazon.state.codes.add('code-2')
      await world.grants.accept(given('code-1'), signal)
      world.pass(3_600_000)
      const answer = Promise.withResolvers<void>()
      world.amazon.state.beforeRefresh = answer.promise
      const refreshed = world.grants.bearer(anna)
      if (isRefused) world.amazon.state.refreshTokens.clear()
      await world.grants.accept(given('code-2'), signal)
      answer.resolve()
      expect(await refreshed).toMatchObject({ kind: 'token', region: 'NA', token: 'Atza|access-2' })
      expect(await world.grants.bearer(anna)).toMatchObject({ kind: 'token', region: 'NA', token: 'Atza|access-2' })
    }
  })

  test('of a customer who has withdrawn is forgotten', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    world.amazon.state.refreshTokens.clear()
    world.pass(3_600_000)
    expect(await world.grants.bearer(anna)).toEqual({ kind: 'no-grant' })
    expect(await world.store.collection('alexa-link').get(anna)).toBeUndefined()
  })

  test('is kept when LWA is only out of order', async () => {
    await using world = await setUp()
    await world.grants.accept(given('code-1'), signal)
    world.pass(3_600_000)
    world.amazon.state.script.push({ status: 500, body: {} })
    expect(await world.grants.bearer(anna)).toEqual({ kind: 'unavailable', reason: 'LWA: HTTP 500' })
    expect(await world.grants.bearer(anna)).toMatchObject({ kind: 'token', region: 'NA', token: 'Atza|access-2' })
  })
})
