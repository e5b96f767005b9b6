/** What the disk says, in words of ours. */
import { BridgeError } from 'transom-core/errors'

/** Does work on the disk. Throws `BridgeError`: `no_room` when it is full, else `store_failed`; those of the work itself stay. */
export async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof BridgeError) throw error
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const isFull = code === 'ENOSPC' || code === 'EDQUOT'
    throw new BridgeError(isFull ? 'no_room' : 'store_failed', 'recordings cannot be kept or read', { cause: error })
  }
}
