/** A pair of UDP ports for one track: RTP on the even one, RTCP on the next (RFC 3550 section 11). */
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { SourceError } from '../media.ts'

const tries = 50

export interface Ports {
  readonly port: number
  /** From now on only what this host sends is taken, and goes there. `port`: the even one of the camera, where it says so. */
  aim(host: string, port: number | undefined): Promise<void>
  sendRtp(data: Buffer): boolean
  sendRtcp(data: Buffer): boolean
  /** May be called again. */
  close(): void
}

export async function openPorts(onRtp: (data: Buffer) => void, onRtcp: (data: Buffer) => void): Promise<Ports> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const rtp = await bind(0)
    const port = rtp?.address().port ?? 0
    const rtcp = rtp && port % 2 === 0 ? await bind(port + 1) : undefined
    if (rtp && rtcp) return createPorts(rtp, rtcp, port, onRtp, onRtcp)
    rtp?.close()
  }
  throw new SourceError('source_garbled', 'no pair of UDP ports is free here')
}

/** `undefined` when the port is taken. */
async function bind(port: number): Promise<Socket | undefined> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1_048_576 })
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
  onRtp: (data: Buffer) => void,
  onRtcp: (data: Buffer) => void,
): Ports {
  let peer: { address: string; port: number | undefined } | undefined
  let isClosed = false
  const listen = (socket: Socket, take: (data: Buffer) => void) => {
    socket.removeAllListeners('error')
    // A datagram that could not be sent is a lost one.
    socket.on('error', () => undefined)
    socket.on('message', (data, from) => {
      if (peer && from.address === peer.address) take(data)
    })
  }
  listen(rtp, onRtp)
  listen(rtcp, onRtcp)
  const send = (socket: Socket, data: Buffer, offset: number): boolean => {
    if (isClosed || peer?.port === undefined) return false
    socket.send(data, peer.port + offset, peer.address)
    return true
  }
  return {
    port,
    async aim(host, theirs) {
      const { address } = await lookup(host, 4)
      peer = { address, port: theirs }
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
