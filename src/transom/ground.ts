/** What the embedded bridge stands on: its directory, secrets, store, signaling service and HTTP server, opened in this order. */
import { createSecretKey } from 'node:crypto'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createLocalSignaling } from 'transom-kvs/local-signaling'
import type { Clock, Log, Signaling, Store } from 'transom-core/ports'
import { isWildcard } from 'transom-core/setting-shapes'
import { createSqliteStore } from 'transom-core/store/sqlite'
import { startSignalingService, type SignalingService, type SignalingServiceOptions } from 'transom-signaling/service'
import type { Closing } from './closing.ts'
import type { Config } from './config.ts'
import { lockDirectory } from './data-lock.ts'
import { withCredentials } from './demo.ts'
import { createBridgeServer, type Front } from './listener.ts'
import { loadSecrets, type Secrets } from './secrets.ts'
import { atAddress, makeDataDirectory, requireCredentialsKey } from './start-faults.ts'
import { createHttps, type Https } from './tls/https.ts'

export interface Ground {
  readonly secrets: Secrets
  readonly store: Store
  readonly service: SignalingService
  readonly signaling: Signaling
  /** Gives requests to the bridge, by whichever port they come. */
  serve(app: RequestListener): void
  /** Where the bridge speaks HTTPS itself. */
  readonly https: Https | undefined
  /** The file of the store. */
  readonly databasePath: string
  /** By which this machine reaches the bridge, in plain HTTP. */
  readonly localUrl: string
}

/** Takes the directory for this process. Throws an `Error` that says what to do. */
export async function takeDirectory(dataDir: string, closing: Closing): Promise<void> {
  await makeDataDirectory(dataDir)
  closing.add(lockDirectory(dataDir))
}

/** Opens everything, and hands over how it is closed. Throws an `Error` that says what to do. */
export async function openGround(
  config: Config,
  deps: {
    readonly onPresence: NonNullable<SignalingServiceOptions['onPresence']>
    readonly clock: Clock
    readonly log: Log
  },
  closing: Closing,
): Promise<Ground> {
  const { clock, log } = deps
  const databasePath = join(config.dataDir, 'transom.db')
  const secretsPath = join(config.dataDir, 'secrets.json')
  const made = await loadSecrets(secretsPath, databasePath)
  if (made.credentials !== undefined) requireCredentialsKey(config.dataDir)
  const store = createSqliteStore(databasePath, clock)
  closing.add(() => store.close())
  const service = await openService(config, { ...deps, store })
  closing.add(() => service.close())
  const secrets = await withCredentials(made, service, secretsPath, databasePath)
  const signaling = createLocalSignaling(service.local, { log })
  closing.add(() => signaling.close())
  const ports = await openPorts(config, secrets, deps, closing)
  return {
    secrets,
    store,
    service,
    signaling: { ...signaling, iceServers: withoutOwn(signaling, service.ownIceServer) },
    databasePath,
    ...ports,
  }
}

/** The ports of the bridge. With HTTPS, what runs on this machine has a plain one of its own that nobody else reaches. */
async function openPorts(
  config: Config,
  secrets: Secrets,
  { clock, log }: Pick<SignalingServiceOptions, 'clock' | 'log'>,
  closing: Closing,
): Promise<Pick<Ground, 'serve' | 'https' | 'localUrl'>> {
  const { host, port, httpPort, dataDir, publicUrl = '', linking } = config
  const local = createBridgeServer()
  closing.add(() => endServer(local))
  if (config.https === undefined) {
    const { port: opened } = await listenAt('TRANSOM_PORT', host, port, local)
    const localUrl = `http://${nameOf(host)}:${opened}`
    return { serve: (app) => void local.on('request', app), https: undefined, localUrl }
  }
  const { port: opened } = await listenAt('TRANSOM_PORT', '127.0.0.1', 0, local)
  const sealing = createSecretKey(secrets.keys.sealing, 'base64')
  const { language } = linking.brand
  const https = await createHttps({ settings: config.https, dataDir, sealing, publicUrl, language, clock, log })
  closing.add(() => https.close())
  await listenAt('TRANSOM_PORT', host, port, https.front.server)
  if (httpPort !== undefined) {
    const plain = https.createPlain()
    closing.add(() => endServer(plain))
    await listenAt('TRANSOM_HTTP_PORT', host, httpPort, plain)
  }
  const serve = (app: RequestListener) => {
    local.on('request', app)
    https.secure.on('request', app)
  }
  return { serve, https, localUrl: `http://127.0.0.1:${opened}` }
}

function openService(
  config: Config,
  deps: Pick<SignalingServiceOptions, 'store' | 'onPresence' | 'clock' | 'log'>,
): Promise<SignalingService> {
  const { port, region, advertisedHost, advertisedUrl, tls, turn, limits } = config.signaling
  return atAddress('TRANSOM_SIGNALING_PORT', config.host, port, () =>
    startSignalingService({
      ...deps,
      region,
      iceServers: config.iceServers,
      certificateDir: join(config.dataDir, 'certificates'),
      host: config.host,
      port,
      tls,
      limits,
      ...(advertisedHost !== undefined && { advertisedHost }),
      ...(advertisedUrl !== undefined && { advertisedUrl }),
      ...(turn !== undefined && { turn }),
    }),
  )
}

/** The service's own STUN responder is for cameras on this machine; a display elsewhere would gather until its timeout. */
function withoutOwn(signaling: Signaling, own: string | undefined): Signaling['iceServers'] {
  return async (channel, signal) => {
    const servers = await signaling.iceServers(channel, signal)
    return servers.filter(({ urls }) => own === undefined || !urls.includes(own))
  }
}

/** By what name this machine reaches a listener on that address. */
function nameOf(host: string): string {
  if (host === '127.0.0.1' || isWildcard(host)) return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/** Resolves with the address; rejects with an `Error` that names the setting which moves it. */
async function listenAt(setting: string, host: string, port: number, server: Server | Front['server']) {
  await atAddress(setting, host, port, () => listen(server, host, port))
  return server.address() as AddressInfo
}

async function listen(server: Server | Front['server'], host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host, resolve)
  await promise
}

async function endServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  await promise
}
