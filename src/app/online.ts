/** A camera came online or went: made known to the rooms that care, in the order it happened for each camera. */
import type { Camera, Log } from '../ports.ts'
import type { Cameras } from './cameras.ts'

/** Tells one of them; `at` is when it happened, in epoch milliseconds. A rejection is logged. */
export type TellOnline = (camera: Camera, online: boolean, at: number) => unknown

export interface OnlineNews {
  /** News of the signaling service about a channel; one that is no camera's is nobody's concern. Never throws. */
  changed(channelName: string, online: boolean, at: number): void
  /** Waits until everybody was told. */
  settled(): Promise<void>
}

export function createOnlineNews(deps: { cameras: Cameras; tell: readonly TellOnline[]; log: Log }): OnlineNews {
  const running = new Map<string, Promise<void>>()
  const carry = async (channelName: string, online: boolean, at: number) => {
    const camera = await deps.cameras.byChannel(channelName)
    if (camera === undefined) return
    const told = await Promise.allSettled(deps.tell.map(async (tell) => tell(camera, online, at)))
    for (const result of told) {
      if (result.status === 'rejected') deps.log('warn', 'online-news', { camera: camera.id, cause: result.reason })
    }
  }
  return {
    changed(channelName, online, at) {
      const before = running.get(channelName) ?? Promise.resolve()
      const mine = before
        .then(() => carry(channelName, online, at))
        .catch((cause: unknown) => deps.log('error', 'online-news', { channelName, cause }))
        .finally(() => {
          if (running.get(channelName) === mine) running.delete(channelName)
        })
      running.set(channelName, mine)
    },
    async settled() {
      await Promise.all(running.values())
    },
  }
}
