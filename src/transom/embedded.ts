/** Everything in one process: store, signaling service, account linking, bridge and a doorbell. What a self-hoster runs. */
import { createHmac, createSecretKey } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { builtConsole } from 'transom-console/build'
import { startCamera } from 'transom-gateway/camera'
import { anyCertificate } from 'transom-gateway/pins'
import { createReporter, createStillPoster } from 'transom-gateway/report'
import { createLocalSignaling } from 'transom-kvs/signaling'
import {
  cameraId,
  type AccountId,
  type Camera,
  type Clock,
  type Log,
  type Signaling,
  type Store,
} from 'transom-core/ports'
import { startSignalingService, type SignalingService } from 'transom-signaling/service'
import { createSqliteStore } from 'transom-core/store/sqlite'
import { createBridge, type Bridge } from 'transom-bridge/assembly/bridge'
import type { Config } from './config.ts'
import { lockDirectory } from './data-lock.ts'
import { demoClients } from './demo-clients.ts'
import { receiveEvent } from 'transom-bridge/doors/intake'
import { createHealth } from 'transom-bridge/doors/health'
import { createHttpApp } from 'transom-bridge/doors/http'
import { createGateway } from './gateway.ts'
import { createBridgeServer } from './listener.ts'
import { startMqtt } from './mqtt.ts'
import { createOperatorRoutes, operatorToken } from 'transom-bridge/operator/operator'
import { createPage } from './page.ts'
import { createRegistrations } from './registrations.ts'
import { loadSecrets, saveSecrets, type Secrets } from './secrets.ts'
import { atAddress, explainFile, makeDataDirectory, requireCredentialsKey } from './start-faults.ts'
import { createViewerKeys } from './viewer-keys.ts'
import { canBeDisplay, simulateDisplays, simulateVendors, simulatorSettings } from './simulator.ts'

export interface Embedded {
  readonly publicUrl: string
  readonly signalingEndpoint: string
  readonly demo: { readonly login: string; readonly password: string }
  readonly camera: Camera
  /** Signs the demo user in to the page, once; absent without a page. */
  readonly signInLink: string | undefined
  /** The built-in doorbell is on. */
  readonly hasDoorbell: boolean
  readonly bridge: Bridge
  /** For tests: what is open now. */
  counts(): { readonly viewers: number; readonly negotiating: number; readonly signalingSockets: number }
  /** Rings the built-in doorbell; false when there is none. */
  press(): boolean
  /** Ends everything, in the reverse order of its start. May be called again. */
  close(): Promise<void>
}

const doorbellId = cameraId('front-door')

const notBuilt =
  'Transom is running, and its page is not built: the log of its start says why. All else works: npm run call -- --help\n'
/** Without our own server for account linking nobody can sign in to it. */
const hasPage = ({ console, linking }: Config) => console && linking.foreignTokens === undefined

