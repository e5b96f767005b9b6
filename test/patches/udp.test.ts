/** Packets to addresses: no name is looked up for them, which costs as much as sealing them. */
import { createSocket } from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'
import { afterEach, expect, jest, test } from '@jest/globals'
import { UdpTransport } from 'werift'

afterEach(() => {
  jest.restoreAllMocks()
})

test.each([
  ['an IPv4 address', 'udp4', '127.0.0.1'],
  ['an IPv6 address', 'udp6', '::1'],
] as const)('%s is sent to without a look-up', async (_name, family, address) => {
  // What Node's sockets take when they are given none of their own.
  const lookup = jest.spyOn(dns, 'lookup')
  const receiver = createSocket(family).bind(0, address)
  await once(receiver, 'listening')
  const transport = await UdpTransport.init(family)
  try {
    lookup.mockClear()
    const arrived = once(receiver, 'message')
    await transport.send(Buffer.from('packet'), [address, receiver.address().port])
    expect(String((await arrived)[0])).toBe('packet')
    expect(lookup).not.toHaveBeenCalled()
  } finally {
    await transport.close()
    receiver.close()
  }
})
