/** What is read of a camera's bytes: addresses, messages, challenges, descriptions, packets; and nothing of garbage. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { SourceError } from '../../../src/gateway/media.ts'
import { createAacDepacketizer } from '../../../src/gateway/rtsp/aac.ts'
import { readAddress } from '../../../src/gateway/rtsp/address.ts'
import { answerChallenges } from '../../../src/gateway/rtsp/authorization.ts'
import { readDescription } from '../../../src/gateway/rtsp/description.ts'
import { decodeG711, encodeG711 } from '../../../src/gateway/g711.ts'
import { createH264Depacketizer } from '../../../src/gateway/rtsp/h264.ts'
import { createH265Depacketizer, readH265Sets } from '../../../src/gateway/rtsp/h265.ts'
import { createJpegDepacketizer } from '../../../src/gateway/rtsp/jpeg.ts'
import { isBSlice, readSps } from '../../../src/gateway/sps.ts'
import { createParser } from '../../../src/gateway/rtsp/message.ts'
import { createReceiver } from '../../../src/gateway/rtsp/receiver.ts'
import { readPacket, readSenderReport, writePacket, type Packet } from '../../../src/gateway/rtsp/rtp.ts'
import { createTimeline } from '../../../src/gateway/rtsp/timeline.ts'

describe('an address', () => {
  test.each([
    ['rtsp://cam/live', { host: 'cam', port: 554, url: 'rtsp://cam/live', login: undefined }],
    [
      'RTSP://me:secret@10.0.0.5:8554/a?b=c#d',
      { host: '10.0.0.5', port: 8554, url: 'rtsp://10.0.0.5:8554/a?b=c', login: { user: 'me', password: 'secret' } },
    ],
    [
      'rtsps://me@[fe80::1]/x',
      { host: 'fe80::1', port: 322, isTls: true, url: 'rtsps://[fe80::1]/x', login: { user: 'me', password: '' } },
    ],
    ['rtsp://me:a%2Fb%3F%40@cam/x', { login: { user: 'me', password: 'a/b?@' } }],
    ['rtsp://me:a/b#c?d@cam:554/x', { host: 'cam', login: { user: 'me', password: 'a/b#c?d' } }],
    ['rtsp://me:p@ss@cam/x', { host: 'cam', login: { user: 'me', password: 'p@ss' } }],
    ['rtsp://me:50%@cam/x', { login: { user: 'me', password: '50%' } }],
    ['whep://me:secret@nas/door', { protocol: 'whep', port: 80, isTls: false, url: 'whep://nas/door' }],
    ['WHEPS://nas/door', { protocol: 'whep', port: 443, isTls: true, url: 'wheps://nas/door' }],
    ['https://nas:8889/a/whep/?b=c', { protocol: 'whep', port: 8889, url: 'wheps://nas:8889/a/whep/?b=c' }],
    ['http://nas:1984/api/webrtc?x=1&src=a', { url: 'whep://nas:1984/api/webrtc?x=1&src=a' }],
    ['rtsp://10.0.0.5:554/cam@1', { host: '10.0.0.5', url: 'rtsp://10.0.0.5:554/cam@1', login: undefined }],
  ])('%s', (text, wanted) => {
    expect({ login: undefined, ...readAddress(text) }).toMatchObject(wanted)
    expect(readAddress(text).label).not.toMatch(/me|secret/)
  })

  test.each([
    'rtsp://me:s3/cret@',
    'rtsp://me:12/s3cret@cam/x',
    'http://me:s3cret@cam/',
    'http://me:s3cret@cam/whep/video',
    'http://me:s3cret@cam/api/webrtc?dst=door',
    'rtsp://me:s3cret@cam:99999/',
    'rtsp://me:s3cret@c\r\nam/',
  ])('%s is refused without a word of it', (text) => {
    expect(() => readAddress(text)).toThrow(SourceError)
    expect(() => readAddress(text)).not.toThrow(/s3|cret/)
  })

  test('of any kind is read, or refused in our words, and its label has no password', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 6 }), (password) => {
        const label = attempt(() => readAddress(`rtsp://user:${encodeURIComponent(password)}@cam/`))
        expect(label).toMatchObject({ label: 'rtsp://cam', login: { user: 'user', password } })
        attempt(() => readAddress(`rtsp://user:${password}@cam/`))
      }),
    )
  })
})

/** The result, or the `SourceError`; anything else that is thrown is a failure. */
function attempt<T>(work: () => T): T | SourceError {
  try {
    return work()
  } catch (error) {
    if (error instanceof SourceError) return error
    throw error
  }
}

