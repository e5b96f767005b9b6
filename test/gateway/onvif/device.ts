/** An ONVIF camera on loopback, for tests: it answers as its WSDLs say, checks passwords as real ones do, and has habits. */
import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { find, parseXml, textAt, type Element } from '../../../src/gateway/onvif/xml.ts'
import type { Certificate } from '../rtsp/camera.ts'

export interface OnvifHabits {
  readonly login?: { readonly user: string; readonly password: string }
  /** How it wants the password; default by WS-UsernameToken. */
  readonly challenge?: 'token' | 'digest'
  readonly clockAheadMs?: number
  /** It knows GetServices and Media 2. */
  readonly isOld?: boolean
  /** Host and port that it believes to have; default the right ones. */
  readonly believes?: string
  readonly streams?: readonly OnvifStream[]
  /** `<tns1:VideoSource wstop:topic="true"/>` and so on. */
  readonly topics?: string
  readonly snapshot?: Buffer
  /** It speaks https with this certificate. */
  readonly tls?: Certificate
  /** How it gives its events away: pulled, sent to whoever subscribes, or not at all; default pulled. */
  readonly events?: 'pull' | 'notify' | 'none'
  /** Where it listens, default 127.0.0.1. */
  readonly host?: string
  /** Answers everything instead. */
  readonly hostile?: (response: ServerResponse) => void
}

export interface OnvifStream {
  readonly token: string
  readonly codec: string
  readonly width: number
  readonly height: number
  readonly uri: string
}

export interface FakeOnvif {
  readonly port: number
  /** Names of the requests that were answered, in order. */
  readonly asked: string[]
  /** Bodies as they came, passwords included. */
  readonly received: string[]
  /** Everybody who pulls gets this message, or whoever has subscribed is sent it. `utcTime`: default now, by its clock. */
  emit(topic: string, items: Readonly<Record<string, string>>, operation?: string, utcTime?: string): void
  /** Resolves when what was sent to the subscriber has been accepted. */
  delivered(): Promise<void>
  /** From now on it has forgotten every subscription. */
  forgetSubscriptions(): void
  /** Resolves when somebody waits for messages, or has subscribed. */
  pulled(): Promise<void>
  close(): Promise<void>
}

const nonce = '8f3a'
const ns = {
  tds: 'http://www.onvif.org/ver10/device/wsdl',
  trt: 'http://www.onvif.org/ver10/media/wsdl',
  tr2: 'http://www.onvif.org/ver20/media/wsdl',
  tev: 'http://www.onvif.org/ver10/events/wsdl',
}

