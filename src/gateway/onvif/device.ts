/** An ONVIF device: who it is, which streams and stills it has, and where its events are to be had. */
import { SourceError } from '../media.ts'
import type { Login } from '../rtsp/authorization.ts'
import { createTrust, type Trust } from '../trust.ts'
import { createSoap, type Soap } from './soap.ts'
import { childrenOf, escapeXml, find, textAt, type Element } from './xml.ts'

const ns = {
  device: 'http://www.onvif.org/ver10/device/wsdl',
  media: 'http://www.onvif.org/ver10/media/wsdl',
  media2: 'http://www.onvif.org/ver20/media/wsdl',
  events: 'http://www.onvif.org/ver10/events/wsdl',
} as const
type Service = keyof typeof ns

/** Where devices listen: the standard, Reolink, Tapo, and what the rest is mostly set to. */
const usualPorts = [80, 8000, 2020, 8080, 8899] as const
const searchMs = 3_000
/** A recorder has a few for each of its channels. */
const maxProfiles = 256

export interface Profile {
  readonly token: string
  readonly name: string
  /** `H264`, `H265`, `JPEG`, …: upper case; absent where it has no video. */
  readonly video?: { readonly codec: string; readonly width: number; readonly height: number; readonly fps?: number }
  readonly service: 'media' | 'media2'
}

export interface DeviceInformation {
  readonly manufacturer?: string
  readonly model?: string
  readonly firmwareVersion?: string
  readonly serialNumber?: string
}

export interface Device {
  readonly label: string
  /** Of its device service: what `openDevice` needs no search for. */
  readonly url: string
  readonly soap: Soap
  /** Where its events are to be had; absent when it has none. */
  readonly events: string | undefined
  information(signal: AbortSignal): Promise<DeviceInformation>
  profiles(signal: AbortSignal): Promise<readonly Profile[]>
  /** `rtsp://…` without user and password. */
  streamUri(profile: Profile, signal: AbortSignal): Promise<string>
  /** `undefined` where it makes no still pictures. */
  snapshotUri(profile: Profile, signal: AbortSignal): Promise<string | undefined>
  /** Asks for a key frame. Whether one comes is for the camera to say. */
  synchronize(profile: Pick<Profile, 'token' | 'service'>, signal: AbortSignal): Promise<void>
  /** The topics of its events, with prefixes: `tns1:VideoSource/MotionAlarm`. Empty where it names none. */
  topics(signal: AbortSignal): Promise<readonly string[]>
}

export interface DeviceAddress {
  /** `http://host:port/onvif/device_service`. */
  readonly url: string
  readonly login?: Login
}

const unreadable = 'this is not an ONVIF address: give host, host:port or http://host:port/path, with https:// for TLS'

/**
 * Reads `host`, `host:port`, `http://host:port/path` or `https://host:port/path`; an address without port or path gets the
 * usual ones. Where no port is said, all usual ones are to be tried (of https: 443). Throws `SourceError`.
 */
export function readDeviceAddress(text: string): readonly string[] {
  const [, scheme = 'http', rest = ''] = /^(?:(\w+):\/\/)?(.*)$/s.exec(text.trim()) ?? []
  const isTls = /^https$/i.test(scheme)
  const given = `${isTls ? 'https' : 'http'}://${rest}`
  if (!/^(?:https?|onvif)$/i.test(scheme) || !URL.canParse(given)) throw new SourceError('source_invalid', unreadable)
  const url = new URL(given)
  if (url.hostname === '' || url.username !== '' || url.password !== '')
    throw new SourceError('source_invalid', unreadable)
  if (url.pathname === '/') url.pathname = '/onvif/device_service'
  if (isTls || url.port !== '' || /:80(?:\/|$)/.test(given)) return [url.href]
  return usualPorts.map((port) => Object.assign(new URL(url), { port: String(port) }).href)
}

/**
 * Opens a device at the first of the addresses where one answers; no password is sent before that. `trust`: where it may be
 * and which certificate it may show; by default anywhere, and the first one. Throws `SourceError`.
 */
export async function openDevice(
  text: string,
  login: Login | undefined,
  signal: AbortSignal,
  trust: Trust = createTrust(),
): Promise<Device> {
  const urls = readDeviceAddress(text)
  const [only = ''] = urls
  const url = urls.length === 1 ? only : await firstThatAnswers(urls, trust, signal)
  const soap = createSoap(new URL(url).origin, login, trust)
  await synchronizeClocks(soap, url, signal)
  return createDevice(soap, url, await findServices(soap, url, signal))
}

