/** Which tokens open which door, over HTTP, with tokens as our own server issues them. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHttpApp, type HttpOptions } from '../../src/bridge/doors/http.ts'
import type { AccountId } from '../../src/core/ports.ts'
import * as directive from '../alexa/directives.ts'
import { conforming } from '../wire/conform.ts'
import { openWholeHouse, type WholeHouse } from './whole-house.ts'

const clients = ['alexa', 'google', 'app', 'console'] as const
type ClientId = (typeof clients)[number]

let house: WholeHouse
let ada: AccountId
let url: string
const tokens = new Map<ClientId, string>()
const closing: (() => void)[] = []

async function serve(forwarderSecret?: string, more: Partial<HttpOptions> = {}): Promise<string> {
  const server = createServer(createHttpApp(house.bridge, () => {}, { forwarderSecret, clock: Date.now, ...more }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

beforeAll(async () => {
  house = await openWholeHouse()
  url = await serve()
  ada = await house.addUser('ada')
  const door = await house.addCamera(ada)
  await house.bridge.snapshots.put(door, Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))
  const redirectUris = ['https://app.example/back']
  await house.bridge.oauth.clients.add({ clientId: 'app', assistant: 'other', redirectUris })
  tokens.set('alexa', await house.link(ada, 'alexa'))
  tokens.set('google', await house.link(ada, 'google'))
  tokens.set('app', await house.tokenFor(ada, 'app'))
  tokens.set('console', await house.tokenFor(ada, 'console'))
})
afterAll(async () => {
  for (const close of closing) close()
  await house[Symbol.asyncDispose]()
})

const authorization = (client: ClientId) => ({ authorization: `Bearer ${tokens.get(client)}` })
const get = async (path: string, client: ClientId) =>
  conforming('GET', await fetch(`${url}${path}`, { headers: authorization(client) }))
const post = (path: string, body: object, headers: Record<string, string> = {}, at = url) =>
  fetch(`${at}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })

async function opens(path: string): Promise<readonly ClientId[]> {
  const statuses = await Promise.all(clients.map(async (client) => (await get(path, client)).status))
  expect(statuses.filter((status) => ![200, 401].includes(status))).toEqual([])
  return clients.filter((_, index) => statuses[index] === 200)
}

describe('each door is open to the tokens of its clients alone', () => {
  test.each([
    ['/api/me', ['app', 'console']],
    ['/api/cameras', ['app', 'console']],
    ['/cameras/front-door/snapshot', ['alexa', 'app', 'console']],
    ['/api/sessions', [...clients]],
    ['/api/notices', [...clients]],
  ])('GET %s: %j', async (path, its) => {
    expect(await opens(path)).toEqual(its)
  })

  test.each(clients)("a token of %s at Google's door", async (client) => {
    const body = { requestId: '1', inputs: [{ intent: 'action.devices.SYNC' }] }
    const { status } = await post('/google/fulfillment', body, authorization(client))
    expect(status).toBe(client === 'google' ? 200 : 401)
  })

  test.each(clients)("a token of %s in Alexa's directives", async (client) => {
    const token = tokens.get(client) ?? ''
    for (const asked of [
      directive.discover(token),
      directive.reportState('front-door', token),
      directive.initiateSession(undefined, { token }),
      directive.sessionConnected(token),
      directive.sessionDisconnected(token),
      directive.initializeStreams('front-door', token),
      directive.getSnapshot('front-door', token),
      directive.setDetectionClasses('front-door', token),
    ]) {
      const { event } = await reply(await post('/alexa', asked))
      const isRefused = event.payload.type === 'INVALID_AUTHORIZATION_CREDENTIAL'
      expect([event.header.name, isRefused]).toEqual([event.header.name, client !== 'alexa'])
    }
  })

  test.each(clients)("a token of %s in a request of Alexa's companion skill", async (client) => {
    const answer = JSON.stringify(await house.bridge.alexa.entry(skillRequest(tokens.get(client) ?? '')))
    expect(answer.includes('LinkAccount')).toBe(client !== 'alexa')
  })

  test.each(['google', 'app', 'console'] as const)('a token of %s grants Alexa nothing', async (client) => {
    const before = await house.store.collection('alexa-link').get(ada)
    house.amazon.state.codes.add('code-of-a-thief')
    const exchanges = house.amazon.requests.length
    const { event } = await reply(await post('/alexa', directive.acceptGrant('code-of-a-thief', tokens.get(client))))
    expect(event.payload.type).toBe('ACCEPT_GRANT_FAILED')
    expect(await house.store.collection('alexa-link').get(ada)).toEqual(before)
    expect(house.amazon.requests).toHaveLength(exchanges)
  })
})

async function listed(client: ClientId, query = '') {
  const { sessions } = (await (await get(`/api/sessions${query}`, client)).json()) as { sessions: { id: string }[] }
  return sessions
}

test("an assistant's token shows the sessions and notices of that assistant", async () => {
  await reply(await post('/alexa', directive.initiateSession(undefined, { token: tokens.get('alexa') ?? '' })))
  await house.bridge.notices.add(ada, 'alexa_same_names', 'Front Door')
  const [session] = await listed('alexa')
  expect(session).toMatchObject({ assistant: 'alexa' })
  for (const client of clients) {
    const isTheirs = client !== 'google'
    expect((await get(`/api/sessions/${session?.id}`, client)).status).toBe(isTheirs ? 200 : 404)
    expect(await listed(client)).toHaveLength(isTheirs ? 1 : 0)
    expect(await listed(client, '?assistant=alexa')).toHaveLength(isTheirs ? 1 : 0)
    expect(await listed(client, '?assistant=google')).toHaveLength(0)
    const { notices } = (await (await get('/api/notices', client)).json()) as { notices: object[] }
    expect(notices).toHaveLength(isTheirs ? 1 : 0)
  }
})

test('owners read of the certificate that cannot be renewed, while it is so; guests and assistants do not', async () => {
  const ending: { now?: { remedy: string; at: number; until: number } } = {
    now: { remedy: 'Forward port 80.', at: 1, until: 2 },
  }
  const at = await serve(undefined, { certificateEnding: () => ending.now })
  const about = async (token: string) => {
    const answer = await fetch(`${at}/api/notices`, { headers: { authorization: `Bearer ${token}` } })
    const { notices } = (await (await conforming('GET', answer)).json()) as { notices: { kind: string }[] }
    return notices.filter(({ kind }) => kind === 'certificate_ending')
  }
  const owner = tokens.get('console') ?? ''
  const bob = await house.addUser('bob')
  const [door] = await house.bridge.cameras.list(ada)
  await house.bridge.shares.share(ada, door!.id, bob, { mayTalk: false })
  const message = 'The HTTPS certificate of this bridge could not be renewed. Forward port 80.'
  expect(await about(owner)).toEqual([
    { kind: 'certificate_ending', message, about: 'Forward port 80.', at: 1, until: 2 },
  ])
  expect(await about(await house.tokenFor(bob, 'console'))).toEqual([])
  expect(await about(tokens.get('alexa') ?? '')).toEqual([])
  delete ending.now
  expect(await about(owner)).toEqual([])
})

test('with a forwarder secret, directives come in signed or not at all', async () => {
  const guarded = await serve('s'.repeat(40))
  const asked = directive.discover(tokens.get('alexa'))
  expect((await post('/alexa', asked, {}, guarded)).status).toBe(404)
  expect((await post('/alexa/forwarded', { region: 'eu-west-1', event: asked }, {}, guarded)).status).toBe(401)
  expect((await reply(await post('/alexa', asked))).event.header.name).toBe('Discover.Response')
})

interface Reply {
  readonly event: { readonly header: { readonly name: string }; readonly payload: { readonly type?: string } }
}
const reply = async (response: Response) => (await response.json()) as Reply

const skillRequest = (accessToken: string) => ({
  version: '1.0',
  session: { new: true, sessionId: 's', application: { applicationId: 'a' }, user: { userId: 'u', accessToken } },
  context: {
    System: {
      application: { applicationId: 'a' },
      user: { userId: 'u', accessToken },
      apiEndpoint: 'https://api.amazonalexa.com',
    },
  },
  request: {
    type: 'IntentRequest',
    requestId: 'r',
    timestamp: '2026-11-22T12:00:00Z',
    locale: 'en-US',
    intent: { name: 'UnmuteIntent', confirmationStatus: 'NONE', slots: {} },
  },
})
