/** Alexa's side of the bridge, plugged together: directives, the companion skill, and what Alexa is told unasked. */
import { createSecretKey } from 'node:crypto'
import { reviewCameras, type Review } from '../alexa/discovery.ts'
import { createAlexaEntry } from '../alexa/entry.ts'
import { createAlexaDeliver } from '../alexa/event-gateway.ts'
import { createAlexaGrants, type AlexaGrants } from '../alexa/grants.ts'
import { createAlexaHandler, type AlexaHandler } from '../alexa/handler.ts'
import { newsForAlexa } from '../alexa/news.ts'
import { regionOfLambda } from '../alexa/region.ts'
import { createSkillEvents } from '../alexa/skill/skill-events.ts'
import { createDoorbellSkill, type SkillDeps } from '../alexa/skill/skill.ts'
import { timeZoneOf } from '../alexa/skill/time-zone.ts'
import type { Authority } from '../authority.ts'
import type { Broker } from '../broker/broker.ts'
import type { Deliver } from '../outbox/outgoing.ts'
import type { AccountId, Camera, Clock, Log, Store } from 'transom-core/ports'
import type { Cameras } from '../cameras/cameras.ts'
import type { BridgeConfig } from '../settings/bridge-config.ts'
import type { Translate } from '../cameras/announcements.ts'
import type { Notices } from './notices.ts'
import type { CameraStates } from '../cameras/states.ts'
import type { Visits } from '../cameras/visits.ts'

/** A notice names so many cameras. */
const mostNamed = 5
/** What is of no use to an owner without Alexa. */
const aboutAlexa = ['alexa_unlinked', 'alexa_same_names', 'alexa_left_out'] as const

export interface AlexaSideDeps {
  readonly config: BridgeConfig['alexa']
  readonly publicUrl: string
  /** Seals the tokens that Alexa grants us: 32 bytes in base64. */
  readonly sealingKey: string
  readonly authority: Authority
  readonly cameras: Cameras
  /** The same as they are in the records, for what Alexa is told unasked. */
  readonly copies: Pick<Cameras, 'list' | 'find'>
  readonly states: Pick<CameraStates, 'of'>
  readonly broker: Broker
  readonly visits: Visits
  /** Finds what was recorded of a press; absent where nothing is recorded. */
  readonly recordingOf?: SkillDeps['recordingOf']
  readonly notices: Notices
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

export interface AlexaSide {
  /** A directive in, its event out. */
  readonly handler: AlexaHandler
  /** The same for both capabilities of the skill, as Lambda and the forwarder need it. `awsRegion`: the Lambda's. */
  readonly entry: (event: unknown, awsRegion?: string) => Promise<unknown>
  readonly skill: ReturnType<typeof createDoorbellSkill>
  /** Undefined while no LWA client is configured: then nothing can be sent. */
  readonly deliver: Deliver | undefined
  readonly translate: Translate
  /** Drops what Alexa granted for this account by a link that was removed while others go on, and says so to its owner. */
  linkRemoved(this: void, accountId: AccountId, linkId: string): Promise<void>
  /** The account is not linked any more: drops what Alexa granted, and what its owner was to do about it. */
  unlinked(this: void, accountId: AccountId): Promise<void>
}

export function createAlexaSide(deps: AlexaSideDeps): AlexaSide {
  const { config, publicUrl, cameras, states, broker, visits, notices, store, clock, log } = deps
  const authorize = deps.authority.at('alexa')
  const grants = createAlexaGrants({
    store,
    clock,
    log,
    lwa: config.lwa,
    region: config.region,
    key: createSecretKey(deps.sealingKey, 'base64'),
    onAccepted: (accountId) => notices.remove(accountId, 'alexa_unlinked'),
    onForgotten: (accountId, why) => notices.add(accountId, 'alexa_unlinked', why),
  })
  const warn = createWarnings(notices)
  const known = { authorize, cameras, isOnline: broker.isOnline, stateOf: states.of, clock, log }
  const handler = createAlexaHandler({
    ...known,
    broker,
    grants,
    snapshotUrl: ({ id }) => `${publicUrl}/cameras/${encodeURIComponent(id)}/snapshot`,
    canSendEvents: grants.isConfigured,
    warn,
    budgetMs: config.budgetMs,
  })
  const onDisabled = (account: AccountId, at: number) =>
    grants.forget(account, 'the skill was disabled in the Alexa app', { acceptedBy: at })
  const skill = createDoorbellSkill({
    ...known,
    visits: visits.visits,
    mute: visits.mute,
    ...(deps.recordingOf && { recordingOf: deps.recordingOf }),
    takeEvent: createSkillEvents({ authorize, store, onDisabled, clock, log }),
    timeZoneOf,
    timeZone: config.timeZone,
    ...(config.skillId !== undefined && { skillId: config.skillId }),
  })
  const entry = createAlexaEntry(handler, skill)
  return {
    handler,
    skill,
    entry: (event, awsRegion) => entry(event, regionOfLambda(awsRegion)),
    deliver: grants.isConfigured
      ? createAlexaDeliver({ ...known, cameras: deps.copies, grants, ...gatewaysOf(config.gatewayUrl) })
      : undefined,
    translate: createTranslate({ grants, cameras: deps.copies, warn }),
    linkRemoved: (accountId, linkId) => grants.forget(accountId, 'its link was removed', { linkId }),
    async unlinked(accountId) {
      await grants.drop(accountId)
      await Promise.all(aboutAlexa.map((kind) => notices.remove(accountId, kind)))
    },
  }
}

/** What Alexa is to hear of a camera; and where its list has changed, whether Alexa accepts all of it. */
function createTranslate(deps: {
  readonly grants: Pick<AlexaGrants, 'isConfigured' | 'has'>
  readonly cameras: Pick<Cameras, 'list'>
  readonly warn: (accountId: AccountId, review: Review) => Promise<void>
}): Translate {
  const { grants, cameras, warn } = deps
  return async (camera, news) => {
    const outgoing = grants.isConfigured ? newsForAlexa(camera, news) : []
    if (outgoing.length === 0 || !(await grants.has(camera.accountId))) return []
    if (news.kind !== 'changed' && news.kind !== 'removed') return outgoing
    const review = reviewCameras(await cameras.list(camera.accountId))
    await warn(camera.accountId, review)
    return review.leftOut.some(({ id }) => id === camera.id) ? [] : outgoing
  }
}

/** A warning goes when its reason does. */
function createWarnings(notices: Notices) {
  return async (accountId: AccountId, { leftOut, sameNames }: Review): Promise<void> => {
    await Promise.all([
      sameNames.length > 0
        ? notices.add(accountId, 'alexa_same_names', sameNames.slice(0, mostNamed).join(', '))
        : notices.remove(accountId, 'alexa_same_names'),
      leftOut.length > 0
        ? notices.add(accountId, 'alexa_left_out', namesOf(leftOut))
        : notices.remove(accountId, 'alexa_left_out'),
    ])
  }
}

/** Amazon's own, where no other is set. */
function gatewaysOf(url: string | undefined) {
  return url === undefined ? {} : { gatewayUrls: { NA: url, EU: url, FE: url } }
}

function namesOf(cameras: readonly Camera[]): string {
  const named = cameras.slice(0, mostNamed).map(({ name }) => name)
  return [...named, ...(cameras.length > mostNamed ? [`${cameras.length - mostNamed} more`] : [])].join(', ')
}
