/** Server-sent events: what happens is told to whoever looks, as long as they keep up and their token is good. */
import type { Response } from 'express'
import { BridgeError, toBridgeError } from 'transom-core/errors'
import type { AccountId, Clock, Log } from 'transom-core/ports'
import type { StreamEvent } from 'transom-core/wire/api'

export type Tell = (event: StreamEvent) => void

export interface Feed {
  /**
   * Streams to this response until either side ends it. `check` rejects once the asker's token is no longer good; `also`
   * tells this one more than its account is told, and returns how to stop.
   */
  open(response: Response, accountId: AccountId, check: () => Promise<unknown>, also?: (tell: Tell) => () => void): void
  send(accountId: AccountId, event: StreamEvent): void
  isListening(accountId: AccountId): boolean
  /** Nobody listens at all. */
  isIdle(): boolean
  /** Ends every stream. May be called again. */
  close(): void
}

/** Also finds out that a connection is dead; proxies cut those that are silent for a minute. */
const heartbeatMs = 15_000
/** Somebody who has not read so much is too slow to ever catch up: he is dropped, and comes again. */
const mostUnread = 512 * 1024
/** A browser opens six connections at most to one host, and people have a few of them. */
const mostOfOne = 24
const mostOfAll = 500

export function createFeed({ clock, log }: { readonly clock: Clock; readonly log: Log }): Feed {
  const clients = new Map<AccountId, Set<Response>>()
  let open = 0
  let isClosed = false

  function write(response: Response, text: string): void {
    if (response.writableEnded || response.destroyed) return
    if (response.writableLength > mostUnread) {
      log('warn', 'web.reader-dropped', { unread: response.writableLength })
      return void response.destroy()
    }
    response.write(text)
  }

  return {
    open(response, accountId, check, also) {
      // Gone while its token was looked at: nothing would ever say so again.
      if (response.destroyed) return
      const mine = clients.get(accountId) ?? new Set()
      if (isClosed || mine.size >= mostOfOne || open >= mostOfAll)
        throw new BridgeError('rate_limited', 'too many event streams are open: close some windows')
      response.status(200).set({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // A proxy that collects what it passes on would hold back every event.
        'x-accel-buffering': 'no',
      })
      clients.set(accountId, mine.add(response))
      open += 1
      const timer = setInterval(() => void beat(response, check), heartbeatMs)
      const stop = also?.((event) => write(response, textOf(event)))
      response.once('close', () => {
        clearInterval(timer)
        stop?.()
        open -= 1
        mine.delete(response)
        if (mine.size === 0 && clients.get(accountId) === mine) clients.delete(accountId)
      })
      write(response, textOf({ event: 'hello', data: { at: clock() } }))
    },
    send(accountId, event) {
      const mine = clients.get(accountId)
      if (mine === undefined) return
      const text = textOf(event)
      for (const response of mine) write(response, text)
    },
    isListening: (accountId) => clients.has(accountId),
    isIdle: () => clients.size === 0,
    close() {
      isClosed = true
      for (const mine of clients.values()) for (const response of mine) response.end()
    },
  }

  async function beat(response: Response, check: () => Promise<unknown>): Promise<void> {
    try {
      await check()
    } catch (thrown) {
      const { code } = toBridgeError(thrown)
      // A store that is away for a moment says nothing about the token.
      if (code === 'unauthorized' || code === 'token_expired') return void response.end()
      log('warn', 'web.token-unchecked', { code })
    }
    write(response, ':\n\n')
  }
}

/** JSON has no line break, so one `data` line holds it. */
const textOf = ({ event, data }: StreamEvent): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
