/** Waits until a camera has come to its channel, or has said why it does not. */
export interface Arrivals {
  note(channelName: string): void
  /** Resolves when `note` is called for this channel, or after `ms`. Never rejects. */
  of(channelName: string, ms: number): Promise<void>
}

export function createArrivals(): Arrivals {
  const awaited = new Map<string, () => void>()
  return {
    note: (channelName) => awaited.get(channelName)?.(),
    async of(channelName, ms) {
      const { promise, resolve } = Promise.withResolvers<void>()
      awaited.set(channelName, resolve)
      const timer = setTimeout(resolve, ms)
      await promise
      clearTimeout(timer)
      awaited.delete(channelName)
    },
  }
}
