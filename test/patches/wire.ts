/** Two ends of DTLS of werift's, joined by a wire in memory that may lose, repeat and reorder what goes over it. */
import { RTCDtlsParameters, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport } from 'werift'

export type Side = 'client' | 'server'

/** What becomes of a datagram: the datagrams that arrive in its place. `count` is how many this side sent before it. */
export type Wire = (from: Side, datagram: Buffer, count: number) => readonly Buffer[]

export interface Pair {
  readonly client: RTCDtlsTransport
  readonly server: RTCDtlsTransport
  /** What each side sent so far. */
  readonly sent: Readonly<Record<Side, Buffer[]>>
  /** Both begin the handshake; resolves when both are connected, rejects when one of them fails. */
  connect(): Promise<void>
  /** Puts a datagram before this side as if the other had sent it. */
  deliver(to: Side, datagram: Buffer): void
  close(): Promise<void>
}

export async function createPair(wire: Wire = (_from, datagram) => [datagram]): Promise<Pair> {
  const certificate = await RTCDtlsTransport.SetupCertificate()
  const ends = {
    client: new RTCDtlsTransport({}, new RTCIceTransport(new RTCIceGatherer()), certificate, [7, 1]),
    server: new RTCDtlsTransport({}, new RTCIceTransport(new RTCIceGatherer()), certificate, [7, 1]),
  }
  const sent: Record<Side, Buffer[]> = { client: [], server: [] }
  const deliver = (to: Side, datagram: Buffer) => ends[to].iceTransport.connection.onData.execute(datagram)
  for (const from of ['client', 'server'] as const) {
    const to = from === 'client' ? 'server' : 'client'
    ends[from].role = from
    ends[from].setRemoteParams(new RTCDtlsParameters(certificate.getFingerprints(), to))
    ends[from].iceTransport.connection.send = async (datagram) => {
      sent[from].push(datagram)
      for (const arriving of wire(from, datagram, sent[from].length - 1)) {
        queueMicrotask(() => deliver(to, Buffer.from(arriving)))
      }
    }
  }
  return {
    ...ends,
    sent,
    deliver,
    async connect() {
      await Promise.all([ends.server.start(), ends.client.start()])
    },
    async close() {
      await Promise.all([ends.client.stop(), ends.server.stop()])
    },
  }
}

export interface DtlsRecord {
  readonly type: number
  readonly epoch: number
  readonly number: number
  readonly body: Buffer
}

/** The records of a datagram (RFC 6347 section 4.1). */
export function recordsOf(datagram: Buffer): readonly DtlsRecord[] {
  const records: DtlsRecord[] = []
  for (let at = 0; at < datagram.length;) {
    const end = at + 13 + datagram.readUInt16BE(at + 11)
    records.push({
      type: datagram.readUInt8(at),
      epoch: datagram.readUInt16BE(at + 3),
      number: datagram.readUIntBE(at + 5, 6),
      body: datagram.subarray(at + 13, end),
    })
    at = end
  }
  return records
}

/** One datagram for each record. */
export function split(datagram: Buffer): readonly Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < datagram.length;) {
    const end = at + 13 + datagram.readUInt16BE(at + 11)
    parts.push(datagram.subarray(at, end))
    at = end
  }
  return parts
}
