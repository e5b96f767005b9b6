/** HTTP as the assistants' clouds speak it: one request, one whole reply, nothing followed, nothing retried. */

import type { z } from 'zod'
import { CallError, type CauseCode } from './causes.ts'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

export interface Request {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends a request and reads the whole reply. Throws `bridge_unreachable`, or the signal's reason. */
export async function send(url: string, request: Request, signal: AbortSignal): Promise<Reply> {
  try {
    const response = await fetch(url, { ...request, redirect: 'manual', signal })
    return { status: response.status, headers: response.headers, body: await response.text() }
  } catch (error) {
    signal.throwIfAborted()
    throw unreachable(url, error)
  }
}

/** POSTs JSON. */
export function postJson(
  url: string,
  message: unknown,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Reply> {
  const body = JSON.stringify(message)
  return send(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body }, signal)
}

/** The JSON of a reply; `code` names the failure when it is none. */
export function jsonOf(reply: Reply, code: CauseCode, what: string): unknown {
  const type = reply.headers.get('content-type') ?? 'no content type'
  if (!/^application\/json\b/i.test(type)) throw new CallError(code, `${what} is ${type}, not application/json`)
  try {
    return JSON.parse(reply.body)
  } catch (error) {
    throw new CallError(code, `${what} is not JSON`, { cause: error })
  }
}

/** The message as the schema wants it, or a `CallError` that lists what is wrong, each with its path. */
export function mustFit<T>(schema: z.ZodType<T>, message: unknown, code: CauseCode, what: string): T {
  const result = schema.safeParse(message)
  if (result.success) return result.data
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'message'}: ${message}`)
  throw new CallError(code, `${what}: ${problems.join('; ')}`)
}

function unreachable(url: string, error: unknown): CallError {
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = reason instanceof Error && 'code' in reason ? String(reason.code) : String(reason)
  const { origin } = new URL(url)
  return new CallError('bridge_unreachable', `no bridge at ${origin} (${code}): start it with npm start`, {
    cause: error,
  })
}
