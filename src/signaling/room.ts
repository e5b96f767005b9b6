/** One channel that somebody connected to: its masters in the order they came, its viewers, and what waits for either. */
import { createMailbox, type Mailbox } from './mailbox.ts'
import type { Delivery } from './message.ts'
import type { Presence } from './presence.ts'

/** One connected client, as its channel needs it. */
export interface Peer {
  /** Hands a message over; false when the peer cannot take it any more, and will be gone soon. */
  deliver(message: Delivery): boolean
  /** Ends the connection, with a WebSocket close code. Its owner calls `leave` of the seat when it is gone. */
  close(code: number, reason: string): void
}

export interface Room {
  /** How long a message is kept that cannot be delivered yet. */
  ttlMs: number
  presence: Presence
  /** Runs while the master is away and nobody was told yet. */
  waking?: NodeJS.Timeout | undefined
  /** Oldest first. The last one is the master; those before it were replaced, and end soon. */
  readonly masters: Master[]
  readonly viewers: Map<string, Peer>
  /** Made when there is something to keep: most rooms never have that. */
  mailbox?: Mailbox
}

export interface Master {
  readonly peer: Peer
  ending?: NodeJS.Timeout
}

/** A message on its way. `to` and `from` are viewers' client ids; undefined is the master. */
export interface Mail {
  readonly to: string | undefined
  readonly from: string | undefined
  readonly message: Delivery
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

/** So many clients that all believe to be the master of one channel are a fault, and the oldest has to go at once. */
const maxMasters = 10

/** Makes the peer the master. The one that it replaces ends after a grace, unless it is the master again by then. */
export function addMaster({ masters }: Room, peer: Peer, graceMs: number): Master {
  const master: Master = { peer }
  const replaced = masters.at(-1)
  masters.push(master)
  // Whoever is closed comes back at once (the C SDK within 0.2 s), and would replace the newer one in turn: two cameras
  // on one channel would do nothing else. A grace slows that down, and lets calls that are being set up go on.
  if (replaced) replaced.ending = setTimeout(() => endReplaced(replaced), graceMs)
  const surplus = masters.at(-1 - maxMasters)
  if (surplus) endReplaced(surplus)
  return master
}

/** False when it has gone before. */
export function dropMaster({ masters }: Room, master: Master): boolean {
  clearTimeout(master.ending)
  const at = masters.indexOf(master)
  if (at < 0) return false
  masters.splice(at, 1)
  // The newest left: the one that it replaced is the master again.
  clearTimeout(masters.at(-1)?.ending)
  return true
}

/** Hands a message over, or keeps it for whoever comes next. Throws `ClientLimitExceededException` when too many are kept. */
export function carry(room: Room, mail: Mail, capacity: number, now: number): void {
  const { to, message } = mail
  const peer = to === undefined ? room.masters.at(-1)?.peer : room.viewers.get(to)
  if (peer?.deliver(message)) return
  room.mailbox ??= createMailbox(capacity)
  room.mailbox.keep({ ...mail, expiresAt: now + room.ttlMs }, now)
}

/** Hands a peer that has just come what was kept for it. */
export function deliverKept({ mailbox }: Room, to: string | undefined, peer: Peer, now: number): void {
  for (const kept of mailbox?.fetch(to, now) ?? []) {
    // A peer that cannot take them all is gone soon; the rest waits for the next one.
    if (!peer.deliver(kept.message)) mailbox?.keep(kept, now)
  }
}

/** Ends every connection and every timer of the room. */
export function closeRoom(room: Room, code: number, reason: string): void {
  clearTimeout(room.waking)
  const masters = room.masters.splice(0)
  for (const { ending } of masters) clearTimeout(ending)
  for (const peer of [...masters.map(({ peer }) => peer), ...room.viewers.values()]) peer.close(code, reason)
}

const endReplaced = ({ peer }: Master) => peer.close(closeCodes.replaced, 'replaced by a newer master')
