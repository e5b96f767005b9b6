/** Offers and answers line by line, for tests that change a few of them: the field's reports in our own form. */

/** One media section; what is not given is as in a browser's. */
export interface SectionOf {
  readonly kind?: 'audio' | 'video' | 'application'
  readonly mid?: string
  readonly port?: number
  readonly direction?: string
  /** `rtpmap` by payload type. */
  readonly codecs?: Readonly<Record<number, string>>
  /** Further lines, without `a=` where they are attributes of no other kind. */
  readonly more?: readonly string[]
  /** Lines of the transport; [] for a section that leaves them to another. */
  readonly transport?: readonly string[]
}

export const fingerprint = `sha-256 ${Array<string>(32).fill('AB').join(':')}`

/** What a transport needs, with this role of DTLS. */
export const transport = (setup: string, ufrag = 'Qx7e', pwd = 'Zr3mT0pYkVb1sWc8nLd5uHgJ'): readonly string[] => [
  `a=ice-ufrag:${ufrag}`,
  `a=ice-pwd:${pwd}`,
  `a=fingerprint:${fingerprint}`,
  `a=setup:${setup}`,
  'a=rtcp-mux',
]

export const opus = { 111: 'opus/48000/2' } as const
export const h264 = { 102: 'H264/90000' } as const
/** Constrained Baseline in packetization mode 1. */
export const h264Usual = 'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f'

/** A description of these sections; all that have a mid are in one BUNDLE group unless `session` names groups. */
export function descriptionOf(
  setup: string,
  sections: readonly SectionOf[],
  session: readonly string[] = [`a=group:BUNDLE ${sections.flatMap(({ mid }) => mid ?? []).join(' ')}`],
): string {
  const lines = sections.flatMap((section) => {
    const { kind = 'video', mid, port = 9, direction, codecs = kind === 'audio' ? opus : h264, more = [] } = section
    return [
      `m=${kind} ${port} UDP/TLS/RTP/SAVPF ${Object.keys(codecs).join(' ')}`,
      'c=IN IP4 0.0.0.0',
      ...(mid === undefined ? [] : [`a=mid:${mid}`]),
      ...(direction === undefined ? [] : [`a=${direction}`]),
      ...(section.transport ?? transport(setup)),
      ...Object.entries(codecs).map(([payload, name]) => `a=rtpmap:${payload} ${name}`),
      ...more,
    ]
  })
  return ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', ...session, ...lines, ''].join('\r\n')
}

export const hostLine = (port = 50_000): string => `a=candidate:1 1 udp 2122260223 192.0.2.10 ${port} typ host`

/** An offer of a display that takes picture and sound. */
export const plainOffer = (change: Partial<Record<'audio' | 'video', SectionOf>> = {}, session?: readonly string[]) =>
  descriptionOf(
    'actpass',
    [
      { kind: 'audio', mid: '0', direction: 'sendrecv', more: [hostLine()], ...change.audio },
      { kind: 'video', mid: '1', direction: 'recvonly', more: [h264Usual, hostLine()], ...change.video },
    ],
    session,
  )

/** A camera's answer to it. */
export const plainAnswer = (change: Partial<Record<'audio' | 'video', SectionOf>> = {}, session?: readonly string[]) =>
  descriptionOf(
    'active',
    [
      { kind: 'audio', mid: '0', direction: 'sendrecv', more: [hostLine()], ...change.audio },
      { kind: 'video', mid: '1', direction: 'sendonly', more: [h264Usual, hostLine()], ...change.video },
    ],
    session,
  )
