/** The operator's command line, on the store of a bridge that was started once. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openOperator, runAdmin, type Operator } from '../../src/app/admin.ts'
import { createCameras } from '../../src/app/cameras.ts'
import { loadSecrets } from '../../src/app/secrets.ts'
import { accountId, cameraId } from '../../src/ports.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'

const directory = mkdtempSync(join(tmpdir(), 'transom-admin-'))
const env = { TRANSOM_DATA: directory, TRANSOM_PUBLIC_URL: 'https://bridge.example' }
const log = () => {}
let operator: Operator
beforeAll(async () => {
  const database = join(directory, 'transom.db')
  await loadSecrets(join(directory, 'secrets.json'), database)
  await createSqliteStore(database, Date.now).close()
  operator = await openOperator(env, Date.now, log)
})
afterAll(async () => {
  await operator.close()
  rmSync(directory, { recursive: true })
})

const run = async (line: string): Promise<Record<string, string>> =>
  (await runAdmin(operator, line.split(' '))) as Record<string, string>

test('a user is added with a password from the environment, and is found by the bridge', async () => {
  process.env['NEW_PASSWORD'] = 'correct horse'
  const { accountId: account } = await run('user add ada --name Ada')
  expect(await operator.oauth.users.authenticate('ada', 'correct horse')).toMatchObject({ accountId: account })
  await expect(run('user add ada')).rejects.toThrow('this login is taken')
  process.env['NEW_PASSWORD'] = 'short'
  await expect(run('user add bob')).rejects.toThrow('password')
  delete process.env['NEW_PASSWORD']
})

test('an invitation and a reset are links at the public address', async () => {
  expect((await run('user invite --hours 1'))['link']).toMatch(/^https:\/\/bridge\.example\/oauth\/welcome\/[\w-]{32}$/)
  const code = (await run('user reset ada'))['link']?.split('/').at(-1) ?? ''
  expect(await operator.oauth.tickets.look(code)).toMatchObject({ kind: 'reset' })
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
    redirectUris: [expect.stringContaining('/r/doorbell'), expect.anything()],
  })
  expect((await run(`client rotate ${skill['clientId']}`))['clientSecret']).not.toBe(skill['clientSecret'])
  expect(JSON.stringify(await run('client list'))).toContain('"tenant":"north"')
  await run('client remove home')
  await expect(run('client remove home')).rejects.toThrow('no such client')
  await expect(run('client remove alexa')).rejects.toThrow('configuration')
  await expect(run('client add siri')).rejects.toThrow('which kind')
})

test('keys are rotated', async () => {
  const before = await operator.oauth.keyring.list()
  const { kid } = await run('keys rotate')
  const after = (await run('keys list')) as unknown as { kid: string; until?: number }[]
  expect(after.map((key) => key.kid)).toEqual([kid, before[0]?.kid])
  expect(after[1]?.until).toBeGreaterThan(Date.now() + 3_600_000)
})

describe('a camera', () => {
  test('is shared by logins, and the owner can read it', async () => {
    process.env['NEW_PASSWORD'] = 'battery staple'
    const { accountId: bob = '' } = await run('user add bob')
    const owner = (await operator.oauth.users.find('ada'))!.accountId
    const store = createSqliteStore(join(directory, 'transom.db'), Date.now)
    await createCameras(store).put(
      {
        id: cameraId('door'),
        accountId: owner,
        name: 'Door',
        kind: 'doorbell',
        hasSpeaker: true,
        channel: { channelName: 'door', road: 'viewer' },
        manufacturer: 'M',
        model: 'D',
      },
      'key',
    )
    await run('share add door ada bob --talk')
    expect(await operator.shares.visible.list(accountId(bob))).toMatchObject([{ id: 'door', hasSpeaker: true }])
    await run('share remove door ada bob')
    expect(await operator.shares.visible.list(accountId(bob))).toEqual([])
    const history = (await run('user history ada')) as unknown as { kind: string }[]
    expect(history.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['shared', 'unshared']))
    await expect(run('share add door bob ada')).rejects.toMatchObject({ code: 'camera_not_found' })
    await store.close()
  })
})

test('an unknown command lists the known ones, and a directory without a bridge says so', async () => {
  await expect(run('user delete ada')).rejects.toThrow('client rotate ID')
  await expect(openOperator({ TRANSOM_DATA: join(directory, 'none') }, Date.now, log)).rejects.toThrow(
    'there is no bridge',
  )
})
