/** The same calls on the vendor's side of the world: the Lambda entries, DynamoDB and the AWS SDK's KVS clients. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startSignalingService } from '../../src/signaling/service.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { createHouse } from './house.ts'

const root = join(import.meta.dirname, '..', '..')
const house = createHouse()
let authority = ''

beforeAll(async () => {
  // Node reads extra authorities when it starts, so ours must be there before.
  const certificateDir = join(house.dataDir, 'certificates')
  const made = await startSignalingService({
    store: createSqliteStore(':memory:', Date.now),
    certificateDir,
    host: '127.0.0.1',
    port: 0,
    region: 'us-east-1',
    iceServers: [],
    clock: Date.now,
    log: () => {},
  })
  await made.close()
  authority = made.caPath ?? ''
  await house.start({ NODE_EXTRA_CA_CERTS: authority }, ['test/flows/lambda-host.ts', house.dataDir, certificateDir])
})
afterAll(() => house.close())

interface Host {
  readonly control: string
  readonly url: string
  readonly operatorKey: string
  readonly accountId: string
}
const host = (): Host => JSON.parse(readFileSync(join(house.dataDir, 'control.json'), 'utf8'))

/** Runs a program of ours as an operator elsewhere does: all it has is the address and the operator key. */
async function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', TRANSOM_DATA: house.dataDir, NODE_EXTRA_CA_CERTS: authority, ...env },
  })
  const said = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()))
  const [code] = await once(child, 'close', { signal: AbortSignal.timeout(60_000) })
  return { code: Number(code), ...said }
}
const transom = (operatorKey: string, ...args: readonly string[]) =>
  run('src/transom/bin.ts', ['camera', ...args], { TRANSOM_PUBLIC_URL: host().url, TRANSOM_OPERATOR_KEY: operatorKey })

interface Happened {
  readonly announced: number
  readonly statusCode?: number
  readonly ms?: number
  readonly discovered?: { readonly event: { readonly payload: { readonly endpoints: { endpointId: string }[] } } }
}

/** Makes something happen in the host; see there. */
async function ask(what: string, body: object = {}): Promise<Happened> {
  const { control } = host()
  const response = await fetch(`${control}/${what}`, { method: 'POST', body: JSON.stringify(body) })
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as Happened
}

test('a press leaves in the request that brought it', async () => {
  const before = (await ask('slow', { remainingMs: 0 })).announced
  const { announced, statusCode } = await ask('press', { eventId: 'rang', remainingMs: 29_000 })
  expect({ announced, statusCode }).toEqual({ announced: before + 1, statusCode: 202 })
})

test('a press of a queue is announced before its invocation ends, once, and what is no event comes again', async () => {
  const { announced: before } = await ask('slow', { remainingMs: 0 })
  for (let round = 0; round < 2; round += 1)
    expect(await ask('queue', { eventId: 'queued' })).toMatchObject({
      announced: before + 1,
      batchItemFailures: [{ itemIdentifier: '2' }],
    })
})

test('the reply is out before the invocation ends, whatever Alexa does', async () => {
  const { announced: before } = await ask('slow', { remainingMs: 60_000 })
  const { announced, statusCode, ms } = await ask('press', { eventId: 'slow', remainingMs: 2_500 })
  expect({ announced, statusCode }).toEqual({ announced: before, statusCode: 202 })
  expect(ms).toBeLessThan(60_000)
  await ask('slow', { remainingMs: 0 })
  expect(await ask('sweep')).toHaveProperty('announced', before + 1)
})

test('what another environment left behind is told by the sweep, once', async () => {
  const { announced: before } = await ask('left-behind', { eventId: 'frozen' })
  expect(await ask('sweep')).toHaveProperty('announced', before + 1)
  expect(await ask('sweep')).toHaveProperty('announced', before + 1)
  // Without a service account there is nothing to compare, which is no error.
  await ask('reconcile')
})

test('a camera is added by the operator key, discovered by Alexa, changed, and removed', async () => {
  const { operatorKey, accountId } = host()
  const operate = async (...args: readonly string[]) => transom(operatorKey, ...args)
  const added = await operate(
    'add',
    'porch',
    '--name',
    'Porch',
    '--channel',
    'vendor-7',
    '--account',
    accountId,
    '--json',
  )
  expect(added).toMatchObject({ code: 0, err: '' })
  const { cameraKey, eventsUrl, ...rest } = JSON.parse(added.out) as Record<'cameraKey' | 'eventsUrl', string>
  expect(rest).toEqual({ cameraId: 'porch', channelName: 'vendor-7' })
  expect(await discovered()).toMatchObject({ porch: { friendlyName: 'Porch', manufacturerName: 'Transom' } })

  const changed = await operate('change', 'porch', '--name', 'Back porch', '--manufacturer', 'Vendor', '--motion')
  expect(changed).toMatchObject({ code: 0, err: '' })
  const { porch } = await discovered()
  expect(porch).toMatchObject({ friendlyName: 'Back porch', manufacturerName: 'Vendor' })
  expect(JSON.stringify(porch)).toContain('Alexa.MotionSensor')
  expect(await pressed(eventsUrl, cameraKey)).toBe(202)

  const renewed = JSON.parse((await operate('key', 'porch', '--json')).out) as { cameraKey: string }
  expect([await pressed(eventsUrl, cameraKey), await pressed(eventsUrl, renewed.cameraKey)]).toEqual([401, 202])
  const listed = JSON.parse((await operate('list', '--owner', 'owner@example.com', '--json')).out)
  expect(listed).toContainEqual(
    expect.objectContaining({ cameraId: 'porch', channelName: 'vendor-7', name: 'Back porch', hasMotion: true }),
  )

  expect(await operate('remove', 'porch')).toMatchObject({ code: 0 })
  expect(Object.keys(await discovered())).toEqual(['front-door'])
  expect(await operate('change', 'porch', '--name', 'x')).toMatchObject({
    code: 1,
    err: 'there is no camera porch\n',
  })
})

test('what is wrong with a camera is said, and nobody is let in without the key', async () => {
  const { operatorKey, accountId } = host()
  expect((await transom('x'.repeat(32), 'list')).err).toContain('not the key of the operator')
  for (const [args, message] of [
    [['add', 'attic'], 'owner (a login) or account (an account id)?'],
    [['add', 'attic', '--account', 'nobody'], 'there is no account nobody'],
    [['add', 'attic', '--account', accountId, '--channel', 'front-door'], 'is that of camera front-door'],
    [['revoke', 'AKIA'], 'those of IAM'],
  ] as const) {
    expect(await transom(operatorKey, ...args)).toMatchObject({ code: 1, err: expect.stringContaining(message) })
  }
})

async function pressed(eventsUrl: string, cameraKey: string): Promise<number | undefined> {
  return (await ask('ring', { eventsUrl, cameraKey, eventId: randomUUID() })).statusCode
}

/** What Alexa discovers of the owner, by endpoint id. */
async function discovered(): Promise<Record<string, object>> {
  const { discovered: answer } = await ask('discover')
  const endpoints = answer?.event.payload.endpoints ?? []
  return Object.fromEntries(endpoints.map((endpoint) => [endpoint.endpointId, endpoint]))
}

// Last: a call unlinks the account that it linked.
test.each(['alexa', 'google'])('%s is served by Lambda, DynamoDB and KVS', async (assistant) => {
  const { code, report } = await house.call('--assistant', assistant)
  expect(report).toMatchObject({ ok: true, cameraId: 'front-door', cause: null })
  expect(report.audioOut.heardByCamera).toBeGreaterThan(20)
  expect(code).toBe(0)
})
