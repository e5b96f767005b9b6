/** What the embedded bridge stands on: its directory, secrets, store, signaling service and HTTP server, opened in this order. */
import type { Server } from 'node:http'
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
import { createBridgeServer } from './listener.ts'
import { loadSecrets, type Secrets } from './secrets.ts'
import { atAddress, makeDataDirectory, requireCredentialsKey } from './start-faults.ts'

export interface Ground {
  readonly secrets: Secrets
  readonly store: Store
  readonly service: SignalingService
  readonly signaling: Signaling
  readonly server: Server
  /** The file of the store. */
  readonly databasePath: string
  /** By which this machine reaches the server. */
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
  const server = await atAddress('TRANSOM_PORT', config.host, config.port, () => listen(config.host, config.port))
  closing.add(() => endServer(server))
  const localUrl = `http://${nameOf(config.host)}:${(server.address() as AddressInfo).port}`
  return {
    secrets,
    store,
    service,
    signaling: { ...signaling, iceServers: withoutOwn(signaling, service.ownIceServer) },
    server,
    databasePath,
    localUrl,
  }
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

async function listen(host: string, port: number): Promise<Server> {
  const server = createBridgeServer()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host, resolve)
  await promise
  return server
}

async function endServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  await promise
}
