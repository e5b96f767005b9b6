/** Who is connected to which channel, and the carrying of messages between them. Knows no socket, HTTP or store. */
import type { ChannelPresence, Clock } from 'transom-core/ports'
import type { Channel } from './channels.ts'
import type { SignalingLimits } from './limits.ts'
import { createMailbox, type Mailbox } from './mailbox.ts'
import type { Delivery, Posting } from './message.ts'
import { ServiceError } from './service-error.ts'

/** One connected client, as the hub needs it. */
export interface Peer {
  /** Hands a message over; false when the peer cannot take it any more, and will be gone soon. */
  deliver(message: Delivery): boolean
  /** Ends the connection, with a WebSocket close code. Its owner calls `leave` of the seat when it is gone. */
  close(code: number, reason: string): void
}

/** The place that a peer has in its channel, until it leaves. */
export interface Seat {
  /** Carries a message of the peer to the other side, or keeps it for that side. Throws `ServiceError`. */
  post(posting: Posting): void
  /** Frees the place. May be called again. */
  leave(): void
}

export type HubLimits = Pick<
  SignalingLimits,
  'viewersPerChannel' | 'undeliveredPerChannel' | 'replacedMasterMs' | 'offlineDelayMs' | 'flappingDelayMs'
>

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

/** A channel that somebody connected to since the start. */
interface Room {
  ttlMs: number
  /** Oldest first. The last one is the master; those before it were replaced, and end soon. */
  readonly masters: Master[]
  readonly viewers: Map<string, Peer>
  /** Made when there is something to keep: most rooms never have that. */
  mailbox?: Mailbox
  /** What others believe: a master that is away for a moment is still there. */
  online: boolean
  sinceAt: number
  isUnseen: boolean
  /** Runs while the master is away and nobody was told yet. */
  leaving?: NodeJS.Timeout | undefined
  /** When the master left in the last minute. */
  departures: readonly number[]
}

interface Master {
  readonly peer: Peer
  ending?: NodeJS.Timeout
}

/** Close codes for applications (RFC 6455 section 7.4.2); the numbers are ours. */
export const closeCodes = {
  goingAway: 1001,
  policy: 1008,
  overloaded: 1013,
  replaced: 4001,
  revoked: 4003,
  removed: 4004,
  idle: 4008,
  lifetime: 4010,
} as const
/** A master that leaves so often within a minute is flapping. */
const flapping = { departures: 3, withinMs: 60_000 }
/** So many clients that all believe to be the master of one channel are a fault, and the oldest has to go at once. */
const maxMasters = 10

