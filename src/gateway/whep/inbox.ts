/** What a session brings before anybody plays it: kept, since a first key frame is among it, and looked at for its codecs. */
import type { RtpPacket } from 'werift'

/** More than a key frame has. */
const mostEarly = 2_000

export type Kind = 'video' | 'audio'

export interface Inbox {
  take(kind: string, packet: RtpPacket): void
  /** Resolves with the payload type of the first packet of this kind. */
  firstType(kind: Kind): Promise<number>
  /** Hands over what was kept, and from now on what comes. */
  deliver(to: (kind: Kind, packet: RtpPacket) => void): void
}

export function createInbox(): Inbox {
  const first = { video: Promise.withResolvers<number>(), audio: Promise.withResolvers<number>() }
  let early: { readonly kind: Kind; readonly packet: RtpPacket }[] = []
  let listener: ((kind: Kind, packet: RtpPacket) => void) | undefined
  return {
    take(kind, packet) {
      if (kind !== 'video' && kind !== 'audio') return
      first[kind].resolve(packet.header.payloadType)
      if (listener) listener(kind, packet)
      else if (early.length < mostEarly) early.push({ kind, packet })
    },
    firstType: (kind) => first[kind].promise,
    deliver(to) {
      listener = to
      for (const { kind, packet } of early) to(kind, packet)
      early = []
    },
  }
}
