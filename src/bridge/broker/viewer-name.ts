/** Our viewers' names towards a camera: from a name alone the broker knows its session, and since when there may be a viewer. */
import { randomBytes } from 'node:crypto'
import { sessionId, type SessionId } from 'transom-core/ports'

export interface ViewerName {
  readonly id: SessionId
  readonly madeAt: number
}

/**
 * Fresh for each attempt: a KVS camera refuses a second offer from a viewer that it still holds. `mark` (letters and digits)
 * tells our viewers from those of another bridge on the same channels.
 */
export function nameViewer(id: SessionId, mark: string, madeAt: number): string {
  return `s-${id}.${mark}.${madeAt.toString(36)}.${randomBytes(4).toString('hex')}`
}

/** `undefined` for a viewer that is not ours. */
export function readViewerName(viewerId: string, mark: string): ViewerName | undefined {
  const [, id, marked, madeAt] = /^s-([\w-]{22})\.(\w*)\.([0-9a-z]{1,10})\.[0-9a-f]{8}$/.exec(viewerId) ?? []
  if (id === undefined || madeAt === undefined || marked !== mark) return undefined
  return { id: sessionId(id), madeAt: Number.parseInt(madeAt, 36) }
}
