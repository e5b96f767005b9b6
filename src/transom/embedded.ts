/** Everything on one machine: store, signaling service, account linking, bridge, and a gateway beside it. What a self-hoster runs. */
import { createHmac, createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createBridge, type Bridge } from 'transom-bridge/assembly/bridge'
import { receiveEvent } from 'transom-bridge/assembly/camera-events'
import { operatorToken } from 'transom-bridge/operator/operator'
import type { Camera, ChannelRef, Clock, Log } from 'transom-core/ports'
import { createArrivals, type Arrivals } from './arrivals.ts'
import { createClosing, type Closing } from './closing.ts'
import type { Config } from './config.ts'
import { demoClients } from './demo-clients.ts'
import { doorbellId, ensureDemo } from './demo.ts'
import { hasPage, openDoors } from './doors.ts'
import { createGatewayKeys } from './gateway-keys.ts'
import { startGatewayProcess } from './gateway-process.ts'
import { createGateways, type Gateways } from './gateways.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createFrigate } from './frigate.ts'
import { createHomeAssistant } from './home-assistant.ts'
import { mqttClientId, startMqtt, type MqttIntake } from './mqtt.ts'
import { openGround, takeDirectory, type Ground } from './ground.ts'
import type { SignalingService } from 'transom-signaling/service'
import { saveSecrets } from './secrets.ts'
import { createRecordPlans, type RecordPlans } from './record-plans.ts'
import { createRecordings, type KeptRecordings } from './recordings/recordings.ts'
import { keepWithin } from './recordings/retention.ts'
import { canBeDisplay, simulateVendors, simulatorSettings } from './simulator.ts'
import { createSources } from './sources.ts'
import { keepResuming } from './resume.ts'
import { explainFile } from './start-faults.ts'
import { createWebhooks, type Webhooks } from './webhooks.ts'

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
  /** The process of the gateway, while one runs. */
  gatewayPid(): number | undefined
  /** Rings the built-in doorbell; false when there is none. */
  press(): boolean
  /** Ends everything, in the reverse order of its start. May be called again. */
  close(): Promise<void>
}

/** How long the start waits for the built-in doorbell, so that the first call finds it. */
const doorbellMs = 8_000

interface Base {
  readonly clock: Clock
  readonly log: Log
  readonly closing: Closing
  readonly metrics: Metrics
}

/** Starts everything, or throws an `Error` that says what to do and leaves nothing running. */
export async function startEmbedded(config: Config, clock: Clock, log: Log): Promise<Embedded> {
  const closing = createClosing(log)
  try {
    const metrics = createMetrics(clock)
    return await open(config, { clock, log: metrics.counted(log), closing, metrics })
  } catch (error) {
    await closing.close()
    throw explainFile(error)
  }
}