describe('messages', () => {
  const reply = Buffer.from('RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 3\r\n\r\nabc')
  const frame = Buffer.from([0x24, 1, 0, 2, 9, 8])

  test('are read whole however they are cut', () => {
    const stream = Buffer.concat([
      frame,
      reply,
      Buffer.from('\r\n'),
      frame,
      Buffer.from('OPTIONS * RTSP/1.0\nCSeq: 1\n\n'),
    ])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 })), (sizes) => {
        const parse = createParser()
        const found = []
        let at = 0
        for (const size of [...sizes, stream.length]) found.push(...parse(stream.subarray(at, (at += size))))
        expect(found.map(({ kind }) => kind)).toEqual(['packet', 'response', 'packet', 'request'])
        expect(found[1]).toMatchObject({ status: 200, body: Buffer.from('abc') })
      }),
    )
  })

  test.each([
    ['a header without end', Buffer.from(`RTSP/1.0 200 OK\r\nX: ${'a'.repeat(20_000)}`)],
    ['headers without end', Buffer.from(`RTSP/1.0 200 OK\r\n${'X: y\r\n'.repeat(200)}\r\n`)],
    ['a huge body', Buffer.from('RTSP/1.0 200 OK\r\nContent-Length: 2000000000\r\n\r\n')],
    ['a negative length', Buffer.from('RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n')],
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('%s is refused at once', (_name, bytes) => {
    expect(() => createParser()(bytes)).toThrow(SourceError)
  })

  test('any bytes are read or refused', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (chunks) => {
        const parse = createParser()
        for (const chunk of chunks) if (attempt(() => parse(Buffer.from(chunk))) instanceof SourceError) return
      }),
    )
  })
})

describe('challenges', () => {
  const login = { user: 'Mufasa', password: 'Circle of Life' }
  const realm = 'realm="http-auth@example.org"'
  const md5 = `Digest ${realm}, qop="auth", algorithm=MD5, nonce="n1"`
  const sha = `Digest ${realm}, qop="auth", algorithm=SHA-256, nonce="n2"`

  test.each([
    ['the stronger first', [sha, md5], /nonce="n2".*algorithm=SHA-256.*qop=auth, nc=00000001/],
    ['the stronger last', [md5, sha], /nonce="n2"/],
    ['both in one header', [`${md5}, ${sha}`], /nonce="n2"/],
    ['Basic beside Digest', ['Basic realm="x"', md5], /nonce="n1"/],
    [
      'Digest that is not known here',
      ['Digest realm="x", algorithm=SHA3-512, nonce="n"', 'Basic realm="x"'],
      /^Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl$/,
    ],
    ['without qop', ['Digest realm="x", nonce="n"'], /^Digest (?!.*qop)(?!.*algorithm)/],
  ])('%s', (_name, given, wanted) => {
    expect(answerChallenges(given, login)?.('DESCRIBE', 'rtsp://cam/')).toMatch(wanted)
  })

  test('the example of RFC 2069, as its errata have it', () => {
    const authorize = answerChallenges(
      ['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'],
      { user: 'Mufasa', password: 'CircleOfLife' },
    )
    expect(authorize?.('GET', '/dir/index.html')).toContain('response="1949323746fe6a43ef61f9606e7febea"')
  })

  test('the strongest of three, whatever their order', () => {
    const sha512 = `Digest ${realm}, qop="auth", algorithm=SHA-512-256, nonce="n3"`
    for (const given of [
      [sha512, sha, md5],
      [md5, sha512, sha],
      [sha, md5, sha512],
    ])
      expect(answerChallenges(given, login)?.('DESCRIBE', 'rtsp://cam/')).toContain('nonce="n3"')
  })

  test('of any kind are answered or not, and never let a line break out', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (realmText, user) => {
        const made = answerChallenges([`Digest realm="${realmText}", nonce="1"`, realmText], { user, password: 'x' })?.(
          'GET',
          '/',
        )
        expect(made ?? '').not.toMatch(/[\r\n]/)
      }),
    )
  })
})

