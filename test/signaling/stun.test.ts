/** The STUN responder, by the bytes of RFC 5769's examples and over UDP. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from '@jest/globals'
import { answerBinding, startStunResponder } from '../../src/signaling/stun.ts'

const transaction = 'b7e7a701bc34d686fa87dfae'
const request = Buffer.from(`000100002112a442${transaction}`, 'hex')

const header = (length: string) => `0101${length}2112a442${transaction}`

test('the address comes back as RFC 5769 section 2.2 and 2.3 write it', () => {
  expect(answerBinding(request, { address: '192.0.2.1', port: 32853 })?.toString('hex')).toBe(
    `${header('000c')}002000080001a147e112a643`,
  )
  expect(
    answerBinding(request, { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32853 })?.toString('hex'),
  ).toBe(`${header('0018')}002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9`)
})

test.each([
  ['::1', '00000000000000000000000000000001'],
  ['fe80::fc:ff%eth0', 'fe800000000000000000000000fc00ff'],
  ['::', '00000000000000000000000000000000'],
])('%s is written out in full', (address, expected) => {
  const response = answerBinding(request, { address, port: 1 }) ?? Buffer.alloc(0)
  const cookie = response.subarray(4, 20)
  const plain = response.subarray(28).map((byte, index) => byte ^ (cookie[index] ?? 0))
  expect(Buffer.from(plain).toString('hex')).toBe(expected)
})

test('an IPv4 address within IPv6 is an IPv4 address', () => {
  expect(answerBinding(request, { address: '::ffff:192.0.2.1', port: 32853 })).toEqual(
    answerBinding(request, { address: '192.0.2.1', port: 32853 }),
  )
})

test.each([
  ['nothing', ''],
  ['a response', `010100002112a442${transaction}`],
  ['another cookie', `000100002112a443${transaction}`],
  ['a wrong length', `000100042112a442${transaction}`],
  ['an indication', `001100002112a442${transaction}`],
])('%s is dropped', (_case, hex) => {
  expect(answerBinding(Buffer.from(hex, 'hex'), { address: '192.0.2.1', port: 1 })).toBeUndefined()
})

test('a request over UDP is answered, also on another port when the wanted one is taken', async () => {
  const first = await startStunResponder('127.0.0.1', 0, () => {})
  const second = await startStunResponder('127.0.0.1', first.port, () => {})
  const client = createSocket('udp4')
  try {
    expect(second.port).not.toBe(first.port)
    client.send(Buffer.from('garbage'), second.port, '127.0.0.1')
    client.send(request, second.port, '127.0.0.1')
    const [response] = await once(client, 'message', { signal: AbortSignal.timeout(60_000) })
    expect(response.readUInt16BE(26) ^ 0x2112).toBe(client.address().port)
  } finally {
    client.close()
    await Promise.all([first.close(), second.close(), second.close()])
  }
})
