/** Google's side of the bridge, plugged together: what Home Graph is told, and the two doors at which Google asks. */
import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { createAfterwards, type Afterwards } from '../google/afterwards.ts'
import { createGoogleDeliver } from '../google/deliver.ts'
import { onlyDevices, type DevicePromises } from '../google/devices.ts'
import { createFulfillment, type Fulfillment } from '../google/fulfillment.ts'
import { createHomeGraph, type HomeGraph } from '../google/home-graph.ts'
import { createGoogleLinks, type GoogleLinks } from '../google/links.ts'
import { createGoogleNews } from '../google/news.ts'
import { createQuota, createSharedQuota } from '../google/quota.ts'
import { createReconcile, scheduleReconcile } from '../google/reconcile.ts'
import { createGoogleReports, createStatesOf, type GoogleReports, type StatesOf } from '../google/reports.ts'
import { serviceAccountKey } from '../google/service-token.ts'
import { createSignalingDoor, type SignalingDoor } from '../google/signaling.ts'
import { createStreamTokens } from '../google/stream-token.ts'
import { parseJson } from '../http.ts'
import type { OAuth } from '../oauth/server.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Deliver } from '../outbox/outgoing.ts'
import type { AccountId, Clock, Log, Store } from 'transom-core/ports'
import type { Cameras } from '../cameras/cameras.ts'
import type { CameraStates } from '../cameras/states.ts'
import type { BridgeConfig } from '../settings/bridge-config.ts'
import type { Translate } from '../cameras/announcements.ts'
import type { Linking } from './linking.ts'
import type { Notices } from './notices.ts'

export interface GoogleNotificationsDeps {
  readonly config: BridgeConfig['google']
  readonly cameras: Pick<Cameras, 'list' | 'find'>
  readonly states: Pick<CameraStates, 'of'>
  readonly broker: Pick<Broker, 'isOnline'>
  readonly notices: Notices
  readonly store: Store
  /** No other process speaks to Home Graph. */
  readonly isLive: boolean
  readonly clock: Clock
  readonly log: Log
}

/** What Google is told unasked: nothing without a service account for Home Graph. */
export interface GoogleNotifications {
  readonly homeGraph: HomeGraph | undefined
  readonly links: GoogleLinks
  /** The account's cameras, as far as Google has a device for them. */
  readonly cameras: Pick<Cameras, 'list' | 'find'>
  readonly statesOf: StatesOf
  readonly deliver: Deliver | undefined
  readonly translate: Translate
  /** Google knows the account no more. */
  readonly onUnlinked: (account: AccountId) => Promise<void>
}

export function createGoogleNotifications(deps: GoogleNotificationsDeps): GoogleNotifications {
  const { broker, states, notices } = deps
  const homeGraph = openHomeGraph(deps)
  const cameras = onlyDevices(deps.cameras, promisesWith(homeGraph))
  const links = createGoogleLinks(deps)
  const statesOf = createStatesOf(broker, states.of)
  const onUnlinked = (account: AccountId) => notices.add(account, 'google_unlinked', 'Home Graph knows no such user')
  return {
    homeGraph,
    links,
    cameras,
    statesOf,
    deliver: homeGraph && createGoogleDeliver({ homeGraph, links, cameras, statesOf, onUnlinked }),
    translate: homeGraph ? createGoogleNews(links) : () => [],
    onUnlinked,
  }
}

export interface GoogleDoorsDeps {
  readonly config: BridgeConfig['google']
  readonly publicUrl: string
  readonly cameras: Pick<Cameras, 'list' | 'find'>
  readonly notifications: GoogleNotifications
  readonly outbox: Pick<Outbox, 'add'>
  readonly states: Pick<CameraStates, 'of'>
  readonly broker: Broker
  readonly linking: Pick<Linking, 'authority'> & {
    readonly oauth: Pick<OAuth, 'unlinkToken' | 'isLinked'>
  }
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

export interface GoogleDoors {
  readonly fulfillment: Fulfillment
  readonly signalingDoor: SignalingDoor
  readonly reports: GoogleReports | undefined
  readonly reconcile: ReturnType<typeof createReconcile> | undefined
  /** The account has ended its last link here: what a display was promised is void, and Google is told. */
  unlinked(this: void, account: AccountId): Promise<void>
  /** What follows from replies, and when it is with the outbox. */
  readonly afterwards: Pick<Afterwards, 'settled' | 'now'>
  close(): Promise<void>
}

export function createGoogleDoors(deps: GoogleDoorsDeps): GoogleDoors {
  const { config, publicUrl, notifications, outbox, states, broker, store, clock, log } = deps
  const { oauth, authority } = deps.linking
  const { talkBack, budgetMs, reconcileMs, origins } = config
  const { homeGraph, links, statesOf, onUnlinked } = notifications
  const promises = promisesWith(homeGraph)
  const cameras = onlyDevices(deps.cameras, promises)
  const base = { store, clock, log, cameras, broker }
  const afterwards = createAfterwards(log)
  const streamTokens = createStreamTokens(base)
  const reports = homeGraph && createGoogleReports({ outbox, links, clock })
  const reconcile =
    homeGraph &&
    reports &&
    createReconcile({
      ...base,
      ...promises,
      cameras: notifications.cameras,
      homeGraph,
      links,
      statesOf,
      reports,
      onUnlinked,
    })
  const reconciling =
    reconcile && reconcileMs > 0 ? scheduleReconcile(reconcile, { everyMs: reconcileMs, log }) : undefined

  return {
    fulfillment: createFulfillment({
      ...base,
      ...promises,
      authorize: authority.at('google'),
      stateOf: states.of,
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
    async unlinked(account) {
      await streamTokens.revokeAll(account)
      await reports?.unlinkedHere(account)
    },
    afterwards,
    async close() {
      await reconciling?.close()
      await afterwards.settled()
    },
  }
}

/** What a device may promise depends on whether anybody can tell Google. */
function promisesWith(homeGraph: HomeGraph | undefined): DevicePromises {
  const isConfigured = homeGraph !== undefined
  return { canNotify: isConfigured, willReportState: isConfigured }
}

function openHomeGraph(deps: GoogleNotificationsDeps): HomeGraph | undefined {
  const { serviceAccount: given, homeGraphUrl, homeGraphPerMinute: perMinute } = deps.config
  if (given === undefined) return undefined
  return createHomeGraph({
    ...deps,
    serviceAccount: readServiceAccount(given),
    quota: deps.isLive ? createQuota({ ...deps, perMinute }) : createSharedQuota({ ...deps, perMinute }),
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