export async function createFakeOnvif(habits: OnvifHabits = {}): Promise<FakeOnvif> {
  const { login, challenge = 'token', clockAheadMs = 0, isOld = false, streams = [], topics = '' } = habits
  const { events: delivery = 'pull' } = habits
  const asked: string[] = []
  const received: string[] = []
  const queue: string[] = []
  let consumer = ''
  let isForgotten = false
  let delivered: Promise<void> = Promise.resolve()
  let waiting: (() => void) | undefined
  let onPull = Promise.withResolvers<void>()
  const now = () => Date.now() + clockAheadMs

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    void answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(fault(String(error)))
    })
  }
  const server = habits.tls ? createTlsServer(habits.tls, onRequest) : createServer(onRequest)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    received.push(text)
    if (habits.hostile) return habits.hostile(response)
    if (request.method === 'GET') {
      if (challenge === 'digest' && !hasDigest(request)) return askForDigest(response)
      asked.push(`GET ${request.url}`)
      response.writeHead(habits.snapshot ? 200 : 404, { 'content-type': 'image/jpeg' }).end(habits.snapshot)
      return
    }
    const envelope = parseXml(text)
    const body = find(envelope, 'Body')?.children[0]
    if (body === undefined) throw new Error('no body')
    const isOpen = body.name === 'GetSystemDateAndTime'
    if (login && !isOpen) {
      if (challenge === 'digest' && !hasDigest(request)) return askForDigest(response)
      if (challenge === 'token' && !hasToken(find(envelope, 'Header')))
        return void response.writeHead(400).end(fault('Sender not authorized', 'ter:NotAuthorized'))
    }
    asked.push(body.name)
    if (body.name === 'PullMessages') await nextMessage()
    const reply = replies(body, request.url ?? '')
    response.writeHead(reply === undefined ? 400 : 200, { 'content-type': 'application/soap+xml' })
    response.end(
      reply === undefined ? fault(`${body.name} is not implemented`, 'ter:ActionNotSupported') : envelopeOf(reply),
    )
  }

  /** An answer is held back until there is a message, or the test is over. */
  async function nextMessage(): Promise<void> {
    onPull.resolve()
    onPull = Promise.withResolvers()
    if (queue.length > 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting = resolve
    await promise
  }

  /** RFC 7616 section 3.4.1. */
  function hasDigest({ headers, method, url }: IncomingMessage): boolean {
    const given = headers.authorization ?? ''
    const value = (name: string) => new RegExp(`${name}="?([^",]+)"?`).exec(given)?.[1] ?? ''
    const secret = md5(login?.user ?? '', 'cam', login?.password ?? '')
    const right = md5(secret, nonce, value('nc'), value('cnonce'), 'auth', md5(method ?? '', url ?? ''))
    return value('response') === right && value('uri') === url
  }

  /** WSS UsernameToken Profile 1.0; by its own clock, five minutes off at most. */
  function hasToken(header: Element | undefined): boolean {
    const token = find(header, 'Security', 'UsernameToken')
    const created = textAt(token, 'Created') ?? ''
    const salt = Buffer.from(textAt(token, 'Nonce') ?? '', 'base64')
    const digest = createHash('sha1')
      .update(salt)
      .update(created)
      .update(login?.password ?? '')
      .digest('base64')
    const isFresh = Math.abs(Date.parse(created) - now()) < 300_000
    return textAt(token, 'Username') === login?.user && textAt(token, 'Password') === digest && isFresh
  }

  function replies(body: Element, path: string): string | undefined {
    const { port } = server.address() as AddressInfo
    const base = `http${habits.tls ? 's' : ''}://${habits.believes ?? `127.0.0.1:${port}`}/onvif`
    const stream = streams.find(({ token }) => token === textAt(body, 'ProfileToken'))
    const isMedia2 = path.endsWith('media2')
    const trt = isMedia2 ? 'tr2' : 'trt'
    switch (body.name) {
      case 'GetSystemDateAndTime': {
        const at = new Date(now())
        return `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime><tt:Time><tt:Hour>${at.getUTCHours()}</tt:Hour><tt:Minute>${at.getUTCMinutes()}</tt:Minute><tt:Second>${at.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${at.getUTCFullYear()}</tt:Year><tt:Month>${at.getUTCMonth() + 1}</tt:Month><tt:Day>${at.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`
      }
      case 'GetServices':
        if (isOld) return undefined
        return `<tds:GetServicesResponse>${service(ns.tds, `${base}/device_service`)}${service(ns.trt, `${base}/media`)}${service(ns.tr2, `${base}/media2`)}${service(ns.tev, `${base}/events`)}</tds:GetServicesResponse>`
      case 'GetCapabilities':
        return `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>${base}/device_service</tt:XAddr></tt:Device><tt:Events><tt:XAddr>${base}/events</tt:XAddr><tt:WSPullPointSupport>true</tt:WSPullPointSupport></tt:Events><tt:Media><tt:XAddr>${base}/media</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>`
      case 'GetDeviceInformation':
        return `<tds:GetDeviceInformationResponse><tds:Manufacturer>Acme</tds:Manufacturer><tds:Model>Bell &amp; Co</tds:Model><tds:FirmwareVersion>1.2</tds:FirmwareVersion><tds:SerialNumber>S1</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse>`
      case 'GetVideoSources':
        return `<trt:GetVideoSourcesResponse><trt:VideoSources token="v0"><tt:Framerate>25</tt:Framerate><tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution></trt:VideoSources></trt:GetVideoSourcesResponse>`
      case 'GetVideoSourceConfigurations':
        return `<${trt}:GetVideoSourceConfigurationsResponse><${trt}:Configurations token="c"><tt:Name>c</tt:Name><tt:UseCount>1</tt:UseCount><tt:SourceToken>v0</tt:SourceToken><tt:Bounds x="0" y="0" width="1920" height="1080"/></${trt}:Configurations></${trt}:GetVideoSourceConfigurationsResponse>`
      case 'GetProfiles':
        return `<${trt}:GetProfilesResponse>${streams.map((one) => profile(one, isMedia2)).join('')}</${trt}:GetProfilesResponse>`
      case 'GetStreamUri':
        if (stream === undefined) return undefined
        return isMedia2
          ? `<tr2:GetStreamUriResponse><tr2:Uri>${stream.uri}</tr2:Uri></tr2:GetStreamUriResponse>`
          : `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>${stream.uri}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>`
      case 'GetSnapshotUri':
        if (stream === undefined || habits.snapshot === undefined) return undefined
        return isMedia2
          ? `<tr2:GetSnapshotUriResponse><tr2:Uri>${base}/still.jpg?x=1&amp;y=2</tr2:Uri></tr2:GetSnapshotUriResponse>`
          : `<trt:GetSnapshotUriResponse><trt:MediaUri><tt:Uri>${base}/still.jpg</tt:Uri></trt:MediaUri></trt:GetSnapshotUriResponse>`
      case 'SetSynchronizationPoint':
        return `<${trt}:SetSynchronizationPointResponse/>`
      case 'GetEventProperties':
        return `<tev:GetEventPropertiesResponse><wstop:TopicSet xmlns:tns1="http://www.onvif.org/ver10/topics">${topics}</wstop:TopicSet></tev:GetEventPropertiesResponse>`
      case 'Subscribe':
        if (delivery !== 'notify') return undefined
        consumer = textAt(body, 'ConsumerReference', 'Address') ?? ''
        isForgotten = false
        onPull.resolve()
        return `<wsnt:SubscribeResponse><wsnt:SubscriptionReference><wsa5:Address>${base}/subscription</wsa5:Address></wsnt:SubscriptionReference></wsnt:SubscribeResponse>`
      case 'CreatePullPointSubscription':
        if (delivery !== 'pull') return undefined
        isForgotten = false
        return `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa5:Address>${base}/subscription</wsa5:Address><wsa5:ReferenceParameters><dom0:SubscriptionId xmlns:dom0="http://acme.example">7</dom0:SubscriptionId></wsa5:ReferenceParameters></tev:SubscriptionReference><wsnt:CurrentTime>${new Date(now()).toISOString()}</wsnt:CurrentTime><wsnt:TerminationTime>${new Date(now() + 60_000).toISOString()}</wsnt:TerminationTime></tev:CreatePullPointSubscriptionResponse>`
      case 'PullMessages':
        if (isForgotten) return undefined
        return `<tev:PullMessagesResponse><tev:CurrentTime>${new Date(now()).toISOString()}</tev:CurrentTime><tev:TerminationTime>${new Date(now() + 60_000).toISOString()}</tev:TerminationTime>${queue.splice(0).join('')}</tev:PullMessagesResponse>`
      case 'Renew':
        if (isForgotten) return undefined
        return `<wsnt:RenewResponse><wsnt:TerminationTime>${new Date(now() + 60_000).toISOString()}</wsnt:TerminationTime></wsnt:RenewResponse>`
      case 'Unsubscribe':
        return '<wsnt:UnsubscribeResponse/>'
      default:
        return undefined
    }
  }

  server.listen(0, habits.host ?? '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    received,
    emit(topic, items, operation, utcTime = new Date(now()).toISOString()) {
      const data = Object.entries(items).map(([name, value]) => `<tt:SimpleItem Name="${name}" Value="${value}"/>`)
      const property = operation === undefined ? '' : ` PropertyOperation="${operation}"`
      const message = `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">${topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime="${utcTime}"${property}><tt:Source><tt:SimpleItem Name="Source" Value="000"/></tt:Source><tt:Data>${data.join('')}</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
      if (delivery === 'notify') return void (delivered = notify(consumer, message))
      queue.push(message)
      waiting?.()
    },
    delivered: () => delivered,
    forgetSubscriptions() {
      isForgotten = true
      waiting?.()
    },
    pulled: () => onPull.promise,
    async close() {
      waiting?.()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** WS-BaseNotification 1.3 section 3.2: one-way, and to nobody else than the consumer. */
async function notify(consumer: string, message: string): Promise<void> {
  const body = envelopeOf(`<wsnt:Notify>${message}</wsnt:Notify>`)
  await fetch(consumer, { method: 'POST', headers: { 'content-type': 'application/soap+xml' }, body })
}

const md5 = (...parts: readonly string[]) => createHash('md5').update(parts.join(':')).digest('hex')

function askForDigest(response: ServerResponse): void {
  response.writeHead(401, { 'www-authenticate': `Digest realm="cam", nonce="${nonce}", qop="auth"` }).end()
}

const service = (namespace: string, address: string) =>
  `<tds:Service><tds:Namespace>${namespace}</tds:Namespace><tds:XAddr>${address}</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>6</tt:Minor></tds:Version></tds:Service>`

function profile({ token, codec, width, height }: OnvifStream, isMedia2: boolean): string {
  const encoder = `<tt:Name>e</tt:Name><tt:Encoding>${codec}</tt:Encoding><tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution><tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit></tt:RateControl>`
  if (isMedia2)
    return `<tr2:Profiles token="${token}" fixed="true"><tr2:Name>${token}</tr2:Name><tr2:Configurations><tr2:VideoSource token="c"><tt:Name>c</tt:Name><tt:UseCount>1</tt:UseCount><tt:SourceToken>v0</tt:SourceToken><tt:Bounds x="0" y="0" width="1920" height="1080"/></tr2:VideoSource><tr2:VideoEncoder token="e">${encoder}</tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>`
  return `<trt:Profiles token="${token}" fixed="true"><tt:Name>${token}</tt:Name><tt:VideoSourceConfiguration token="c"><tt:Name>c</tt:Name><tt:SourceToken>v0</tt:SourceToken></tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="e">${encoder}</tt:VideoEncoderConfiguration></trt:Profiles>`
}

function envelopeOf(body: string): string {
  const names = Object.entries({
    ...ns,
    s: 'http://www.w3.org/2003/05/soap-envelope',
    tt: 'http://www.onvif.org/ver10/schema',
    wsnt: 'http://docs.oasis-open.org/wsn/b-2',
    wstop: 'http://docs.oasis-open.org/wsn/t-1',
    wsa5: 'http://www.w3.org/2005/08/addressing',
    ter: 'http://www.onvif.org/ver10/error',
  })
  const declared = names.map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`).join('')
  return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope${declared}><s:Body>${body}</s:Body></s:Envelope>`
}

const fault = (reason: string, subcode = 'ter:Action') =>
  envelopeOf(
    `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>${subcode}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">${reason}</s:Text></s:Reason></s:Fault>`,
  )

/**
 * Answers WS-Discovery with these addresses and scopes, on a port of loopback, or in the group of cameras on the network of
 * `home`; what it was asked is checked.
 */
export async function createFakeAnnouncer(xaddrs: string, scopes: string, home?: string) {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  socket.on('message', (data, { port, address }) => {
    const envelope = parseXml(data.toString())
    if (!textAt(envelope, 'Header', 'Action')?.endsWith('/2005/04/discovery/Probe')) return
    if (!textAt(envelope, 'Body', 'Probe', 'Types')?.endsWith(':NetworkVideoTransmitter')) return
    const match = `<d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>${scopes}</d:Scopes><d:XAddrs>${xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>`
    socket.send('not XML at all <', port, address)
    socket.send(
      `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Body><d:ProbeMatches>${match}</d:ProbeMatches></s:Body></s:Envelope>`,
      port,
      address,
    )
  })
  if (home === undefined) socket.bind(0, '127.0.0.1')
  else socket.bind(3_702, () => socket.addMembership('239.255.255.250', home))
  await new Promise((resolve) => socket.once('listening', resolve))
  return {
    target: { address: '127.0.0.1', port: socket.address().port },
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  }
}
