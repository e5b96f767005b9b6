/** A bridge for the tests: OAuth pages, directives, intents and the signaling URL, strict about what it is sent, with one fake camera. */

import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { z } from 'zod'
import type { Session } from '../../src/core/wire/api.ts'
import type { Settings } from '../../src/simulator/settings.ts'
import { createFakeCamera, type FakeCamera, type FakeCameraOptions } from './fake-camera.ts'

/** What goes wrong. Nothing does by default. */
export interface Faults {
  readonly camera?: FakeCameraOptions
  /** Changes the answer's SDP. */
  readonly answer?: (sdp: string) => string
  /** Changes any JSON reply; `name` is the directive, the intent, the action or the grant type. */
  readonly reply?: (name: string, body: Json) => Json
  readonly answerAfterMs?: number
  readonly corsOrigin?: string
  readonly login?: 'refused'
  readonly cause?: Session['cause']
  /** `untold`: the camera reports nothing, as one with an SDK of AWS. */
  readonly hears?: 'nothing' | 'untold'
}

export type Json = { [key: string]: unknown }

export interface FakeBridge {
  readonly settings: Settings
  /** What was asked for, in order. */
  readonly log: string[]
  close(): Promise<void>
}

const client = (name: string) => ({
  clientId: name,
  clientSecret: `${name}Secret`,
  redirectUri: `https://${name}.example/back`,
})
const user = { login: 'demo@example.test', password: 'open & "sesame"' }
const token = { first: 'first-token', second: 'second-token', stream: 'single-stream-token' }

const directive = z.object({
  directive: z.object({
    header: z.object({
      namespace: z.string(),
      name: z.string(),
      messageId: z.uuid(),
      correlationToken: z.string().optional(),
      payloadVersion: z.literal('3'),
    }),
    endpoint: z.object({ endpointId: z.string(), scope: z.object({ token: z.literal(token.second) }) }).optional(),
    payload: z.object({ sessionId: z.string().optional(), offer: z.object({ value: z.string() }).optional() }),
  }),
})

