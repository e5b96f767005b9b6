/** Alexa's side of the bridge, plugged together: directives, the companion skill, and what Alexa is told unasked. */
import { createSecretKey } from 'node:crypto'
import { ENDPOINT_LIMIT, reviewCameras, type Review } from '../alexa/discovery.ts'
import { createAlexaEntry } from '../alexa/entry.ts'
import { createAlexaDeliver } from '../alexa/event-gateway.ts'
import { createAlexaGrants } from '../alexa/grants.ts'
import { createAlexaHandler, type AlexaHandler } from '../alexa/handler.ts'
import { newsForAlexa } from '../alexa/news.ts'
import { regionOfLambda, type AlexaRegion } from '../alexa/region.ts'
import { createSkillEvents } from '../alexa/skill/skill-events.ts'
import { createDoorbellSkill } from '../alexa/skill/skill.ts'
import { timeZoneOf } from '../alexa/skill/time-zone.ts'
import type { Authority } from '../authority.ts'
import type { Broker } from '../broker/broker.ts'
import type { Deliver } from '../outbox/outbox.ts'
import type { AccountId, Camera, Clock, Log, Store } from 'transom-core/ports'
import type { Cameras } from '../cameras/cameras.ts'
import type { BridgeConfig } from '../settings/bridge-config.ts'
import type { Translate } from '../cameras/events.ts'
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
  readonly states: Pick<CameraStates, 'of'>
  readonly broker: Broker
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
}

/** In two steps, because the outbox must know who delivers before anybody can hand it something. */
export function createAlexaSide(deps: AlexaSideDeps): {
  /** Undefined while no LWA client is configured: then nothing can be sent. */
  readonly deliver: Deliver | undefined
  readonly translate: Translate
  /** Drops what Alexa granted for this account by a link that was removed while others go on, and says so to its owner. */
  linkRemoved(accountId: AccountId, linkId: string): Promise<void>
  /** The account is not linked any more: drops what Alexa granted, and what its owner was to do about it. */
  unlinked(accountId: AccountId): Promise<void>
  open(visits: Visits): AlexaSide
} {
  const { config, publicUrl, authority, cameras, broker, notices, clock, log } = deps
  const { lwa, region, gatewayUrl, budgetMs, skillId, timeZone } = config
  const grants = createAlexaGrants({
    store: deps.store,
    clock,
    log,
    lwa,
    region,
    key: createSecretKey(deps.sealingKey, 'base64'),
    onAccepted: (accountId) => notices.remove(accountId, 'alexa_unlinked'),
    onForgotten: (accountId, why) => notices.add(accountId, 'alexa_unlinked', why),
  })
  const stateOf = deps.states.of
  const isOnline = (camera: Camera) => broker.isOnline(camera)
  const urls = gatewayUrl === undefined ? undefined : { NA: gatewayUrl, EU: gatewayUrl, FE: gatewayUrl }

  /** A warning goes when its reason does. */
  async function warn(accountId: AccountId, { leftOut, sameNames }: Review): Promise<void> {
    const left = `it takes ${ENDPOINT_LIMIT} at most, with ids of letters, digits and _-=#;:?@&; without ${namesOf(leftOut)}`
    await Promise.all([
      sameNames.length > 0
        ? notices.add(accountId, 'alexa_same_names', sameNames.slice(0, mostNamed).join(', '))
        : notices.remove(accountId, 'alexa_same_names'),
      leftOut.length > 0 ? notices.add(accountId, 'alexa_left_out', left) : notices.remove(accountId, 'alexa_left_out'),
    ])
  }

  return {
    deliver: grants.isConfigured
      ? createAlexaDeliver({ grants, cameras, stateOf, isOnline, clock, log, ...(urls && { gatewayUrls: urls }) })
      : undefined,
    async translate(camera, news) {
      const outgoing = grants.isConfigured ? newsForAlexa(camera, news) : []
      if (outgoing.length === 0 || !(await grants.has(camera.accountId))) return []
      if (news.kind !== 'changed' && news.kind !== 'removed') return outgoing
      const review = reviewCameras(await cameras.list(camera.accountId))
      await warn(camera.accountId, review)
      return review.leftOut.some(({ id }) => id === camera.id) ? [] : outgoing
    },
    linkRemoved: (accountId, linkId) => grants.forget(accountId, 'its link was removed', { linkId }),
    async unlinked(accountId) {
      await grants.drop(accountId)
      await Promise.all(aboutAlexa.map((kind) => notices.remove(accountId, kind)))
    },
    open({ visits, mute }) {
      const handler = createAlexaHandler({
        authorize: authority.at('alexa'),
        cameras,
        broker,
        grants,
        stateOf,
        snapshotUrl: ({ id }) => `${publicUrl}/cameras/${encodeURIComponent(id)}/snapshot`,
        canSendEvents: grants.isConfigured,
        warn,
        budgetMs,
        clock,
        log,
      })
      const skill = createDoorbellSkill({
        authorize: authority.at('alexa'),
        cameras,
        isOnline,
        stateOf,
        visits,
        mute,
        takeEvent: createSkillEvents({
          authorize: authority.at('alexa'),
          store: deps.store,
          onDisabled: (account, at) =>
            grants.forget(account, 'the skill was disabled in the Alexa app', { acceptedBy: at }),
          clock,
          log,
        }),
        timeZoneOf,
        timeZone,
        clock,
        log,
        ...(skillId !== undefined && { skillId }),
      })
      const entry = createAlexaEntry(handler, skill)
      return {
        handler,
        skill,
        entry: (event, awsRegion) => entry(event, regionOfLambda(awsRegion) satisfies AlexaRegion | undefined),
      }
    },
  }
}

function namesOf(cameras: readonly Camera[]): string {
  const named = cameras.slice(0, mostNamed).map(({ name }) => name)
  return [...named, ...(cameras.length > mostNamed ? [`${cameras.length - mostNamed} more`] : [])].join(', ')
}
