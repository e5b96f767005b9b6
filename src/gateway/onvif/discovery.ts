/** Finds ONVIF cameras on the networks of this machine by WS-Discovery 1.0 (ONVIF Core section 7): asked by multicast, answered by each. */
import { randomUUID } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { childrenOf, find, parseXml, textAt } from './xml.ts'

/** A camera that answered a probe of WS-Discovery. */
export interface FoundCamera {
  /** What `openDevice` takes: `http://192.168.1.20:8000/onvif/device_service`. */
  readonly address: string
  /** As its scopes say: `Front door`. */
  readonly name?: string
  /** As its scopes say: `RLC-510A`. */
  readonly hardware?: string
}

const group = { address: '239.255.255.250', port: 3702 } as const
const defaultMs = 3_000
/** UDP loses packets, and a camera that sleeps by Wi-Fi misses the first. */
const asked = 2
const againMs = 400
const maxFound = 256
const maxMessage = 65_535

/** How long to listen, in milliseconds, and where to ask. */
export interface DiscoveryOptions {
  /** How long answers are waited for, milliseconds; default 3,000. */
  readonly ms?: number
  /** Where to ask instead of the group. */
  readonly target?: { readonly address: string; readonly port: number }
}

/** Asks on every network of this machine (IPv4), and returns what answered, ordered by address. Never rejects. */
export async function discoverCameras(
  signal: AbortSignal,
  { ms = defaultMs, target = group }: DiscoveryOptions = {},
): Promise<readonly FoundCamera[]> {
  const found = new Map<string, FoundCamera>()
  const sockets: Socket[] = []
  const listen = (data: Buffer, sender: string) => {
    if (found.size >= maxFound || data.length > maxMessage) return
    for (const camera of readMatches(data.toString('utf8'), sender)) found.set(camera.address, camera)
  }
  try {
    const opened = ownAddresses(target.address).map((address) => openSocket(address, listen))
    sockets.push(...(await Promise.all(opened)).filter((socket) => socket !== undefined))
    const over = AbortSignal.any([signal, AbortSignal.timeout(ms)])
    const message = probe()
    for (let times = 0; times < asked && !over.aborted; times++) {
      // A network that is down is no reason to leave the others out.
      for (const socket of sockets) socket.send(message, target.port, target.address, () => undefined)
      await wait(times + 1 < asked ? againMs : ms, undefined, { signal: over }).catch(() => undefined)
    }
  } finally {
    for (const socket of sockets) socket.close()
  }
  return [...found.values()].toSorted((one, other) => one.address.localeCompare(other.address, 'en', { numeric: true }))
}

function ownAddresses(target: string): readonly string[] {
  if (target.startsWith('127.')) return ['127.0.0.1']
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses)
  return all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address)
}

async function openSocket(
  address: string,
  listen: (data: Buffer, sender: string) => void,
): Promise<Socket | undefined> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>()
  socket.on('error', () => resolve(undefined))
  socket.on('message', (data, { address: sender }) => listen(data, sender))
  socket.bind(0, address, () => {
    try {
      socket.setMulticastInterface(address)
      socket.setMulticastTTL(1)
    } catch {
      // One that is gone since it was listed.
    }
    resolve(socket)
  })
  return promise
}

function probe(): Buffer {
  const wsa = 'http://schemas.xmlsoap.org/ws/2004/08/addressing'
  const wsd = 'http://schemas.xmlsoap.org/ws/2005/04/discovery'
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="${wsa}">` +
      `<s:Header><a:Action s:mustUnderstand="1">${wsd}/Probe</a:Action><a:MessageID>urn:uuid:${randomUUID()}</a:MessageID>` +
      `<a:ReplyTo><a:Address>${wsa}/role/anonymous</a:Address></a:ReplyTo>` +
      `<a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header><s:Body>` +
      `<d:Probe xmlns:d="${wsd}"><d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</d:Types></d:Probe>` +
      `</s:Body></s:Envelope>`,
  )
}

/** Answers of anything on the network: what cannot be read is no camera. */
function readMatches(text: string, sender: string): readonly FoundCamera[] {
  try {
    const matches = find(parseXml(text), 'Body', 'ProbeMatches')
    return childrenOf(matches, 'ProbeMatch').flatMap((match) => {
      const address = addressOf((textAt(match, 'XAddrs') ?? '').split(/\s+/), sender)
      const scopes = (textAt(match, 'Scopes') ?? '').split(/\s+/)
      const name = scopeOf(scopes, 'name')
      const hardware = scopeOf(scopes, 'hardware')
      return address === undefined ? [] : [{ address, ...(name && { name }), ...(hardware && { hardware }) }]
    })
  } catch {
    return []
  }
}

/** Whoever answers speaks for itself alone: the address that it came from, or a name in its place, never another machine's. */
function addressOf(addresses: readonly string[], sender: string): string | undefined {
  const urls = addresses.filter((one) => /^http:/i.test(one) && URL.canParse(one)).map((one) => new URL(one))
  const [first] = urls
  const own = urls.find(({ hostname }) => hostname === sender) ?? first
  if (own === undefined || isIP(sender) !== 4) return undefined
  return `http://${sender}${own.port === '' ? '' : `:${own.port}`}${own.pathname}`
}

/** ONVIF Core section 7.3.2.2: `onvif://www.onvif.org/name/Front%20door`. */
function scopeOf(scopes: readonly string[], kind: string): string | undefined {
  const prefix = `onvif://www.onvif.org/${kind}/`
  const found = scopes.find((scope) => scope.startsWith(prefix))?.slice(prefix.length)
  if (found === undefined) return undefined
  try {
    return printable(decodeURIComponent(found))
  } catch {
    return printable(found)
  }
}

// eslint-disable-next-line no-control-regex -- they are what is meant: this is shown in terminals
const printable = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]/g, '').slice(0, 128)