describe('a description', () => {
  test('has its tracks with their absolute controls', () => {
    const sdp =
      'v=0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 a=b; C=x\r\na=fmtp:96 C=d\r\na=control:trackID=1\r\nm=audio 0 RTP/AVP 0\r\na=control:rtsp://cam/x/2\r\nm=audio 0 RTP/AVP 8\r\na=sendonly\r\na=control:/t3\r\n'
    const { tracks, url } = readDescription(sdp, 'rtsp://cam/live?x=1')
    expect(url).toBe('rtsp://cam/live?x=1')
    expect(tracks).toMatchObject([
      {
        kind: 'video',
        encoding: 'H264',
        clockRate: 90_000,
        url: 'rtsp://cam/live?x=1/trackID=1',
        isBackChannel: false,
      },
      { kind: 'audio', encoding: 'PCMU', clockRate: 8_000, url: 'rtsp://cam/x/2' },
      { kind: 'audio', encoding: 'PCMA', url: 'rtsp://cam/t3', isBackChannel: true },
    ])
    expect(tracks[0]?.parameters.get('c')).toBe('d')
  })

  test.each([
    ['spaces and tabs', 'm=video  0\tRTP/AVP  96 97\r\na=rtpmap: 96\tH264/90000\r\na=fmtp:96  a=b\r\n', 'H264'],
    ['bare carriage returns', 'm=video 0 RTP/AVP 96\ra=rtpmap:96 h264/90000\ra=fmtp:96 a=b\r', 'H264'],
    ['HEVC for H.265', 'm=video 0 RTP/AVP 98\na=rtpmap:98 HEVC/90000\na=fmtp:98 a=b\n', 'H265'],
    ['G711U for PCMU', 'm=audio 0 RTP/AVP 97\na=rtpmap:97 G711U/8000\na=fmtp:97 a=b\n', 'PCMU'],
    ['ALAW for PCMA', 'm=audio 0 RTP/AVP 97\na=rtpmap:97 alaw/8000/1\na=fmtp:97 a=b\n', 'PCMA'],
  ])('with %s is read', (_name, sdp, encoding) => {
    const [track] = readDescription(`v=0\r\n${sdp}`, 'rtsp://cam/live').tracks
    expect(track).toMatchObject({ encoding })
    expect(track?.parameters.get('a')).toBe('b')
  })

  test('of any kind has a bounded number of tracks', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(
          readDescription(`m=video 0 RTP/AVP 96\n${text}`.repeat(50), 'rtsp://cam').tracks.length,
        ).toBeLessThanOrEqual(32)
      }),
    )
  })
})

const packet = (payload: Buffer, timestamp = 0, marker = false, sequenceNumber = 0): Packet => ({
  payload,
  timestamp,
  marker,
  sequenceNumber,
  payloadType: 96,
  ssrc: 1,
})

