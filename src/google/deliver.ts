/** Carries what waits in the outbox for Google to Home Graph: presses, people seen, states, "ask me again", and farewells. */
import { z } from 'zod'
import type { Deliver, Delivery, Outgoing } from '../outbox/outbox.ts'
import type { AccountId, Camera, CameraId } from '../ports.ts'
import type { Cameras } from './cameras.ts'
import type { Devices, GraphResult, HomeGraph } from './home-graph.ts'
import type { GoogleLinks } from './links.ts'
import { googleEvent } from './news.ts'
import type { StatesOf } from './reports.ts'

export interface DeliverDeps {
  readonly homeGraph: HomeGraph
  readonly links: GoogleLinks
  readonly cameras: Cameras
  readonly statesOf: StatesOf
  /** Home Graph does not know the user any more, and nothing is sent until he links again. */
  readonly onUnlinked: (account: AccountId) => Promise<void>
}

/** Never rejects but for the store. Repetitions of a notification carry the same `eventId`, so that Google speaks once. */
export function createGoogleDeliver(deps: DeliverDeps): Deliver {
  const { homeGraph, links, cameras, statesOf, onUnlinked } = deps

  return async (event, signal) => {
    const body = googleEvent.safeParse(event.body)
    if (!body.success) return drop(`no event for Google: ${z.prettifyError(body.error).slice(0, 200)}`)
    const { accountId } = event
    if (body.data.kind === 'unlink') return farewell(accountId, signal)
    if (!(await links.isOpen(accountId))) return drop('the account is not linked with Google')
    switch (body.data.kind) {
      case 'press':
      case 'person':
        return notify(event, signal)
      case 'states':
        return reportStates(accountId, event.cameraId, signal)
      case 'sync':
        return settle(accountId, await homeGraph.requestSync(accountId, signal))
    }
  }

  async function notify(event: Outgoing, signal: AbortSignal): Promise<Delivery> {
    const camera = await cameraOf(event.accountId, event.cameraId)
    if (camera === undefined) return drop('the camera is gone')
    // Google has no word for "pressed", and we recognise nobody: it is somebody.
    const objects = { unfamiliar: 1 }
    const seen = { ObjectDetection: { objects, priority: 0 as const, detectionTimestamp: Math.round(event.at) } }
    const devices: Devices = {
      // Who rings is there, whatever we believed.
      states: { [camera.id]: { ...(await statesOf(camera)), online: true } },
      notifications: { [camera.id]: seen },
    }
    return settle(event.accountId, await homeGraph.report(event.accountId, devices, event.id, signal))
  }

  async function reportStates(account: AccountId, only: CameraId | undefined, signal: AbortSignal): Promise<Delivery> {
    const camera = only === undefined ? undefined : await cameraOf(account, only)
    const told = only === undefined ? await cameras.list(account) : camera ? [camera] : []
    if (told.length === 0) return drop('there is nothing to report')
    const states = await Promise.all(told.map(async (one) => [one.id, await statesOf(one)] as const))
    const devices = { states: Object.fromEntries(states) }
    return settle(account, await homeGraph.report(account, devices, undefined, signal))
  }

  async function farewell(account: AccountId, signal: AbortSignal): Promise<Delivery> {
    const result = await homeGraph.deleteAgentUser(account, signal)
    // Already gone is what we wanted.
    return result.kind === 'unlinked' ? { kind: 'done' } : settle(account, result)
  }

  async function cameraOf(account: AccountId, id: CameraId | undefined): Promise<Camera | undefined> {
    return id === undefined ? undefined : cameras.find(account, id)
  }

  async function settle(account: AccountId, result: GraphResult<unknown>): Promise<Delivery> {
    switch (result.kind) {
      case 'accepted':
        return { kind: 'done' }
      case 'unlinked':
        await links.close(account)
        await onUnlinked(account)
        return drop('Home Graph knows no such user: the account was unlinked')
      case 'failed': {
        const { retryable, afterMs, reason } = result
        if (!retryable) return drop(reason)
        return { kind: 'retry', reason, ...(afterMs !== undefined && { afterMs }) }
      }
    }
  }
}

function drop(reason: string): Delivery {
  return { kind: 'drop', reason }
}
