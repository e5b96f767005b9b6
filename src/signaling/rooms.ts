/** The rooms of the channels that somebody connected to since the start, and the news of who is there. */
import type { Clock } from 'transom-core/ports'
import type { Channel } from './channel-records.ts'
import { stepPresence, unseen, type PresenceEvent, type PresenceLimits } from './presence.ts'
import type { Room } from './room.ts'

/** A channel, as far as its room needs it. */
export type RoomChannel = Pick<Channel, 'name' | 'messageTtlS'>

export interface Rooms {
  find(channelName: string): Room | undefined
  /** The channel's room, which is made for the first who enters. */
  enter(channel: RoomChannel): Room
  /** Moves the presence of a room that is still the channel's, and carries out what follows. */
  move(channelName: string, room: Room, kind: PresenceEvent['kind']): void
  forget(channelName: string): void
  all(): Iterable<Room>
  /** The rooms, none of whose presence moves any more. */
  close(): Iterable<Room>
}

/** `onPresence` is told at once of what others are to believe. */
export function createRooms(
  limits: PresenceLimits,
  clock: Clock,
  onPresence: (channelName: string, online: boolean, at: number) => void,
): Rooms {
  const rooms = new Map<string, Room>()
  // A viewer may be the first to enter: no master has been there since the start, not since then.
  const openedAt = clock()
  let isClosed = false

  function move(channelName: string, room: Room, kind: PresenceEvent['kind']): void {
    if (isClosed || rooms.get(channelName) !== room) return
    const [presence, effects] = stepPresence(room.presence, { kind, at: clock() }, limits)
    room.presence = presence
    for (const effect of effects) {
      switch (effect.kind) {
        case 'announce':
          onPresence(channelName, effect.online, effect.at)
          break
        case 'wake':
          room.waking = setTimeout(() => move(channelName, room, 'stayed-away'), effect.afterMs)
          break
        case 'rest':
          clearTimeout(room.waking)
          break
      }
    }
  }

  return {
    move,
    find: (channelName) => rooms.get(channelName),
    enter({ name, messageTtlS }) {
      const ttlMs = messageTtlS * 1_000
      const known = rooms.get(name)
      if (known) {
        known.ttlMs = ttlMs
        return known
      }
      const room: Room = { ttlMs, masters: [], viewers: new Map(), presence: unseen(openedAt) }
      rooms.set(name, room)
      return room
    },
    forget: (channelName) => void rooms.delete(channelName),
    all: () => rooms.values(),
    close() {
      isClosed = true
      return rooms.values()
    },
  }
}
