/** The one way out over HTTP: each request has a deadline, each reply a bound, and no redirect is followed. */
import { types } from 'node:util'

/** `fetch`, as callers and libraries take it. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

/** How long a request may take and how large its reply may be; what exceeds either is aborted. */
export interface FetchBounds {
  /** Milliseconds for everything: name, connection, request, and the reply to its last byte. */
  readonly ms: number
  /** Bytes of the reply's body, after decompression. Default 64 KiB: all that we ask for are small JSON documents. */
  readonly maxBytes?: number
  /**
   * A success counts although its body is late, too large or breaks off, and then has none: what was asked for has been done,
   * and must not be asked for again.
   */
  readonly isStatusEnough?: boolean
}

const defaultMaxBytes = 65_536

/** Statuses that may have no body, not even an empty one (Fetch standard, null body status). */
const withoutBody = new Set([101, 103, 204, 205, 304])

/**
 * Returns a `fetch` whose reply has been read to its end when it resolves: what follows from it neither waits nor grows.
 * Rejects for a redirect (where our credentials or our curiosity go is not for the answering side to say), a reply that is
 * too large, the deadline, and an aborted `init.signal`.
 */
export function boundedFetch({ ms, maxBytes = defaultMaxBytes, isStatusEnough = false }: FetchBounds): Fetch {
  return async (url, init = {}) => {
    const deadline = AbortSignal.timeout(ms)
    const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline
    const { ok, status, statusText, headers, body } = await fetch(url, { ...init, redirect: 'error', signal })
    const bytes = await readUpTo(maxBytes, body).catch((thrown: unknown) => {
      if (ok && isStatusEnough) return null
      throw thrown
    })
    return new Response(withoutBody.has(status) ? null : bytes, { status, statusText, headers })
  }
}

/** A reply whose status is not 200 to 299. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly status: number

  constructor(status: number) {
    super(`the answer is ${status}`)
    this.status = status
  }
}

/** Bounds of a reply that is read line by line. */
export interface LineBounds {
  /** Milliseconds without a line, the first one included, after which the connection counts as dead. */
  readonly silenceMs: number
  /** Characters of one line, default 1,048,576. */
  readonly maxLine?: number
}

const defaultMaxLine = 1_048_576

/**
 * Requests a reply that does not end by itself, and yields its lines as they come. Ends when the other side ends it; throws
 * `StatusError`, for a redirect, a line that is too long, a silence that is too long, and an aborted `init.signal`.
 */
export async function* fetchLines(
  url: string | URL,
  init: RequestInit,
  { silenceMs, maxLine = defaultMaxLine }: LineBounds,
): AsyncGenerator<string, void> {
  const over = new AbortController()
  const silence = setTimeout(() => over.abort(new Error(`no sign of life for ${silenceMs} ms`)), silenceMs)
  const signal = init.signal ? AbortSignal.any([init.signal, over.signal]) : over.signal
  try {
    const { ok, status, body } = await fetch(url, { ...init, redirect: 'error', signal })
    if (!ok) throw new StatusError(status)
    let rest = ''
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      silence.refresh()
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > maxLine) throw new Error(`a line is longer than ${maxLine} characters`)
      yield* lines
    }
  } finally {
    clearTimeout(silence)
    // Whoever leaves in the middle ends the connection, too.
    over.abort()
  }
}

async function readUpTo(maxBytes: number, body: Response['body']): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop by the error cancels the body, and with it the connection.
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw new Error(`the reply is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

/** The longest wait that we let a server ask for. */
const longestWaitMs = 3_600_000

/** Milliseconds that `Retry-After` asks to wait (RFC 9110 section 10.2.3), an hour at most; undefined when it does not. */
export function retryAfterMs({ headers }: Pick<Response, 'headers'>, now: number): number | undefined {
  const field = headers.get('retry-after')?.trim() ?? ''
  const waitMs = /^\d+$/.test(field) ? Number(field) * 1000 : Date.parse(field) - now
  return waitMs >= 0 ? Math.min(waitMs, longestWaitMs) : undefined
}

/** Why a request came to nothing, for the log: the message of `fetch` hides the reason in its cause. */
export function whyFailed(thrown: unknown): string {
  if (!types.isNativeError(thrown)) return String(thrown)
  return types.isNativeError(thrown.cause) ? `${thrown.message}: ${thrown.cause.message}` : thrown.message
}
