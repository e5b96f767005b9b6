/** One call from beginning to end, as an assistant and its display make it. */

import { createAlexa } from './alexa.ts'
import { readAnswer } from './answer.ts'
import { findCamera } from './assistant.ts'
import { CallError, toCallError } from './causes.ts'
import { untilAborted, bounded } from 'transom-core/deadline'
import type { DisplayLimits } from './display-transport.ts'
import { loadFfmpeg } from './decoder.ts'
import { createDisplay, type Traffic } from './display.ts'
import { createGoogle, type Surface } from './google.ts'
import { type Link, linkAccount, refreshLink } from './link.ts'
import { type CallReport, judge, labels, noTraffic, type Progress, reportOn } from './report.ts'
import { openBell } from './ring.ts'
import { type SessionView, settledSession } from './sessions.ts'
import type { AssistantName, Settings } from './settings.ts'
import { createTimeline, type Timeline } from './timeline.ts'
import { loadTone } from './tone.ts'

/** Which assistant plays, against which bridge, and what it does. */
export interface CallOptions {
  readonly assistant: AssistantName
  readonly settings: Settings
  /** Of Google's surfaces; the Hub when left out. */
  readonly surface?: Surface
  /** The camera to show; the first one found when left out. */
  readonly camera?: string
  /** How long media flows before the display hangs up. */
  readonly seconds: number
  /** An account linked before, as `call` returns it; without one the call begins with linking. */
  readonly link?: Link
  /** The talk-back, as 20 ms Opus packets; a recorded tone when left out. */
  readonly tone?: readonly Buffer[]
  /** Overrides of single limits, for tests. */
  readonly limits?: Partial<CallLimits>
  /** Aborting hangs up; the report then says `interrupted`. */
  readonly signal?: AbortSignal
  /** Presses the bell first, and waits until it is announced. */
  readonly ring?: boolean
  /** Called at each step as it happens. */
  readonly onStep?: (step: string, detail?: string) => void
}

/** How long each part of a call may take, in milliseconds. */
export interface CallLimits extends DisplayLimits {
  /** How long the display waits for the answer; the assistant's own patience when left out. */
  readonly answerMs: number | undefined
  /** How long the camera's report of the talk-back is waited for, after the goodbye. */
  readonly heardMs: number
  /** How long the press may take to be announced. */
  readonly ringMs: number
  /** Everything but the media time. */
  readonly totalMs: number
}

const usualLimits: CallLimits = {
  gatherMs: 700,
  iceMs: 6000,
  dtlsMs: 5000,
  answerMs: undefined,
  heardMs: 3000,
  // A press that nobody has announced by then is hardly worth a word.
  ringMs: 10_000,
  totalMs: 30_000,
}

/**
 * Makes one call. Never throws: whatever goes wrong is the report's `cause`, and everything opened is closed. The link is
 * handed back for the next call.
 */
export async function call(
  options: CallOptions,
): Promise<{ readonly report: CallReport; readonly link: Link | undefined }> {
  const limits = { ...usualLimits, ...options.limits }
  const timeline = createTimeline(options.onStep)
  const progress: Progress = {}
  const interrupted = options.signal ?? new AbortController().signal
  const totalMs = limits.totalMs + options.seconds * 1000

  const problem = await bounded(
    interrupted,
    totalMs,
    () => new CallError('out_of_time', `the call was not over after ${totalMs} ms`),
    (signal) => converse(options, limits, timeline, progress, signal),
  ).then(
    () => undefined,
    (thrown: unknown) => (interrupted.aborted ? new CallError('interrupted') : toCallError(thrown)),
  )

  if (problem !== undefined) timeline.note('failed', problem.code)

  // The goodbye has its own deadline: a call that ran out of time, or was interrupted, is hung up all the same.
  const ending = await hangUp(timeline, progress)
  const traffic = progress.display?.traffic() ?? noTraffic
  const blind = await look(progress)
  const session = await readSession(options, limits, progress, traffic)
  progress.bell?.close()
  const [complaint] = progress.bell?.complaints() ?? []
  const unheard = complaint === undefined ? undefined : new CallError('announcement_invalid', complaint)
  const found = blind ?? (progress.isShown ? undefined : judge(progress, traffic, session))
  const own = problem ?? ending ?? unheard ?? found
  return { report: reportOn(options, timeline, progress, traffic, session, own), link: progress.link }
}

