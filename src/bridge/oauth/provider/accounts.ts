/** A whole account: all that is kept of it in one object, and its end. */
import type { Store } from 'transom-core/ports'
import type { Audit } from '../people/audit.ts'
import type { Passkeys } from '../people/passkeys.ts'
import type { Sharing } from '../people/sharing.ts'
import { nobody, type SignIn } from '../people/sign-in.ts'
import type { Tickets } from '../people/tickets.ts'
import type { User, Users } from '../people/users.ts'
import type { Links } from './links.ts'
import type { Sessions, SignedIn } from './sessions.ts'

/** What others keep of an account. */
export interface OfAccount {
  /** Plain data, without secrets. */
  readonly export: (user: User) => Promise<Readonly<Record<string, unknown>>>
  /** The account is to be removed, and its assistants can still be told so. */
  readonly onLeave: (user: User) => Promise<void>
  /** Its links and sessions have ended: what is kept of it is to go. */
  readonly onLeft: (user: User) => Promise<void>
}

export interface Accounts {
  /** Everything that is kept of the account, as plain data without secrets. Times are epoch milliseconds. */
  export(user: User): Promise<Readonly<Record<string, unknown>>>
  /**
   * Removes the account and everything that is kept of it, but for one line of the audit, which names no login. What fails
   * half-way can be called again: the account itself goes last. `by`: who removes it, for that line.
   */
  remove(user: User, by: 'by the operator' | 'on the account page'): Promise<void>
}

/** The most that an export holds of the audit. */
const mostHistory = 10_000
/** Kinds of records that are in the account's list and end soon by themselves. */
const shortLived = ['oauth-entry', 'oauth-upstream-ticket', 'oauth-Interaction']

export function createAccounts(deps: {
  readonly store: Store
  readonly users: Users
  readonly passkeys: Passkeys
  readonly tickets: Pick<Tickets, 'forget'>
  readonly signIn: Pick<SignIn, 'forget'>
  readonly audit: Audit
  readonly sessions: Pick<Sessions, 'list' | 'endAll'>
  readonly links: Pick<Links, 'list' | 'endAccount'>
  readonly sharing: Sharing | undefined
  readonly ofAccount: OfAccount | undefined
}): Accounts {
  const { store, users, passkeys, tickets, signIn, audit, sessions, links, sharing, ofAccount } = deps
  return {
    async export(user) {
      const { accountId } = user
      const [keys, browsers, connected, shared, received, invitations, history, others] = await Promise.all([
        passkeys.list(accountId),
        sessions.list(accountId).then((all) => all.map(plain)),
        links.list(accountId),
        sharing?.cameras(accountId) ?? [],
        sharing?.received(accountId) ?? [],
        sharing?.invitations(user) ?? [],
        audit.read(accountId, mostHistory),
        ofAccount?.export(user) ?? {},
      ])
      const own = { passkeys: keys, browsers, links: connected, shared, received, invitations, history }
      return { account: user, ...own, ...others }
    },
    async remove(user, by) {
      const { accountId } = user
      await ofAccount?.onLeave(user)
      await sessions.endAll(accountId)
      await links.endAccount(accountId)
      await ofAccount?.onLeft(user)
      await passkeys.removeAll(accountId)
      await tickets.forget(accountId)
      await signIn.forget(user)
      for (const kind of shortLived) {
        const records = store.collection(kind)
        for await (const { id } of records.all(accountId)) await records.remove(id)
      }
      await audit.forget(accountId, user)
      await users.remove(accountId)
      await audit.write(nobody, 'account-removed', `${accountId}, ${by}`)
    },
  }
}

/** For programs: `Firefox on Windows`. */
const plain = ({ browser: { browser, system }, ...session }: SignedIn) => ({
  ...session,
  browser: [browser, system].filter((name) => name !== undefined).join(' on '),
})
