/** The operator's command line and API, on a bridge that runs: here, and elsewhere by its operator key. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { conforming } from '../wire/conform.ts'
import { createTerminal } from './terminal.ts'
import { createHttpApp } from '../../src/bridge/doors/http.ts'
import { createOperatorRoutes, type OperatorAccess } from '../../src/bridge/operator/operator.ts'
import type { Registrations } from '../../src/bridge/operator/registration-ports.ts'
import type { OAuth } from '../../src/bridge/oauth/server.ts'
import { initiateSession } from '../alexa/directives.ts'
import { openWholeHouse, type WholeHouse } from './whole-house.ts'

const operatorKey = 'operator-key-of-the-tests-32-characters'
/** Cameras are not what is tried here. */
const registrations = {} as Registrations
let house: WholeHouse
let oauth: OAuth
let server: Server
let here: OperatorAccess
let elsewhere: OperatorAccess
beforeAll(async () => {
  house = await openWholeHouse({ TRANSOM_OPERATOR_KEY: operatorKey })
  oauth = house.bridge.oauth
  const operator = createOperatorRoutes({
    keys: ['token-of-this-run'],
    registrations,
    linking: house.bridge.linking,
    broker: house.bridge.broker,
    admin: oauth.admin,
  })
  const app = express().use(
    createHttpApp(house.bridge, () => {}, { forwarderSecret: undefined, operator, clock: Date.now }),
  )
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  here = { url: `${url}/operator/admin`, token: 'token-of-this-run' }
  elsewhere = { url: `${url}/oauth/admin`, token: operatorKey }
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await house[Symbol.asyncDispose]()
})

/** Every answer that the command line reads is one of the document. */
const untouched = globalThis.fetch
beforeAll(() => {
  globalThis.fetch = async (input, init) => {
    const response = await untouched(input, init)
    return /\/admin\//.test(response.url) ? conforming(init?.method ?? 'GET', response) : response
  }
})
afterAll(() => {
  globalThis.fetch = untouched
})

/** What a command prints as JSON. Rejects with what it prints when it fails, and with its exit status. */
async function runOn(access: OperatorAccess, line: string, password = ''): Promise<Record<string, unknown>> {
  const terminal = createTerminal({ access, secrets: password === '' ? [] : [password] })
  const status = await terminal.run('admin', ...line.split(' '))
  const printed = JSON.parse(terminal.printed()) as Record<string, unknown>
  if (status === 0) return printed
  const { message } = printed['error'] as { readonly message: string }
  throw new Error(`${status}: ${message}`)
}
const run = (line: string, password = '') => runOn(here, line, password)

test('a user is added with a password from the environment, and can sign in', async () => {
  const { accountId } = await run('user add ada --name Ada', 'correct horse')
  expect(await oauth.users.authenticate('ada', 'correct horse')).toMatchObject({ accountId, name: 'Ada' })
  await expect(run('user add ada', 'correct horse')).rejects.toThrow('This login is taken')
  await expect(run('user add bob', 'short')).rejects.toThrow('password')
  await expect(run('user add bob')).rejects.toThrow('1: no password came')
})

test('an invitation and a reset are links at the public address', async () => {
  const link = /^https:\/\/bridge\.example\/oauth\/welcome\/[\w-]{32}$/
  expect((await run('user invite --hours 1'))['link']).toMatch(link)
  const reset = String((await run('user reset ada'))['link'])
  expect(await oauth.tickets.look(reset.split('/').at(-1) ?? '')).toMatchObject({ kind: 'reset' })
  await expect(run('user reset nobody')).rejects.toThrow('there is no user nobody')
  await expect(run('user invite --hours soon')).rejects.toThrow('--hours')
})

test('clients are added with the addresses of their console, rotated and removed', async () => {
  const skill = await run('client add alexa --vendor M2AAAAAAAAAAAA')
  expect(skill['clientSecret']).toMatch(/^[0-9a-f]{48}$/)
  expect(skill['redirectUris']).toEqual([
    'https://pitangui.amazon.com/api/skill/link/M2AAAAAAAAAAAA',
    'https://layla.amazon.com/api/skill/link/M2AAAAAAAAAAAA',
    'https://alexa.amazon.co.jp/api/skill/link/M2AAAAAAAAAAAA',
  ])
  const project = await run('client add google --project doorbell --id home --tenant north')
  expect(project).toMatchObject({
    clientId: 'home',
    redirectUris: [
      expect.stringContaining('/r/doorbell'),
      expect.stringContaining('sandbox'),
      expect.stringContaining('/a/com.google.Chromecast'),
    ],
    deepLink: 'https://home.google.com/home-app/?deeplink=setup%2Fha_linking%3Fagent_id%3Ddoorbell',
  })
  expect((await run(`client rotate ${String(skill['clientId'])}`))['clientSecret']).not.toBe(skill['clientSecret'])
  expect(JSON.stringify(await run('client list'))).toContain('"tenant":"north"')
  expect(await run('client remove home')).toEqual({ removed: 'home' })
  await expect(run('client remove home')).rejects.toThrow('no such client')
  await expect(run('client remove alexa')).rejects.toThrow('configuration')
  await expect(run('client add siri')).rejects.toThrow('2: ')
})

