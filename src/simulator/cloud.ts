/**
 * Amazon's and Google's clouds for a display that is a browser: it links accounts through the real pages and speaks
 * directives and intents to the bridge over HTTP, while the browser has the media. Mounted at `/simulator`.
 */

import express, { type Request, type RequestHandler, type Response, Router } from 'express'
import type * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import type { Clock, Log } from 'transom-core/ports'
import { createAccountLinks } from './account-links.ts'
import { createAlexa } from './alexa.ts'
import type { Announcements } from './announcements.ts'
import { findCamera } from './assistant.ts'
import { type AccountOf, bearerOf } from './bearer.ts'
import { CallError, type CauseCode, toCallError } from './causes.ts'
import { bounded } from 'transom-core/deadline'
import type { DirectiveDoor } from './directive.ts'
import { createEchoSessions, type EchoSession, type Viewer } from './echo-sessions.ts'
import { createGoogle } from './google.ts'
import type { Link } from './link.ts'
import { findSession, type SessionQuery } from './sessions.ts'
import { assistantNames, type AssistantName, type ClientSettings } from './settings.ts'
import { createTimeline, type Timeline } from './timeline.ts'
import type { DisplayEvent } from 'transom-core/wire/api'
import {
  echoOffer,
  linkRequest,
  showRequest,
  type EchoAnswer,
  type FailedView,
  type Links,
  type LinkStart,
  type Shown,
} from 'transom-core/wire/displays'
import { faultsOf } from 'transom-core/wire/faults'

/** The bridge that is played against, and how the page's and the assistants' tokens are checked. */
export interface SimulatorCloudDeps extends DirectiveDoor {
  /** The bridge as a browser reaches it; `bridge` is how this machine does. */
  readonly publicUrl: string
  /** The OAuth clients of the two; `linkedUri` is among their redirect URIs. */
  readonly clients: Readonly<Record<AssistantName, Omit<ClientSettings, 'redirectUri'>>>
  /** Whose the page's token is. Throws `BridgeError` `unauthorized` for a token that is not the page's. */
  readonly pageAccount: AccountOf
  /** Whose an assistant's token is. */
  readonly linkAccount: AccountOf
  readonly announcements: Announcements
  /** A code for AcceptGrant, where we are the Amazon that the bridge sends its events to. */
  readonly grantCode?: (account: string) => string
  readonly clock: Clock
  readonly log: Log
}

/** The simulated clouds: routes for the page, and what their displays are told. */
export interface SimulatorCloud {
  readonly router: Router
  /** Tells what the displays of an account are told. Returns how to stop. */
  hear(this: void, account: string, tell: (event: DisplayEvent) => void): () => void
  /** Hangs up, and ends the links at the bridge, which must still be there. */
  close(): Promise<void>
}

/** Everything before the offer, and a linking. */
const prepareMs = 10_000

/** An SDP offer is at most 64 KiB. */
const bodyLimit = '256kb'
const statusOf: Partial<Record<CauseCode, number>> = {
  not_linked: 409,
  no_camera: 404,
  answer_late: 504,
  out_of_time: 504,
  simulator_failed: 500,
}

/** A request of the page, and whose it is. */
interface Visit {
  readonly request: Request
  readonly response: Response
  readonly account: string
}

/** What is known of a view that came to nothing. */
interface Failure {
  readonly timeline: Timeline
  readonly accessToken: string | undefined
  /** Whether a session of the bridge is that of the view. */
  readonly matches: SessionQuery['matches']
}

/**
 * Makes the clouds of both assistants. Nothing is asked of the bridge before a request of the page. Refusals are
 * thrown as `BridgeError` for the application's own handler; a view that fails is answered with its steps.
 */
