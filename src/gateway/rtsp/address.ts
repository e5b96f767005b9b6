/** The address of a camera as its owner gives it: where to connect, with which name and password, and what may be shown of it. */
import { isIP } from 'node:net'
import { noStreamAddress, streamAddress } from 'transom-core/wire/source'
import { SourceError } from '../media.ts'

/** The address of a stream, taken apart: `readAddress` makes it. */
export interface CameraAddress {
  /** How it is asked for. */
  readonly protocol: 'rtsp' | 'whep'
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  /** What requests name, without user and password; of WHEP with `whep://` for `http://`, `wheps://` for `https://`. */
  readonly url: string
  readonly login?: { readonly user: string; readonly password: string }
  /** Scheme, host and port: path and query often hold secrets too. */
  readonly label: string
}

const encodeIt = 'write the characters / ? # @ and % in user and password percent-encoded (%2F %3F %23 %40 %25)'
const form = /^([a-z]+):\/\/(.*)$/is
const usualPorts: Readonly<Record<string, number>> = { rtsp: 554, rtsps: 322, whep: 80, wheps: 443 }

/**
 * Reads `rtsp://user:password@host:554/path`, leniently in the password, and what else is a `streamAddress`. Throws
 * `SourceError` without a word of the address.
 */
export function readAddress(text: string): CameraAddress {
  const [, given = '', rest = ''] = (streamAddress.test(text.trim()) && form.exec(text.trim())) || []
  if (given === '') throw new SourceError('source_invalid', `the address ${noStreamAddress}`)
  const scheme = given.toLowerCase().replace('http', 'whep')
  const { userInfo, place, target } = split(rest)
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(place) ?? []
  const host = bracketed ?? plain
  const port = Number(digits ?? usualPorts[scheme])
  // A control character in what goes into a request would be a request of its own.
  if (host === undefined || port < 1 || port > 65_535 || !/^[\x21-\x7e]*$/.test(host + target))
    throw new SourceError('source_invalid', `the address of the camera cannot be read: ${encodeIt}`)
  const origin = `${scheme}://${bracketed === undefined ? host : `[${host}]`}${digits === undefined ? '' : `:${port}`}`
  const login = userInfo === undefined ? undefined : readLogin(userInfo)
  const protocol = scheme.startsWith('rtsp') ? 'rtsp' : 'whep'
  const isTls = scheme.endsWith('s')
  return { protocol, host, port, isTls, url: `${origin}${target}`, label: origin, ...(login && { login }) }
}

/** By RFC 3986 section 3.2 the authority ends at the first `/`, `?` or `#`; a password that holds one of them moves that end. */
function split(rest: string): { userInfo?: string; place: string; target: string } {
  const cut = (from: number) => {
    const end = rest.slice(from).search(/[/?#]/)
    const at = end < 0 ? rest.length : from + end
    return { place: rest.slice(from, at), target: rest.slice(at).replace(/#.*$/s, '') }
  }
  const strict = cut(0)
  const inPlace = strict.place.lastIndexOf('@')
  if (inPlace >= 0) return { userInfo: rest.slice(0, inPlace), ...cut(inPlace + 1) }
  const last = rest.lastIndexOf('@')
  if (last < 0 || !strict.place.includes(':') || isAddress(strict.place)) return strict
  if (/:\d{1,5}$/.test(strict.place)) throw new SourceError('source_invalid', `the address is ambiguous: ${encodeIt}`)
  return { userInfo: rest.slice(0, last), ...cut(last + 1) }
}

/** An address or a full name with a port is nobody's user name and password. */
function isAddress(place: string): boolean {
  const host = place.replace(/:\d{1,5}$/, '')
  return (
    host !== place && (isIP(host.replace(/^\[|\]$/g, '')) !== 0 || host === 'localhost' || /\.[a-z]{2,}$/i.test(host))
  )
}

function readLogin(userInfo: string): { user: string; password: string } {
  const colon = userInfo.indexOf(':')
  const [user, password] = colon < 0 ? [userInfo, ''] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)]
  return { user: decode(user), password: decode(password) }
}

/** A `%` that encodes nothing stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
