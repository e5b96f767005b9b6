/** `transom doctor`: how the NAT before this machine gives out ports (RFC 5780 section 4.3, RFC 4787 section 4.1). */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { isIPv4 } from 'node:net'
import { pause } from 'transom-core/deadline'

const magicCookie = 0x2112a442
const headerBytes = 20
const bindingRequest = 0x0001
const bindingSuccess = 0x0101
const xorMappedAddress = 0x0020
/** RFC 8489 section 6.2.1 waits half a second before it asks again. */
const againMs = 500

/**
 * What each of these servers (`stun:` or `turn:` URLs; both answer binding requests) sees of one and the same UDP socket:
 * `203.0.113.7:50123`, undefined for one without an IPv4 address or an answer. Never rejects; aborting the signal ends it.
 */
export async function mappingsOf(
  urls: readonly string[],
  signal: AbortSignal,
): Promise<readonly (string | undefined)[]> {
  const socket = createSocket('udp4')
  const { promise: isBound, resolve, reject } = Promise.withResolvers<void>()
  socket.once('error', reject)
  socket.bind(0, resolve)
  try {
    await isBound
    socket.on('error', () => {})
    return await Promise.all(urls.map((url) => askOne(socket, url, signal).catch(() => undefined)))
  } catch {
    return urls.map(() => undefined)
  } finally {
    socket.close()
  }
}

async function askOne(socket: Socket, url: string, signal: AbortSignal): Promise<string | undefined> {
  const [, host = '', port = '3478'] = /^(?:stun|turn):([^:?[\]]+)(?::(\d+))?/.exec(url) ?? []
  if (host === '') return undefined
  const { address } = await lookup(host, 4)
  const request = Buffer.alloc(headerBytes)
  request.writeUInt16BE(bindingRequest, 0)
  request.writeUInt32BE(magicCookie, 4)
  const transaction = randomBytes(12)
  transaction.copy(request, 8)
  const over = new AbortController()
  const isOver = AbortSignal.any([signal, over.signal])
  let seen: string | undefined
  const onMessage = (message: Buffer) => {
    if (message.length < headerBytes || message.readUInt16BE(0) !== bindingSuccess) return
    if (!message.subarray(8, headerBytes).equals(transaction)) return
    seen = mappedIn(message)
    over.abort()
  }
  socket.on('message', onMessage)
  try {
    do socket.send(request, Number(port), address, () => {})
    while (await pause(againMs, isOver))
    return seen
  } finally {
    socket.off('message', onMessage)
  }
}

/** XOR-MAPPED-ADDRESS of a response (RFC 8489 section 14.2), IPv4. */
function mappedIn(message: Buffer): string | undefined {
  for (let at = headerBytes; at + 4 <= message.length;) {
    const [type, length] = [message.readUInt16BE(at), message.readUInt16BE(at + 2)]
    if (type === xorMappedAddress && length === 8 && at + 12 <= message.length) {
      const address = message.readUInt32BE(at + 8) ^ magicCookie
      const host = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')
      return isIPv4(host) ? `${host}:${message.readUInt16BE(at + 6) ^ (magicCookie >>> 16)}` : undefined
    }
    at += 4 + Math.ceil(length / 4) * 4
  }
  return undefined
}