describe('packets', () => {
  test('RTP with CSRCs, an extension and padding', () => {
    const data = Buffer.from('b1e00001000000020000000300000004abac0001deadbeef0102000003', 'hex')
    expect(readPacket(data)).toEqual({
      payloadType: 96,
      marker: true,
      sequenceNumber: 1,
      timestamp: 2,
      ssrc: 3,
      payload: Buffer.from([1, 2]),
    })
  })

  test('of any bytes are read within their bounds, or not at all', () => {
    const depacketizers = [createH264Depacketizer(), createH265Depacketizer()]
    const jpeg = createJpegDepacketizer()
    const aac = createAacDepacketizer({ sizeLength: 13, indexLength: 3, indexDeltaLength: 3, config: undefined })
    const receiver = createReceiver(96)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, isAfterGap) => {
        const data = Buffer.from(bytes)
        readSenderReport(data)
        receiver.receive(data)
        const one = packet(data, bytes[0] ?? 0, (bytes[1] ?? 0) > 128)
        for (const depacketize of depacketizers)
          for (const { nals } of depacketize(one, isAfterGap)) expect(nals.length).toBeGreaterThan(0)
        for (const each of jpeg(one, isAfterGap)) expect(each.data.subarray(0, 2)).toEqual(Buffer.of(0xff, 0xd8))
        expect(readSps(data)?.macroblocks ?? 1).toBeLessThanOrEqual(139_264)
        expect([true, false]).toContain(isBSlice(data))
        for (const frame of aac(packet(data), isAfterGap)) expect(frame.length).toBeLessThanOrEqual(8_191)
      }),
      { numRuns: 500 },
    )
  })

  test('come in order, each once, and a gap is said', () => {
    const receiver = createReceiver(96)
    const take = (sequenceNumber: number) =>
      receiver
        .receive(
          writePacket({ payloadType: 96, marker: false, sequenceNumber, timestamp: 0, ssrc: 1 }, Buffer.from([1])),
        )
        .map(({ packet: each, isAfterGap }) => (isAfterGap ? -each.sequenceNumber : each.sequenceNumber))
    expect([65_534, 0, 65_535, 65_535, 1].map(take)).toEqual([[65_534], [], [65_535, 0], [], [1]])
    expect(take(3)).toEqual([])
    for (let number = 4; number < 19; number += 1) expect(take(number)).toEqual([])
    expect(take(19)).toEqual([-3, ...Array.from({ length: 16 }, (_, index) => index + 4)])
    const report = receiver.report(0)!
    // One of 22 is lost (RFC 3550 section 6.4.1).
    expect([report.readUInt8(12), report.readUIntBE(13, 3)]).toEqual([Math.floor(256 / 22), 1])
  })
})

describe('H.264', () => {
  const idr = Buffer.from('65b8010203', 'hex')
  const sets = [Buffer.from('6742c01e', 'hex'), Buffer.from('68ce3c80', 'hex')]
  const stapA = Buffer.concat([Buffer.from([0x78, 0, 4]), sets[0]!, Buffer.from([0, 4]), sets[1]!])
  const fragments = [Buffer.from('7c85b801', 'hex'), Buffer.from('7c4502', 'hex')]

  test.each([
    ['single packets', [packet(sets[0]!), packet(sets[1]!), packet(idr, 0, true)], [[7, 8, 5]]],
    ['STAP-A and FU-A', [packet(stapA), packet(fragments[0]!), packet(fragments[1]!, 0, true)], [[7, 8, 5]]],
    ['sets alone, with a marker of their own', [packet(stapA, 0, true), packet(idr, 90, true)], [[7, 8, 5]]],
    ['no marker', [packet(idr), packet(idr, 90), packet(idr, 180)], [[5], [5]]],
    ['SEI alone', [packet(Buffer.from('0605', 'hex'), 0, true), packet(idr, 90, true)], [[5]]],
    ['a fragment without its beginning', [packet(fragments[1]!, 0, true), packet(idr, 90, true)], [[5]]],
    ['the forbidden bit', [packet(Buffer.from('e5b801', 'hex'), 0, true)], []],
  ])('%s', (_name, packets, wanted) => {
    const depacketize = createH264Depacketizer()
    const found = packets.flatMap((each) => depacketize(each, false))
    expect(found.map(({ nals }) => nals.map((nal) => nal[0]! & 0x1f))).toEqual(wanted)
  })

  test('a picture that lost a packet is left out, the next one is not', () => {
    const depacketize = createH264Depacketizer()
    expect(depacketize(packet(fragments[0]!), false)).toEqual([])
    expect(depacketize(packet(fragments[1]!, 0, true), true)).toEqual([])
    expect(depacketize(packet(idr, 90, true), true)).toHaveLength(1)
  })
})

