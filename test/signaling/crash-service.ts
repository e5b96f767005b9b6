/** A signaling service in a process of its own, to be killed: its directory is the argument, and it talks by messages. */
import { join } from 'node:path'
import { startSignalingService } from '../../src/signaling/service.ts'
import { createSqliteStore } from '../../src/core/store/sqlite.ts'
import { noRates, region } from './running-service.ts'

const directory = process.argv[2] ?? ''
const service = await startSignalingService({
  store: createSqliteStore(join(directory, 'transom.db'), Date.now),
  certificateDir: join(directory, 'certificates'),
  host: '127.0.0.1',
  port: 0,
  region,
  iceServers: [],
  clock: Date.now,
  log: () => {},
  limits: { rates: noRates },
})
const key = await service.createCredentials({ kind: 'application' })
// Each message asks for one key; the answer is the acknowledgement.
process.on('message', (channelName: string) => {
  void service.createCredentials({ kind: 'camera', channelName }).then((issued) => process.send?.({ issued }))
})
process.send?.({ endpoint: service.endpoint, ca: service.ca, key })
// Nobody is left to end it.
process.on('disconnect', () => process.exit())
