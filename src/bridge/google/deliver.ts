/** Carries what waits in the outbox for Google to Home Graph: presses, people seen, states, "ask me again", and farewells. */
import { isDeepStrictEqual } from 'node:util'
import type { Deliver, Delivery, Outgoing } from '../outbox/outgoing.ts'
import type { AccountId, Camera, CameraId } from 'transom-core/ports'
import type { Cameras } from './cameras.ts'
import type { Devices, GraphResult, HomeGraph } from './home-graph.ts'
import type { GoogleLinks } from './links.ts'
import { googleEvent } from './news.ts'
import type { StatesOf } from './reports.ts'
import { faultsOf } from 'transom-core/wire/faults'

export interface DeliverDeps {
  readonly homeGraph: HomeGraph
  readonly links: GoogleLinks
  readonly cameras: Cameras
  readonly statesOf: StatesOf
  /** Home Graph does not know the user any more, and nothing is sent until he links again. */
  readonly onUnlinked: (account: AccountId) => Promise<void>
}

/** The devices that Home Graph has of an account. */
interface Known {
  readonly kind: 'known'
  readonly ids: ReadonlySet<string>
}

/** Never rejects but for the store. Repetitions of a notification carry the same `eventId`, so that Google speaks once. */
export function createGoogleDeliver(deps: DeliverDeps): Deliver {
  return async (event, signal) => {
    const body = googleEvent.safeParse(event.body)
    if (!body.success) return drop(`no event for Google: ${faultsOf(body.error).slice(0, 200)}`)
    const { accountId } = event
    const isOpen = await deps.links.isOpen(accountId)
    // A user who has linked again in the meantime must not be deleted by the farewell of his earlier link.
    if (body.data.kind === 'unlink')
      return isOpen ? drop('the account is linked again') : farewell(deps, accountId, signal)
    if (!isOpen) return drop('the account is not linked with Google')
    switch (body.data.kind) {
      case 'press':
      case 'person':
        return notify(deps, event, signal)
      case 'states':
        return reportStates(deps, accountId, body.data.cameraId, signal)
      case 'sync':
        return settle(deps, accountId, await deps.homeGraph.requestSync(accountId, signal))
    }
  }
}

async function notify(deps: DeliverDeps, event: Outgoing, signal: AbortSignal): Promise<Delivery> {
  const { homeGraph, cameras, statesOf } = deps
  const { accountId, cameraId, id, lane, at } = event
  const camera = cameraId && (await cameras.find(accountId, cameraId))
  if (!camera) return drop('the camera is gone')
  // Google has no word for "pressed", and we recognise nobody: it is somebody.
  const objects = { unfamiliar: 1 }
  const seen = { ObjectDetection: { objects, priority: 0 as const, detectionTimestamp: Math.round(at) } }
  const devices: Devices = {
    // Who rings is there, whatever we believed.
    states: { [camera.id]: { ...(await statesOf(camera)), online: true } },
    notifications: { [camera.id]: seen },
  }
  const result = await homeGraph.report(accountId, devices, { id, lane }, signal)
  if (result.kind !== 'not-found') return settle(deps, accountId, result)
  const known = await knownDevices(deps, accountId, signal)
  return known.kind === 'known' ? retry('Google does not know the camera yet') : known
}

/** Of one camera, or of all of the account. */
async function reportStates(
  deps: DeliverDeps,
  account: AccountId,
  only: CameraId | undefined,
  signal: AbortSignal,
): Promise<Delivery> {
  const { homeGraph, cameras, statesOf } = deps
  const found = only === undefined ? await cameras.list(account) : [await cameras.find(account, only)]
  const told = found.filter((camera) => camera !== undefined)
  if (told.length === 0) return drop('there is nothing to report')
  const states = await statesNow(told, statesOf)
  const result = await homeGraph.report(account, { states }, undefined, signal)
  if (result.kind === 'not-found') return reportKnown(deps, account, states, signal)
  // Another process may have told Google of a change before this, older word arrived.
  if (result.kind === 'accepted' && !isDeepStrictEqual(await statesNow(told, statesOf), states))
    return retry('a state changed while it was reported')
  return settle(deps, account, result)
}

async function statesNow(told: readonly Camera[], statesOf: StatesOf): Promise<Devices['states']> {
  return Object.fromEntries(await Promise.all(told.map(async (one) => [one.id, await statesOf(one)] as const)))
}

/** One device that Google does not know spoils the report of all: those that it knows are told alone, the rest after its SYNC. */
async function reportKnown(
  deps: DeliverDeps,
  account: AccountId,
  states: Devices['states'],
  signal: AbortSignal,
): Promise<Delivery> {
  const known = await knownDevices(deps, account, signal)
  if (known.kind !== 'known') return known
  const told = Object.entries(states).filter(([id]) => known.ids.has(id))
  if (told.length === 0) return drop('Google knows none of the cameras yet')
  const result = await deps.homeGraph.report(account, { states: Object.fromEntries(told) }, undefined, signal)
  return result.kind === 'not-found' ? retry("Google's devices are changing") : settle(deps, account, result)
}

/**
 * Home Graph found the user or one of his devices not (its 404 does not say which). The devices that it knows, having
 * asked it to ask us; or what follows if it knows not even the user.
 */
async function knownDevices(deps: DeliverDeps, account: AccountId, signal: AbortSignal): Promise<Known | Delivery> {
  const { homeGraph, links } = deps
  if (await links.isFresh(account)) return retry('Google has not taken in the last SYNC yet')
  const kept = await homeGraph.devices(account, signal)
  if (kept.kind !== 'accepted') return settle(deps, account, kept)
  const asked = await homeGraph.requestSync(account, signal)
  if (asked.kind !== 'accepted') return settle(deps, account, asked)
  return { kind: 'known', ids: new Set(kept.value.map(({ id }) => id)) }
}

async function farewell(deps: DeliverDeps, account: AccountId, signal: AbortSignal): Promise<Delivery> {
  const result = await deps.homeGraph.deleteAgentUser(account, signal)
  // Already gone is what we wanted.
  return result.kind === 'not-found' ? { kind: 'done' } : settle(deps, account, result)
}

/** What follows from a call about the user as a whole. */
async function settle(
  { links, onUnlinked }: DeliverDeps,
  account: AccountId,
  result: GraphResult<unknown>,
): Promise<Delivery> {
  switch (result.kind) {
    case 'accepted':
      return { kind: 'done' }
    case 'not-found':
      if (await links.isFresh(account)) return retry('Google has not taken in the last SYNC yet')
      await links.close(account)
      await onUnlinked(account)
      return drop('Home Graph knows no such user: the account was unlinked')
    case 'failed': {
      const { retryable, afterMs, reason } = result
      return retryable ? { ...retry(reason), ...(afterMs !== undefined && { afterMs }) } : drop(reason)
    }
  }
}

const drop = (reason: string) => ({ kind: 'drop', reason }) as const
const retry = (reason: string) => ({ kind: 'retry', reason }) as const
