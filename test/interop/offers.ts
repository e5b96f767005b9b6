/**
 * The shapes of offers that displays of the field send, each as a rewrite of a foreign stack's own offer: what was reported, made
 * live. A stack that would not know its offer again gets the answer back in the terms of the one that it made.
 */
import type { StackName } from './peers.ts'

export interface OfferCase {
  readonly name: string
  /** What the display sends instead of the stack's own offer. */
  readonly rewrite: (offer: string) => string
  /** With this ICE password of its own, which no rewrite can give it. */
  readonly password?: string
  /** The answer as an answer to `offer`, the stack's own. */
  readonly undo?: (answer: string, offer: string) => string
  /** There is no picture to be seen. */
  readonly isSoundOnly?: true
  /** Stacks that cannot play this display, and why. */
  readonly except?: Partial<Record<StackName, string>>
}

const passwordIsIts = 'its ICE password cannot be chosen, or not so'
const manyTransports = 'it has a transport for each section, and the check is for displays that have one'

export const offerCases: readonly OfferCase[] = [
  {
    name: 'bundle-only sections',
    rewrite: eachSection((lines, index) =>
      index === 0 ? lines : [...without(lines, 'candidate', 'end-of-candidates').map(toPort0), 'a=bundle-only'],
    ),
  },
  {
    name: 'the transport in the first section of the bundle only',
    rewrite: eachSection((lines, index) => (index === 0 ? lines : without(lines, ...ofTransport))),
  },
  {
    name: 'the transport and the candidates for the whole session',
    rewrite: (offer) => {
      const [session, ...sections] = split(offer)
      const common = sections[0]!.filter((line) => isOf(line, ...ofTransport) && line !== 'a=rtcp-mux')
      return join([
        [...session!, ...common],
        ...sections.map((lines) => lines.filter((line) => !isOf(line, ...ofTransport) || line === 'a=rtcp-mux')),
      ])
    },
  },
  {
    name: 'no mids',
    rewrite: (offer) => join(split(offer).map((lines) => lines.filter(isNoMid))),
    except: { aiortc: manyTransports, Chromium: manyTransports },
    undo: (answer, offer) => {
      const [session, ...sections] = split(answer)
      const mids = midsOf(split(offer).slice(1))
      const group = `a=group:BUNDLE ${mids.join(' ')}`
      return join([[...session!, group], ...sections.map((lines, index) => [...lines, `a=mid:${mids[index]}`])])
    },
  },
  {
    name: 'an ICE password with an equals sign',
    password: 'Zr3mT0pYkVb1sWc8nLd5uHgJZGk=',
    rewrite: (offer) => offer,
    except: {
      webrtcbin: passwordIsIts,
      libdatachannel: passwordIsIts,
      Chromium: passwordIsIts,
    },
  },
  {
    name: 'upper and lower case the other way round',
    rewrite: (offer) =>
      offer
        .replaceAll(/^a=setup:.*$/gm, upper)
        .replaceAll(/^a=candidate:.*$/gm, (line) => line.replaceAll(/ (udp|typ|host|tcp|tcptype|active)\b/gi, upper))
        .replaceAll(/^a=fingerprint:sha-256/gim, 'a=fingerprint:SHA-256')
        .replaceAll(/^a=rtpmap:(\d+) opus/gim, 'a=rtpmap:$1 OPUS')
        .replaceAll(/^a=rtpmap:(\d+) H264/gim, 'a=rtpmap:$1 h264')
        .replaceAll('packetization-mode', 'Packetization-Mode')
        .replaceAll(/profile-level-id=([0-9a-f]+)/gi, upper),
  },
  { name: 'the DTLS role active', rewrite: (offer) => offer.replaceAll(/a=setup:actpass/gi, 'a=setup:active') },
  { name: 'the DTLS role passive', rewrite: (offer) => offer.replaceAll(/a=setup:actpass/gi, 'a=setup:passive') },
  {
    name: 'foundations that are missing or odd',
    rewrite: eachCandidate((line, index) => [line.replace(/:\S+/, index % 2 === 0 ? ':' : ':a:b_c==')]),
  },
  {
    name: 'TCP candidates and those of a second component',
    rewrite: eachCandidate((line) => {
      const [foundation, , , , address] = line.split(' ')
      return [
        `${foundation} 1 TCP 1015021823 ${address} 9 typ host tcptype active`,
        `${foundation} 1 TCP 1010827519 ${address} 9 typ host tcptype passive`,
        line,
        line.replace(/^(\S+) 1 /, '$1 2 '),
        line,
      ]
    }),
  },
  {
    name: 'candidates by .local names that nobody here resolves',
    rewrite: eachCandidate((line) => [
      line.replace(/^((?:\S+ ){4})\S+/, '$10f2a6b1c-0000-4000-8000-000000000001.local'),
    ]),
  },
  {
    name: 'addresses as IPv4-mapped IPv6',
    rewrite: eachCandidate((line) => [line.replace(/^((?:\S+ ){4})(\d+\.\d+\.\d+\.\d+) /, '$1::FFFF:$2 ')]),
  },
  {
    name: 'G.711 only, without rtpmap',
    rewrite: eachSection((lines) => (isKind(lines, 'audio') ? onlyPayloads(lines, ['0', '8'], false) : lines)),
    except: {
      webrtcbin: 'its peer here sends Opus only',
      libdatachannel: 'its peer here sends Opus only',
      pion: 'its peer here sends Opus only',
    },
  },
  {
    name: 'sound only, in one section',
    isSoundOnly: true,
    rewrite: (offer) => {
      const kept = split(offer).filter((lines, index) => index === 0 || isKind(lines, 'audio'))
      return join(kept).replace(/^a=group:BUNDLE.*$/m, `a=group:BUNDLE ${midsOf(kept.slice(1)).join(' ')}`)
    },
    undo: (answer, offer) => {
      const [session, sound] = split(answer)
      // Not every stack reads a rejected section without its transport.
      const transport = sound!.filter((line) => isOf(line, ...ofTransport) && !isOf(line, 'candidate'))
      const sections = split(offer).slice(1)
      return join([
        session!,
        ...sections.map((lines) => (isKind(lines, 'audio') ? sound! : [...rejected(lines), ...transport])),
      ])
    },
  },
  {
    name: 'H.264 without parameters, as an Echo writes it',
    rewrite: eachSection((lines) =>
      isKind(lines, 'video') ? onlyPayloads(lines, [h264Of(lines)], false, true) : lines,
    ),
  },
  {
    name: 'H.264 in Baseline only',
    rewrite: eachSection((lines) =>
      isKind(lines, 'video')
        ? onlyPayloads(lines, [h264Of(lines)], true).map((line) =>
            line.replace(/profile-level-id=[0-9a-f]+/i, 'profile-level-id=42001f'),
          )
        : lines,
    ),
    undo: (answer, offer) => {
      const [, own = '42e01f'] =
        new RegExp(`fmtp:${h264Of(split(offer).find((one) => isKind(one, 'video'))!)} .*profile-level-id=(\\w+)`).exec(
          offer,
        ) ?? []
      return answer.replace(/profile-level-id=\w+/i, `profile-level-id=${own}`)
    },
  },
  {
    name: 'three pictures, too large for signaling',
    rewrite: (offer) => withSurplus(offer, [fullPicture('surplus-1'), fullPicture('surplus-2')]),
    undo: withoutSurplus,
  },
  {
    name: 'a data channel for moving the camera',
    rewrite: (offer) =>
      withSurplus(offer, [
        ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0', 'a=mid:surplus-1', 'a=sctp-port:5000'],
      ]),
    undo: withoutSurplus,
  },
  {
    name: '20 kB of attributes that nobody knows',
    rewrite: eachSection((lines) => [
      ...lines,
      ...Array.from({ length: 100 }, (_, index) => `a=x-display-${index}:${'0123456789'.repeat(10)}`),
    ]),
  },
  {
    name: 'bare line feeds after a byte order mark',
    rewrite: (offer) => `\uFEFF${offer.replaceAll('\r\n', '\n')}`,
  },
]

