/** The links of accounts with the two assistants, as Amazon's and Google's clouds would keep them; here in memory. */

import { randomBytes } from 'node:crypto'
import type { Clock, Log } from 'transom-core/ports'
import { type AccountOf, isRefusal } from './bearer.ts'
import { CallError, toCallError } from './causes.ts'
import { authorizationUrl, endLink, type Link, type LinkOptions, redeemCallback, refreshLink } from './link.ts'
import type { AssistantName, ClientSettings } from './settings.ts'

/** The links of the simulated assistants with the bridge's accounts; in memory alone. */
export interface AccountLinks {
  /** Returns the address to which the window goes, to link this account. It comes back to `linkedUri`, then `returnTo`. */
  begin(account: string, assistant: AssistantName, returnTo: string): string
  /** The window is back: completes the link, and returns the hash route to go on with, with a `problem` if it failed. */
  complete(assistant: AssistantName, query: URLSearchParams, signal: AbortSignal): Promise<string>
  /** Good tokens for a while. Throws `not_linked`, also when the link was ended meanwhile. */
  fresh(account: string, assistant: AssistantName, signal: AbortSignal): Promise<Link>
  /** Ends all links at the bridge. */
  close(): Promise<void>
}

/** The redirect URI of the simulated cloud of an assistant: where the linking pages send the window back to. */
export const linkedUri = (publicUrl: string, assistant: AssistantName): string =>
  `${publicUrl}/simulator/${assistant}/linked`

/** A person has that long to consent. */
const consentMs = 10 * 60_000
/** Of one account; whoever begins more has given up on the first. */
const mostBegun = 5
/** What a session needs is good for longer than a session lives. */
const freshMs = 20 * 60_000
const closeMs = 2_000
/** Part of it may come from the pages. */
const mostProblem = 300

interface Begun {
  readonly account: string
  readonly assistant: AssistantName
  readonly returnTo: string
  readonly until: number
}

/**
 * Opens no connection yet. Links are made through the bridge's real pages by authorization code (RFC 6749 section
 * 4.1), and their tokens renewed when they end.
 */
export function createAccountLinks(deps: {
  /** The bridge as this machine reaches it, and as a browser does. */
  readonly bridge: string
  readonly publicUrl: string
  readonly clients: Readonly<Record<AssistantName, Omit<ClientSettings, 'redirectUri'>>>
  readonly accountOf: AccountOf
  /** What the assistant does with a new link before it counts. */
  readonly welcome: (account: string, assistant: AssistantName, link: Link, signal: AbortSignal) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}): AccountLinks {
  const { bridge, publicUrl, clients, accountOf, clock, log } = deps
  const begun = new Map<string, Begun>()
  const links = new Map<string, { readonly assistant: AssistantName; readonly link: Link }>()
  const optionsOf = (assistant: AssistantName): LinkOptions => {
    return { assistant, bridge, client: { ...clients[assistant], redirectUri: linkedUri(publicUrl, assistant) } }
  }

  /** The state comes back once; `undefined` when it is not one of ours, or too old. */
  function take(state: string): Begun | undefined {
    const found = begun.get(state)
    begun.delete(state)
    return found !== undefined && found.until > clock() ? found : undefined
  }

  async function make({ account, assistant }: Begun, query: URLSearchParams, state: string, signal: AbortSignal) {
    const options = optionsOf(assistant)
    const link = await redeemCallback(options, query, state, signal)
    try {
      // The pages ask whoever sits there; a link counts only for who began it.
      if ((await accountOf(link.accessToken)) !== account)
        throw new CallError('link_failed', 'another account than the one signed in here was linked: begin again')
      await deps.welcome(account, assistant, link, signal)
    } catch (error) {
      await leave(assistant, link, signal)
      throw error
    }
    const key = keyOf(account, assistant)
    const before = links.get(key)
    links.set(key, { assistant, link })
    if (before !== undefined) await leave(assistant, before.link, signal)
  }

  /** A link that cannot be ended is of no use to anybody: its tokens are forgotten here. */
  async function leave(assistant: AssistantName, link: Link, signal: AbortSignal): Promise<void> {
    await endLink(optionsOf(assistant), link, signal).catch((thrown: unknown) =>
      log('warn', 'simulator.link-stays', { assistant, error: toCallError(thrown).message }),
    )
  }

  async function renewed(assistant: AssistantName, link: Link, signal: AbortSignal): Promise<Link> {
    const isFresh = link.expiresAt - clock() > freshMs
    const current = isFresh ? link : await refreshLink(optionsOf(assistant), link, signal)
    await accountOf(current.accessToken)
    return current
  }

  return {
    begin(account, assistant, returnTo) {
      const now = clock()
      const theirs = [...begun].filter(([, each]) => each.account === account)
      const surplus = theirs.slice(0, Math.max(0, theirs.length - mostBegun + 1)).map(([state]) => state)
      const old = [...begun].filter(([, { until }]) => until <= now).map(([state]) => state)
      for (const state of [...surplus, ...old]) begun.delete(state)
      const state = randomBytes(32).toString('base64url')
      begun.set(state, { account, assistant, returnTo, until: now + consentMs })
      return authorizationUrl(publicUrl, optionsOf(assistant), state)
    },

    async complete(assistant, query, signal) {
      const state = query.get('state') ?? ''
      const known = take(state)
      if (known?.assistant !== assistant) return withProblem('#/', 'this link was begun elsewhere, or too long ago')
      try {
        await make(known, query, state, signal)
        return known.returnTo
      } catch (thrown) {
        const { code, message } = toCallError(thrown)
        log('warn', 'simulator.link-failed', { assistant, code, error: message })
        return withProblem(
          known.returnTo,
          code === 'simulator_failed' ? 'linking failed' : message.slice(0, mostProblem),
        )
      }
    },

    async fresh(account, assistant, signal) {
      const key = keyOf(account, assistant)
      const held = links.get(key)
      if (held === undefined) throw new CallError('not_linked')
      try {
        const link = await renewed(assistant, held.link, signal)
        links.set(key, { assistant, link })
        return link
      } catch (thrown) {
        if (!isRefusal(thrown) && toCallError(thrown).code !== 'link_failed') throw thrown
        links.delete(key)
        throw new CallError('not_linked', undefined, { cause: thrown })
      }
    },

    async close() {
      const all = [...links.values()]
      links.clear()
      begun.clear()
      const signal = AbortSignal.timeout(closeMs)
      await Promise.all(all.map(({ assistant, link }) => leave(assistant, link, signal)))
    },
  }
}

const keyOf = (account: string, assistant: AssistantName): string => `${assistant} ${account}`

function withProblem(route: string, problem: string): string {
  return `${route}${route.includes('?') ? '&' : '?'}${new URLSearchParams({ problem }).toString()}`
}