export async function startFakeBridge(faults: Faults = {}): Promise<FakeBridge> {
  const log: string[] = []
  const cameras: FakeCamera[] = []
  let session: Pick<Session, 'assistant' | 'reference' | 'startedAt'> | undefined
  let bridge = ''

  async function answer(assistant: Session['assistant'], offer: string, reference: string): Promise<string> {
    session = { assistant, reference, startedAt: Date.now() }
    const camera = createFakeCamera(faults.camera)
    cameras.push(camera)
    const sdp = await camera.answer(offer)
    if (faults.answerAfterMs !== undefined) {
      // A late answer is late on the wire; the timer is the fault itself, and unref'd so that it holds nobody.
      await new Promise<void>((resolve) => setTimeout(resolve, faults.answerAfterMs).unref())
    }
    return faults.answer?.(sdp) ?? sdp
  }

  async function alexa(body: string): Promise<Json> {
    const { header, endpoint, payload } = directive.parse(JSON.parse(body)).directive
    log.push(header.name)
    const event = (namespace: string, name: string, content: Json, context?: Json): Json => ({
      ...(context === undefined ? {} : { context }),
      event: {
        header: { ...header, namespace, name, messageId: randomUUID() },
        ...(endpoint === undefined ? {} : { endpoint: { endpointId: endpoint.endpointId } }),
        payload: content,
      },
    })
    const reply = async (): Promise<Json> => {
      switch (header.name) {
        case 'Discover':
          return event('Alexa.Discovery', 'Discover.Response', { endpoints: [endpointOf('bell-1')] })
        case 'ReportState':
          return event('Alexa', 'StateReport', {}, { properties: [connectivity()] })
        case 'InitiateSessionWithOffer': {
          const value = await answer('alexa', payload.offer?.value ?? '', payload.sessionId ?? '')
          return event(header.namespace, 'AnswerGeneratedForSession', { answer: { format: 'SDP', value } })
        }
        default:
          return event(header.namespace, header.name, { sessionId: payload.sessionId })
      }
    }
    return faults.reply?.(header.name, await reply()) ?? (await reply())
  }

  async function google(body: string): Promise<Json> {
    const { requestId, inputs } = z
      .object({ requestId: z.string(), inputs: z.array(z.object({ intent: z.string() })) })
      .parse(JSON.parse(body))
    const name = inputs[0]?.intent.replace('action.devices.', '') ?? ''
    log.push(name)
    const payloads: Record<string, Json> = {
      SYNC: { agentUserId: 'u-1', devices: [deviceOf('bell-1')] },
      QUERY: { devices: { 'bell-1': { online: true, status: 'SUCCESS' } } },
      EXECUTE: {
        commands: [
          {
            ids: ['bell-1'],
            status: 'SUCCESS',
            states: {
              online: true,
              cameraStreamProtocol: 'webrtc',
              cameraStreamSignalingUrl: `${bridge}/google/signaling`,
              cameraStreamAuthToken: token.stream,
            },
          },
        ],
      },
    }
    const reply = { requestId, payload: payloads[name] }
    return faults.reply?.(name, reply) ?? reply
  }

  async function signaling(body: string): Promise<Json> {
    const { action, sdp } = z
      .object({ action: z.enum(['offer', 'end']), sdp: z.string().optional() })
      .parse(JSON.parse(body))
    log.push(action)
    const reference = createHash('sha256').update(token.stream).digest('base64url').slice(0, 22)
    const reply = action === 'offer' ? { action: 'answer', sdp: await answer('google', sdp ?? '', reference) } : {}
    return faults.reply?.(action, reply) ?? reply
  }

  function tokens(request: IncomingMessage, form: URLSearchParams): Json {
    const basic = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString()
    const secret = basic === '' ? form.get('client_secret') : basic.split(':')[1]
    const grant = form.get('grant_type') ?? ''
    if (secret === null || secret === undefined || !secret.endsWith('Secret')) return { error: 'invalid_client' }
    const body = {
      access_token: grant === 'refresh_token' ? token.second : token.first,
      token_type: 'Bearer',
      expires_in: 3600,
      ...(grant === 'refresh_token' ? {} : { refresh_token: 'refresh' }),
    }
    return faults.reply?.(grant, body) ?? body
  }

  function view(): Session {
    return {
      id: 's-1',
      assistant: session?.assistant ?? 'alexa',
      cameraId: 'bell-1',
      mayTalk: true,
      reference: session?.reference ?? '',
      phase: 'closed',
      startedAt: session?.startedAt ?? 0,
      timeline: ['offered', ...(faults.hears === 'untold' ? [] : ['camera-connected'])].map((step) => ({
        step,
        at: session?.startedAt ?? 0,
      })),
      ...(faults.cause === undefined ? {} : { cause: faults.cause }),
      ...(faults.hears === undefined && { heard: { packets: cameras.at(-1)?.heardPackets() ?? 0, level: 0.5 } }),
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', bridge)
    const body = await text(request)
    const bearer = request.headers.authorization
    const json = (value: Json, headers: Record<string, string> = {}, status = 200): void => {
      response
        .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
        .end(JSON.stringify(value))
    }
    const redirect = (to: string, cookie?: string): void => {
      response.writeHead(303, { location: to, ...(cookie === undefined ? {} : { 'set-cookie': cookie }) }).end()
    }
    const page = (html: string): void => {
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>t</title>${html}`)
    }
    const cors = {
      'access-control-allow-origin': faults.corsOrigin ?? 'https://www.gstatic.com',
      'access-control-allow-credentials': 'true',
    }
    const cookies = request.headers.cookie ?? ''
    const form = new URLSearchParams(body)

    switch (`${request.method} ${url.pathname}`) {
      case 'GET /oauth/auth':
        return redirect(
          `/oauth/interaction/1?${url.searchParams.toString()}`,
          'step=login; Path=/oauth/interaction; HttpOnly',
        )
      case 'GET /oauth/interaction/1':
        return page(loginPage(url.search))
      case 'POST /oauth/interaction/1': {
        if (faults.login === 'refused' || form.get('secret') !== user.password || form.get('who') !== user.login)
          return page(loginPage(url.search))
        return redirect(`/oauth/interaction/2${url.search}`, 'step=consent; Path=/oauth/interaction')
      }
      case 'GET /oauth/interaction/2':
        return page(cookies === 'step=consent' ? consentPage : '<p>no cookie</p>')
      case 'POST /oauth/interaction/2': {
        const back = new URL(new URL(request.headers.referer ?? '').searchParams.get('redirect_uri') ?? '')
        const given = new URL(request.headers.referer ?? '').searchParams.get('state') ?? ''
        if (form.get('csrf') !== 'a&b' || form.get('decision') !== 'yes') return page('<p>refused</p>')
        back.search = new URLSearchParams({ code: 'code-1', state: given, iss: bridge }).toString()
        return redirect(back.href)
      }
      case 'POST /oauth/token': {
        const reply = tokens(request, form)
        return json(reply, {}, 'error' in reply ? 400 : 200)
      }
      case 'POST /oauth/token/revocation':
        log.push('revoked')
        return json({})
      case 'POST /alexa':
        return json(await alexa(body))
      case 'POST /google/fulfillment':
        return bearer === `Bearer ${token.second}` ? json(await google(body)) : json({}, {}, 401)
      case 'OPTIONS /google/signaling':
        log.push('preflight')
        response
          .writeHead(204, {
            ...cors,
            'access-control-allow-methods': 'POST, OPTIONS',
            'access-control-allow-headers': 'Content-Type, Authorization',
          })
          .end()
        return
      case 'POST /google/signaling':
        return bearer === `Bearer ${token.stream}` ? json(await signaling(body), cors) : json({}, cors, 401)
      case 'GET /api/sessions':
        return json({ sessions: session === undefined ? [] : [view()] })
      case 'GET /api/sessions/s-1':
        return json(view())
      default:
        return json({ error: 'not found' }, {}, 404)
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      log.push(`error: ${String(error)}`)
      response.writeHead(500).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  bridge = `http://localhost:${typeof address === 'object' && address !== null ? address.port : 0}`

  return {
    settings: { bridge, user, clients: { alexa: client('alexa'), google: client('google') } },
    log,
    async close() {
      await Promise.all(cameras.map((camera) => camera.close()))
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;')

const loginPage = (query: string): string => `
  <form method="get" action="/oauth/cancel"><button type="submit" name="cancel" value="1">Cancel</button></form>
  <form METHOD='post' action="/oauth/interaction/1${escaped(query)}">
    <input name="who" autocomplete="username" required><input name=secret type=password>
    <label><input type="checkbox" name="remember"> remember me</label>
    <button>Sign in</button>
  </form>`

const consentPage = `
  <form method="post">
    <input type="hidden" name="csrf" value="a&amp;b">
    <button type="submit" name="decision" value="no">Deny</button>
    <button type="submit" name="decision" value="yes">Agree and <b>link</b></button>
  </form>`

const connectivity = (): Json => ({
  namespace: 'Alexa.EndpointHealth',
  name: 'connectivity',
  value: { value: 'OK' },
  timeOfSample: new Date().toISOString(),
  uncertaintyInMilliseconds: 0,
})

/** A doorbell as Alexa likes it. */
export const endpointOf = (endpointId: string): Json => ({
  endpointId,
  manufacturerName: 'Acme',
  friendlyName: 'Front door',
  description: 'Doorbell',
  displayCategories: ['CAMERA', 'DOORBELL'],
  capabilities: [
    { type: 'AlexaInterface', interface: 'Alexa', version: '3' },
    {
      type: 'AlexaInterface',
      interface: 'Alexa.RTCSessionController',
      version: '3',
      configuration: { isFullDuplexAudioSupported: true },
    },
    {
      type: 'AlexaInterface',
      interface: 'Alexa.EndpointHealth',
      version: '3',
      properties: { supported: [{ name: 'connectivity' }], proactivelyReported: false, retrievable: true },
    },
    { type: 'AlexaInterface', interface: 'Alexa.DoorbellEventSource', version: '3', proactivelyReported: true },
  ],
})

const deviceOf = (id: string): Json => ({
  id,
  type: 'action.devices.types.DOORBELL',
  traits: ['action.devices.traits.CameraStream', 'action.devices.traits.ObjectDetection'],
  name: { name: 'Front door' },
  willReportState: false,
  attributes: { cameraStreamSupportedProtocols: ['webrtc'], cameraStreamNeedAuthToken: true },
})

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}
