/** The bridge's own account of a call, read by its owner: `GET /sessions` and `GET /sessions/:id`. */

import * as z from 'zod'
import { pause } from './deadline.ts'
import { jsonOf, mustFit, send } from './http.ts'

const sessionView = z.object({
  id: z.string().min(1),
  reference: z.string(),
  phase: z.string(),
  startedAt: z.number(),
  timeline: z.array(z.object({ step: z.string(), at: z.number(), detail: z.unknown().optional() })),
  cause: z.object({ code: z.string(), message: z.string() }).optional(),
  heard: z.object({ packets: z.number(), level: z.number().optional() }).optional(),
})

export type SessionView = z.infer<typeof sessionView>

const sessionRow = z.object({
  id: z.string(),
  reference: z.string(),
  startedAt: z.number(),
  assistant: z.string().optional(),
  cameraId: z.string().optional(),
})

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
  const list = await send(`${bridge}/sessions`, { headers }, signal)
  if (list.status !== 200) return undefined
  const schema = z.object({ sessions: z.array(sessionRow) })
  const { sessions } = mustFit(schema, jsonOf(list, 'reply_invalid', 'GET /sessions'), 'reply_invalid', 'GET /sessions')
  const found = sessions.find(matches)
  if (found === undefined) return undefined
  const one = await send(`${bridge}/sessions/${encodeURIComponent(found.id)}`, { headers }, signal)
  if (one.status !== 200) return undefined
  return mustFit(sessionView, jsonOf(one, 'reply_invalid', 'GET /sessions/:id'), 'reply_invalid', 'GET /sessions/:id')
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
    await pause(POLL_MS, signal)
  }
}
