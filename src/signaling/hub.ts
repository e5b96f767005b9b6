/** Who is connected to which channel, and the carrying of messages between them. Knows no socket, HTTP or store. */
import type { ChannelPresence, Clock } from 'transom-core/ports'
import type { Channel } from './channel-records.ts'
import type { SignalingLimits } from './limits.ts'
import type { Posting } from './message.ts'
import { stepPresence, unseen, type PresenceEvent, type PresenceLimits } from './presence.ts'
import { addMaster, carry, closeCodes, closeRoom, deliverKept, dropMaster, type Peer, type Room } from './room.ts'
import { ServiceError } from './service-error.ts'

/** The place that a peer has in its channel, until it leaves. */
export interface Seat {
  /** Carries a message of the peer to the other side, or keeps it for that side. Throws `ServiceError`. */
  post(posting: Posting): void
  /** Frees the place. May be called again. */
  leave(): void
}

export type HubLimits = PresenceLimits &
  Pick<SignalingLimits, 'viewersPerChannel' | 'undeliveredPerChannel' | 'replacedMasterMs'>

/** A channel, as far as the hub needs it. */
export type HubChannel = Pick<Channel, 'name' | 'messageTtlS'>

export interface Hub {
  joinAsMaster(channel: HubChannel, peer: Peer): Seat
  /** Throws `ClientLimitExceededException` like `checkRoom`. A viewer of the same id is replaced at once. */
  joinAsViewer(channel: HubChannel, clientId: string, peer: Peer): Seat
  /**
   * Throws `ClientLimitExceededException` when the channel has no room for one more viewer. The last place is for the
   * applications, the bridge for one: a guest is anybody else.
   */
  checkRoom(channelName: string, clientId: string, isGuest?: boolean): void
  /** Lets go of what the channel keeps for or from this viewer. */
  forget(channelName: string, clientId: string): void
  /** The channel, if somebody has connected to it since the start. */
  channel(channelName: string): HubChannel | undefined
  /** Takes over a changed life of messages. */
  update(channel: HubChannel): void
  /** Ends every connection of a channel that exists no more. */
  remove(channelName: string): void
  presence(channelName: string): ChannelPresence | undefined
  /** Drops what nobody fetched in time; called now and then. */
  sweep(): void
  /** Ends every connection, and tells nobody of it. */
  close(): void
}

export function createHub(
  limits: HubLimits,
  clock: Clock,
  onPresence: (channelName: string, online: boolean, at: number) => void,
): Hub {
  const rooms = new Map<string, Room>()
  // A viewer may be the first to enter: no master has been there since the start, not since then.
  const openedAt = clock()

  /** The channel's room, which is made for the first who enters. */
  function enter({ name, messageTtlS }: HubChannel): Room {
    const ttlMs = messageTtlS * 1_000
    const known = rooms.get(name)
    if (known) {
      known.ttlMs = ttlMs
      return known
    }
    const room: Room = { ttlMs, masters: [], viewers: new Map(), presence: unseen(openedAt) }
    rooms.set(name, room)
    return room
  }

  /** Moves the presence of a room that is still the channel's, and carries out what follows. */
  function move(name: string, room: Room, kind: PresenceEvent['kind']): void {
    if (rooms.get(name) !== room) return
    const [presence, effects] = stepPresence(room.presence, { kind, at: clock() }, limits)
    room.presence = presence
    for (const effect of effects) {
      switch (effect.kind) {
        case 'announce':
          onPresence(name, effect.online, effect.at)
          break
        case 'wake':
          room.waking = setTimeout(() => move(name, room, 'stayed-away'), effect.afterMs)
          break
        case 'rest':
          clearTimeout(room.waking)
          break
      }
    }
  }

  function post(room: Room, to: string | undefined, from: string | undefined, posting: Posting): void {
    const { type, payload, isPlain } = posting
    const message = { type, payload, isPlain, ...(from !== undefined && { senderClientId: from }) }
    carry(room, { to, from, message }, limits.undeliveredPerChannel, clock())
  }

  function checkRoom(channelName: string, clientId: string, isGuest = false): void {
    const viewers = rooms.get(channelName)?.viewers
    const most = isGuest ? Math.max(1, limits.viewersPerChannel - 1) : limits.viewersPerChannel
    if (viewers && !viewers.has(clientId) && viewers.size >= most) {
      throw new ServiceError('ClientLimitExceededException', 'The channel has as many viewers as it may have.')
    }
  }

  return {
    checkRoom,
    joinAsMaster(channel, peer) {
      const { name } = channel
      const room = enter(channel)
      const master = addMaster(room, peer, limits.replacedMasterMs)
      move(name, room, 'came')
      deliverKept(room, undefined, peer, clock())
      return {
        post(posting) {
          if (posting.recipientClientId === undefined) {
            throw new ServiceError('InvalidArgumentException', 'A master must name the recipientClientId.')
          }
          post(room, posting.recipientClientId, undefined, posting)
        },
        leave() {
          if (dropMaster(room, master) && room.masters.length === 0) move(name, room, 'left')
        },
      }
    },
    joinAsViewer(channel, clientId, peer) {
      checkRoom(channel.name, clientId)
      const room = enter(channel)
      room.viewers.get(clientId)?.close(closeCodes.replaced, 'replaced by a newer connection of this client id')
      room.viewers.set(clientId, peer)
      deliverKept(room, clientId, peer, clock())
      return {
        post: (posting) => post(room, undefined, clientId, posting),
        leave() {
          if (room.viewers.get(clientId) === peer) room.viewers.delete(clientId)
        },
      }
    },
    forget: (channelName, clientId) => rooms.get(channelName)?.mailbox?.forget(clientId),
    channel(channelName) {
      const room = rooms.get(channelName)
      return room && { name: channelName, messageTtlS: room.ttlMs / 1_000 }
    },
    update({ name, messageTtlS }) {
      const room = rooms.get(name)
      if (room) room.ttlMs = messageTtlS * 1_000
    },
    remove(channelName) {
      const room = rooms.get(channelName)
      if (!room) return
      closeRoom(room, closeCodes.removed, 'the channel was deleted')
      move(channelName, room, 'deleted')
      rooms.delete(channelName)
    },
    presence(channelName) {
      const presence = rooms.get(channelName)?.presence
      if (presence === undefined) return undefined
      const { online, sinceAt, isUnseen } = presence
      return { online, sinceAt, ...(isUnseen && { isUnseen }) }
    },
    sweep() {
      const now = clock()
      for (const room of rooms.values()) room.mailbox?.sweep(now)
    },
    close() {
      const open = [...rooms.values()]
      // Who leaves from here on is nobody's news.
      rooms.clear()
      for (const room of open) closeRoom(room, closeCodes.goingAway, 'the service is stopping')
    },
  }
}