async function converse(
  options: CallOptions,
  limits: CallLimits,
  timeline: Timeline,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { settings } = options
  timeline.note('linking', settings.bridge)
  const tone = options.tone === undefined ? loadTone() : Promise.resolve(options.tone)
  tone.catch(() => undefined) // it is awaited below, if the call gets so far
  const link = await linked(options, signal)
  progress.link = link
  timeline.note('account linked')

  const { bridge, forwarderSecret } = settings
  const tools = { bridge, forwarderSecret, accessToken: link.accessToken, note: timeline.note }
  const assistant = options.assistant === 'alexa' ? createAlexa(tools) : createGoogle(tools, options.surface)
  progress.assistant = assistant
  if (options.ring === true) progress.bell = await openBell(settings, options.assistant, link.accessToken, signal)
  const camera = await findCamera(assistant, options.camera, timeline.note, signal)
  progress.camera = camera
  if (progress.bell !== undefined) {
    await progress.bell.permit(assistant, signal)
    timeline.note(labels.pressed)
    const press = await progress.bell.press(camera.id, signal)
    await progress.bell.announced(press, limits.ringMs, signal)
    timeline.note(labels.announced)
  }
  const iceServers = await assistant.prepare(camera, signal)
  if (iceServers === 'shown') {
    progress.isShown = true
    return
  }

  // Before the offer: it takes a moment, in which nothing else is done.
  const ffmpeg = await loadFfmpeg()
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => undefined) // it matters only while somebody waits for it
  const display = await createDisplay({
    style: assistant.display,
    iceServers,
    limits,
    ffmpeg,
    onStep(step) {
      timeline.note(labels[step])
      if (step === 'lost') lost.reject(new CallError('connection_lost'))
    },
  })
  progress.display = display
  const offer = await display.offer(signal)
  const packets = await tone

  const answerMs = limits.answerMs ?? assistant.answerWithinMs
  timeline.noteOffer(`${offer.length} bytes`)
  progress.offered = true
  const text = await bounded(
    signal,
    answerMs,
    () => new CallError('answer_late', `no answer within ${answerMs} ms`),
    (within) => assistant.offer(offer, within),
  )
  timeline.note('answer received', `${text.length} bytes`)
  const answer = readAnswer(offer, text, assistant.answerRules)
  progress.answer = answer

  await display.connect(answer, signal)
  await assistant.connected(signal)
  if (answer.audio.takes) {
    display.talk(packets)
    timeline.note('talking back')
  } else if (camera.isTwoWay) {
    throw new CallError('talk_back_refused')
  } else {
    timeline.note('no talk-back', 'the answer takes no sound')
  }
  await watch(options.seconds * 1000, lost.promise, signal)
}

/** Lets media flow for that long, or until the connection is lost. */
async function watch(ms: number, lost: Promise<never>, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, ms)
  try {
    await untilAborted(Promise.race([over.promise, lost]), signal)
  } finally {
    clearTimeout(timer)
  }
}

async function linked({ assistant, settings, link }: CallOptions, signal: AbortSignal): Promise<Link> {
  const client = settings.clients[assistant]
  const options = { assistant, bridge: settings.bridge, client, user: settings.user }
  if (link === undefined) return linkAccount(options, signal)
  return link.expiresAt - Date.now() > 60_000 ? link : refreshLink(options, link, signal)
}

/** Ends the call on both ways, media and signaling. Returns what the bridge's reply was wrong in. */
async function hangUp(timeline: Timeline, { assistant, display, offered }: Progress): Promise<CallError | undefined> {
  const stuck = await display?.close().then(() => undefined, toCallError)
  if (assistant === undefined || offered !== true) return stuck
  const problem = await bounded(
    new AbortController().signal,
    3000,
    () => new CallError('reply_invalid', 'no reply to the goodbye within 3000 ms'),
    (signal) => assistant.hangUp(signal),
  ).then(() => undefined, toCallError)
  timeline.note('hung up')
  return problem ?? stuck
}

/** Waits until all pictures are decoded. Returns why that failed. */
async function look(progress: Progress): Promise<CallError | undefined> {
  try {
    const seen = await progress.display?.seen()
    if (seen !== undefined) progress.seen = seen
    return undefined
  } catch (thrown) {
    return toCallError(thrown)
  }
}

async function readSession(
  options: CallOptions,
  limits: CallLimits,
  progress: Progress,
  traffic: Traffic,
): Promise<SessionView | undefined> {
  const { assistant, link, offered } = progress
  if (assistant === undefined || link === undefined || offered !== true) return undefined
  const reference = assistant.reference()
  const matches = (row: { readonly reference: string }): boolean => row.reference === reference
  const query = { bridge: options.settings.bridge, accessToken: link.accessToken, matches }
  try {
    return await bounded(
      new AbortController().signal,
      limits.heardMs + 2000,
      () => new CallError('reply_invalid', 'GET /api/sessions is not answered'),
      (signal) => settledSession(query, traffic.talkBackPackets, limits.heardMs, signal),
    )
  } catch {
    // The session view is a window for people, not a part of the call: without it we report what we saw ourselves.
    return undefined
  }
}
