/** What is heard for an account, as server-sent events: written and read for `npm run call`; the page has its own. */

import type { RequestHandler, Response } from 'express'
import { BridgeError } from 'transom-core/errors'
import type { Clock } from 'transom-core/ports'
import { displayEvent, type DisplayEvent, type StreamEvent } from 'transom-core/wire/api'
import type { Announcements } from './announcements.ts'
import { type AccountOf, bearerOf } from './bearer.ts'
import { CallError } from './causes.ts'

const heartbeatMs = 15_000
const mostOfAccount = 20
/** A reader who is so far behind is not reading. */
const mostUnreadBytes = 64 * 1024

/** Answers `text/event-stream` until the reader leaves, or his token is not good any more. */
export function createEventStream(deps: {
  readonly announcements: Announcements
  readonly accountOf: AccountOf
  readonly clock: Clock
}): RequestHandler {
  const open = new Map<Response, string>()

  return async (request, response) => {
    const token = bearerOf(request)
    const account = await deps.accountOf(token)
    // Gone while its token was looked at: nothing would ever say so again.
    if (response.destroyed) return
    if ([...open.values()].filter((theirs) => theirs === account).length >= mostOfAccount)
      throw new BridgeError('rate_limited', `the account has ${mostOfAccount} streams open already`)
    open.set(response, account)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const write = (text: string): void => {
      if (response.writableLength > mostUnreadBytes) response.destroy()
      else response.write(text)
    }
    const send = ({ event, data }: StreamEvent): void => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    const stop = deps.announcements.listen(account, send)
    const heartbeat = setInterval(() => {
      write(':\n\n')
      deps.accountOf(token).catch(() => response.end())
    }, heartbeatMs)
    response.once('close', () => {
      clearInterval(heartbeat)
      stop()
      open.delete(response)
    })
    // From here on nothing is missed.
    send({ event: 'hello', data: { at: deps.clock() } })
  }
}

/** Listens at such a stream; resolves when nothing will be missed any more. What is heard comes until the signal aborts. */
export async function listenAt(
  url: string,
  accessToken: string,
  signal: AbortSignal,
): Promise<AsyncIterableIterator<DisplayEvent>> {
  const headers = { authorization: `Bearer ${accessToken}` }
  const response = await fetch(url, { headers, redirect: 'error', signal }).catch((cause: unknown) => {
    signal.throwIfAborted()
    throw unheard(cause)
  })
  if (response.status !== 200 || response.body === null) throw unheard(`HTTP status ${response.status}`)
  const events = eventsOf(response.body.pipeThrough(new TextDecoderStream()))
  if ((await events.next()).value?.event !== 'hello') throw unheard('no hello')
  return read()

  async function* read(): AsyncGenerator<DisplayEvent> {
    for await (const each of events) {
      const known = displayEvent.safeParse(each)
      if (known.success) yield known.data
    }
    signal.throwIfAborted()
    throw unheard('the stream ended')
  }
}

function unheard(cause?: unknown): CallError {
  return new CallError('ring_impossible', 'the simulated clouds in the bridge cannot be heard', { cause })
}

/** As much of the event stream format (WHATWG HTML section 9.2) as is written above. */
async function* eventsOf(
  text: ReadableStream<string>,
): AsyncGenerator<{ readonly event: string; readonly data: unknown }> {
  let rest = ''
  for await (const chunk of text) {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? []
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) }
    }
  }
}