async function open(given: Config, base: Base): Promise<Embedded> {
  const { clock, log, closing, metrics } = base
  await takeDirectory(given.dataDir, closing)
  const vendors = await simulateVendors(given, {
    authorize: (...asked) => bridge.linking.authority.authorize(...asked),
    clock,
  })
  if (vendors !== undefined) closing.add(() => vendors.receivers.close())
  const config = vendors?.config ?? given

  const arrivals = createArrivals()
  // The cameras' records come with the bridge, which needs the service: whoever connects before it is told of later.
  let presenceChanged: Bridge['presenceChanged'] | undefined
  const onPresence = (channelName: string, isOnline: boolean, at: number): void => {
    presenceChanged?.(channelName, isOnline, at)
    if (isOnline) arrivals.note(channelName)
  }
  // Wherever a press comes from, the camera's gateway learns of it at once.
  let onNews: MqttIntake['tell'] | undefined
  let onRing: Gateways['rang'] | undefined
  const ground = await openGround(config, { onPresence, clock, log }, closing)
  const { secrets, store, service, signaling, localUrl } = ground
  const publicUrl = config.publicUrl ?? localUrl
  const played = hasPage(config) && canBeDisplay(publicUrl) ? vendors : undefined
  const clients = demoClients(secrets, played && publicUrl)
  const recordings = await openRecordings(config, ground, base)
  const plans = await createRecordPlans({
    store,
    timeZone: config.alexa.timeZone,
    onChange: (cameraId) => {
      gateways
        .renew(cameraId)
        .catch((error: unknown) => log('error', 'transom.network-camera-failed', { cameraId, error }))
    },
    clock,
  })
  closing.add(() => plans.close())
  const bridge = createBridge({
    config,
    publicUrl,
    clients,
    isLive: true,
    store,
    signaling,
    clock,
    log,
    onSession: metrics.session,
    onRing: ({ id }, eventId) => onRing?.(id, eventId),
    onNews: (camera, news) => onNews?.(camera, news),
    keys: secrets.keys,
    presence: ({ channelName }) => service.presence(channelName),
    // The built-in doorbell keeps its channel, on which its gateway goes on.
    removeCamera: (id) =>
      config.doorbell.isOn && id === doorbellId ? bridge.cameras.remove(id) : registrations.remove(id),
    recording: {
      recordings,
      pauses: plans,
      playback: playbackChannel(secrets),
      happened: ({ id }) => gateways.happened(id),
    },
  })
  closing.add(() => bridge.close())
  presenceChanged = bridge.presenceChanged
  closing.add(keepResuming(bridge.resume, log))

  const homeKey = randomBytes(32).toString('base64url')
  const keys = createGatewayKeys(store, homeKey, clock)
  const gateways = openGateways(config, { ground, bridge, keys, arrivals, plans }, base)
  onRing = gateways.rang
  const webhooks = openWebhooks({ ground, bridge, publicUrl }, base)
  await webhooks.resume()
  await ground.https?.start()
  const token = operatorToken()
  const { registrations } = openDoors(
    { config, ground, bridge, gateways, webhooks, keys, recordings, publicUrl, token, played, metrics, clock, log },
    closing,
  )
  const counts = () => ({
    viewers: gateways.viewers(),
    negotiating: bridge.broker.running(),
    signalingSockets: service.openSockets(),
  })
  metrics.watch({
    cameras: () => presences(bridge, service),
    waiting: () => bridge.outbox.state().waiting,
    counts,
    databasePath: ground.databasePath,
  })
  const operatorPath = join(config.dataDir, 'operator.json')
  await saveSecrets(operatorPath, { url: `${localUrl}/operator`, token })
  closing.add(() => rm(operatorPath, { force: true }))

  const camera = await ensureDemo(bridge, secrets)
  const { demo } = secrets
  const { forwarderSecret } = config.alexa
  const shown = { bridge: publicUrl, demo, clients, vendors, forwarderSecret, cameraId: camera.id }
  await saveSecrets(join(config.dataDir, 'simulator.json'), simulatorSettings(shown))

  await gateways.start()
  const gateway = await openGatewayAtHome({ config, camera, arrivals, bridge: localUrl, key: homeKey }, base)
  bridge.broker.warm(camera)

  if (config.mqtt !== undefined) {
    const mqtt = await openMqtt(config.mqtt, { ground, bridge, plans }, base)
    onNews = mqtt.tell
  }

  return {
    publicUrl,
    signalingEndpoint: service.endpoint,
    demo,
    signInLink: hasPage(config) ? await bridge.oauth.entryLink(camera.accountId) : undefined,
    camera,
    hasDoorbell: config.doorbell.isOn,
    bridge,
    counts,
    gatewayPid: gateway.pid,
    press: () => config.doorbell.isOn && ring(bridge, camera, base),
    close: closing.close,
  }
}

/** Always true: that it rings is all that is known at once. */
function ring({ events }: Bridge, camera: Camera, { clock, log }: Base): boolean {
  events
    .receive(camera, { kind: 'press', eventId: randomUUID(), at: clock() })
    .catch((error: unknown) => log('error', 'cameras.press-lost', { error }))
  return true
}

function openWebhooks(
  { ground, bridge, publicUrl }: { readonly ground: Ground; readonly bridge: Bridge; readonly publicUrl: string },
  { clock, log, closing }: Base,
): Webhooks {
  const { store, secrets } = ground
  const webhooks = createWebhooks({
    secret: secrets.keys.sealing,
    publicUrl,
    find: bridge.cameras.byId,
    receive: bridge.events.receive,
    store,
    clock,
    log,
  })
  closing.add(() => webhooks.close())
  return webhooks
}

