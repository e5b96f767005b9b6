/** RTSP 1.0 on one byte stream (RFC 2326): replies, requests from the server, and interleaved packets (section 10.12). */
import { SourceError } from '../media.ts'

/** Beyond these a camera is not one. */
const maxHeaderBytes = 16_384
const maxBodyBytes = 262_144
const maxHeaders = 100

export type Headers = ReadonlyMap<string, readonly string[]>

export type Received =
  | { readonly kind: 'packet'; readonly channel: number; readonly data: Buffer }
  | { readonly kind: 'response'; readonly status: number; readonly headers: Headers; readonly body: Buffer }
  | {
      readonly kind: 'request'
      readonly method: string
      readonly url: string
      readonly headers: Headers
      readonly body: Buffer
    }

const dollar = 0x24

/** Takes the stream in any pieces and gives what is complete. Throws `SourceError('source_garbled')`; then nothing more is to be had. */
export function createParser(): (chunk: Buffer) => readonly Received[] {
  let pending: Buffer[] = []
  let length = 0
  /** Nothing can be complete before so many bytes are there. */
  let needed = 1

  return (chunk) => {
    pending.push(chunk)
    length += chunk.length
    if (length < needed) return []
    let data = pending.length === 1 ? chunk : Buffer.concat(pending)
    const found: Received[] = []
    needed = 1
    while (data.length > 0) {
      const read = data[0] === dollar ? readPacket(data) : readMessage(data)
      if (typeof read === 'number') {
        needed = read
        break
      }
      if (read.item) found.push(read.item)
      data = data.subarray(read.size)
    }
    pending = data.length > 0 ? [data] : []
    length = data.length
    return found
  }
}

interface Read {
  readonly item?: Received
  readonly size: number
}

/** A number: so many bytes are needed. */
function readPacket(data: Buffer): Read | number {
  if (data.length < 4) return 4
  const size = 4 + data.readUInt16BE(2)
  if (data.length < size) return size
  return { item: { kind: 'packet', channel: data[1] ?? 0, data: data.subarray(4, size) }, size }
}

function readMessage(data: Buffer): Read | number {
  // Empty lines before a message are ignored (RFC 2326 section 4, by RFC 2068 section 4.1).
  if (data[0] === 0x0d || data[0] === 0x0a) return { size: 1 }
  const head = endOfHead(data)
  if (head === undefined) {
    if (data.length > maxHeaderBytes) throw garbled('its header does not end')
    return data.length + 1
  }
  const text = data.toString('latin1', 0, head.end)
  // A line that begins with a space goes on with the one before (RFC 2326 section 4.1, by RFC 2068 section 4.2).
  const [first = '', ...lines] = text.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
  if (lines.length > maxHeaders) throw garbled('it has too many headers')
  const headers = readHeaders(lines)
  const announced = headers.get('content-length')?.[0] ?? '0'
  if (!/^\d{1,9}$/.test(announced) || Number(announced) > maxBodyBytes)
    throw garbled('its Content-Length is out of bounds')
  const size = head.next + Number(announced)
  if (data.length < size) return size
  const rest = { headers, body: data.subarray(head.next, size) }
  const status = /^RTSP\/\d\.\d +(\d{3})(?: |$)/.exec(first)?.[1]
  if (status !== undefined) return { item: { kind: 'response', status: Number(status), ...rest }, size }
  const [, method, url] = /^([A-Z_]{1,32}) (\S+) RTSP\/\d\.\d$/.exec(first) ?? []
  if (method === undefined || url === undefined) throw garbled('it is not RTSP')
  return { item: { kind: 'request', method, url, ...rest }, size }
}

function endOfHead(data: Buffer): { end: number; next: number } | undefined {
  const bounded = data.subarray(0, maxHeaderBytes + 4)
  const proper = bounded.indexOf('\r\n\r\n')
  // Only before it: a flood of short messages is not searched to the end for each of them.
  const bare = bounded.subarray(0, proper < 0 ? bounded.length : proper).indexOf('\n\n')
  if (proper >= 0 && bare < 0) return { end: proper, next: proper + 4 }
  return bare >= 0 ? { end: bare, next: bare + 2 } : undefined
}

function readHeaders(lines: readonly string[]): Headers {
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const name = line.slice(0, colon).trim().toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()])
  }
  return headers
}

function garbled(what: string): SourceError {
  return new SourceError('source_garbled', `the camera sent a message that cannot be read: ${what}`)
}

/** A request as it goes over the wire. */
export function writeRequest(method: string, url: string, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${url} RTSP/1.0\r\n${lines.join('')}\r\n`, 'latin1')
}

export function writePacket(channel: number, data: Buffer): Buffer {
  const head = Buffer.from([dollar, channel, data.length >> 8, data.length & 0xff])
  return Buffer.concat([head, data])
}
