/** `npm run admin` on a bridge that runs in another process: what it ends, ends there. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { linkAccount } from '../../src/simulator/link.ts'
import { readSettings } from '../../src/simulator/settings.ts'
import { createHouse, type House } from './house.ts'

let house: House
beforeAll(async () => {
  house = createHouse()
  await house.start({ TRANSOM_DOORBELL: 'off' })
})
afterAll(() => house.close())

async function admin(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, ['src/transom/bin.ts', 'admin', ...args], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: house.dataDir, NEW_PASSWORD: 'correct horse' },
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()))
  const [code] = await once(child, 'close', { signal: AbortSignal.timeout(60_000) })
  return { code, ...said }
}

test('a link that the operator ends is over in the running bridge at once', async () => {
  const { bridge, clients, user } = readSettings(house.dataDir)
  const link = { assistant: 'alexa', bridge, client: clients.alexa, user } as const
  const { accessToken } = await linkAccount(link, AbortSignal.timeout(60_000))
  const sessions = async () =>
    (await fetch(`${bridge}/api/sessions`, { headers: { authorization: `Bearer ${accessToken}` } })).status
  expect(await sessions()).toBe(200)
  expect(await admin('user', 'unlink', user.login, 'alexa')).toMatchObject({ code: 0, err: '' })
  expect(await sessions()).toBe(401)
  const { history } = JSON.parse((await admin('user', 'history', user.login)).out)
  expect(history.slice(0, 2)).toMatchObject([{ kind: 'unlinked' }, { kind: 'linked' }])
})

test('a mistake and a bridge that does not run are named, and the exit code says so', async () => {
  expect(await admin('user', 'unlink', 'nobody', 'alexa')).toEqual({
    code: 1,
    out: expect.stringContaining('"message": "there is no user nobody"'),
    err: '',
  })
  expect(await admin('user', 'paint')).toMatchObject({ code: 2, out: expect.stringContaining('wrong_usage') })
  await house.stop()
  expect(await admin('client', 'list')).toMatchObject({ code: 1, out: expect.stringContaining('no bridge runs on') })
})
