/** Keeps with a press whether anybody came to a display because of it, so that a list of presses reads no sessions. */
import type { Log, PressAnswer, SessionId } from 'transom-core/ports'
import type { SessionView } from '../broker/view.ts'
import type { CameraStates } from './states.ts'
import { answerMs, type Visits } from './visits.ts'

/** Sessions whose last word is remembered: each moves every few seconds. */
const mostRemembered = 100

/** What a session says of the press before it; nothing until somebody has seen a live picture. */
function answerIn({ phase, cause, heard, recording }: SessionView): PressAnswer | undefined {
  if (recording !== undefined) return undefined
  if (heard !== undefined && heard.packets > 0) return 'answered'
  return phase === 'connected' || (phase === 'closed' && cause === undefined) ? 'seen' : undefined
}

/** What it returns is to be called with each session that has moved. It never rejects: the session goes on without. */
export function createPressAnswers(deps: {
  readonly states: Pick<CameraStates, 'of'>
  readonly visits: Pick<Visits, 'noteAnswer'>
  readonly log: Log
}): (view: SessionView) => Promise<void> {
  const { states, visits, log } = deps
  const said = new Map<SessionId, PressAnswer>()
  return async (view) => {
    const { id, cameraId, startedAt } = view
    const answer = answerIn(view)
    if (answer === undefined || said.get(id) === answer) return
    said.set(id, answer)
    for (const [oldest] of said) if (said.size > mostRemembered) said.delete(oldest)
    try {
      // Most views follow no press: one small record says so.
      const { press } = await states.of({ id: cameraId })
      if (press !== undefined && press.at > startedAt - answerMs) await visits.noteAnswer(cameraId, startedAt, answer)
    } catch (error) {
      log('warn', 'cameras.press-not-noted', { cameraId, error })
    }
  }
}
