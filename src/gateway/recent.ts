/** The last group of pictures, kept for newcomers: whoever comes begins at its key frame and not at the next one. */
import type { VideoUnit } from './media.ts'
import { createPictureMemory, type PictureMemory } from './picture-memory.ts'

/** Not more than this, nor from longer ago. */
const maxBytes = 16 * 1_024 * 1_024
const maxMs = 10_500
/** At 120 a second. */
const maxUnits = (maxMs / 1_000) * 120
/** With nothing new for so long they are no picture of now. */
const staleMs = 3_000

export interface Recent {
  keep(unit: VideoUnit): void
  /** The pictures since the last key frame, which is the first of them; empty when there was none or it was too long ago. */
  units(): readonly VideoUnit[]
  /** What comes does not go on from what is kept. */
  forget(): void
}

/** `memory`: what the cameras of a gateway may keep between them. */
export function createRecent(memory: PictureMemory = createPictureMemory()): Recent {
  let units: VideoUnit[] = []
  let bytes = 0
  let keptAt = 0
  const forget = () => {
    units = []
    bytes = 0
    held.end()
  }
  const held = memory.open(forget)
  return {
    keep(unit) {
      const [first] = units
      if (unit.isKey) forget()
      else if (first === undefined) return
      keptAt = performance.now()
      const size = unit.payloads.reduce((sum, payload) => sum + payload.length, 0)
      units.push(unit)
      bytes += size
      held.add(size)
      const isLong = first !== undefined && !unit.isKey && unit.at - first.at > maxMs
      if (bytes > maxBytes || units.length > maxUnits || isLong) forget()
    },
    units: () => (performance.now() - keptAt < staleMs ? units : []),
    forget,
  }
}
