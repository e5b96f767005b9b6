/**
 * One stream of the bridge for all windows of a browser: one of them follows it and passes on what it hears. Over
 * HTTP/1.1 a browser opens six connections to one host, so windows with a stream each would keep one another waiting.
 */
import type { Api } from './api.ts'
import { follow } from './follow.ts'
import type { ServerSent } from './server-sent.ts'

/** What windows say to one another. */
type Word =
  | { readonly kind: 'event'; readonly event: ServerSent }
  | { readonly kind: 'state'; readonly isUp: boolean }
  /** A window has just opened: whoever leads greets it as the bridge would. */
  | { readonly kind: 'ask'; readonly from: string }
  | { readonly kind: 'greeting'; readonly to: string; readonly event: ServerSent }

/** The browser, as far as it is needed here. */
export interface Browser {
  /** Undefined where a page is not secure (plain HTTP to another machine): then each window follows by itself. */
  readonly locks: Pick<LockManager, 'request'> | undefined
  openChannel(name: string): BroadcastChannel
  isHidden(): boolean
  onVisibility(listener: () => void): void
  /** Shared by all windows, kept when they are closed. */
  readonly memory: Pick<Storage, 'getItem' | 'setItem'>
}

export const thisBrowser = (): Browser => ({
  locks: isSecureContext ? navigator.locks : undefined,
  openChannel: (name) => new BroadcastChannel(name),
  isHidden: () => document.hidden,
  onVisibility: (listener) => document.addEventListener('visibilitychange', listener),
  memory: localStorage,
})

/** So long a hidden window goes on: who only looks something up elsewhere comes back to a page that is right. */
const graceMs = 60_000

/**
 * Calls back with each event of the stream at `path`, whichever window of `name` (one account's) receives it, and with
 * whether the bridge is heard. A hidden window gives its stream up after a minute; when it is seen again it hears a
 * `hello`, as after every gap. Lives as long as the page.
 */
export function followTogether(
  api: Pick<Api, 'stream'>,
  { path, name }: { readonly path: string; readonly name: string },
  onEvent: (event: ServerSent) => void,
  onState: (isUp: boolean) => void,
  browser: Browser,
): void {
  // Not for secrets; randomUUID is for secure pages only.
  const me = Math.random().toString(36)
  const { locks } = browser
  const channel = locks && browser.openChannel(name)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has one origin, and takes no other
  const say = (word: Word): void => channel?.postMessage(word)
  /** A greeting that came while nobody looked: the lists are read when somebody does. */
  let missed: ServerSent | undefined
  let grace: ReturnType<typeof setTimeout> | undefined
  /** Set while this window leads or stands in line. */
  let candidacy: AbortController | undefined
  let leading: { isUp: boolean; hello?: { readonly at: number; readonly by: number } } | undefined

  const hear = (event: ServerSent): void => {
    if (event.event === 'hello' && browser.isHidden()) missed = event
    else onEvent(event)
  }
  channel?.addEventListener('message', ({ data }: MessageEvent<Word>) => {
    if (data.kind === 'event') hear(data.event)
    if (data.kind === 'state') onState(data.isUp)
    if (data.kind === 'greeting' && data.to === me) hear(data.event)
    if (data.kind === 'ask' && leading?.hello) {
      say({ kind: 'state', isUp: leading.isUp })
      const at = Math.round(leading.hello.at + performance.now() - leading.hello.by)
      say({ kind: 'greeting', to: data.from, event: { event: 'hello', data: JSON.stringify({ at }) } })
    }
  })

  /** Until `signal` is aborted. */
  async function lead(signal: AbortSignal): Promise<void> {
    const mine: NonNullable<typeof leading> = { isUp: true }
    leading = mine
    const end = follow(
      api,
      path,
      (event) => {
        if (event.event === 'hello')
          mine.hello = { at: (JSON.parse(event.data) as { at: number }).at, by: performance.now() }
        say({ kind: 'event', event })
        hear(event)
      },
      (isUp) => {
        mine.isUp = isUp
        say({ kind: 'state', isUp })
        onState(isUp)
      },
    )
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    leading = undefined
    end()
  }

  function stand(): void {
    if (candidacy) return
    candidacy = new AbortController()
    const { signal } = candidacy
    if (!locks) return void lead(signal)
    // Rejects when it is given up in line.
    locks.request(name, { signal }, () => (signal.aborted ? undefined : lead(signal))).catch(() => undefined)
    say({ kind: 'ask', from: me })
  }

  function look(): void {
    clearTimeout(grace)
    if (browser.isHidden()) {
      grace = setTimeout(() => {
        candidacy?.abort()
        candidacy = undefined
      }, graceMs)
      return
    }
    const greeting = missed
    missed = undefined
    if (greeting) onEvent(greeting)
    stand()
  }
  browser.onVisibility(look)
  look()
}
