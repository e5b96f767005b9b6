/** How a peer of werift's leaves a connection so that the other end knows at once. */
import { setImmediate } from 'node:timers/promises'
import type { RTCDtlsTransport } from 'werift'

/**
 * Sends the DTLS alert `close_notify` (RFC 5246 section 7.2.1); werift has no call for it, so its application data is
 * relabelled on the way out.
 */
export async function sayGoodbye(dtls: RTCDtlsTransport): Promise<void> {
  const socket = dtls.dtls
  if (dtls.state !== 'connected' || socket === undefined) return
  const ALERT = 21
  const encrypt = socket.cipher.encryptPacket.bind(socket.cipher)
  socket.cipher.encryptPacket = (packet) => {
    packet.recordLayerHeader.contentType = ALERT
    return encrypt(packet)
  }
  await socket.send(Buffer.from([1, 0]))
  // werift does not wait for the datagram, which leaves in the next tick; closing the socket now would swallow it.
  await setImmediate()
}