const h265Type = (nal: Buffer) => (nal[0]! >> 1) & 0x3f

describe('H.265', () => {
  // RFC 7798 section 4.4: VPS, SPS, PPS and an IDR picture by two-octet headers, layer 0, TID 1.
  const [vps, sps, pps] = ['40010c01', '42010101', '4401c172'].map((hex) => Buffer.from(hex, 'hex'))
  const idr = Buffer.from('2601af0102', 'hex')
  const aggregate = Buffer.concat([
    Buffer.from('6001', 'hex'),
    ...[vps!, sps!, pps!].flatMap((nal) => [Buffer.of(0, nal.length), nal]),
  ])
  const fragments = [Buffer.from('620193af', 'hex'), Buffer.from('62015301', 'hex'), Buffer.from('62015302', 'hex')]

  test.each([
    ['single packets', [packet(vps!), packet(sps!), packet(pps!), packet(idr, 0, true)], [[32, 33, 34, 19]]],
    ['an aggregation packet', [packet(aggregate), packet(idr, 0, true)], [[32, 33, 34, 19]]],
    ['sets with a marker of their own', [packet(aggregate, 0, true), packet(idr, 90, true)], [[32, 33, 34, 19]]],
    ['a delimiter alone', [packet(Buffer.from('460150', 'hex'), 0, true), packet(idr, 90, true)], [[19]]],
    ['no marker', [packet(idr), packet(idr, 90), packet(idr, 180)], [[19], [19]]],
    ['a fragment without its beginning', [packet(fragments[1]!, 0, true), packet(idr, 90, true)], [[19]]],
    ['the forbidden bit', [packet(Buffer.from('a601af01', 'hex'), 0, true)], []],
    ['PACI, which carries others', [packet(Buffer.from('640100', 'hex'), 0, true)], []],
  ])('%s', (_name, packets, wanted) => {
    const depacketize = createH265Depacketizer()
    const found = packets.flatMap((each) => depacketize(each, false))
    expect(found.map(({ nals }) => nals.map(h265Type))).toEqual(wanted)
  })

  test('fragments are put together behind the header of what they are parts of', () => {
    const depacketize = createH265Depacketizer()
    const middle = Buffer.from('62011301', 'hex')
    const found = [packet(fragments[0]!), packet(middle), packet(fragments[2]!, 0, true)].flatMap((each) =>
      depacketize(each, false),
    )
    expect(found.map(({ nals }) => nals)).toEqual([[Buffer.from('2601af0102', 'hex')]])
  })

  test('a picture that lost a packet is left out, the next one is not', () => {
    const depacketize = createH265Depacketizer()
    expect(depacketize(packet(fragments[0]!), false)).toEqual([])
    expect(depacketize(packet(fragments[2]!, 0, true), true)).toEqual([])
    expect(depacketize(packet(idr, 90, true), true)).toHaveLength(1)
  })

  test('its sets stand in the description by name, as many as there are', () => {
    const parameters = new Map([
      ['sprop-vps', vps!.toString('base64')],
      ['sprop-sps', `${sps!.toString('base64')},AAAA`],
      ['sprop-pps', pps!.toString('base64')],
    ])
    expect(readH265Sets(parameters)).toEqual([vps, sps, pps])
  })
})

const jpegHead = (offset: number, q: number, rest: Buffer, type = 1) =>
  Buffer.concat([Buffer.of(0, 0, offset >> 8, offset & 0xff, type, q, 40, 30), rest])

const bytesOf = (found: readonly { data: Buffer }[]) => found.map(({ data }) => data.toString('hex'))

