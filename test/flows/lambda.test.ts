/** The same calls on the vendor's side of the world: the Lambda entries, DynamoDB and the AWS SDK's KVS clients. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startSignalingService } from '../../src/signaling/service.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { createHouse } from './house.ts'

const patience = 60_000
const house = createHouse()

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
  await house.start({ NODE_EXTRA_CA_CERTS: made.caPath ?? '' }, [
    'test/flows/lambda-host.ts',
    house.dataDir,
    certificateDir,
  ])
}, patience)
afterAll(() => house.close(), patience)

/** Makes something happen in the host; see there. */
async function ask(what: string, body: object = {}): Promise<{ announced: number; statusCode?: number; ms?: number }> {
  const { control } = JSON.parse(readFileSync(join(house.dataDir, 'control.json'), 'utf8')) as { control: string }
  const response = await fetch(`${control}/${what}`, { method: 'POST', body: JSON.stringify(body) })
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as { announced: number }
}

test(
  'a press leaves in the request that brought it',
  async () => {
    const before = (await ask('slow', { remainingMs: 0 })).announced
    const { announced, statusCode } = await ask('press', { eventId: 'rang', remainingMs: 29_000 })
    expect({ announced, statusCode }).toEqual({ announced: before + 1, statusCode: 202 })
  },
  patience,
)

test(
  'the reply is out before the invocation ends, whatever Alexa does',
  async () => {
    const { announced: before } = await ask('slow', { remainingMs: 4_000 })
    const { announced, statusCode, ms } = await ask('press', { eventId: 'slow', remainingMs: 2_500 })
    expect({ announced, statusCode }).toEqual({ announced: before, statusCode: 202 })
    expect(ms).toBeLessThan(2_500)
    await ask('slow', { remainingMs: 0 })
    expect(await ask('sweep')).toHaveProperty('announced', before + 1)
  },
  patience,
)

test(
  'what another environment left behind is told by the sweep, once',
  async () => {
    const { announced: before } = await ask('left-behind', { eventId: 'frozen' })
    expect(await ask('sweep')).toHaveProperty('announced', before + 1)
    expect(await ask('sweep')).toHaveProperty('announced', before + 1)
    // Without a service account there is nothing to compare, which is no error.
    await ask('reconcile')
  },
  patience,
)

// Last: a call unlinks the account that it linked.
test.each(['alexa', 'google'])(
  '%s is served by Lambda, DynamoDB and KVS',
  async (assistant) => {
    const { code, report } = await house.call('--assistant', assistant)
    expect(report).toMatchObject({ ok: true, cameraId: 'front-door', cause: null })
    expect(report.audioOut.heardByCamera).toBeGreaterThan(20)
    expect(code).toBe(0)
  },
  patience,
)