/** Starts everything, or throws an `Error` that says what to do and leaves nothing running. */
export async function startEmbedded(given: Config, clock: Clock, log: Log): Promise<Embedded> {
  const opened: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (let end = opened.pop(); end !== undefined; end = opened.pop()) {
      try {
        await end()
      } catch (error) {
        log('error', 'closing', { error })
      }
    }
  }
  try {
    await makeDataDirectory(given.dataDir)
    const unlock = lockDirectory(given.dataDir)
    opened.push(async () => unlock())
    const vendors = await simulateVendors(given, {
      authorize: (...given) => bridge.linking.authority.authorize(...given),
      clock,
    })
    if (vendors !== undefined) opened.push(() => vendors.receivers.close())
    const config = vendors?.config ?? given
    const databasePath = join(config.dataDir, 'transom.db')
    const secretsPath = join(config.dataDir, 'secrets.json')
    const made = await loadSecrets(secretsPath, databasePath)
    if (made.credentials !== undefined) requireCredentialsKey(config.dataDir)
    const store = createSqliteStore(databasePath, clock)
    opened.push(() => store.close())

    const { port, region, advertisedHost, advertisedUrl, tls, turn, limits } = config.signaling
    // The cameras' records come with the bridge, which needs the service: whoever connects before it is told of later.
    let presenceChanged: Bridge['presenceChanged'] | undefined
    const service = await atAddress('TRANSOM_SIGNALING_PORT', config.host, port, () =>
      startSignalingService({
        store,
        region,
        iceServers: config.iceServers,
        clock,
        log,
        certificateDir: join(config.dataDir, 'certificates'),
        host: config.host,
        port,
        tls,
        limits,
        ...(advertisedHost !== undefined && { advertisedHost }),
        ...(advertisedUrl !== undefined && { advertisedUrl }),
        ...(turn !== undefined && { turn }),
        onPresence: (channelName, isOnline, at) => presenceChanged?.(channelName, isOnline, at),
      }),
    )
    opened.push(() => service.close())
    const secrets = await withCredentials(made, service, secretsPath, databasePath)

    // Its authority is made again when it nears its end, or when the clock was wrong.
    const access = { region, endpoint: service.localEndpoint, ca: () => service.ca }
    const signaling = createLocalSignaling(service.local, { log })
    opened.push(() => signaling.close())

    const server = await atAddress('TRANSOM_PORT', config.host, config.port, () => listen(config.host, config.port))
    opened.push(() => endServer(server))
    const localUrl = `http://${nameOf(config.host)}:${(server.address() as AddressInfo).port}`
    const publicUrl = config.publicUrl ?? localUrl
    const played = hasPage(config) && canBeDisplay(publicUrl) ? vendors : undefined
    const clients = demoClients(secrets, played && publicUrl)
    const bridge = createBridge({
      config,
      publicUrl,
      clients,
      isLive: true,
      store,
      signaling: { ...signaling, iceServers: withoutOwn(signaling, service.ownIceServer) },
      clock,
      log,
      keys: secrets.keys,
      presence: ({ channelName }) => service.presence(channelName),
    })
    opened.push(() => bridge.close())
    presenceChanged = bridge.presenceChanged
    bridge.resume().catch((thrown: unknown) => log('error', 'outbox not resumed', { reason: String(thrown) }))
    const maxViewers = limits.viewersPerChannel !== undefined && { maxViewers: limits.viewersPerChannel }
    const gateway = createGateway({
      store,
      sealing: createSecretKey(secrets.keys.sealing, 'base64'),
      cameras: bridge.cameras,
      service,
      access,
      ...maxViewers,
      receive: async (camera, event) => (await receiveEvent(bridge, camera, event)).ended === true,
      leaveStill: async (camera, jpeg) => bridge.events.pictured(camera, await bridge.snapshots.put(camera, jpeg)),
      clock,
      log,
    })
    opened.push(() => gateway.close())
    const registrations = createRegistrations({
      cameras: bridge.cameras,
      service,
      gateway,
      presence: bridge.presence,
      publicUrl,
      region,
      ...(config.doorbell.isOn && { builtIn: doorbellId }),
    })
    const token = operatorToken()
    const { operatorKey } = config.linking
    const operator = createOperatorRoutes({
      keys: operatorKey === undefined ? [token] : [token, operatorKey],
      registrations,
      networkCameras: registrations.network,
      viewerKeys: createViewerKeys({ cameras: bridge.cameras, service, region }),
      linking: bridge.linking,
      defaultOwner: secrets.demo.login,
      admin: bridge.oauth.admin,
    })
    const { forwarderSecret, skillId } = config.alexa
    const { authority } = bridge.linking
    const displays =
      played &&
      simulateDisplays({
        vendors: played,
        bridge: localUrl,
        publicUrl,
        forwarderSecret,
        secrets,
        authority,
        clock,
        log,
      })
    const page = hasPage(config) && {
      page: createPage({ directory: builtConsole, publicUrl, missing: () => notBuilt }),
    }
    const health = createHealth({ store, clock, log })
    const simulator = displays && { simulator: displays }
    server.on(
      'request',
      createHttpApp(bridge, log, {
        forwarderSecret,
        skillId,
        operator,
        registrations,
        health,
        clock,
        ...simulator,
        ...page,
      }),
    )
    if (displays !== undefined) opened.push(() => displays.close())
    const operatorPath = join(config.dataDir, 'operator.json')
    await saveSecrets(operatorPath, { url: `${localUrl}/operator`, token })
    opened.push(() => rm(operatorPath, { force: true }))

    const camera = await ensureDemo(bridge, store, secrets)
    const settings = {
      bridge: publicUrl,
      demo: secrets.demo,
      clients,
      vendors,
      forwarderSecret,
      cameraId: camera.id,
    }
    await saveSecrets(join(config.dataDir, 'simulator.json'), simulatorSettings(settings))

    const doorbellUrl = `${localUrl}/cameras/${camera.id}`
    const doorbell = config.doorbell.isOn
      ? await startCamera({
          access: { ...access, credentials: secrets.credentials.camera },
          channelName: camera.channel.channelName,
          source: config.doorbell.source,
          ...(config.doorbell.hasAnyCertificate && { pins: anyCertificate }),
          report: createReporter({ url: `${doorbellUrl}/events`, key: secrets.demo.cameraKey, log }),
          leaveStill: createStillPoster({ url: `${doorbellUrl}/snapshot`, key: secrets.demo.cameraKey }),
          ...maxViewers,
          clock,
          log,
        })
      : undefined
    if (doorbell !== undefined) opened.push(() => doorbell.close())
    bridge.broker.warm(camera)
    await gateway.start()

    if (config.mqtt !== undefined) {
      const mqtt = await startMqtt({
        ...config.mqtt,
        clientId: mqttClientId(secrets),
        find: bridge.cameras.byId,
        receive: bridge.events.receive,
        store,
        clock,
        log,
      })
      opened.push(() => mqtt.close())
    }

    return {
      publicUrl,
      signalingEndpoint: service.endpoint,
      demo: secrets.demo,
      signInLink: hasPage(config) ? await bridge.oauth.entryLink(camera.accountId) : undefined,
      camera,
      hasDoorbell: doorbell !== undefined,
      bridge,
      counts: () => ({
        viewers: (doorbell?.viewers() ?? 0) + gateway.viewers(),
        negotiating: bridge.broker.running(),
        signalingSockets: service.openSockets(),
      }),
      press: () => {
        doorbell?.press()
        return doorbell !== undefined
      },
      close,
    }
  } catch (error) {
    await close()
    throw explainFile(error)
  }
}

