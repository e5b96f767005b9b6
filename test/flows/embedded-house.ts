/** The embedded bridge in the process of a test. */
import type { Log } from '../../src/core/ports.ts'
import { readConfig } from '../../src/transom/config.ts'
import { startEmbedded, type Embedded } from '../../src/transom/embedded.ts'
import { until } from '../until.ts'
import { patient } from './house.ts'

/** Starts it on any free ports; resolves when its doorbell, if it has one, is online: the start itself waits some seconds only. */
export async function embedHouse(
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
  log: Log = () => {},
): Promise<Embedded> {
  const own = { TRANSOM_DATA: dataDir, TRANSOM_PORT: '0', TRANSOM_SIGNALING_PORT: '0' }
  const house = await startEmbedded(readConfig({ ...patient, ...own, ...env }), Date.now, log)
  if (env['TRANSOM_DOORBELL'] !== 'off') await until(() => house.bridge.presence(house.camera.channel)?.online)
  return house
}
