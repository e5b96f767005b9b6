/** Google's side of the bridge, plugged together: two doors, and with a service account all that Home Graph is told. */
import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { createAfterwards } from '../google/afterwards.ts'
import { createGoogleDeliver } from '../google/deliver.ts'
import { onlyDevices } from '../google/devices.ts'
import { createFulfillment, type Fulfillment } from '../google/fulfillment.ts'
import { createHomeGraph, type HomeGraph } from '../google/home-graph.ts'
import { createGoogleLinks } from '../google/links.ts'
import { createGoogleNews } from '../google/news.ts'
import { createQuota } from '../google/quota.ts'
import { createReconcile, scheduleReconcile } from '../google/reconcile.ts'
import { createGoogleReports, createStatesOf, type GoogleReports } from '../google/reports.ts'
import { serviceAccountKey } from '../google/service-token.ts'
import { createSignalingDoor, type SignalingDoor } from '../google/signaling.ts'
import { parseJson } from '../http.ts'
import type { OAuth } from '../oauth/server.ts'
import type { Deliver, Outbox } from '../outbox/outbox.ts'
import type { AccountId, Clock, Log, Store } from 'transom-core/ports'
import type { Cameras } from '../cameras/cameras.ts'
import type { CameraStates } from '../cameras/states.ts'
import type { BridgeConfig } from '../settings/bridge-config.ts'
import type { Translate } from '../cameras/events.ts'
import type { Linking } from './linking.ts'
import type { Notices } from './notices.ts'

export interface GoogleDeps {
  readonly config: BridgeConfig['google']
  readonly publicUrl: string
  readonly cameras: Pick<Cameras, 'list' | 'find'>
  readonly states: Pick<CameraStates, 'of'>
  readonly broker: Broker
  readonly linking: Pick<Linking, 'authority'> & {
    readonly oauth: Pick<OAuth, 'unlinkToken' | 'isLinked'>
  }
  readonly notices: Notices
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

export interface Google {
  readonly fulfillment: Fulfillment
  readonly signalingDoor: SignalingDoor
  readonly reports: GoogleReports | undefined
  readonly reconcile: ReturnType<typeof createReconcile> | undefined
  /** Resolves when what followed from replies is with the outbox. */
  settled(): Promise<void>
  close(): Promise<void>
}

/** In two steps, because the outbox must know who delivers before anybody can hand it something. */
export function createGoogleSide(deps: GoogleDeps): {
  /** Undefined without a service account: then nothing can be sent. */
  readonly deliver: Deliver | undefined
  readonly translate: Translate
  open(outbox: Outbox): Google
} {
  const { config, publicUrl, broker, linking, notices, store, clock, log } = deps
  const { oauth, authority } = linking
  const { talkBack, budgetMs, reconcileMs, origins } = config
  const homeGraph = openHomeGraph(config, { clock, log })
  const promises = { canNotify: homeGraph !== undefined, willReportState: homeGraph !== undefined }
  const cameras = onlyDevices(deps.cameras, promises)
  const base = { store, clock, log, cameras, broker }
  const links = createGoogleLinks(base)
  const stateOf = deps.states.of
  const statesOf = createStatesOf(broker, stateOf)
  const onUnlinked = (account: AccountId) => notices.add(account, 'google_unlinked', 'Home Graph knows no such user')

  return {
    deliver: homeGraph && createGoogleDeliver({ homeGraph, links, cameras, statesOf, onUnlinked }),
    translate: homeGraph ? createGoogleNews(links) : () => [],
    open(outbox) {
      const afterwards = createAfterwards(log)
      const reports = homeGraph && createGoogleReports({ outbox, links, clock })
      const reconcile =
        homeGraph &&
        reports &&
        createReconcile({ ...base, ...promises, homeGraph, links, statesOf, reports, onUnlinked })
      const reconciling =
        reconcile && reconcileMs > 0 ? scheduleReconcile(reconcile, { everyMs: reconcileMs, log }) : undefined
      return {
        fulfillment: createFulfillment({
          ...base,
          ...promises,
          authorize: authority.at('google'),
          stateOf,
          links,
          statesOf,
          reports,
          afterwards,
          signalingUrl: `${publicUrl}/google/signaling`,
          async unlink(accountId, token) {
            await oauth.unlinkToken(token)
            return oauth.isLinked(accountId, 'google')
          },
          budgetMs,
        }),
        signalingDoor: createSignalingDoor({ ...base, talkBack, budgetMs, moreOrigins: origins }),
        reports,
        reconcile,
        settled: afterwards.settled,
        async close() {
          await reconciling?.close()
          await afterwards.settled()
        },
      }
    },
  }
}

function openHomeGraph(config: BridgeConfig['google'], deps: { clock: Clock; log: Log }): HomeGraph | undefined {
  const { serviceAccount: given, homeGraphUrl } = config
  if (given === undefined) return undefined
  return createHomeGraph({
    ...deps,
    serviceAccount: readServiceAccount(given),
    quota: createQuota(deps),
    ...(homeGraphUrl && { url: homeGraphUrl }),
  })
}

/** The key file, or its content itself: a Lambda has no place for files that are secret. */
function readServiceAccount(given: string): z.infer<typeof serviceAccountKey> {
  const isContent = given.trimStart().startsWith('{')
  const parsed = serviceAccountKey.safeParse(parseJson(isContent ? given : readKeyFile(given)))
  if (parsed.success) return parsed.data
  const name = isContent ? 'what it holds' : given
  throw new Error(`TRANSOM_GOOGLE_SERVICE_ACCOUNT: ${name} is not the JSON key of a service account. ${remedy}`)
}

const remedy = 'Make one as docs/google-home.md says, or leave the setting out'

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`TRANSOM_GOOGLE_SERVICE_ACCOUNT: ${path} cannot be read. ${remedy}`, { cause })
  }
}