export function createHub(
  limits: HubLimits,
  clock: Clock,
  onPresence: (channelName: string, online: boolean, at: number) => void,
): Hub {
  const rooms = new Map<string, Room>()
  // A viewer may be the first to enter: no master has been there since the start, not since then.
  const openedAt = clock()
  let isClosed = false

  const enter = ({ name, messageTtlS }: HubChannel): Room => {
    const ttlMs = messageTtlS * 1_000
    const known = rooms.get(name)
    if (known) {
      known.ttlMs = ttlMs
      return known
    }
    const room: Room = {
      ttlMs,
      masters: [],
      viewers: new Map(),
      online: false,
      sinceAt: openedAt,
      isUnseen: true,
      departures: [],
    }
    rooms.set(name, room)
    return room
  }

  const noticePresence = (name: string, room: Room) => {
    // The room of a deleted channel said its last word when it was removed.
    if (isClosed || rooms.get(name) !== room) return
    if (room.masters.length > 0) {
      clearTimeout(room.leaving)
      room.leaving = undefined
      if (!room.online) announce(name, room, true, clock())
      return
    }
    if (!room.online || room.leaving) return
    // A camera whose connection was closed is back in a moment, and its displays need not hear of it.
    const leftAt = clock()
    room.departures = [...room.departures.filter((at) => leftAt - at < flapping.withinMs), leftAt]
    const isFlapping = room.departures.length >= flapping.departures
    room.leaving = setTimeout(
      () => {
        room.leaving = undefined
        announce(name, room, false, leftAt)
      },
      isFlapping ? limits.flappingDelayMs : limits.offlineDelayMs,
    )
  }

  const announce = (name: string, room: Room, online: boolean, at: number) => {
    room.online = online
    room.sinceAt = at
    room.isUnseen = false
    onPresence(name, online, at)
  }

  const checkRoom = (channelName: string, clientId: string, isGuest = false) => {
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
      const master: Master = { peer }
      const replaced = room.masters.at(-1)
      room.masters.push(master)
      // Whoever is closed comes back at once (the C SDK within 0.2 s), and would replace the newer one in turn: two cameras
      // on one channel would do nothing else. A grace slows that down, and lets calls that are being set up go on.
      if (replaced) {
        replaced.ending = setTimeout(() => endReplaced(replaced), limits.replacedMasterMs)
      }
      const surplus = room.masters.at(-1 - maxMasters)
      if (surplus) endReplaced(surplus)
      noticePresence(name, room)
      deliverKept(room, undefined, peer)
      return {
        post({ type, payload, isPlain, recipientClientId }) {
          if (recipientClientId === undefined) {
            throw new ServiceError('InvalidArgumentException', 'A master must name the recipientClientId.')
          }
          carry(room, recipientClientId, undefined, { type, payload, isPlain })
        },
        leave() {
          clearTimeout(master.ending)
          const at = room.masters.indexOf(master)
          if (at < 0) return
          room.masters.splice(at, 1)
          // The newest left: the one that it replaced is the master again.
          clearTimeout(room.masters.at(-1)?.ending)
          noticePresence(name, room)
        },
      }
    },
    joinAsViewer(channel, clientId, peer) {
      checkRoom(channel.name, clientId)
      const room = enter(channel)
      room.viewers.get(clientId)?.close(closeCodes.replaced, 'replaced by a newer connection of this client id')
      room.viewers.set(clientId, peer)
      deliverKept(room, clientId, peer)
      return {
        post: ({ type, payload, isPlain }) =>
          carry(room, undefined, clientId, { type, payload, isPlain, senderClientId: clientId }),
        leave() {
          if (room.viewers.get(clientId) === peer) room.viewers.delete(clientId)
        },
      }
    },
    forget(channelName, clientId) {
      rooms.get(channelName)?.mailbox?.forget(clientId)
    },
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
      for (const { ending } of room.masters) clearTimeout(ending)
      for (const peer of peersOf(room)) peer.close(closeCodes.removed, 'the channel was deleted')
      room.masters.length = 0
      clearTimeout(room.leaving)
      rooms.delete(channelName)
      if (room.online) announce(channelName, room, false, clock())
    },
    presence(channelName) {
      const room = rooms.get(channelName)
      return room && { online: room.online, sinceAt: room.sinceAt, ...(room.isUnseen && { isUnseen: true }) }
    },
    sweep() {
      const now = clock()
      for (const room of rooms.values()) room.mailbox?.sweep(now)
    },
    close() {
      isClosed = true
      for (const room of rooms.values()) {
        clearTimeout(room.leaving)
        for (const { ending } of room.masters) clearTimeout(ending)
        for (const peer of peersOf(room)) peer.close(closeCodes.goingAway, 'the service is stopping')
      }
      rooms.clear()
    },
  }

  /** `to` and `from` are viewers' ids; undefined is the master. */
  function carry(room: Room, to: string | undefined, from: string | undefined, message: Delivery): void {
    const peer = to === undefined ? room.masters.at(-1)?.peer : room.viewers.get(to)
    if (peer?.deliver(message)) return
    const now = clock()
    room.mailbox ??= createMailbox(limits.undeliveredPerChannel)
    room.mailbox.keep({ to, from, message, expiresAt: now + room.ttlMs }, now)
  }

  function deliverKept(room: Room, to: string | undefined, peer: Peer): void {
    const { mailbox } = room
    for (const kept of mailbox?.fetch(to, clock()) ?? []) {
      // A peer that cannot take them all is gone soon; the rest waits for the next one.
      if (!peer.deliver(kept.message)) mailbox?.keep(kept, clock())
    }
  }
}

const endReplaced = ({ peer }: Master) => peer.close(closeCodes.replaced, 'replaced by a newer master')

const peersOf = ({ masters, viewers }: Room) => [...masters.map(({ peer }) => peer), ...viewers.values()]