async function firstThatAnswers(urls: readonly string[], trust: Trust, signal: AbortSignal): Promise<string> {
  const answers = await Promise.allSettled(
    urls.map((url) => askTime(createSoap(new URL(url).origin, undefined, trust), url, signal, searchMs)),
  )
  const codes = answers.map((answer) => (answer.status === 'rejected' ? codeOf(answer.reason) : undefined))
  const outside = answers.find((answer) => answer.status === 'rejected' && codeOf(answer.reason) === 'source_invalid')
  if (outside?.status === 'rejected') throw outside.reason
  const answering = answers.findIndex(({ status }) => status === 'fulfilled')
  // One that asks for the password before it tells the time is a device, too.
  const found = urls[answering >= 0 ? answering : codes.indexOf('source_password')]
  if (found !== undefined) return found
  signal.throwIfAborted()
  const { hostname } = new URL(urls[0] ?? '')
  if (codes.includes('source_unknown_host'))
    throw new SourceError('source_unknown_host', `${hostname} is not a known host`)
  throw new SourceError(
    'source_refused',
    `${hostname} speaks no ONVIF at the ports ${usualPorts.join(', ')}: switch it on in the camera, or name its port`,
  )
}

const codeOf = (reason: unknown) => (reason instanceof SourceError ? reason.code : undefined)

const askTime = (soap: Soap, url: string, signal: AbortSignal, ms?: number): Promise<Element> =>
  soap.call(
    {
      url,
      action: `${ns.device}/GetSystemDateAndTime`,
      body: `<GetSystemDateAndTime xmlns="${ns.device}"/>`,
      isOpen: true,
      ...(ms !== undefined && { ms }),
    },
    signal,
  )

/** A digest with a time that is minutes off is refused, and cameras' clocks are (ONVIF Core section 5.9.4). */
async function synchronizeClocks(soap: Soap, url: string, signal: AbortSignal): Promise<void> {
  const utc = find(await askTime(soap, url, signal), 'SystemDateAndTime', 'UTCDateTime')
  const number = (...path: readonly string[]) => Number(textAt(utc, ...path))
  const at = Date.UTC(
    number('Date', 'Year'),
    number('Date', 'Month') - 1,
    number('Date', 'Day'),
    number('Time', 'Hour'),
    number('Time', 'Minute'),
    number('Time', 'Second'),
  )
  if (Number.isFinite(at)) soap.setSkew(at - Date.now())
}

/** By GetServices; from devices that do not know it by GetCapabilities, which is all that older ones have. */
async function findServices(soap: Soap, url: string, signal: AbortSignal): Promise<ReadonlyMap<Service, string>> {
  const ask = (name: string, body: string) =>
    soap.call({ url, action: `${ns.device}/${name}`, body: `<${name} xmlns="${ns.device}">${body}</${name}>` }, signal)
  const own = new URL(url)
  try {
    const answer = await ask('GetServices', '<IncludeCapability>false</IncludeCapability>')
    const named = new Map(
      childrenOf(answer, 'Service').map((service) => [textAt(service, 'Namespace'), textAt(service, 'XAddr')]),
    )
    const found = servicesOf((service) => named.get(ns[service]), own)
    if (found.size > 1) return found
  } catch (error) {
    if (!(error instanceof SourceError) || error.code !== 'source_garbled') throw error
  }
  const capabilities = find(await ask('GetCapabilities', '<Category>All</Category>'), 'Capabilities')
  const names: Readonly<Partial<Record<Service, string>>> = { device: 'Device', media: 'Media', events: 'Events' }
  return servicesOf((service) => textAt(capabilities, names[service] ?? '-', 'XAddr'), own)
}

function servicesOf(addressOf: (service: Service) => string | undefined, own: URL): ReadonlyMap<Service, string> {
  const all: readonly Service[] = ['device', 'media', 'media2', 'events']
  return new Map(
    all.flatMap((service) => {
      const address = addressOf(service)
      return address === undefined ? [] : [[service, atSameHost(address, own)] as const]
    }),
  )
}

/**
 * Many devices name the address that they believe to have: behind a router or in a container it leads nowhere, and the
 * password would go there. Only the path is taken over, and the port from a device that knows its own name. It may lead to
 * TLS, and not away from it.
 */
export function atSameHost(address: string, own: URL): string {
  if (!URL.canParse(address)) throw new SourceError('source_garbled', `${own.origin} names an address that is none`)
  const named = new URL(address)
  const isOwn = named.hostname === own.hostname && [own.protocol, 'https:'].includes(named.protocol)
  return `${isOwn ? named.origin : own.origin}${named.pathname}${named.search}`
}

