/** Who is connected to which channel, and the carrying of messages between them. Knows no socket, HTTP or store. */
import type { ChannelPresence, Clock } from 'transom-core/ports'
import type { SignalingLimits } from './limits.ts'
import type { Posting } from './message.ts'
import type { PresenceLimits } from './presence.ts'
import { addMaster, carry, closeCodes, closeRoom, deliverKept, dropMaster, type Peer, type Room } from './room.ts'
import { createRooms, type RoomChannel } from './rooms.ts'
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

export interface Hub {
  joinAsMaster(channel: RoomChannel, peer: Peer): Seat
  /** Throws `ClientLimitExceededException` like `checkRoom`. A viewer of the same id is replaced at once. */
  joinAsViewer(channel: RoomChannel, clientId: string, peer: Peer): Seat
  /**
   * Throws `ClientLimitExceededException` when the channel has no room for one more viewer. The last place is for the
   * applications, the bridge for one: a guest is anybody else.
   */
  checkRoom(channelName: string, clientId: string, isGuest?: boolean): void
  /** Lets go of what the channel keeps for or from this viewer. */
  forget(channelName: string, clientId: string): void
  /** The channel, if somebody has connected to it since the start. */
  channel(channelName: string): RoomChannel | undefined
  /** Takes over a changed life of messages. */
  update(channel: RoomChannel): void
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
  const rooms = createRooms(limits, clock, onPresence)

  function post(room: Room, to: string | undefined, from: string | undefined, posting: Posting): void {
    const { type, payload, isPlain } = posting
    const message = { type, payload, isPlain, ...(from !== undefined && { senderClientId: from }) }
    carry(room, { to, from, message }, limits.undeliveredPerChannel, clock())
  }

  function checkRoom(channelName: string, clientId: string, isGuest = false): void {
    const viewers = rooms.find(channelName)?.viewers
    const most = isGuest ? Math.max(1, limits.viewersPerChannel - 1) : limits.viewersPerChannel
    if (viewers && !viewers.has(clientId) && viewers.size >= most) {
      throw new ServiceError('ClientLimitExceededException', 'The channel has as many viewers as it may have.')
    }
  }

  return {
    checkRoom,
    joinAsMaster(channel, peer) {
      const { name } = channel
      const room = rooms.enter(channel)
      const master = addMaster(room, peer, limits.replacedMasterMs)
      rooms.move(name, room, 'came')
      deliverKept(room, undefined, peer, clock())
      return {
        post(posting) {
          if (posting.recipientClientId === undefined) {
            throw new ServiceError('InvalidArgumentException', 'A master must name the recipientClientId.')
          }
          post(room, posting.recipientClientId, undefined, posting)
        },
        leave() {
          if (dropMaster(room, master) && room.masters.length === 0) rooms.move(name, room, 'left')
        },
      }
    },
    joinAsViewer(channel, clientId, peer) {
      checkRoom(channel.name, clientId)
      const room = rooms.enter(channel)
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
    forget: (channelName, clientId) => rooms.find(channelName)?.mailbox?.forget(clientId),
    channel(channelName) {
      const room = rooms.find(channelName)
      return room && { name: channelName, messageTtlS: room.ttlMs / 1_000 }
    },
    update({ name, messageTtlS }) {
      const room = rooms.find(name)
      if (room) room.ttlMs = messageTtlS * 1_000
    },
    remove(channelName) {
      const room = rooms.find(channelName)
      if (!room) return
      closeRoom(room, closeCodes.removed, 'the channel was deleted')
      rooms.move(channelName, room, 'deleted')
      rooms.forget(channelName)
    },
    presence(channelName) {
      const presence = rooms.find(channelName)?.presence
      if (presence === undefined) return undefined
      const { online, sinceAt, isUnseen } = presence
      return { online, sinceAt, ...(isUnseen && { isUnseen }) }
    },
    sweep() {
      const now = clock()
      for (const room of rooms.all()) room.mailbox?.sweep(now)
    },
    close() {
      for (const room of rooms.close()) closeRoom(room, closeCodes.goingAway, 'the service is stopping')
    },
  }
}
