/** What patches/werift changes in the DTLS handshake: lost, repeated and reordered datagrams, forged messages, the goodbye. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createPair, recordsOf, split, type Pair, type Side } from './wire.ts'

let pair: Pair

// setImmediate stays real: the goodbye waits for it.
beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick', 'performance'] }))
afterEach(async () => {
  await pair.close()
  expect(jest.getTimerCount()).toBe(0)
  jest.useRealTimers()
})

/** Connects while time runs as fast as it can; says how long it took by the clock of the timers. */
async function connect(): Promise<number> {
  const startedAt = Date.now()
  const progress = { isOver: false }
  const connecting = pair.connect().finally(() => void (progress.isOver = true))
  connecting.catch(() => undefined)
  for (let ms = 0; !progress.isOver && ms < 20_000; ms += 10) await jest.advanceTimersByTimeAsync(10)
  if (!progress.isOver) throw new Error('not connected within 20 s')
  await connecting
  return Date.now() - startedAt
}

/** The other end's replay window: no number of an epoch comes twice (RFC 6347 section 4.1.2.6). */
function numbersOf(side: Side): readonly string[] {
  return pair.sent[side].flatMap(recordsOf).map(({ epoch, number }) => `${epoch}/${number}`)
}

describe('a handshake', () => {
  test('waits for nothing, and takes six datagrams', async () => {
    pair = await createPair()
    expect(await connect()).toBeLessThanOrEqual(10)
    expect([pair.sent.client.length, pair.sent.server.length]).toEqual([3, 3])
    expect(new Set(numbersOf('client')).size).toBe(numbersOf('client').length)
  })

  test.each([
    ['client', 0, 'flight 1'],
    ['server', 0, 'flight 2'],
    ['client', 1, 'flight 3'],
    ['server', 1, 'flight 4'],
    ['client', 2, 'flight 5'],
    ['server', 2, 'flight 6'],
  ] as const)(
    'of which the %s loses datagram %i (%s) heals after 100 ms, with new record numbers',
    async (side, lost, _flight) => {
      pair = await createPair((from, datagram, count) => (from === side && count === lost ? [] : [datagram]))
      const tookMs = await connect()
      expect(tookMs).toBeGreaterThanOrEqual(100)
      expect(tookMs).toBeLessThanOrEqual(210)
      for (const each of ['client', 'server'] as const) {
        expect(numbersOf(each)).toEqual([...new Set(numbersOf(each))])
      }
    },
  )

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('survives when record %i of each side is lost alone', async (lost) => {
    const seen = { client: 0, server: 0 }
    pair = await createPair((from, datagram) => split(datagram).filter(() => seen[from]++ !== lost))
    await connect()
  })

  test('survives records in any order, each twice, in datagrams of their own', async () => {
    pair = await createPair((_from, datagram) =>
      split(datagram)
        .flatMap((record) => [record, record])
        .toReversed(),
    )
    await connect()
  })

  test('survives datagrams that come again long after', async () => {
    const late: [Side, Buffer][] = []
    pair = await createPair((from, datagram) => {
      late.push([from === 'client' ? 'server' : 'client', datagram])
      return [datagram]
    })
    await connect()
    for (const [to, datagram] of late) pair.deliver(to, datagram)
    await jest.advanceTimersByTimeAsync(5_000)
    expect([pair.client.state, pair.server.state]).toEqual(['connected', 'connected'])
  })

  test.each([1, 2, 3, 4, 5])('survives 25 %% loss each way (seed %i)', async (seed) => {
    let random = seed
    const next = () => (random = (random * 48_271) % 0x7fff_ffff) / 0x7fff_ffff
    pair = await createPair((_from, datagram) => (next() < 0.25 ? [] : [datagram]))
    expect(await connect()).toBeLessThan(6_000)
  })

  test('is heard by an end that begins later', async () => {
    pair = await createPair()
    const connecting = pair.client.start()
    await jest.advanceTimersByTimeAsync(0)
    await Promise.all([connecting, pair.server.start(), jest.advanceTimersByTimeAsync(20)])
  })
})

describe('an end', () => {
  test('is not taken in by whoever copied the certificate of its peer but has not its key', async () => {
    // The signature of ServerKeyExchange (handshake type 12) is its end; one bit of it is another.
    pair = await createPair((from, datagram) => {
      if (from === 'client') return [datagram]
      return split(datagram).map((record) => (record[13] === 12 ? withLastBitFlipped(record) : record))
    })
    await expect(connect()).rejects.toThrow('not signed with the peer')
  })

  test('is not taken in by a client that copied a certificate', async () => {
    pair = await createPair((from, datagram) => {
      if (from === 'server') return [datagram]
      return split(datagram).map((record) =>
        record[13] === 15 && record[0] === 22 ? withLastBitFlipped(record) : record,
      )
    })
    await expect(connect()).rejects.toThrow('not signed with the peer')
  })

  test('refuses a handshake of which somebody changed a message', async () => {
    // The client's hello loses its last cipher suite on the way; both then have seen different handshakes.
    pair = await createPair((from, datagram) => {
      const hello = from === 'client' && datagram[13] === 1 && datagram.indexOf(Buffer.from([0xc0, 0x2b, 0xc0, 0x2f]))
      if (typeof hello !== 'number' || hello < 0) return [datagram]
      const changed = Buffer.from(datagram)
      changed.writeUInt16BE(0xc0_30, hello + 2)
      return [changed]
    })
    await expect(connect()).rejects.toThrow()
  })

  test('does not end because of an alert that anybody can send', async () => {
    pair = await createPair()
    await connect()
    // A record of epoch 0 with level 1 or 2 and close_notify.
    for (const level of [1, 2]) {
      pair.deliver('client', Buffer.from([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, level, 0]))
      pair.deliver('server', Buffer.from([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, level, 0]))
    }
    expect([pair.client.state, pair.server.state]).toEqual(['connected', 'connected'])
  })

  test('fails at once when its peer refuses the handshake', async () => {
    pair = await createPair((from, datagram) => (from === 'server' ? [datagram] : []))
    const connecting = pair.connect()
    connecting.catch(() => undefined)
    pair.deliver('client', Buffer.from([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40]))
    await expect(connecting).rejects.toThrow('HandshakeFailure')
  })

  test.each(['client', 'server'] as const)('knows at once that the %s left', async (side) => {
    pair = await createPair()
    await connect()
    await pair[side].stop()
    await jest.advanceTimersByTimeAsync(0)
    expect([pair.client.state, pair.server.state]).toEqual(['closed', 'closed'])
  })

  test('repeats nothing once it is closed', async () => {
    pair = await createPair(() => [])
    const connecting = pair.connect()
    connecting.catch(() => undefined)
    await jest.advanceTimersByTimeAsync(350)
    expect(pair.sent.client.length).toBe(3)
    await pair.close()
    await jest.advanceTimersByTimeAsync(30_000)
    expect(pair.sent.client.length).toBe(3)
  })
})

function withLastBitFlipped(record: Buffer): Buffer {
  const changed = Buffer.from(record)
  changed[changed.length - 1]! ^= 1
  return changed
}
