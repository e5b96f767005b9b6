/** The views of Echo displays that are browsers: a session of directives each, hung up when nobody else ends it. */

import type { Log } from 'transom-core/ports'
import { createAlexa } from './alexa.ts'
import { readAnswer } from './answer.ts'
import { type Assistant, findCamera } from './assistant.ts'
import { CallError, toCallError } from './causes.ts'
import { bounded } from 'transom-core/deadline'
import type { DirectiveDoor } from './directive.ts'
import type { Timeline } from './timeline.ts'

/** For whom a display shows something: an account, by the token of its link, with the timeline of this view. */
export interface Viewer {
  readonly account: string
  readonly accessToken: string
  readonly timeline: Timeline
}

export interface EchoSession extends Viewer {
  /** The bridge's name for it. */
  readonly reference: string
  /** Sends the display's offer as Amazon's cloud does, and checks the answer as strictly. What fails is over. */
  offer(sdp: string): Promise<string>
  connected(): Promise<void>
  /** Hangs up; again it does nothing. Never rejects. */
  end(): Promise<void>
}

export interface EchoSessions {
  /** Discovers the camera and asks for its state. */
  open(viewer: Viewer, cameraId: string, signal: AbortSignal): Promise<EchoSession>
  /** The account's own session of this reference. */
  find(account: string, reference: string): EchoSession | undefined
  close(): Promise<void>
}

/** As an Echo goes back to its home screen. A window that was closed says nothing, and its view must end some time. */
const viewMs = 15 * 60_000
const mostOfAccount = 8
const wordMs = 2_000

export function createEchoSessions({ log, ...door }: DirectiveDoor & { readonly log: Log }): EchoSessions {
  const sessions = new Map<string, EchoSession>()

  function begin(viewer: Viewer, assistant: Assistant): EchoSession {
    const { timeline } = viewer
    const reference = assistant.reference()
    const timer = setTimeout(() => void session.end(), viewMs)
    let isOffered = false
    const session: EchoSession = {
      ...viewer,
      reference,

      async offer(sdp) {
        isOffered = true
        timeline.noteOffer(`${sdp.length} bytes`)
        try {
          const answer = await soon(assistant.answerWithinMs, 'answer_late', (signal) => assistant.offer(sdp, signal))
          timeline.note('answer received', `${answer.length} bytes`)
          readAnswer(sdp, answer, assistant.answerRules)
          return answer
        } catch (thrown) {
          await session.end()
          throw thrown
        }
      },

      connected: () => soon(wordMs, 'out_of_time', assistant.connected),

      async end() {
        clearTimeout(timer)
        // What was never offered the bridge knows nothing of.
        if (!sessions.delete(reference) || !isOffered) return
        await soon(wordMs, 'out_of_time', assistant.hangUp).catch((thrown: unknown) =>
          log('warn', 'simulator.goodbye-failed', { error: toCallError(thrown).message }),
        )
        timeline.note('hung up')
      },
    }
    return session
  }

  return {
    async open(viewer, cameraId, signal) {
      const { accessToken, timeline } = viewer
      const assistant = createAlexa({ ...door, accessToken, note: timeline.note })
      const camera = await findCamera(assistant, cameraId, timeline.note, signal)
      await assistant.prepare(camera, signal)
      const session = begin(viewer, assistant)
      sessions.set(session.reference, session)
      const theirs = [...sessions.values()].filter(({ account }) => account === viewer.account)
      await Promise.all(theirs.slice(0, -mostOfAccount).map((oldest) => oldest.end()))
      return session
    },

    find(account, reference) {
      const found = sessions.get(reference)
      return found?.account === account ? found : undefined
    },

    async close() {
      await Promise.all([...sessions.values()].map((session) => session.end()))
    },
  }
}

function soon<T>(
  ms: number,
  code: 'answer_late' | 'out_of_time',
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return bounded(new AbortController().signal, ms, () => new CallError(code, `not within ${ms} ms`), work)
}
