/** Refreshing under the conditions of real life: lost answers, parallel requests, a thief, a process that is killed. */
import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import * as oauth from 'oauth4webapi'
import type { OAuthClient } from '../../src/bridge/oauth/client.ts'
import { alexa, google, type House, openHouse } from './house.ts'
import { authorize, codeFields, link, refresh, requestTokens, type TokenAnswer } from './visitor.ts'

let house: House
beforeAll(async () => {
  house = await openHouse()
})
afterAll(() => house.close())

describe('a client whose refresh tokens rotate', () => {
  const redirectUris = ['http://localhost:7777/back']
  let client: OAuthClient
  beforeAll(async () => {
    const made = await house.oauth().clients.add({ assistant: 'other', redirectUris })
    client = { assistant: 'other', redirectUris, clientSecret: '', ...made }
  })

  async function linked(): Promise<string> {
    const verifier = oauth.generateRandomCodeVerifier()
    const challenge = await oauth.calculatePKCECodeChallenge(verifier)
    const back = await authorize(house, client, { code_challenge: challenge, code_challenge_method: 'S256' })
    const fields = codeFields(back.searchParams.get('code'), redirectUris[0] ?? '')
    const { body } = await requestTokens(house, client, {
      ...fields,
      client_id: client.clientId,
      client_secret: client.clientSecret,
      code_verifier: verifier,
    })
    return body.refresh_token ?? ''
  }
  const use = (token: string): Promise<TokenAnswer> =>
    requestTokens(house, { ...client, assistant: 'google' }, { grant_type: 'refresh_token', refresh_token: token })
  const next = async (token: string): Promise<string> => {
    const { status, body } = await use(token)
    expect([status, body.error]).toEqual([200, undefined])
    return body.refresh_token ?? ''
  }
  const dead = { status: 400, body: { error: 'invalid_grant' } }

  test('gets a new one each time', async () => {
    const first = await linked()
    const second = await next(first)
    const third = await next(second)
    expect(new Set([first, second, third]).size).toBe(3)
  })

  test('may repeat a refresh within the grace, and each answer goes on', async () => {
    const first = await linked()
    const answers = await Promise.all(Array.from({ length: 8 }, () => next(first)))
    expect(new Set(answers).size).toBe(8)
    await next(answers[3] ?? '')
    await next(answers[5] ?? '')
    await next(first)
  })

  test('whose answer was lost may repeat days later, as nobody has used the next token', async () => {
    const first = await linked()
    const lost = await next(first)
    house.advance(3 * 86_400_000)
    const found = await next(first)
    house.advance(120_000)
    await next(found)
    house.advance(-3 * 86_400_000 - 120_000)
    expect(lost).not.toBe(found)
  })

  test('loses the link when a token comes back after the next one was used: one of the two is a thief', async () => {
    const stolen = await linked()
    const owners = await next(await next(stolen))
    house.advance(61_000)
    expect(await use(stolen)).toMatchObject(dead)
    expect(await use(owners)).toMatchObject(dead)
    house.advance(-61_000)
    expect((await house.oauth().audit.read(house.account))[0]).toMatchObject({ kind: 'token-reused' })
  })

  test('loses the link also when the thief was first and the owner comes second', async () => {
    const stolen = await linked()
    const thiefs = await next(stolen)
    house.advance(600_000)
    // The owner's answer could have been lost, so the owner is served …
    const owners = await next(stolen)
    house.advance(600_000)
    await next(owners)
    house.advance(600_000)
    // … and the thief gives himself away.
    expect(await use(thiefs)).toMatchObject(dead)
    expect(await use(owners)).toMatchObject(dead)
    house.advance(-1_800_000)
  })

  test('reads no more for its hundredth rotation than for its third', async () => {
    let token = await linked()
    const reads: number[] = []
    for (let round = 0; round < 100; round += 1) {
      const before = house.read.length
      token = await next(token)
      reads.push(house.read.length - before)
    }
    // Now and then a look at what else has changed is among them.
    expect(Math.min(...reads.slice(-10))).toBe(Math.min(...reads.slice(2, 12)))
  })

  test('goes on for weeks, and the store keeps a week of them', async () => {
    let token = await linked()
    for (let hour = 0; hour < 400; hour += 1) {
      token = await next(token)
      house.advance(3_600_000)
    }
    const grants = await house.store.collection<{ clientId: string }>('oauth-Grant').list(house.account)
    const sizes = await Promise.all(
      grants
        .filter(({ value }) => value.clientId === client.clientId)
        .map(async ({ id }) => (await house.store.collection('oauth-RefreshToken').list(id, { limit: 2000 })).length),
    )
    house.advance(-400 * 3_600_000)
    expect(Math.max(...sizes)).toBeLessThan(200)
  })
})

describe('the assistants, whose refresh tokens stay', () => {
  test('two refreshes at once, a thousand times: the link is never lost', async () => {
    const links = await Promise.all(
      [alexa, google].map(async (client) => ({ client, tokens: await link(house, client) })),
    )
    for (let round = 0; round < 500; round += 1) {
      for (const { client, tokens } of links) {
        const both = await Promise.all([1, 2].map(() => refresh(house, client, tokens.refresh_token)))
        expect(both.map(({ status, body }) => [status, body.refresh_token])).toEqual(
          both.map(() => [200, tokens.refresh_token]),
        )
        expect(both[0]?.body.access_token).not.toBe(both[1]?.body.access_token)
      }
    }
  })

  test('kill -9 in the middle: no link is lost', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'transom-kill-'))
    let running: Running | undefined
    try {
      running = await startProcess(directory)
      const made = await Promise.all([0, 1, 2, 3].map(() => running!.link()))
      for (let round = 0; round < 8; round += 1) {
        // Refreshes are on their way in all states when the process dies.
        const { refreshToken } = running
        const asked = Array.from({ length: 40 }, (_, index) =>
          refreshToken(made[index % made.length] ?? '').catch(() => 0),
        )
        await Promise.race(asked)
        await running.kill()
        await Promise.all(asked)
        running = await startProcess(directory)
        for (const token of made) expect(await running.refreshToken(token)).toBe(200)
      }
    } finally {
      await running?.kill()
      rmSync(directory, { recursive: true })
    }
  })
})

interface Running {
  link(): Promise<string>
  /** The status of a refresh; rejects when the process is gone. */
  refreshToken(token: string): Promise<number>
  kill(): Promise<void>
}

/** A linking server in a process of its own, on a store on disk. */
async function startProcess(directory: string): Promise<Running> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'server-process.ts'), [directory], {
    execArgv: ['--no-warnings'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const issuer = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve(typeof message === 'string' ? message : ''))
    child.once('exit', () => reject(new Error('the server ended')))
  })
  const there = { issuer }
  return {
    link: async () => (await link(there, google)).refresh_token,
    refreshToken: async (token) => (await refresh(there, google, token)).status,
    kill: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        child.once('exit', () => resolve())
        child.kill('SIGKILL')
      }),
  }
}
