/** The cameras as people look for them: in which order, by which words, and in which rooms. */
import type { CameraRow } from 'transom-core/wire/api'

/** From so many on a house is looked through: with a search, room by room, in small tiles. */
const many = 9

export const isMany = (cameras: readonly CameraRow[]): boolean => cameras.length >= many

/** As people count: "Gate 2" before "Gate 10". */
const { compare } = new Intl.Collator(undefined, { numeric: true })

/** Those that can be seen before those that are away; of these doorbells first, then by name. */
export const inOrder = (cameras: readonly CameraRow[]): readonly CameraRow[] =>
  cameras.toSorted(
    (a, b) =>
      Number(a.isOnline === false) - Number(b.isOnline === false) ||
      Number(b.kind === 'doorbell') - Number(a.kind === 'doorbell') ||
      compare(a.name, b.name),
  )

/** Those that have all of these words in name or room. */
export function withWords(cameras: readonly CameraRow[], find: string): readonly CameraRow[] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean)
  return cameras.filter(({ name, room = '' }) => {
    const text = `${name} ${room}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

/** Each room with its cameras in their order, rooms by name; those without a room last, under no name. */
export function byRoom(cameras: readonly CameraRow[]): readonly (readonly [string, readonly CameraRow[]])[] {
  const rooms = Map.groupBy(cameras, ({ room }) => room ?? '')
  return [...rooms].toSorted(([a], [b]) => Number(a === '') - Number(b === '') || compare(a, b))
}
