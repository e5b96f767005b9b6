/** Views of cameras as a browser's Echo and Hub have them: opened, offered, and answered with their cause and steps where they fail. */
import type { Request, Response } from 'express'
import type * as z from 'zod'
import { bounded } from 'transom-core/deadline'
import { BridgeError } from 'transom-core/errors'
import type { Clock, Log } from 'transom-core/ports'
import { echoOffer, showRequest, type EchoAnswer, type FailedView, type Shown } from 'transom-core/wire/displays'
import { faultsOf } from 'transom-core/wire/faults'
import type { AccountLinks } from './account-links.ts'
import { findCamera } from './assistant.ts'
import { CallError, type CauseCode, toCallError } from './causes.ts'
import type { EchoSession, EchoSessions, Viewer } from './echo-sessions.ts'
import { createGoogle } from './google.ts'
import { findSession, type SessionQuery } from './sessions.ts'
import type { AssistantName } from './settings.ts'
import { createTimeline, type Timeline } from './timeline.ts'

/** Everything before the offer, and a linking. */
export const prepareMs = 10_000

const statusOf: Partial<Record<CauseCode, number>> = {
  not_linked: 409,
  no_camera: 404,
  answer_late: 504,
  out_of_time: 504,
  simulator_failed: 500,
}

/** A request of the page, and whose it is. */
export interface Visit {
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

export interface ViewsDeps {
  /** The bridge as this machine reaches it. */
  readonly bridge: string
  readonly links: Pick<AccountLinks, 'fresh'>
  readonly echoes: Pick<EchoSessions, 'open' | 'find'>
  readonly clock: Clock
  readonly log: Log
}

/** What the page asks of a view. A view that fails is answered; a request that makes no sense throws `BridgeError`. */
export interface Views {
  /** Opens a view and answers with it, or with the cause of its failure and the steps up to there. */
  show(assistant: AssistantName, visit: Visit): Promise<void>
  /** Brings an Echo's offer to the bridge, and answers with its answer. */
  offer(visit: Visit): Promise<void>
  /** The Echo's session that a request names. */
  sessionOf(request: Request, account: string): EchoSession
}

/** Makes the views of both assistants' displays. Nothing is asked of the bridge before a request of the page. */
export function createViews({ bridge, links, echoes, clock, log }: ViewsDeps): Views {
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

  return { show, offer, sessionOf }
}

/** With the time that everything before an offer has. Throws `CallError` `out_of_time`. */
export function soon<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = (): CallError => new CallError('out_of_time', `not within ${prepareMs} ms`)
  return bounded(new AbortController().signal, prepareMs, late, work)
}

/** The body of a request. Throws `BridgeError` `invalid_request`. */
export function parse<T>(shape: z.ZodType<T>, { body }: Request): T {
  const read = shape.safeParse(body)
  if (read.success) return read.data
  throw new BridgeError('invalid_request', faultsOf(read.error))
}
