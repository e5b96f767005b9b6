/** When a camera's coming and going is news: a master that reconnects, as KVS makes it do each hour, has not been away. */

/** Amazon wants changes within three seconds (implement-your-skill.html). */
const absentMs = 2_000

export interface PresenceNews {
  /** A camera master came to this channel or left it, at `at` (epoch milliseconds). */
  changed(channelName: string, isOnline: boolean, at: number): void
  /** Forgets who is away. May be called again. */
  close(): void
}

/** `tell` must not reject. */
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
