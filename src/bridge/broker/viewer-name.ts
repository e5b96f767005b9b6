/** Our viewers' names towards a camera: from a name alone the broker knows its session, and since when there may be a viewer. */
import { randomBytes } from 'node:crypto'
import { sessionId, type Clock, type SessionId } from 'transom-core/ports'

export interface ViewerName {
  readonly id: SessionId
  readonly madeAt: number
}

/**
 * Fresh for each attempt: a KVS camera refuses a second offer from a viewer that it still holds. `mark` (letters and digits)
 * tells our viewers from those of another bridge on the same channels.
 */
function nameViewer(id: SessionId, mark: string, madeAt: number): string {
  return `s-${id}.${mark}.${madeAt.toString(36)}.${randomBytes(4).toString('hex')}`
}

/** `undefined` for a viewer that is not ours. */
function readViewerName(viewerId: string, mark: string): ViewerName | undefined {
  const [, id, marked, madeAt] = /^s-([\w-]{22})\.(\w*)\.([0-9a-z]{1,10})\.[0-9a-f]{8}$/.exec(viewerId) ?? []
  if (id === undefined || madeAt === undefined || marked !== mark) return undefined
  return { id: sessionId(id), madeAt: Number.parseInt(madeAt, 36) }
}

export interface ViewerNames {
  /** The name for the next attempt: that under which a line was opened ahead, once, or a new one. */
  take(id: SessionId): string
  /** The name under which a line is to be opened ahead; the same again while that line is there. */
  prepare(id: SessionId): string
  read(viewerId: string): ViewerName | undefined
}

const mostPrepared = 1_000
/** A line that was opened ahead is not there any longer than this, and its name of no use. */
const preparedMs = 30_000

/** Gives names, and remembers those of lines that were opened ahead; in this process's memory. */
export function createViewerNames(mark: string, clock: Clock): ViewerNames {
  /** Each for one attempt. */
  const prepared = new Map<SessionId, string>()

  function nameOf(id: SessionId): string {
    const ready = prepared.get(id)
    const madeAt = readViewerName(ready ?? '', mark)?.madeAt ?? -Infinity
    return ready !== undefined && clock() < madeAt + preparedMs ? ready : nameViewer(id, mark, clock())
  }

  return {
    take(id) {
      const name = nameOf(id)
      prepared.delete(id)
      return name
    },
    prepare(id) {
      const name = nameOf(id)
      prepared.set(id, name)
      // Most displays that were shown the way do come; of those that did not, the oldest are forgotten.
      for (const [oldest] of prepared) if (prepared.size > mostPrepared) prepared.delete(oldest)
      return name
    },
    read: (viewerId) => readViewerName(viewerId, mark),
  }
}
