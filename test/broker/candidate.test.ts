/** Candidates as they come from the field, mended or dropped. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { candidateLine, isReachable, parseCandidate, usableCandidates } from '../../src/bridge/broker/candidate.ts'

const written = (line: string): string | undefined => {
  const candidate = parseCandidate(line)
  return candidate && candidateLine(candidate)
}

describe('mended', () => {
  test.each([
    [
      'the C SDK host candidate loses its related address and extensions',
      'candidate:0 1 udp 2130706431 192.0.2.2 54289 typ host raddr 0.0.0.0 rport 0 generation 0 network-cost 999',
      'a=candidate:0 1 udp 2130706431 192.0.2.2 54289 typ host',
    ],
    [
      'upper case and uncompressed IPv6 becomes canonical (RFC 5952)',
      'candidate:1 1 udp 2130706175 2001:0DB8:0000:0000:0000:0000:0000:0005 54290 typ host raddr ::/0 rport 0',
      'a=candidate:1 1 udp 2130706175 2001:db8::5 54290 typ host',
    ],
    [
      'a malformed related address becomes the wildcard',
      'candidate:2 1 udp 1694498815 2001:db8::7 5000 typ srflx raddr ::/0 rport 0',
      'a=candidate:2 1 udp 1694498815 2001:db8::7 5000 typ srflx raddr :: rport 0',
    ],
    [
      'upper case transport',
      'candidate:3 1 UDP 99 192.0.2.2 5000 typ host',
      'a=candidate:3 1 udp 99 192.0.2.2 5000 typ host',
    ],
    [
      'tcptype is kept',
      'a=candidate:3 1 TCP 99 192.0.2.2 9 typ host tcptype active generation 0',
      'a=candidate:3 1 tcp 99 192.0.2.2 9 typ host tcptype active',
    ],
    [
      'a related address that is right is kept',
      'candidate:4 1 udp 99 203.0.113.1 5000 typ relay raddr 192.0.2.2 rport 6000',
      'a=candidate:4 1 udp 99 203.0.113.1 5000 typ relay raddr 192.0.2.2 rport 6000',
    ],
    [
      'a foundation with a strange sign is replaced, the same one by the same',
      'candidate:a;b 1 udp 1 192.0.2.2 5000 typ host',
      'a=candidate:YTti 1 udp 1 192.0.2.2 5000 typ host',
    ],
    [
      'a negative foundation is another than the positive one',
      'candidate:-1 1 udp 1 192.0.2.2 5000 typ host',
      'a=candidate:LTE 1 udp 1 192.0.2.2 5000 typ host',
    ],
    [
      'a missing foundation is made of what it stands for',
      'candidate: 1 udp 1 192.0.2.2 5000 typ host',
      'a=candidate:aG9zdCB1ZHA 1 udp 1 192.0.2.2 5000 typ host',
    ],
    [
      'a foundation of which not even the place is left',
      'candidate:1 udp 1 192.0.2.2 5000 typ host',
      'a=candidate:aG9zdCB1ZHA 1 udp 1 192.0.2.2 5000 typ host',
    ],
    [
      'words in upper case',
      'CANDIDATE:3 1 TCP 99 192.0.2.2 9 TYP HOST TCPTYPE ACTIVE',
      'a=candidate:3 1 tcp 99 192.0.2.2 9 typ host tcptype active',
    ],
    [
      'an IPv4-mapped address is IPv4',
      'candidate:3 1 udp 99 ::FFFF:192.0.2.2 9 typ srflx raddr ::ffff:c000:0203 rport 7',
      'a=candidate:3 1 udp 99 192.0.2.2 9 typ srflx raddr 192.0.2.3 rport 7',
    ],
  ])('%s', (_, line, mended) => {
    expect(written(line)).toBe(mended)
  })
})

describe('dropped', () => {
  test.each([
    ['nothing', ''],
    ['a word', 'candidate:'],
    ['no type', 'candidate:1 1 udp 1 192.0.2.2 5000'],
    ['an unknown type', 'candidate:1 1 udp 1 192.0.2.2 5000 typ magic'],
    ['port 0', 'candidate:1 1 udp 1 192.0.2.2 0 typ host'],
    ['a port out of range', 'candidate:1 1 udp 1 192.0.2.2 65536 typ host'],
    ['a priority out of range', 'candidate:1 1 udp 4294967296 192.0.2.2 5000 typ host'],
    ['the wildcard address', 'candidate:1 1 udp 1 0.0.0.0 5000 typ host'],
    ['the wildcard address, mapped', 'candidate:1 1 udp 1 ::ffff:0.0.0.0 5000 typ host'],
    ['an IPv4-compatible address', 'candidate:1 1 udp 1 ::192.0.2.2 5000 typ host'],
    ['a site-local address', 'candidate:1 1 udp 1 fec0::1 5000 typ host'],
    ['a host name', 'candidate:1 1 udp 1 camera.example 5000 typ host'],
    ['a zone index', 'candidate:1 1 udp 1 fe80::1%eth0 5000 typ host'],
    ['another transport', 'candidate:1 1 sctp 1 192.0.2.2 5000 typ host'],
  ])('%s', (_, line) => {
    expect(parseCandidate(line)).toBeUndefined()
  })
})

test('what is written is read back the same, whatever came in', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('udp', 'tcp', 'typ', 'host', 'relay', '1', '192.0.2.1', '::1', 'raddr', 'rport', '5000'),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 14 }), (words) => {
      const first = written(`candidate:${words.join(' ')}`)
      if (first !== undefined) expect(written(first)).toBe(first)
    }),
  )
})

test.each([
  ['192.0.2.2', true],
  ['10.0.0.1', false],
  ['100.64.0.1', false],
  ['2001:db8::1', true],
  ['fd00::1', false],
  ['fe80::1', false],
  ['2a3b4c5d.local', false],
])('a host candidate at %s is reachable from the Internet: %s', (address, expected) => {
  expect(isReachable(parseCandidate(`candidate:1 1 udp 9 ${address} 5000 typ host`)!)).toBe(expected)
})

test('the receiver gets only what it can use, each once', () => {
  const all = [
    'candidate:1 1 udp 9 192.0.2.2 5000 typ host',
    'candidate:9 1 udp 8 192.0.2.2 5000 typ host',
    'candidate:1 2 udp 9 192.0.2.2 5001 typ host',
    'candidate:2 1 udp 9 2001:db8::1 5000 typ host',
    'candidate:3 1 tcp 9 192.0.2.2 5000 typ host tcptype passive',
    'candidate:4 1 udp 9 abc.local 5000 typ host',
    'candidate:5 1 udp 9 127.0.0.1 5000 typ srflx raddr 192.0.2.2 rport 5000',
  ].map((line) => parseCandidate(line)!)
  const kept = (rules: Parameters<typeof usableCandidates>[1]): string[] =>
    usableCandidates(all, rules).map(({ foundation }) => foundation)
  expect(kept({ ipv4Only: true, tcpCandidates: false, localNames: false })).toEqual(['1'])
  expect(kept({ ipv4Only: false, tcpCandidates: true, localNames: false })).toEqual(['1', '2', '3'])
  expect(kept({ ipv4Only: false, tcpCandidates: false, localNames: true })).toEqual(['1', '2', '4'])
})
