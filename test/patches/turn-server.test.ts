/** What patches/werift changes for TURN servers that answer strangely: no haste, and what comes after it is read. */
import { afterEach, expect, jest, test } from '@jest/globals'
import type { TurnProtocol as Turn } from 'werift'

/** How long each timer of the client waits, milliseconds; none of them ends before it is aborted. */
const waits: number[] = []
jest.unstable_mockModule('timers/promises', () => ({
  setImmediate: () => Promise.resolve(),
  setTimeout(ms: number, value: unknown, { signal }: { signal?: AbortSignal } = {}) {
    waits.push(ms)
    return new Promise((resolve, reject) => {
      void resolve
      signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
    })
  },
}))
const { TurnProtocol, Message: StunMessage, classes, parseMessage } = await import('werift')

afterEach(() => void waits.splice(0))

/** A client and a server that grants each allocation with this attribute; `first` comes before its answer. */
async function allocate(lifetime: number | undefined, first = Buffer.alloc(0)): Promise<Turn> {
  const from = ['192.0.2.1', 3478] as const
  const transport = {
    type: 'tcp',
    address: { address: '192.0.2.2', family: 'IPv4', port: 50_000 },
    closed: false,
    onData: (_data: Buffer, _from: readonly [string, number]) => {},
    async send(data: Buffer) {
      const request = parseMessage(data)
      if (!request) return
      const reply = new StunMessage(request.messageMethod, classes.RESPONSE, request.transactionId)
      reply.setAttribute('XOR-RELAYED-ADDRESS', ['192.0.2.9', 40_000])
      if (lifetime !== undefined) reply.setAttribute('LIFETIME', lifetime)
      queueMicrotask(() => {
        if (first.length > 0) transport.onData(first, from)
        transport.onData(reply.bytes, from)
      })
    },
    close: async () => {},
  }
  const client = new TurnProtocol(['192.0.2.1', 3478], 'user', 'password', 600, transport)
  await client.connectionMade()
  // What it takes to give the allocation back.
  Object.assign(client, { realm: 'test', nonce: Buffer.from('nonce'), integrityKey: Buffer.from('key') })
  return client
}

test.each<[string, number | undefined, number]>([
  ['no lifetime', undefined, 500_000],
  ['the lifetime 0', 0, 500_000],
  ['a lifetime of a second', 1, 5_000],
  ['a longer lifetime than a timer can wait', 0xffff_ffff, 86_400_000],
  ['a usual one', 600, 500_000],
])('an allocation that is granted with %s is refreshed without haste', async (_name, lifetime, waitMs) => {
  const client = await allocate(lifetime)
  expect(waits).toEqual([waitMs])
  await client.close()
})

test('what cannot be told apart on a stream is thrown away, and the answer behind it is read', async () => {
  const client = await allocate(600, Buffer.alloc(100_000, 0xff))
  expect(client.relayedAddress).toEqual(['192.0.2.9', 40_000])
  await client.close()
})