const ofTransport = [
  'ice-ufrag',
  'ice-pwd',
  'ice-options',
  'fingerprint',
  'setup',
  'rtcp-mux',
  'candidate',
  'end-of-candidates',
] as const

const upper = (text: string): string => text.replace(/[^:]+$/, (last) => last.toUpperCase())

/** The lines of the session part and of each section. */
function split(sdp: string): string[][] {
  return sdp
    .trim()
    .split(/\r?\n(?=m=)/)
    .map((part) => part.split(/\r?\n/))
}

const join = (parts: readonly (readonly string[])[]): string => `${parts.flat().join('\r\n')}\r\n`

function eachSection(change: (lines: readonly string[], index: number) => readonly string[]): OfferCase['rewrite'] {
  return (offer) => {
    const [session, ...sections] = split(offer)
    return join([session!, ...sections.map(change)])
  }
}

/** Of each candidate line these; `index` counts in its section. */
function eachCandidate(change: (line: string, index: number) => readonly string[]): OfferCase['rewrite'] {
  return eachSection((lines) => {
    let count = 0
    return lines.flatMap((line) => (isOf(line, 'candidate') ? change(line, count++) : [line]))
  })
}

const isOf = (line: string, ...names: readonly string[]): boolean =>
  names.some((name) => line === `a=${name}` || line.startsWith(`a=${name}:`))

