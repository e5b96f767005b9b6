/** Google's side of the bridge, plugged together: two doors, and with a service account all that Home Graph is told. */
import { readFileSync } from 'node:fs'
import type { Broker } from '../broker/broker.ts'
import type { StateOf } from '../google/cameras.ts'
import { createGoogleDeliver } from '../google/deliver.ts'
import { createFulfillment, type Fulfillment } from '../google/fulfillment.ts'
import { createHomeGraph, type HomeGraph } from '../google/home-graph.ts'
import { createGoogleLinks } from '../google/links.ts'
import { createGoogleNews } from '../google/news.ts'
import { createQuota } from '../google/quota.ts'
import { createReconcile, scheduleReconcile } from '../google/reconcile.ts'
import { createGoogleReports, createStatesOf, type GoogleReports } from '../google/reports.ts'
import { serviceAccountKey } from '../google/service-token.ts'
import { createSignalingDoor, type SignalingDoor } from '../google/signaling.ts'
import type { Deliver, Outbox } from '../outbox/outbox.ts'
import type { AccountId, CameraState, Clock, Log, Store } from '../ports.ts'
import type { Cameras } from './cameras.ts'
import type { Config } from './config.ts'
import type { Translate } from './events.ts'
import type { Linking } from './linking.ts'
import type { Notices } from './notices.ts'

export interface GoogleDeps {
  readonly config: Config['google']
  readonly publicUrl: string
  readonly cameras: Cameras
  readonly broker: Broker
  readonly linking: Pick<Linking, 'oauth' | 'verifyGoogleToken' | 'googleClient'>
  readonly notices: Notices
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

export interface Google {
  readonly fulfillment: Fulfillment
  readonly signalingDoor: SignalingDoor
  readonly reports: GoogleReports | undefined
  close(): Promise<void>
}

/** In two steps, because the outbox must know who delivers before anybody can hand it something. */
export function createGoogleSide(deps: GoogleDeps): {
  /** Undefined without a service account: then nothing can be sent. */
  readonly deliver: Deliver | undefined
  readonly translate: Translate
  open(outbox: Outbox): Google
} {
  const { config, publicUrl, cameras, broker, linking, notices, store, clock, log } = deps
  const base = { store, clock, log, cameras, broker }
  const { talkBack, budgetMs, reconcileMs } = config
  const homeGraph = openHomeGraph(config, { clock, log })
  const promises = { canNotify: homeGraph !== undefined, willReportState: homeGraph !== undefined }
  const links = createGoogleLinks(base)
  const states = store.collection<CameraState>('camera-state')
  const stateOf: StateOf = async (camera) => (await states.get(camera.id))?.value ?? {}
  const statesOf = createStatesOf(broker, stateOf)
  const onUnlinked = (account: AccountId) => notices.add(account, 'google_unlinked', 'Home Graph knows no such user')

  return {
    deliver: homeGraph && createGoogleDeliver({ homeGraph, links, cameras, statesOf, onUnlinked }),
    translate: homeGraph ? createGoogleNews(links) : () => [],
    open(outbox) {
      const reports = homeGraph && createGoogleReports({ outbox, links, clock })
      const reconciling =
        homeGraph && reports && reconcileMs > 0
          ? scheduleReconcile(
              createReconcile({ ...promises, homeGraph, links, cameras, statesOf, reports, onUnlinked, log }),
              {
                everyMs: reconcileMs,
                log,
              },
            )
          : undefined
      return {
        fulfillment: createFulfillment({
          ...base,
          ...promises,
          verifyToken: linking.verifyGoogleToken,
          stateOf,
          links,
          statesOf,
          reports,
          clientId: linking.googleClient,
          signalingUrl: `${publicUrl}/google/signaling`,
          unlink: (accountId) => linking.oauth.unlinkAssistant(accountId, 'google'),
          budgetMs,
        }),
        signalingDoor: createSignalingDoor({ ...base, talkBack, budgetMs }),
        reports,
        async close() {
          await reconciling?.close()
        },
      }
    },
  }
}

function openHomeGraph(config: Config['google'], deps: { clock: Clock; log: Log }): HomeGraph | undefined {
  const { serviceAccount: given, homeGraphUrl } = config
  if (given === undefined) return undefined
  const [key, where] = typeof given === 'string' ? [JSON.parse(readFileSync(given, 'utf8')), given] : [given, 'it']
  const parsed = serviceAccountKey.safeParse(key)
  if (!parsed.success) throw new Error(`TRANSOM_GOOGLE_SERVICE_ACCOUNT: ${where} is not a service account's key file`)
  return createHomeGraph({
    ...deps,
    serviceAccount: parsed.data,
    quota: createQuota(deps),
    ...(homeGraphUrl && { url: homeGraphUrl }),
  })
}
