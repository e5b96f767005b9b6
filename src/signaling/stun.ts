/** A STUN server that answers binding requests and nothing else: the ICE server that is always there and answers at once. */
import { createSocket } from 'node:dgram'
import { isIPv4, isIPv6 } from 'node:net'
import type { Log } from 'transom-core/ports'

export interface StunResponder {
  readonly port: number
  close(): Promise<void>
}

const magicCookie = 0x2112a442
const headerBytes = 20
const bindingRequest = 0x0001
const bindingSuccess = 0x0101
const xorMappedAddress = 0x0020

/** Listens on UDP `host:port`; on any port when that one is taken. */
export async function startStunResponder(host: string, port: number, log: Log): Promise<StunResponder> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  const bind = (to: number) =>
    new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ port: to, address: host }, () => {
        socket.off('error', reject)
        resolve()
      })
    })
  await bind(port).catch(() => bind(0))
  socket.on('error', (error) => log('warn', 'signaling.stun-socket-failed', { error: error.message }))
  socket.on('message', (request, from) => {
    const response = answerBinding(request, from)
    // A response lost is a response that the client asks for again (RFC 8489 section 6.2.1).
    if (response) socket.send(response, from.port, from.address, () => {})
  })
  let closing: Promise<void> | undefined
  return {
    port: socket.address().port,
    close: () => (closing ??= new Promise<void>((resolve) => socket.close(() => resolve()))),
  }
}

/**
 * The success response to a binding request, RFC 8489 sections 5, 6.3.1 and 14.2; `undefined` for anything else, which is
 * dropped. Attributes of the request are not read: a binding without authentication needs none of them.
 */
export function answerBinding(
  request: Buffer,
  from: { readonly address: string; readonly port: number },
): Buffer | undefined {
  if (request.length < headerBytes || request.readUInt16BE(0) !== bindingRequest) return undefined
  if (request.readUInt16BE(2) !== request.length - headerBytes || request.readUInt32BE(4) !== magicCookie)
    return undefined
  const address = addressBytes(from.address)
  const response = Buffer.alloc(headerBytes + 8 + address.length)
  response.writeUInt16BE(bindingSuccess, 0)
  response.writeUInt16BE(8 + address.length, 2)
  request.copy(response, 4, 4, headerBytes)
  response.writeUInt16BE(xorMappedAddress, 20)
  response.writeUInt16BE(4 + address.length, 22)
  response.writeUInt16BE(address.length === 4 ? 1 : 2, 24)
  response.writeUInt16BE(from.port ^ (magicCookie >>> 16), 26)
  // The address is hidden by the cookie and the transaction id, the 16 bytes that follow the length.
  for (const [index, byte] of address.entries()) response[28 + index] = byte ^ (response[4 + index] ?? 0)
  return response
}

/** 4 or 16 bytes. An IPv4 address that reached an IPv6 socket (`::ffff:192.0.2.1`) is an IPv4 address. */
function addressBytes(address: string): number[] {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  if (isIPv4(plain)) return plain.split('.').map(Number)
  const [head = [], tail] = plain.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  // `::` stands for as many groups of zeros as are missing to eight.
  const groups = tail ? [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail] : head
  return groups.flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}
