/** A pair of UDP ports for one track: RTP on the even one, RTCP on the next (RFC 3550 section 11). */
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { SourceError } from '../media.ts'

const tries = 50

export interface Ports {
  readonly port: number
  /** From now on what the camera sends is taken, and packets go there. `port`: its even one, where it says so. */
  aim(port: number | undefined): void
  sendRtp(data: Buffer): boolean
  sendRtcp(data: Buffer): boolean
  /** May be called again. */
  close(): void
}

/** `address`: that of the camera; what others send is dropped. Throws `SourceError`. */
export async function openPorts(
  address: string,
  onRtp: (data: Buffer) => void,
  onRtcp: (data: Buffer) => void,
): Promise<Ports> {
  const type = isIPv6(address) ? 'udp6' : 'udp4'
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const rtp = await bind(type, 0)
    const port = rtp?.address().port ?? 0
    const rtcp = rtp && port % 2 === 0 ? await bind(type, port + 1) : undefined
    if (rtp && rtcp) return createPorts(rtp, rtcp, port, address, onRtp, onRtcp)
    rtp?.close()
  }
  throw new SourceError('source_garbled', 'no pair of UDP ports is free here')
}

/** `undefined` when the port is taken. */
async function bind(type: 'udp4' | 'udp6', port: number): Promise<Socket | undefined> {
  const socket = createSocket({ type, recvBufferSize: 1_048_576 })
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>()
  socket.once('error', () => {
    socket.close()
    resolve(undefined)
  })
  socket.bind(port, () => resolve(socket))
  return promise
}

function createPorts(
  rtp: Socket,
  rtcp: Socket,
  port: number,
  address: string,
  onRtp: (data: Buffer) => void,
  onRtcp: (data: Buffer) => void,
): Ports {
  let peer: { readonly port: number | undefined } | undefined
  let isClosed = false
  const listen = (socket: Socket, take: (data: Buffer) => void) => {
    socket.removeAllListeners('error')
    // A datagram that could not be sent is a lost one.
    socket.on('error', () => undefined)
    socket.on('message', (data, from) => {
      if (peer && from.address === address) take(data)
    })
  }
  listen(rtp, onRtp)
  listen(rtcp, onRtcp)
  const send = (socket: Socket, data: Buffer, offset: number): boolean => {
    if (isClosed || peer?.port === undefined) return false
    socket.send(data, peer.port + offset, address)
    return true
  }
  return {
    port,
    aim(theirs) {
      peer = { port: theirs }
      // Opens the way back through a firewall: an RTP packet with nothing in it, and an empty report.
      send(rtp, Buffer.from('800000000000000000000000', 'hex'), 0)
      send(rtcp, Buffer.from('80c9000100000000', 'hex'), 1)
    },
    sendRtp: (data) => send(rtp, data, 0),
    sendRtcp: (data) => send(rtcp, data, 1),
    close() {
      if (isClosed) return
      isClosed = true
      rtp.close()
      rtcp.close()
    },
  }
}
