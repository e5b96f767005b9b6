/** A STUN and TURN server on loopback that keeps count; it relays nothing. */
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import { createHash } from 'node:crypto'
import { Message, classes, methods, parseMessage } from 'werift'

export interface TestIceServer {
  readonly port: number
  readonly bindings: number
  /** Allocations that were made, and those that were given back. */
  readonly allocated: number
  readonly released: number
  readonly refreshed: number
  /** As after a restart: it knows none of its allocations any more. */
  forget(): void
  close(): void
}

export interface TestIceServerOptions {
  readonly transport?: 'udp' | 'tcp'
  /** Swallows everything. */
  readonly isSilent?: boolean
  /** Refuses every password. */
  readonly refuses?: boolean
  /** Answers no Binding, as some relays do. */
  readonly noStun?: boolean
  /** What it says the client's address is; its own view by default. */
  readonly mapped?: readonly [string, number]
}

const key = createHash('md5').update('user:test:password').digest()

export async function startIceServer(options: TestIceServerOptions = {}): Promise<TestIceServer> {
  const count = { bindings: 0, allocated: 0, released: 0, refreshed: 0 }
  let isForgetful = false
  /** The number of the allocation, by the transaction that asked for it. */
  const allocations = new Map<string, number>()
  const answer = (data: Buffer, from: readonly [string, number], send: (reply: Buffer) => void) => {
    const message = parseMessage(data)
    if (!message || options.isSilent) return
    const mapped: [string, number] = [...(options.mapped ?? from)]
    if (message.messageMethod === methods.BINDING) {
      if (options.noStun) return
      count.bindings += 1
      const reply = new Message(methods.BINDING, classes.RESPONSE, message.transactionId)
      return send(reply.setAttribute('XOR-MAPPED-ADDRESS', mapped).bytes)
    }
    const isKnown = message.attributesKeys.includes('MESSAGE-INTEGRITY') && parseMessage(data, key) && !options.refuses
    if (!isKnown) {
      const reply = new Message(message.messageMethod, classes.ERROR, message.transactionId)
      reply.setAttribute('ERROR-CODE', [401, 'Unauthorized']).setAttribute('REALM', 'test')
      return send(reply.setAttribute('NONCE', Buffer.from('nonce')).bytes)
    }
    const lifetime: unknown = message.getAttributeValue('LIFETIME')
    if (message.messageMethod === methods.REFRESH && isForgetful) {
      const refusal = new Message(methods.REFRESH, classes.ERROR, message.transactionId)
      return send(refusal.setAttribute('ERROR-CODE', [437, 'Allocation Mismatch']).addMessageIntegrity(key).bytes)
    }
    const reply = new Message(message.messageMethod, classes.RESPONSE, message.transactionId)
    if (message.messageMethod === methods.ALLOCATE) {
      isForgetful = false
      // RFC 8656 section 7.2: one that is repeated, since a busy machine answered late, gets the same answer.
      const number = allocations.get(message.transactionIdHex) ?? (count.allocated += 1)
      allocations.set(message.transactionIdHex, number)
      reply.setAttribute('XOR-RELAYED-ADDRESS', ['192.0.2.9', 40_000 + number])
      reply.setAttribute('XOR-MAPPED-ADDRESS', mapped).setAttribute('LIFETIME', 600)
    } else if (message.messageMethod === methods.REFRESH) {
      if (lifetime === 0) count.released += 1
      else count.refreshed += 1
    }
    send(reply.addMessageIntegrity(key).bytes)
  }
  const counts = {
    get bindings() {
      return count.bindings
    },
    get allocated() {
      return count.allocated
    },
    get released() {
      return count.released
    },
    get refreshed() {
      return count.refreshed
    },
    forget() {
      isForgetful = true
    },
  }
  if (options.transport === 'tcp') {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('data', (data) => {
        answer(Buffer.from(data), [socket.remoteAddress ?? '', socket.remotePort ?? 0], (reply) => socket.write(reply))
      })
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const close = () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
    return Object.assign(counts, { port, close })
  }
  const socket = createSocket('udp4')
  socket.on('message', (data, { address, port }) =>
    answer(data, [address, port], (reply) => socket.send(reply, port, address)),
  )
  await new Promise<void>((resolve) => void socket.bind(0, '127.0.0.1', resolve))
  return Object.assign(counts, { port: socket.address().port, close: () => void socket.close() })
}
