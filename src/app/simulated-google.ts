/** With `TRANSOM_GOOGLE_SERVICE_ACCOUNT=simulator` the bridge speaks to a Home Graph that the simulator plays on this machine. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { saveSecrets } from './secrets.ts'

/** What the simulator must know to play Google's token endpoint and Home Graph. */
export interface SimulatedGoogle {
  readonly url: string
  readonly clientEmail: string
  readonly publicKey: string
}

const clientEmail = 'bridge@simulator.iam.gserviceaccount.com'
const usualPort = 8090

/** The settings with a service account of the simulator's own in place of the word `simulator`; otherwise as they are. */
export async function withSimulatedGoogle(
  config: Config,
): Promise<{ readonly config: Config; readonly simulated: SimulatedGoogle | undefined }> {
  const asked = /^simulator(?::(\d{1,5}))?$/.exec(config.google.serviceAccountPath ?? '')
  if (asked === null) return { config, simulated: undefined }
  const url = `http://127.0.0.1:${asked[1] ?? usualPort}`
  const path = join(config.dataDir, 'simulated-google.json')
  const privateKey = existsSync(path) ? await readKey(path) : newKey()
  const keyFile = {
    type: 'service_account',
    client_email: clientEmail,
    private_key: privateKey,
    token_uri: `${url}/token`,
  }
  await saveSecrets(path, keyFile)
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  return {
    config: { ...config, google: { ...config.google, serviceAccountPath: path, homeGraphUrl: url } },
    simulated: { url, clientEmail, publicKey },
  }
}

async function readKey(path: string): Promise<string> {
  return (JSON.parse(await readFile(path, 'utf8')) as { private_key: string }).private_key
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}
