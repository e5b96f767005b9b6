/** Notifications on people's own devices, plugged together. */
import { staleMs } from '../cameras/presses.ts'
import type { PageNews } from '../cameras/events.ts'
import type { Shares } from '../cameras/sharing.ts'
import type { Visits } from '../cameras/visits.ts'
import type { BridgeConfig } from '../settings/bridge-config.ts'
import { createPush } from '../web/push.ts'
import type { PushDevices } from '../web/push-devices.ts'
import type { PushSide as OfPage } from '../web/push-routes.ts'
import type { Camera, Clock, Log } from 'transom-core/ports'

export interface PushSide extends OfPage {
  /** Returns at once. */
  follow(camera: Camera, news: PageNews): void
  /** Resolves when what was begun has come to an end. */
  settled(): Promise<void>
  close(): void
}

/** Undefined where push services would have nobody to turn to, or nobody could switch it on: without the page. */
export function createPushSide(deps: {
  readonly config: BridgeConfig
  readonly publicUrl: string
  readonly devices: PushDevices
  readonly audience: Shares['audience']
  readonly visits: Pick<Visits, 'mutedUntil'>
  readonly clock: Clock
  readonly log: Log
}): PushSide | undefined {
  const { config, publicUrl, devices, audience, visits, clock } = deps
  const { services, contact = publicUrl.startsWith('https://') ? publicUrl : undefined } = config.push
  if (!config.console || contact === undefined) return undefined
  const push = createPush({ ...deps, contact, services, audience, mutedUntil: visits.mutedUntil })
  return {
    devices,
    services,
    follow(camera, news) {
      // A press is news once, however often its camera reports it; nobody is called to the door for an old one.
      if (news.kind === 'press' && clock() - news.at < staleMs) push.rang(camera, news.at)
    },
    settled: push.settled,
    close: push.close,
  }
}
