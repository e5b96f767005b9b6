/** One incoming RTP stream: its packets in order, each once, and the receiver reports about it (RFC 3550 appendix A). */
import { randomInt } from 'node:crypto'
import { distance, readPacket, readSenderReport, writeReceiverReport, type Packet, type SenderReport } from './rtp.ts'

/** Packets that wait for one before them; more, and it is lost. */
const usuallyWaiting = 16
/** Further off than this it is another stream, not a late packet (RFC 3550 appendix A.1: MAX_DROPOUT). */
const mostAhead = 3_000

export interface Receiver {
  /** What is in order now; `isAfterGap` when packets before it are lost. */
  receive(data: Buffer): readonly { readonly packet: Packet; readonly isAfterGap: boolean }[]
  receiveReport(data: Buffer, now: number): SenderReport | undefined
  /** A receiver report, when there is something to report on. `now`: milliseconds. */
  report(now: number): Buffer | undefined
}

export function createReceiver(payloadType: number, mostWaiting = usuallyWaiting): Receiver {
  const ourSsrc = randomInt(1, 0xffff_ffff)
  const waiting = new Map<number, Packet>()
  let ssrc: number | undefined
  let next: number | undefined
  let received = 0
  let first = 0
  let highest = 0
  let before = { received: 0, expected: 0 }
  let report: { readonly compact: number; readonly at: number } | undefined

  function restart({ ssrc: theirs, sequenceNumber }: Packet): void {
    waiting.clear()
    ssrc = theirs
    next = sequenceNumber
    first = highest = sequenceNumber
    received = 0
    before = { received: 0, expected: 0 }
    report = undefined
  }

  return {
    receive(data) {
      const packet = readPacket(data)
      if (!packet || packet.payloadType !== payloadType) return []
      const isFirst = next === undefined
      if (next === undefined || packet.ssrc !== ssrc || Math.abs(distance(next, packet.sequenceNumber, 16)) > mostAhead)
        restart(packet)
      let expected = next ?? packet.sequenceNumber
      const ahead = distance(expected, packet.sequenceNumber, 16)
      // Late or a copy.
      if (ahead < 0 || waiting.has(packet.sequenceNumber)) return []
      received += 1
      highest = Math.max(highest, highest + distance(highest & 0xffff, packet.sequenceNumber, 16))
      waiting.set(packet.sequenceNumber, packet)
      const ordered: { packet: Packet; isAfterGap: boolean }[] = []
      let isAfterGap = !isFirst && waiting.size === 1 && received === 1
      if (waiting.size > mostWaiting) {
        while (!waiting.has(expected)) {
          expected = (expected + 1) & 0xffff
          isAfterGap = true
        }
      }
      for (let found = waiting.get(expected); found; found = waiting.get(expected)) {
        waiting.delete(expected)
        ordered.push({ packet: found, isAfterGap })
        isAfterGap = false
        expected = (expected + 1) & 0xffff
      }
      next = expected
      return ordered
    },
    receiveReport(data, now) {
      const read = readSenderReport(data)
      if (read && read.ssrc === ssrc) report = { compact: read.compact, at: now }
      return read
    },
    report(now) {
      if (ssrc === undefined) return undefined
      const expected = highest - first + 1
      const expectedNow = expected - before.expected
      const lostNow = expectedNow - (received - before.received)
      before = { received, expected }
      const since = report ? Math.round(((now - report.at) * 65_536) / 1_000) : 0
      return writeReceiverReport(ourSsrc, {
        ssrc,
        fractionLost: expectedNow > 0 && lostNow > 0 ? Math.min(255, Math.floor((lostNow * 256) / expectedNow)) : 0,
        lost: Math.max(0, expected - received),
        highestSequence: highest,
        lastReport: report?.compact ?? 0,
        sinceReport: since,
      })
    },
  }
}