async function openMqtt(
  settings: NonNullable<Config['mqtt']>,
  { ground, bridge, plans }: { readonly ground: Ground; readonly bridge: Bridge; readonly plans: RecordPlans },
  { clock, log, closing }: Base,
): Promise<MqttIntake> {
  const { url, topic, frigate, homeAssistant } = settings
  const { store, secrets, service } = ground
  const cameras = () => everyCamera(bridge, service)
  const mqtt = await startMqtt({
    url,
    topic,
    clientId: mqttClientId(secrets.keys.sealing),
    find: bridge.cameras.byId,
    receive: bridge.events.receive,
    pauseRecording: async (camera, isPaused) => bridge.pauseRecording?.(camera, isPaused),
    ...(frigate !== undefined && { frigate: { topic: frigate, reader: createFrigate({ cameras, clock }) } }),
    ...(homeAssistant !== undefined && {
      homeAssistant: {
        prefix: homeAssistant,
        make: (publish) =>
          createHomeAssistant({
            prefix: homeAssistant,
            topic,
            publish,
            cameras,
            isOnline: ({ channel }) => bridge.presence(channel)?.online === true,
            isPaused: ({ id }) => plans.isPaused(id),
            stillOf: async (camera) => (await bridge.snapshots.get(camera))?.picture,
            clock,
          }),
      },
    }),
    store,
    clock,
    log,
  })
  closing.add(() => mqtt.close())
  return mqtt
}

/** What is recorded here: made whole after a crash, and kept within its limits. */
async function openRecordings(config: Config, { store, secrets }: Ground, base: Base): Promise<KeptRecordings> {
  const { clock, log, closing } = base
  const root = join(config.dataDir, 'recordings')
  const sealing = createSecretKey(secrets.keys.sealing, 'base64')
  const recordings = createRecordings({ store, root, sealing, log })
  await recordings.start()
  closing.add(() => recordings.close())
  const retention = keepWithin({ recordings, limits: config.recordings, clock, log })
  closing.add(() => retention.close())
  return recordings
}

/** Starts the process that reads the cameras at home, and waits for the built-in doorbell, but not long. */
async function openGatewayAtHome(
  given: {
    readonly config: Config
    readonly camera: Camera
    readonly arrivals: Arrivals
    readonly bridge: string
    readonly key: string
  },
  { log, closing }: Base,
) {
  const { config, camera, arrivals, bridge, key } = given
  // A network camera may be slow, or away: it is not waited for.
  const isAtOnce = config.doorbell.isOn && !/^rtsps?:/i.test(config.doorbell.source)
  const doorbell = isAtOnce ? arrivals.of(camera.channel.channelName, doorbellMs) : undefined
  const gateway = startGatewayProcess({ bridge, key, log })
  closing.add(() => gateway.close())
  await doorbell
  return gateway
}

function openGateways(
  config: Config,
  deps: {
    readonly ground: Ground
    readonly bridge: Bridge
    readonly keys: ReturnType<typeof createGatewayKeys>
    readonly arrivals: Arrivals
    readonly plans: RecordPlans
  },
  { log, closing }: Base,
): Gateways {
  const { ground, bridge, keys, arrivals, plans } = deps
  const { store, service, secrets } = ground
  const { viewersPerChannel: maxViewers } = config.signaling.limits
  const { doorbell, sources } = config
  const gateways = createGateways({
    sources: createSources(store, createSecretKey(secrets.keys.sealing, 'base64')),
    keys,
    cameras: bridge.cameras,
    service,
    region: config.signaling.region,
    ...(maxViewers !== undefined && { maxViewers }),
    ...(sources.hasRelayAtHand && { hasRelayAtHand: true }),
    ...(sources.networks && { networks: sources.networks }),
    playback: playbackChannel(secrets),
    ...(doorbell.isOn && { builtIn: { cameraId: doorbellId, source: doorbell.source } }),
    hasAnyCertificate: sources.hasAnyCertificate,
    async onEvent(camera, event) {
      const { ended } = await receiveEvent(bridge, camera, event)
      if (event.kind === 'source' && event.fault !== undefined) arrivals.note(camera.channel.channelName)
      return ended === true
    },
    recordOf: plans.wishOf,
    onFault: (camera, fault) => bridge.sourceReported(camera, { fault }),
    log,
  })
  closing.add(() => gateways.close())
  return gateways
}

/** Nobody can guess its name and register a camera by it, whose master would receive the offers of others. */
const playbackChannel = ({ keys }: Ground['secrets']): ChannelRef => ({
  channelName: `recordings-${createHmac('sha256', keys.sealing).update('recordings').digest('hex').slice(0, 24)}`,
  road: 'viewer',
})

/** Of each camera that has a record; other channels are none of ours. */
async function everyCamera({ cameras }: Bridge, service: SignalingService): Promise<readonly Camera[]> {
  const names = await service.channelNames()
  const found = await Promise.all(names.map((channelName) => cameras.byChannel(channelName)))
  return found.filter((camera) => camera !== undefined)
}

const presences = async (bridge: Bridge, service: SignalingService) =>
  (await everyCamera(bridge, service)).map(({ channel }) => bridge.presence(channel))
