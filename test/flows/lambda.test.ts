/** The same calls on the vendor's side of the world: the Lambda entries, DynamoDB and the AWS SDK's KVS clients. */
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
  await house.start({ NODE_EXTRA_CA_CERTS: made.caPath }, ['test/flows/lambda-host.ts', house.dataDir, certificateDir])
}, patience)
afterAll(() => house.close(), patience)

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