describe('JPEG', () => {
  const scan = Buffer.from('0102030405060708', 'hex')
  const tables = Buffer.concat([Buffer.of(0, 0, 0, 128), Buffer.alloc(128, 7)])

  test('is a file of 320 by 240 with the tables of its Q, and the scan of all its fragments', () => {
    const jpeg = createJpegDepacketizer()
    expect(jpeg(packet(jpegHead(0, 50, scan)), false)).toEqual([])
    const [file] = bytesOf(jpeg(packet(jpegHead(8, 50, scan), 0, true), false))
    // Q 50 is annex K as it stands, whose luma begins 16, 11, 12, 14 in zigzag order.
    expect(file).toMatch(/^ffd8ffdb004300100b0c0e/)
    expect(file).toContain('ffc000110800f0014003012200021101031101')
    expect(file).toMatch(/(0102030405060708){2}ffd9$/)
  })

  test('keeps tables that came with an earlier picture, and knows none that never came', () => {
    const jpeg = createJpegDepacketizer()
    expect(jpeg(packet(jpegHead(0, 200, Buffer.concat([Buffer.alloc(4), scan])), 0, true), false)).toEqual([])
    const [first] = bytesOf(jpeg(packet(jpegHead(0, 200, Buffer.concat([tables, scan])), 0, true), false))
    const [second] = bytesOf(jpeg(packet(jpegHead(0, 200, Buffer.concat([Buffer.alloc(4), scan])), 9, true), false))
    expect(second).toBe(first)
    expect(first).toContain('07'.repeat(64))
  })

  test('with restart markers says how far they are apart', () => {
    const [file] = bytesOf(
      createJpegDepacketizer()(
        packet(jpegHead(0, 50, Buffer.concat([Buffer.of(0, 4, 0xff, 0xff), scan]), 65), 0, true),
        false,
      ),
    )
    expect(file).toContain('ffdd00040004')
  })

  test.each([
    ['a fragment is lost', [packet(jpegHead(0, 50, scan)), packet(jpegHead(16, 50, scan), 0, true)]],
    ['its beginning is lost', [packet(jpegHead(8, 50, scan), 0, true)]],
    ['its type is unknown', [packet(jpegHead(0, 50, scan, 2), 0, true)]],
    ['its size is not said', [packet(Buffer.concat([Buffer.of(0, 0, 0, 0, 1, 50, 0, 0), scan]), 0, true)]],
  ])('is left out when %s, the next one is not', (_name, packets) => {
    const jpeg = createJpegDepacketizer()
    expect(packets.flatMap((each) => jpeg(each, false))).toEqual([])
    expect(jpeg(packet(jpegHead(0, 50, scan), 90, true), false)).toHaveLength(1)
  })
})

test.each([
  ['tiny fragments', 20_000, 1],
  ['large fragments', 8_000, 1_300],
])('a picture in %s without end is forgotten, the next one is not', (_name, count, bytes) => {
  const depacketize = createH264Depacketizer()
  depacketize(packet(Buffer.from('7c85b801', 'hex')), false)
  const piece = Buffer.concat([Buffer.from('7c05', 'hex'), Buffer.alloc(bytes, 0xab)])
  for (let index = 0; index < count; index += 1) depacketize(packet(piece), false)
  expect(depacketize(packet(Buffer.from('7c4502', 'hex'), 0, true), false)).toEqual([])
  expect(depacketize(packet(Buffer.from('65b8010203', 'hex'), 90, true), false)).toHaveLength(1)
})

test('an AAC frame in pieces without end is forgotten, the next one is not', () => {
  const aac = createAacDepacketizer({ sizeLength: 24, indexLength: 0, indexDeltaLength: 0, config: undefined })
  // A frame of 100,000 bytes: 24 bits of header, then a piece of it.
  const piece = Buffer.concat([Buffer.from('00180186a0', 'hex'), Buffer.alloc(1_000, 1)])
  for (let index = 0; index < 100; index += 1) expect(aac(packet(piece), false)).toEqual([])
  // Pieces without a byte bring no frame nearer to its end.
  const whole = packet(Buffer.from('00180000020a0b', 'hex'))
  for (let index = 0; index < 3; index += 1) aac(packet(Buffer.from('0018000002', 'hex')), false)
  expect(aac(whole, false)).toEqual([Buffer.from('0a0b', 'hex')])
})