test('keys are rotated', async () => {
  const before = await oauth.keyring.list()
  const { kid } = await run('keys rotate')
  const { keys } = (await run('keys list')) as { keys: { kid: string; until?: number }[] }
  expect(keys.map((key) => key.kid)).toEqual([kid, before[0]?.kid])
  expect(keys[1]?.until).toBeGreaterThan(Date.now() + 3_600_000)
})

describe.each([
  ['here', () => here],
  ['elsewhere', () => elsewhere],
])('a bridge that runs %s', (where, access) => {
  const ask = (line: string, password = '') => runOn(access(), line, password)
  const [owner, guest] = [`owner-${where}`, `guest-${where}`]

  test('unlinks as if the person had: views end, both assistants are told, and the owner reads it', async () => {
    await ask(`user add ${owner}`, 'correct horse')
    const { accountId } = (await oauth.users.find(owner))!
    await house.addCamera(accountId, `hall-${where}`)
    const token = await house.link(accountId, 'alexa')
    await house.link(accountId, 'google')
    await house.bridge.alexa.handler(initiateSession(undefined, { endpointId: `hall-${where}`, token }))
    const open = async () => (await house.bridge.broker.recent(accountId)).map(({ phase }) => phase)
    expect(await open()).toEqual(['answered'])
    expect((await ask(`user links ${owner}`))['links']).toHaveLength(2)
    expect(await house.store.collection('alexa-link').get(accountId)).toBeDefined()
    for (const assistant of ['alexa', 'google']) {
      expect(await ask(`user unlink ${owner} ${assistant}`)).toEqual({ unlinked: assistant })
    }
    await house.bridge.settled()
    expect(await open()).toEqual(['closed'])
    expect(await house.store.collection('alexa-link').get(accountId)).toBeUndefined()
    expect(house.google.calls).toContainEqual(expect.objectContaining({ call: 'delete', account: accountId }))
    expect((await ask(`user links ${owner}`))['links']).toEqual([])
    const { history } = (await ask(`user history ${owner}`)) as { history: { kind: string }[] }
    expect(history.map(({ kind }) => kind)).toEqual(['unlinked', 'unlinked'])
    await expect(ask(`user unlink ${owner} siri`)).rejects.toThrow('alexa, google')
  })

  test('shares a camera by logins, and both can read it', async () => {
    await ask(`user add ${guest}`, 'battery staple')
    const [from, to] = [(await oauth.users.find(owner))!.accountId, (await oauth.users.find(guest))!.accountId]
    await house.addCamera(from, `door-${where}`)
    expect(await ask(`share add door-${where} ${owner} ${guest} --talk`)).toEqual({ shared: `door-${where}` })
    const { visible } = house.bridge.shares
    expect(await visible.list(to)).toMatchObject([{ id: `door-${where}`, hasSpeaker: true }])
    await ask(`share remove door-${where} ${owner} ${guest}`)
    expect(await visible.list(to)).toEqual([])
    for (const login of [owner, guest]) {
      const { history } = (await ask(`user history ${login}`)) as { history: { kind: string }[] }
      expect(history.slice(0, 2).map(({ kind }) => kind)).toEqual(['unshared', 'shared'])
    }
    await expect(ask(`share add door-${where} ${guest} ${owner}`)).rejects.toThrow('no such camera')
    await expect(ask(`share add door-${where} ${owner} nobody`)).rejects.toThrow('there is no user nobody')
  })
})

test('what was tried with logins that nobody has is kept for the operator', async () => {
  await oauth.audit.write('nobody', 'login-failed', 'from 203.0.113.7')
  expect((await run('user history'))['history']).toMatchObject([{ kind: 'login-failed' }])
})

test('an unknown command is a mistake, a wrong token opens nothing', async () => {
  await expect(run('user delete ada')).rejects.toThrow("2: unknown command 'delete'")
  for (const { url } of [here, elsewhere])
    await expect(runOn({ url, token: 'x' }, 'client list')).rejects.toThrow('1: this is not the key of the operator')
  await expect(runOn({ url: 'http://127.0.0.1:1', token: 'x' }, 'client list')).rejects.toThrow('does not answer')
})