/** The service's own STUN responder is for cameras on this machine; a display elsewhere would gather until its timeout. */
function withoutOwn(signaling: Signaling, own: string | undefined): Signaling['iceServers'] {
  return async (channel, signal) => {
    const servers = await signaling.iceServers(channel, signal)
    return servers.filter(({ urls }) => own === undefined || !urls.includes(own))
  }
}

async function withCredentials(
  secrets: Secrets,
  service: SignalingService,
  path: string,
  databasePath: string,
): Promise<Secrets & { readonly credentials: NonNullable<Secrets['credentials']> }> {
  await service.ensureChannel(doorbellId)
  if (secrets.credentials !== undefined) {
    if (await service.knowsKey(secrets.credentials.application.accessKeyId)) {
      return { ...secrets, credentials: secrets.credentials }
    }
    throw new Error(
      `${path}, ${databasePath} and certificates/credentials.key beside them do not belong together: restore the whole data directory from one backup`,
    )
  }
  const application = await service.createCredentials({ kind: 'application' })
  const camera = await service.createCredentials({ kind: 'camera', channelName: doorbellId })
  const complete = { ...secrets, credentials: { application, camera } }
  await saveSecrets(path, complete)
  return complete
}

/** Kept from start to start, so that the broker keeps what arrives in between, and different in every data directory. */
function mqttClientId({ keys }: Secrets): string {
  return `transom-${createHmac('sha256', keys.sealing).update('mqtt client').digest('hex').slice(0, 12)}`
}

/** The demo user and its doorbell; found again at the next start. */
async function ensureDemo({ oauth, cameras }: Bridge, store: Store, { demo }: Secrets): Promise<Camera> {
  const { login, password, cameraKey } = demo
  const accountId: AccountId =
    (await oauth.users.find(login))?.accountId ?? (await oauth.users.create({ login, password, name: 'Demo' }))
  const known = await cameras.find(accountId, doorbellId)
  // One with a key of its own is somebody's real camera by now.
  if (known?.hasSnapshots === true || (known && !(await cameras.byKey(doorbellId, cameraKey)))) return known
  const camera: Camera = {
    id: doorbellId,
    accountId,
    name: 'Front Door',
    kind: 'doorbell',
    channel: { channelName: doorbellId, road: 'viewer' },
    room: 'Entrance',
    manufacturer: 'Transom',
    model: 'Synthetic Doorbell',
    hasSpeaker: true,
    ...known,
    hasSnapshots: true,
  }
  await cameras.put(camera, cameraKey)
  return camera
}

/** By what name this machine reaches a listener on that address. */
function nameOf(host: string): string {
  if (['127.0.0.1', '0.0.0.0', '::'].includes(host)) return 'localhost'
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
