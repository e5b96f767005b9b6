/** The doors of the embedded bridge, opened on its server: the assistants', the page's, the operator's, the gateways' and the simulator's. */
import { builtConsole } from 'transom-console/build'
import type { Bridge } from 'transom-bridge/assembly/bridge'
import { createHealth } from 'transom-bridge/doors/health'
import { createHttpApp } from 'transom-bridge/doors/http'
import { receiveEvent } from 'transom-bridge/assembly/camera-events'
import { existing } from 'transom-bridge/operator/camera-records'
import type { Registrations } from 'transom-bridge/operator/registration-ports'
import { createOperatorRoutes } from 'transom-bridge/operator/operator'
import { createRecordingRoutes } from 'transom-bridge/web/recordings'
import type { Clock, Log, Recordings } from 'transom-core/ports'
import type { Closing } from './closing.ts'
import { createCompression } from './compress.ts'
import type { Config } from './config.ts'
import { doorbellId } from './demo.ts'
import type { GatewayKeys } from './gateway-keys.ts'
import { createGatewayAdmin, createGatewayRoutes } from './gateway-routes.ts'
import type { Gateways } from './gateways.ts'
import type { Ground } from './ground.ts'
import type { Metrics } from './metrics.ts'
import { createMetricsDoor } from './metrics-door.ts'
import { createPage } from './page.ts'
import { createNetworkCameras } from './network-cameras.ts'
import { createBridgeReadiness } from './readiness.ts'
import { createRegistrations } from './registrations.ts'
import { simulateDisplays, type SimulatedVendors } from './simulator.ts'
import { createViewerKeys } from './viewer-keys.ts'
import { createWebhookRoutes } from './webhook-routes.ts'
import type { Webhooks } from './webhooks.ts'

export interface DoorsDeps {
  readonly config: Config
  readonly ground: Ground
  readonly bridge: Bridge
  readonly gateways: Gateways
  readonly webhooks: Webhooks
  readonly keys: GatewayKeys
  readonly recordings: Recordings
  readonly publicUrl: string
  /** The operator's token of this run. */
  readonly token: string
  /** The vendors whose displays are played on the page. */
  readonly played: SimulatedVendors | undefined
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Log
}

const notBuilt =
  'Transom is running, and its page is not built: the log of its start says why. All else works: npm run call -- --help\n'

/** Without our own server for account linking nobody can sign in to it. */
export const hasPage = ({ console, linking }: Config): boolean => console && linking.foreignTokens === undefined

/** Returns what registers and removes cameras. */
export function openDoors(deps: DoorsDeps, closing: Closing): { readonly registrations: Registrations } {
  const { config, ground, bridge, gateways, webhooks, keys, recordings, publicUrl, metrics, clock, log } = deps
  const { service, secrets, store } = ground
  const { region } = config.signaling
  const { forwarderSecret, skillId } = config.alexa
  const { cameras, presence, linking } = bridge
  const builtIn = config.doorbell.isOn && { builtIn: doorbellId }
  const forRegistration = { cameras, service, gateways, webhooks, presence, publicUrl, region, ...builtIn }
  const registrations = createRegistrations(forRegistration)
  const { hasAnyCertificate } = config.sources
  const networkCameras = createNetworkCameras({ ...forRegistration, hasAnyCertificate })
  const displays = openDisplays(deps)
  if (displays !== undefined) closing.add(() => displays.close())
  const operatorKeys =
    config.linking.operatorKey === undefined ? [deps.token] : [deps.token, config.linking.operatorKey]
  const { wrongKeys } = linking.oauth
  const metricsDoor = createMetricsDoor({ metrics, config, operatorKeys, wrongKeys })
  const health = createHealth({ store, clock, log })
  const app = createHttpApp(bridge, log, {
    compress: createCompression(),
    forwarderSecret,
    behindProxy: config.behindProxy,
    skillId,
    registrations,
    webhooks: {
      addresses: webhooks,
      router: createWebhookRoutes({ webhooks, wrongKeys: linking.oauth.wrongKeys, log }),
    },
    networkCameras,
    operator: createOperatorRoutes({
      eventDoor: bridge,
      broker: bridge.broker,
      keys: operatorKeys,
      registrations,
      networkCameras,
      webhooks,
      gateways: createGatewayAdmin({ gateways, keys }),
      recordings: createRecordingRoutes({
        cameraOf: (request) => existing(cameras, String(request.params['id'])),
        noteView: (camera, at) => bridge.noteRecordingView(camera, 'operator', at),
        moments: bridge.visits.moments,
        recordings,
        pauseRecording: bridge.pauseRecording,
        addresses: bridge.mediaAddresses,
        clock,
      }),
      viewerKeys: createViewerKeys({ cameras, service, region }),
      linking,
      defaultOwner: secrets.demo.login,
      admin: bridge.oauth.admin,
    }),
    gateway: createGatewayRoutes({
      gateways,
      keys,
      wrongKeys,
      recordings,
      playback: {
        broker: bridge.broker,
        seenBy: bridge.shares.visible.find,
        onEvent: async (camera, event) => (await receiveEvent(bridge, camera, event)).ended === true,
        log,
      },
      leaveStill: async (camera, picture) =>
        bridge.events.pictured(camera, await bridge.snapshots.put(camera, picture)),
    }),
    certificateEnding: () => ground.https?.ending(),
    health,
    readiness: createBridgeReadiness({ health, service, outbox: bridge.outbox, clock }),
    ...(metricsDoor && { metrics: metricsDoor }),
    clock,
    ...(displays && { simulator: displays }),
    ...(hasPage(config) && {
      page: createPage({
        directory: builtConsole,
        publicUrl,
        language: config.linking.brand.language,
        missing: () => notBuilt,
      }),
    }),
  })
  ground.serve(app)
  return { registrations }
}

function openDisplays({ played, ground, bridge, config, publicUrl, clock, log }: DoorsDeps) {
  if (played === undefined) return undefined
  return simulateDisplays({
    vendors: played,
    bridge: ground.localUrl,
    publicUrl,
    forwarderSecret: config.alexa.forwarderSecret,
    secrets: ground.secrets,
    authority: bridge.linking.authority,
    clock,
    log,
  })
}
