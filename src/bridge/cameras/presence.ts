/** Whether a camera is there, and when its coming and going is news. */
import type { Fault, Presence } from 'transom-core/ports'

/** Amazon wants changes within three seconds (implement-your-skill.html). */
const absentMs = 2_000

export interface PresenceNews {
  /** A camera master came to this channel or left it, at `at` (epoch milliseconds). */
  changed(channelName: string, isOnline: boolean, at: number): void
  /** Forgets who is away. May be called again. */
  close(): void
}

export interface SourceFaults {
  /** What the gateway said last of the camera on this channel; false when it said so before. */
  note(channelName: string, fault: Fault | undefined): boolean
  /** Like the presence given, and says why a camera is away. */
  readonly presence: Presence
}

/** Kept in memory: a gateway says so anew when it starts, and at each change. */
export function createSourceFaults(presence: Presence): SourceFaults {
  const faults = new Map<string, Fault>()
  return {
    note(channelName, fault) {
      const known = faults.get(channelName)
      if (known?.code === fault?.code && known?.message === fault?.message) return false
      if (fault === undefined) faults.delete(channelName)
      else faults.set(channelName, fault)
      return true
    },
    presence(channel) {
      const seen = presence(channel)
      const fault = faults.get(channel.channelName)
      return seen?.online === false && fault ? { ...seen, fault } : seen
    },
  }
}

/** A master that reconnects, as KVS makes it do each hour, has not been away. `tell` must not reject. */
export function createPresenceNews(
  tell: (channelName: string, isOnline: boolean, at: number) => Promise<void>,
): PresenceNews {
  const leaving = new Map<string, NodeJS.Timeout>()
  return {
    changed(channelName, isOnline, at) {
      const wasLeaving = leaving.get(channelName)
      if (!isOnline) {
        clearTimeout(wasLeaving)
        const timer = setTimeout(() => {
          leaving.delete(channelName)
          void tell(channelName, false, at)
        }, absentMs)
        leaving.set(channelName, timer)
      } else if (wasLeaving === undefined) void tell(channelName, true, at)
      else {
        clearTimeout(wasLeaving)
        leaving.delete(channelName)
      }
    },
    close() {
      for (const timer of leaving.values()) clearTimeout(timer)
      leaving.clear()
    },
  }
}
