/** Everything that happens in a fleet, done once: the requests of cameras, assistants and people, and their replies checked. */
import { randomUUID } from 'node:crypto'
import { echoOffer } from '../../test/broker/fixtures.ts'
import { httpEvent, type Fleet, type Reply } from '../../test/fleet/fleet.ts'
import { createHome, type Home, type Service } from './home.ts'
import { link, refresh } from './linking.ts'
import type { Kind, Linking } from './profiles.ts'

/** One thing that is about to happen. */
export interface Prepared {
  readonly home: Home
  run(): Promise<void>
}

/** Prepares a household, unmeasured. Running it throws when the bridge does not answer as it should. */
type Operation = (fleet: Fleet, service: Service, linking: Linking) => Promise<Prepared>

export const operations: Readonly<Record<Kind, Operation>> = {
  press: reporting(() => ({ kind: 'press', eventId: randomUUID() })),
  motion: reporting(() => ({ kind: 'motion', eventId: randomUUID(), isDetected: true })),
  person: reporting(() => ({ kind: 'person', eventId: randomUUID() })),
  battery: reporting(() => ({ kind: 'battery', level: 50 })),
  viewAlexa: at(async (service, home) => viewOnEcho(service, home)),
  viewGoogle: at(async (service, home) => viewOnNest(service, home)),
  async firstView(fleet, service, linking) {
    const home = await createHome(fleet, linking, { isChannelNew: true })
    return { home, run: async () => (linking === 'google' ? viewOnNest(service, home) : viewOnEcho(service, home)) }
  },
  askAlexa: at(async (service, home) => toAlexa(service, home, 'Alexa/ReportState', {}, 'StateReport')),
  askGoogle: at(async (service, home) => {
    const payload = { devices: [{ id: home.camera }] }
    await toGoogle(service, home, { intent: 'action.devices.QUERY', payload }, '"online":true')
  }),
  async linkAlexa(fleet, service) {
    const home = await createHome(fleet, 'none', { isToSignIn: true })
    return {
      home,
      async run() {
        await link(service, home, 'alexa')
        const code = randomUUID()
        fleet.amazon.state.codes.add(code)
        const grant = { type: 'OAuth2.AuthorizationCode', code }
        await ask(service, 'Alexa.Authorization/AcceptGrant', { grant, grantee: bearer(home) }, 'AcceptGrant.Response')
        await ask(service, 'Alexa.Discovery/Discover', { scope: bearer(home) }, home.camera)
      },
    }
  },
  async linkGoogle(fleet, service) {
    const home = await createHome(fleet, 'none', { isToSignIn: true })
    return {
      home,
      async run() {
        await link(service, home, 'google')
        await toGoogle(service, home, { intent: 'action.devices.SYNC' }, home.camera)
      },
    }
  },
  async refresh(fleet, service, linking) {
    const home = await createHome(fleet, 'none', { isToSignIn: true })
    const assistant = linking === 'google' ? 'google' : 'alexa'
    const token = await link(service, home, assistant)
    return { home, run: async () => void (await refresh(service, home, assistant, token)) }
  },
  async amazonRefresh(fleet, service, linking) {
    const { home, run } = await operations.motion(fleet, service, linking)
    await fleet.expire(home.account)
    return { home, run }
  },
}

/** The first view of all, of a camera on the channel `door`: from then on it is known what the functions keep of a channel. */
export async function viewFirstChannel(fleet: Fleet, service: Service): Promise<void> {
  const home = await createHome(fleet, 'none')
  await fleet.addCamera(home.account, home.camera)
  await viewOnEcho(service, home)
}

/** At a household that is linked so. */
function at(act: (service: Service, home: Home) => Promise<void>): Operation {
  return async (fleet, service, linking) => {
    const home = await createHome(fleet, linking)
    return { home, run: async () => act(service, home) }
  }
}

/** Its camera says this. */
function reporting(news: () => object): Operation {
  return at(async (service, home) => {
    const body = { ...news(), at: Date.now() }
    expectIn(await service.invoke('http', from(home, `/cameras/${home.camera}/events`, home.camera, body)), '', 202)
  })
}

async function viewOnEcho(service: Service, home: Home): Promise<void> {
  const sessionId = `amzn1.session.${randomUUID()}`
  const offer = { format: 'SDP', value: echoOffer }
  const say = async (name: string, payload: object, answer: string): Promise<void> =>
    toAlexa(service, home, `Alexa.RTCSessionController/${name}`, { sessionId, ...payload }, answer)
  await say('InitiateSessionWithOffer', { offer }, 'AnswerGeneratedForSession')
  await say('SessionConnected', {}, 'SessionConnected')
  await say('SessionDisconnected', {}, 'SessionDisconnected')
}

async function viewOnNest(service: Service, home: Home): Promise<void> {
  const params = { StreamToChromecast: true, SupportedStreamProtocols: ['webrtc'] }
  const execution = [{ command: 'action.devices.commands.GetCameraStream', params }]
  const commands = [{ devices: [{ id: home.camera }], execution }]
  const reply = await toGoogle(
    service,
    home,
    { intent: 'action.devices.EXECUTE', payload: { commands } },
    'SignalingUrl',
  )
  const token = /"cameraStreamAuthToken":"([^"]+)"/.exec(reply.body ?? '')?.[1] ?? ''
  const say = async (message: object): Promise<Reply> =>
    service.invoke('http', from(home, '/google/signaling', token, { ...message, deviceId: home.camera }))
  expectIn(await say({ action: 'offer', sdp: echoOffer }), 'answer', 200)
  expectIn(await say({ action: 'end' }), '', 200)
}

const bearer = ({ tokens }: Home) => ({ type: 'BearerToken', token: tokens.alexa })

async function toAlexa(service: Service, home: Home, name: string, payload: object, answer: string): Promise<void> {
  await ask(service, name, payload, answer, { scope: bearer(home), endpointId: home.camera })
}

async function ask(service: Service, fullName: string, payload: object, answer: string, endpoint?: object) {
  const [namespace, name] = fullName.split('/')
  const header = { namespace, name, messageId: randomUUID(), correlationToken: 'token', payloadVersion: '3' }
  const directive = { header, ...(endpoint !== undefined && { endpoint }), payload }
  expectIn(await service.invoke('alexa', { directive }), answer)
}

async function toGoogle(service: Service, home: Home, input: object, answer: string): Promise<Reply> {
  const body = { requestId: randomUUID(), inputs: [input] }
  const reply = await service.invoke('http', from(home, '/google/fulfillment', home.tokens.google, body))
  expectIn(reply, answer, 200)
  return reply
}

/** API Gateway's event, from the address of this household. */
function from(home: Home, path: string, token: string, body: object): object {
  const http = { method: 'POST', path, sourceIp: home.address, protocol: 'HTTP/1.1' }
  return { ...httpEvent('POST', path, token, body), requestContext: { http } }
}

/** A model of calls that fail would be of no use. */
function expectIn(reply: Reply, words: string, status?: number): void {
  const text = JSON.stringify(reply)
  if ((status === undefined || reply.statusCode === status) && (reply.body ?? text).includes(words)) return
  throw new Error(`expected ${status ?? ''} ${words}, got ${text.slice(0, 300)}`)
}