const without = (lines: readonly string[], ...names: readonly string[]): string[] =>
  lines.filter((line) => !isOf(line, ...names))

/** Not of what names a section, in the groups and in the packets (RFC 9143). */
const isNoMid = (line: string): boolean => !/^a=(mid|group):|^a=extmap:.*sdes:mid$/.test(line)

const toPort0 = (line: string): string => line.replace(/^(m=\w+) \d+/, '$1 0')

const isKind = (lines: readonly string[], kind: string): boolean => lines[0]?.startsWith(`m=${kind} `) === true

const midsOf = (sections: readonly (readonly string[])[]): string[] =>
  sections.flatMap((lines) => lines.flatMap((line) => /^a=mid:(.*)$/.exec(line)?.[1] ?? []))

/** The section with these payload types alone, with their rtpmap or without, and without their parameters if so. */
function onlyPayloads(
  lines: readonly string[],
  payloads: readonly string[],
  hasParameters: boolean,
  hasMap = hasParameters,
): string[] {
  return lines.flatMap((line) => {
    if (line.startsWith('m=')) return [[...line.split(' ').slice(0, 3), ...payloads].join(' ')]
    const [, attribute, payload] = /^a=(rtpmap|fmtp|rtcp-fb):(\S+) /.exec(line) ?? []
    if (attribute === undefined || payload === undefined || payload === '*') return [line]
    if (!payloads.includes(payload)) return []
    return attribute === 'rtpmap' ? (hasMap ? [line] : []) : hasParameters || attribute === 'rtcp-fb' ? [line] : []
  })
}

/** The payload type of H.264 in packetization mode 1, Constrained Baseline where there is a choice. */
function h264Of(lines: readonly string[]): string {
  const types = lines.flatMap((line) => /^a=rtpmap:(\d+) H264\//i.exec(line)?.[1] ?? [])
  const says = (type: string, word: string) =>
    lines.some((line) => line.startsWith(`a=fmtp:${type} `) && line.toLowerCase().includes(word))
  const usual = types.filter((type) => says(type, 'packetization-mode=1'))
  return usual.find((type) => says(type, 'profile-level-id=42e0')) ?? usual[0] ?? types[0]!
}

/** A section that is not in the answer, rejected in it (RFC 3264 section 6). */
const rejected = (lines: readonly string[]): string[] => [
  toPort0(lines[0]!),
  ...without(lines.slice(1), ...ofTransport, 'sendrecv', 'recvonly', 'sendonly'),
  'a=inactive',
]

function withSurplus(offer: string, surplus: readonly (readonly string[])[]): string {
  const [session, ...sections] = split(offer)
  const transport = sections[0]!.filter((line) => isOf(line, ...ofTransport))
  const mids = midsOf(surplus).join(' ')
  const grouped = session!.map((line) => (line.startsWith('a=group:BUNDLE') ? `${line} ${mids}` : line))
  return join([grouped, ...sections, ...surplus.map((lines) => [...lines, ...transport])])
}

function withoutSurplus(answer: string, offer: string): string {
  return join(split(answer).slice(0, split(offer).length)).replaceAll(/ surplus-\d/g, '')
}

/** A section of a browser that knows H.264 in ten kinds. */
function fullPicture(mid: string): string[] {
  const payloads = Array.from({ length: 10 }, (_, index) => 96 + 2 * index)
  return [
    `m=video 9 UDP/TLS/RTP/SAVPF ${payloads.flatMap((payload) => [payload, payload + 1]).join(' ')}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    'a=recvonly',
    ...payloads.flatMap((payload, index) => [
      `a=rtpmap:${payload} H264/90000`,
      ...['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'].map((one) => `a=rtcp-fb:${payload} ${one}`),
      `a=fmtp:${payload} level-asymmetry-allowed=1;packetization-mode=${index % 2};profile-level-id=42e0${10 + index}`,
      `a=rtpmap:${payload + 1} rtx/90000`,
      `a=fmtp:${payload + 1} apt=${payload}`,
    ]),
  ]
}
