/** Addresses that are none of a camera's stream, and which address to give instead. */

const restreamed = 'go2rtc and MediaMTX give such a stream on by RTSP: give their rtsp:// address'
const endpoint =
  'for WebRTC give the whep:// or wheps:// address of a WHEP endpoint, or that of go2rtc (…/api/webrtc?src=NAME)'
const page = 'give the rtsp:// address of its stream, as the camera’s settings or manual name it'

/** What to give instead of an address of this scheme. */
const instead: Readonly<Record<string, string>> = {
  http: page,
  https: page,
  onvif: 'give the rtsp:// address of its stream; the address of the ONVIF device goes beside it',
  file: 'give the path of the file alone',
  rtmp: restreamed,
  rtmps: restreamed,
  srt: restreamed,
  udp: restreamed,
  rtp: restreamed,
  webrtc: endpoint,
  ws: endpoint,
  wss: endpoint,
}

/** The scheme that an address begins with, in lower case; `undefined` of a host, or a path, also `C:\…`. */
export function schemeOf(address: string): string | undefined {
  const [, scheme = '', slashes] = /^\s*([a-z][a-z0-9+.-]+):(\/\/)?/i.exec(address) ?? []
  const name = scheme.toLowerCase()
  const isOne = slashes !== undefined || /^(rtsp|whep)s?$/.test(name) || name in instead
  return scheme !== '' && isOne ? name : undefined
}

/** Why no stream is read at an address of this scheme, as its owner is told. */
export const refusalOf = (scheme: string): string =>
  `${scheme}:// is not read here: ${instead[scheme] ?? 'give the rtsp:// address of a stream'}`
