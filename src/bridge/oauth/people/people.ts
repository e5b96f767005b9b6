/** The room plugged together: who people are, how they sign in, and what is written down of it. */
import type { Clock, Log, Store } from 'transom-core/ports'
import { createAttempts } from './attempts.ts'
import { createAudit } from './audit.ts'
import { createKnownBrowsers } from './known-browser.ts'
import { createPasskeys } from './passkeys.ts'
import { createSignIn } from './sign-in.ts'
import { createTickets } from './tickets.ts'
import { createUpstream, type UpstreamOptions } from './upstream.ts'
import { createUsers } from './users.ts'

export interface PeopleDeps {
  readonly store: Store
  /** The public URL that all pages of account linking lie below. */
  readonly issuer: string
  /** Signs the cookie of a browser that is known. */
  readonly csrfKey: string
  /** Shown where a passkey is made. */
  readonly name: string
  /** Another OpenID Connect provider that signs people in: then there are neither passwords nor passkeys. */
  readonly upstream: UpstreamOptions | undefined
  readonly clock: Clock
  readonly log: Log
}

/** `upstream` is undefined where people sign in here. Opens nothing by itself. */
export function createPeople({ store, issuer, csrfKey, name, upstream, clock, log }: PeopleDeps) {
  const users = createUsers(store, clock)
  const audit = createAudit(store, clock, log)
  const passkeys = createPasskeys({ store, issuer, name, isOff: upstream !== undefined, clock, log })
  return {
    users,
    audit,
    passkeys,
    tickets: createTickets(store, clock),
    browsers: createKnownBrowsers(csrfKey, issuer),
    signIn: createSignIn({ users, passkeys, attempts: createAttempts(store, clock), audit, log }),
    upstream:
      upstream && createUpstream(upstream, { redirectUri: `${issuer}/upstream/callback`, store, users, clock, log }),
  }
}
