/** The forwarding Lambda and the doors behind it: a directive on its way to a bridge at home. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { sign } from '../../src/bridge/signature.ts'
import * as directive from '../alexa/directives.ts'
import { forwarderSecret, openHouse, type Reply } from './house.ts'

// Not an import: the forwarder is no part of the program, and has no types.
const path: string = '../../skills/alexa/forwarder/index.mjs'
const forwarder: { handler(event: unknown): Promise<Reply> } = await import(path)
const { handler } = forwarder

const before = { ...process.env }
let said: string
beforeEach(() => {
  Object.assign(process.env, { BRIDGE_SECRET: forwarderSecret, AWS_REGION: 'eu-west-1' })
  said = ''
  jest.spyOn(console, 'error').mockImplementation((line: unknown) => void (said += `${String(line)}\n`))
})
afterEach(() => {
  jest.restoreAllMocks()
  for (const name of ['BRIDGE_URL', 'BRIDGE_SECRET', 'AWS_REGION']) {
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  }
})

const launch = {
  version: '1.0',
  session: {
    new: true,
    sessionId: 's',
    application: { applicationId: 'a' },
    user: { userId: 'u', accessToken: 'good' },
  },
  context: {
    System: {
      application: { applicationId: 'a' },
      user: { userId: 'u', accessToken: 'good' },
      apiEndpoint: 'https://api.amazonalexa.com',
    },
  },
  request: { type: 'LaunchRequest', requestId: 'r', timestamp: '2026-11-22T12:00:00Z', locale: 'de-DE' },
}

describe('the forwarder', () => {
  test('brings a directive to the bridge and its event back', async () => {
    await using house = await openHouse()
    process.env['BRIDGE_URL'] = `${house.url}/`
    const { event } = await handler(directive.discover())
    expect(event.header.name).toBe('Discover.Response')
    expect(event.payload.endpoints).toHaveLength(2)
  })

  test('tells the region of its Lambda, which becomes that of the customer', async () => {
    await using house = await openHouse()
    process.env['BRIDGE_URL'] = house.url
    await handler(directive.acceptGrant())
    expect(house.lines).toContainEqual(
      expect.objectContaining({ event: 'alexa.grant-stored', fields: expect.objectContaining({ region: 'EU' }) }),
    )
  })

  test('brings requests of the companion skill, too', async () => {
    await using house = await openHouse()
    process.env['BRIDGE_URL'] = house.url
    const { response } = await handler(launch)
    expect(response.outputSpeech.ssml).toContain('Deine Türklingel')
  })

  test('sends the same directive twice if Alexa does', async () => {
    await using house = await openHouse()
    process.env['BRIDGE_URL'] = house.url
    const both = await Promise.all([handler(directive.discover()), handler(directive.discover())])
    expect(both.map(({ event }) => event.header.name)).toEqual(['Discover.Response', 'Discover.Response'])
  })

  test.each([
    ['nobody listens', { BRIDGE_URL: 'http://127.0.0.1:1' }],
    ['the secret is not set', { BRIDGE_SECRET: '' }],
    ['the bridge is not reached by https', { BRIDGE_URL: 'http://bridge.example' }],
  ])('answers with an error that Alexa understands when %s', async (_name, env) => {
    Object.assign(process.env, { BRIDGE_URL: 'https://bridge.example' }, env)
    const { event } = await handler(directive.reportState())
    expect(event).toMatchObject({
      header: { namespace: 'Alexa', name: 'ErrorResponse', correlationToken: directive.correlationToken },
      endpoint: { endpointId: 'front-door' },
      payload: { type: 'BRIDGE_UNREACHABLE' },
    })
    expect(said).toContain('error')
    expect(said).not.toContain('good')
    const grant = await handler(directive.acceptGrant())
    expect(grant.event.payload.type).toBe('ACCEPT_GRANT_FAILED')
    await expect(handler(launch)).rejects.toThrow()
  })

  test('with another secret is refused', async () => {
    await using house = await openHouse()
    Object.assign(process.env, { BRIDGE_URL: house.url, BRIDGE_SECRET: 'x'.repeat(40) })
    expect((await handler(directive.discover())).event.payload.type).toBe('BRIDGE_UNREACHABLE')
  })
})

describe('its door', () => {
  const body = JSON.stringify({ region: 'eu-west-1', event: directive.discover() })
  const knock = (url: string, timestamp: string, signature: string, sent = body) =>
    fetch(`${url}/alexa/forwarded`, {
      method: 'POST',
      headers: { 'x-transom-timestamp': timestamp, 'x-transom-signature': signature },
      body: sent,
    })

  test('opens once for a signed request, and not for an old, changed or unsigned one', async () => {
    await using house = await openHouse()
    const now = `${Math.floor(Date.now() / 1000)}`
    const good = sign(forwarderSecret, now, body)
    expect((await knock(house.url, now, good)).status).toBe(200)
    expect((await knock(house.url, now, good)).status).toBe(401)
    expect((await knock(house.url, now, sign(forwarderSecret, now, body), body.replace('eu', 'us'))).status).toBe(401)
    const old = `${Number(now) - 301}`
    expect((await knock(house.url, old, sign(forwarderSecret, old, body))).status).toBe(401)
    expect((await knock(house.url, now, '')).status).toBe(401)
  })

  test.each([
    ['no JSON', 'nothing', 'must be JSON'],
    ['no region', '{"event":{}}', 'region: is missing'],
  ])('tells who forwards %s which field is wrong', async (_, sent, message) => {
    await using house = await openHouse()
    const now = `${Math.floor(Date.now() / 1000)}`
    const response = await knock(house.url, now, sign(forwarderSecret, now, sent), sent)
    expect(response.status).toBe(400)
    expect(JSON.stringify(await response.json())).toContain(message)
  })
})