function createDevice(soap: Soap, url: string, services: ReadonlyMap<Service, string>): Device {
  const own = new URL(url)
  function ask(service: Service, name: string, body: string, signal: AbortSignal): Promise<Element> {
    const address = services.get(service) ?? (service === 'device' ? url : undefined)
    if (address === undefined) throw new SourceError('source_garbled', `${soap.label} has no ${service} service`)
    const action = service === 'events' ? `${ns.events}/EventPortType/${name}Request` : `${ns[service]}/${name}`
    return soap.call({ url: address, action, body: `<${name} xmlns="${ns[service]}">${body}</${name}>` }, signal)
  }

  return {
    label: soap.label,
    url,
    soap,
    events: services.get('events'),
    async information(signal) {
      const answer = await ask('device', 'GetDeviceInformation', '', signal)
      const said = {
        manufacturer: textAt(answer, 'Manufacturer'),
        model: textAt(answer, 'Model'),
        firmwareVersion: textAt(answer, 'FirmwareVersion'),
        serialNumber: textAt(answer, 'SerialNumber'),
      }
      return Object.fromEntries(
        Object.entries(said).flatMap(([name, text]) => (text ? [[name, text.slice(0, 128)]] : [])),
      )
    },
    async profiles(signal) {
      // Media 1 knows no H.265: such profiles are missing there, or said to be something else.
      if (services.has('media2')) {
        try {
          return readProfiles(await ask('media2', 'GetProfiles', '<Type>All</Type>', signal), 'media2')
        } catch (error) {
          if (!(error instanceof SourceError) || error.code !== 'source_garbled' || !services.has('media')) throw error
        }
      }
      return readProfiles(await ask('media', 'GetProfiles', '', signal), 'media')
    },
    async streamUri(profile, signal) {
      const setup =
        '<StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport></StreamSetup>'
      const { service } = profile
      const body = service === 'media2' ? `<Protocol>RTSP</Protocol>${token(profile)}` : setup + token(profile)
      const answer = await ask(service, 'GetStreamUri', body, signal)
      const uri = service === 'media2' ? textAt(answer, 'Uri') : textAt(answer, 'MediaUri', 'Uri')
      return rtspAtSameHost(uri ?? '', own)
    },
    async snapshotUri(profile, signal) {
      try {
        const answer = await ask(profile.service, 'GetSnapshotUri', token(profile), signal)
        const uri = profile.service === 'media2' ? textAt(answer, 'Uri') : textAt(answer, 'MediaUri', 'Uri')
        return uri !== undefined && /^https?:/i.test(uri) ? atSameHost(uri, own) : undefined
      } catch (error) {
        if (error instanceof SourceError && error.code === 'source_garbled') return undefined
        throw error
      }
    },
    async synchronize(profile, signal) {
      await ask(profile.service, 'SetSynchronizationPoint', token(profile), signal)
    },
    async topics(signal) {
      if (!services.has('events')) return []
      return topicsBelow(find(await ask('events', 'GetEventProperties', '', signal), 'TopicSet'), '')
    },
  }
}

const token = ({ token: own }: Pick<Profile, 'token'>) => `<ProfileToken>${escapeXml(own)}</ProfileToken>`

function readProfiles(answer: Element, service: Profile['service']): readonly Profile[] {
  return childrenOf(answer, 'Profiles')
    .slice(0, maxProfiles)
    .flatMap((profile) => {
      const encoder = find(profile, 'VideoEncoderConfiguration') ?? find(profile, 'Configurations', 'VideoEncoder')
      const token = profile.attributes.get('token')
      if (token === undefined) return []
      const fps = Number(textAt(encoder, 'RateControl', 'FrameRateLimit'))
      const video = encoder && {
        codec: (textAt(encoder, 'Encoding') ?? '').toUpperCase(),
        width: Number(textAt(encoder, 'Resolution', 'Width')) || 0,
        height: Number(textAt(encoder, 'Resolution', 'Height')) || 0,
        ...(fps > 0 && { fps }),
      }
      return [{ token, name: (textAt(profile, 'Name') ?? token).slice(0, 128), service, ...(video && { video }) }]
    })
}

/** RTSP goes to the device itself as well; its port is its own affair. */
function rtspAtSameHost(uri: string, own: URL): string {
  const [, scheme = '', port = '', target = ''] =
    /^(rtsps?):\/\/(?:[^/?#@]*@)?(?:\[[^\]]*\]|[^/?#:]*)(:\d{1,5})?([/?].*)?$/i.exec(uri) ?? []
  if (scheme === '') throw new SourceError('source_garbled', `${own.origin} names no address of its stream`)
  return `${scheme.toLowerCase()}://${own.hostname}${port}${target}`
}

/** WS-Topics 1.3: whatever has `topic="true"` is one. Its path is that of the elements. */
function topicsBelow(element: Element | undefined, path: string): readonly string[] {
  return (element?.children ?? []).flatMap((child) => {
    const here = path === '' ? child.name : `${path}/${child.name}`
    return [...(child.attributes.get('topic') === 'true' ? [here] : []), ...topicsBelow(child, here)]
  })
}