test('AAC frames, several in a packet or one in several', () => {
  const form = { sizeLength: 13, indexLength: 3, indexDeltaLength: 3, config: undefined }
  const aac = createAacDepacketizer(form)
  expect(aac(packet(Buffer.from('0020001000180a0b0c0d0e', 'hex')), false)).toEqual([
    Buffer.from('0a0b', 'hex'),
    Buffer.from('0c0d0e', 'hex'),
  ])
  const piece = (bytes: string) => packet(Buffer.from(`00100020${bytes}`, 'hex'))
  expect([...aac(piece('0102'), false), ...aac(piece('0304'), false)]).toEqual([Buffer.from('01020304', 'hex')])
})

describe('G.711', () => {
  test.each(['PCMU', 'PCMA'] as const)('%s: every code is its own, and samples come back nearly', (law) => {
    const codes = Buffer.from(Array.from({ length: 256 }, (_, code) => code))
    const linear = decodeG711(law, codes)
    // µ-law has two zeros.
    expect(encodeG711(law, linear).filter((code, index) => code !== index).length).toBeLessThanOrEqual(1)
    fc.assert(
      fc.property(fc.integer({ min: -32_768, max: 32_767 }), (sample) => {
        const [back = 0] = decodeG711(law, encodeG711(law, Int16Array.of(sample)))
        expect(Math.abs(back - sample)).toBeLessThanOrEqual(
          Math.max(16, Math.abs(sample) / 16 + 8, sample < -32_000 || sample > 32_000 ? 700 : 0),
        )
      }),
    )
  })

  test('the known values of the tables', () => {
    expect(encodeG711('PCMU', Int16Array.of(0, 32_767, -32_768))).toEqual(Buffer.from([0xff, 0x80, 0x00]))
    expect(encodeG711('PCMA', Int16Array.of(0, 32_767, -32_768))).toEqual(Buffer.from([0xd5, 0xaa, 0x2a]))
  })
})

const timeline = () => createTimeline(90_000, { offsetMs: undefined }, true)

describe('time', () => {
  test('follows the timestamps over their wrap', () => {
    const { at } = timeline()
    expect([at(0xffff_ffff - 8_999, 1_000), at(0, 1_090)]).toEqual([1_000, 1_100])
  })

  test.each([
    ['forwards', 900_000],
    ['a second backwards', -90_000],
    ['far backwards', -9_000_000],
  ])('a jump %s of the camera is none of ours', (_name, jump) => {
    const { at } = timeline()
    expect(at(100_000_000, 1_000)).toBe(1_000)
    expect(at(100_000_000 + jump, 1_100)).toBe(1_100)
    expect(at(100_000_000 + jump + 9_000, 1_200)).toBe(1_200)
  })

  test('moves the sound to the picture by their sender reports, unless these are wrong', () => {
    const wall = { offsetMs: undefined }
    const picture = createTimeline(90_000, wall, true)
    const sound = createTimeline(8_000, wall, false)
    picture.at(0, 1_000)
    picture.anchor({ ssrc: 1, ntpMs: 500_000, timestamp: 0, compact: 0 })
    expect(sound.at(0, 1_300)).toBe(1_300)
    sound.anchor({ ssrc: 2, ntpMs: 500_100, timestamp: 0, compact: 0 })
    expect(sound.at(160, 1_320)).toBe(1_120)
    sound.anchor({ ssrc: 2, ntpMs: 900_000, timestamp: 160, compact: 0 })
    expect(sound.at(320, 1_340)).toBe(1_140)
  })
})

test('a challenge is read in a time that grows with its length alone', () => {
  const login = { user: 'admin', password: 'password' }
  // With the square of it this would take minutes.
  const long = `Digest realm="camera", nonce="abc", ${'a'.repeat(1_000_000)}`
  expect(answerChallenges([long], login)?.('GET', '/live')).toMatch(/^Digest username="admin"/)
})
