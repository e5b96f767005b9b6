/** The bridge's own account of a call, read by its owner: `GET /api/sessions` and `GET /api/sessions/:id`. */

import * as z from 'zod'
import { session, type Message } from 'transom-core/wire/api'
import { pause } from 'transom-core/deadline'
import { jsonOf, mustFit, send } from './http.ts'

const sessionView = session.pick({
  id: true,
  reference: true,
  phase: true,
  startedAt: true,
  timeline: true,
  cause: true,
  heard: true,
})

export type SessionView = Message<typeof sessionView>

const sessionRow = session.pick({ id: true, reference: true, startedAt: true, assistant: true, cameraId: true })
const listed = z.object({ sessions: z.array(sessionRow) })
/** Only of late: the call is seconds old. */
const atMost = 50

export interface SessionQuery {
  readonly bridge: string
  readonly accessToken: string
  readonly matches: (row: z.infer<typeof sessionRow>) => boolean
}

const POLL_MS = 100

/** The newest session that matches; undefined when the bridge knows none. */
export async function findSession(
  { bridge, accessToken, matches }: SessionQuery,
  signal: AbortSignal,
): Promise<SessionView | undefined> {
  const headers = { authorization: `Bearer ${accessToken}` }
  const url = `${bridge}/api/sessions`
  const list = await send(`${url}?limit=${atMost}`, { headers }, signal)
  if (list.status !== 200) return undefined
  const { sessions } = mustFit(
    listed,
    jsonOf(list, 'reply_invalid', 'GET /api/sessions'),
    'reply_invalid',
    'GET /api/sessions',
  )
  const found = sessions.find(matches)
  if (found === undefined) return undefined
  const one = await send(`${url}/${encodeURIComponent(found.id)}`, { headers }, signal)
  if (one.status !== 200) return undefined
  return mustFit(
    sessionView,
    jsonOf(one, 'reply_invalid', 'GET /api/sessions/:id'),
    'reply_invalid',
    'GET /api/sessions/:id',
  )
}

/**
 * The session once the camera has reported all `talkBackPackets`, or as it is after `waitMs`: the camera's last report
 * travels on its own way and may come after our goodbye.
 */
export async function settledSession(
  query: SessionQuery,
  talkBackPackets: number,
  waitMs: number,
  signal: AbortSignal,
): Promise<SessionView | undefined> {
  const until = performance.now() + waitMs
  for (;;) {
    const session = await findSession(query, signal)
    const complete = (session?.heard?.packets ?? 0) >= talkBackPackets
    if (complete || performance.now() >= until) return session
    if (!(await pause(POLL_MS, signal))) throw signal.reason
  }
}