export function createSimulatorCloud(deps: SimulatorCloudDeps): SimulatorCloud {
  const { bridge, forwarderSecret, publicUrl, announcements, clock, log } = deps
  const links = createAccountLinks({ ...deps, accountOf: deps.linkAccount, welcome })
  const echoes = createEchoSessions({ bridge, forwarderSecret, log })

  /** What Amazon and Google do with a new link: ask for leave to be sent events, look what devices there are. */
  async function welcome(account: string, assistant: AssistantName, link: Link, signal: AbortSignal): Promise<void> {
    const tools = { bridge, forwarderSecret, accessToken: link.accessToken, note: () => undefined }
    if (assistant === 'google') await createGoogle(tools).discover(signal)
    else if (deps.grantCode !== undefined) await createAlexa(tools).acceptGrant?.(deps.grantCode(account), signal)
  }

  async function isLinked(account: string, assistant: AssistantName): Promise<boolean> {
    try {
      await soon((signal) => links.fresh(account, assistant, signal))
      return true
    } catch (thrown) {
      if (toCallError(thrown).code === 'not_linked') return false
      throw thrown
    }
  }

  /** Opens a view and answers with it, or with the cause of its failure and the steps up to there. */
  async function show(assistant: AssistantName, { request, response, account }: Visit): Promise<void> {
    const { cameraId } = parse(showRequest, request)
    const open = assistant === 'alexa' ? openEcho : openHub
    const timeline = createTimeline()
    const begunAt = clock()
    let accessToken: string | undefined
    try {
      const opened = await soon(async (signal) => {
        const link = await links.fresh(account, assistant, signal)
        accessToken = link.accessToken
        timeline.note('account linked')
        return open({ account, accessToken, timeline }, cameraId, signal)
      })
      response.status(201).json({ ...opened, steps: timeline.instants() } satisfies Shown)
    } catch (thrown) {
      // The bridge keeps why it refused Google a stream; of Alexa it knows nothing before the offer.
      const matches: SessionQuery['matches'] = (row) =>
        assistant === 'google' && row.assistant === 'google' && row.cameraId === cameraId && row.startedAt >= begunAt
      await answerFailure(response, { accessToken, timeline, matches }, thrown)
    }
  }

  async function openEcho(viewer: Viewer, cameraId: string, signal: AbortSignal): Promise<Omit<Shown, 'steps'>> {
    const { reference } = await echoes.open(viewer, cameraId, signal)
    // Echo displays are given none.
    return { reference, iceServers: [] }
  }

  async function openHub(
    { accessToken, timeline }: Viewer,
    cameraId: string,
    signal: AbortSignal,
  ): Promise<Omit<Shown, 'steps'>> {
    const google = createGoogle({ bridge, accessToken, note: timeline.note })
    const camera = await findCamera(google, cameraId, timeline.note, signal)
    const prepared = await google.prepare(camera, signal)
    // A Hub plays WebRTC alone.
    const iceServers = prepared === 'shown' ? [] : prepared
    return { reference: google.reference(), ...google.player(), iceServers }
  }

  async function offer({ request, response, account }: Visit): Promise<void> {
    const { sdp } = parse(echoOffer, request)
    const session = sessionOf(request, account)
    const { timeline, accessToken, reference } = session
    try {
      const answer = await session.offer(sdp)
      response.json({ sdp: answer, steps: timeline.instants() } satisfies EchoAnswer)
    } catch (thrown) {
      const matches: SessionQuery['matches'] = (row) => row.reference === reference
      await answerFailure(response, { accessToken, timeline, matches }, thrown)
    }
  }

  /** With the bridge's own session of it, where there is one: it knows the cause better. */
  async function answerFailure(response: Response, { accessToken, timeline, matches }: Failure, thrown: unknown) {
    const { code, message } = toCallError(thrown)
    timeline.note('failed', code)
    log(code === 'simulator_failed' ? 'error' : 'warn', 'simulator.view-failed', { code, error: message })
    const session =
      accessToken === undefined
        ? undefined
        : await soon((signal) => findSession({ bridge, accessToken, matches }, signal)).catch(() => undefined)
    response.status(statusOf[code] ?? 502).json({
      error: code,
      message: code === 'simulator_failed' ? 'the simulator itself failed; its log says more' : message,
      steps: timeline.instants(),
      ...(session && { sessionId: session.id }),
    } satisfies FailedView)
  }

  function sessionOf(request: Request, account: string): EchoSession {
    const found = echoes.find(account, String(request.params['reference']))
    if (found === undefined) throw new BridgeError('invalid_request', 'this view is over, or was never begun')
    return found
  }

  const router = Router()
  router.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store')
    next()
  })

  // Where the window comes back to from the pages: it has no token, but a state that was given out once.
  for (const assistant of assistantNames) {
    router.get(`/${assistant}/linked`, async (request, response) => {
      const query = new URL(request.originalUrl, publicUrl).searchParams
      const route = await links.complete(assistant, query, AbortSignal.timeout(prepareMs))
      response.set('Referrer-Policy', 'no-referrer').redirect(303, `${publicUrl}/${route}`)
    })
  }

  const visit =
    (work: (visit: Visit) => Promise<void>): RequestHandler =>
    async (request, response) =>
      work({ request, response, account: await deps.pageAccount(bearerOf(request)) })

  router.use(express.json({ limit: bodyLimit }))
  router.get(
    '/state',
    visit(async ({ response, account }) => {
      const [alexa, google] = await Promise.all([isLinked(account, 'alexa'), isLinked(account, 'google')])
      response.json({ alexa: { linked: alexa }, google: { linked: google } } satisfies Links)
    }),
  )
  for (const assistant of assistantNames) {
    router.post(
      `/${assistant}/link`,
      visit(async ({ request, response, account }) => {
        response.json({
          url: links.begin(account, assistant, parse(linkRequest, request).returnTo),
        } satisfies LinkStart)
      }),
    )
    router.post(
      `/${assistant}/sessions`,
      visit((given) => show(assistant, given)),
    )
  }
  router.post('/alexa/sessions/:reference/offer', visit(offer))
  router.post(
    '/alexa/sessions/:reference/connected',
    visit(async ({ request, response, account }) => {
      await sessionOf(request, account).connected()
      response.status(204).end()
    }),
  )
  router.post(
    '/alexa/sessions/:reference/end',
    visit(async ({ request, response, account }) => {
      await echoes.find(account, String(request.params['reference']))?.end()
      response.status(204).end()
    }),
  )

  return {
    router,
    hear: (account, tell) => announcements.listen(account, tell),
    async close() {
      await echoes.close()
      await links.close()
    },
  }
}

function soon<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = (): CallError => new CallError('out_of_time', `not within ${prepareMs} ms`)
  return bounded(new AbortController().signal, prepareMs, late, work)
}

function parse<T>(shape: z.ZodType<T>, { body }: Request): T {
  const read = shape.safeParse(body)
  if (read.success) return read.data
  throw new BridgeError('invalid_request', faultsOf(read.error))
}
