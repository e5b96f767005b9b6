/** Who is there: password or passkey, slowed down where somebody guesses, and told to the owner when it fails. */
import { hash } from 'node:crypto'
import * as z from 'zod'
import { createShares, networkOf } from 'transom-core/admission'
import { BridgeError } from 'transom-core/errors'
import type { Log } from 'transom-core/ports'
import type { Attempts } from './attempts.ts'
import type { Audit } from './audit.ts'
import type { Browser } from './known-browser.ts'
import type { Passkeys } from './passkeys.ts'
import type { FormProblem } from './person-faults.ts'
import { createHashing, longestPassword } from './password.ts'
import { canonicalLogin, longestLogin, type User, type Users } from './users.ts'

/** An attempt that failed, and the status that its page answers with. */
export interface SignInRefusal {
  readonly kind: 'refused'
  readonly status: number
  readonly problem: FormProblem
  readonly retryAfterS?: number
}

export type SignInResult = { readonly kind: 'signed-in'; readonly user: User } | SignInRefusal

/** Where an attempt comes from, for the log and the limits. */
export interface Origin {
  readonly clientId: string
  readonly address: string
  readonly tenant?: string
}

type PasswordAttempt = Origin & { readonly browser: Browser; readonly login: string; readonly password: string }

export interface SignIn {
  /** At most two at a time, and twenty that wait: one more gets 429. */
  password(attempt: PasswordAttempt): Promise<SignInResult>
  passkey(asker: string, credential: unknown, origin: Origin): Promise<SignInResult>
  /** Forgets who tried to sign in to an account that is gone. */
  forget(user: User): Promise<void>
}

/** The operator finds failed logins of no account under this name. */
export const nobody = 'nobody'

export const signInForm = z.object({
  login: z.string().min(1).max(longestLogin),
  password: z.string().min(1).max(longestPassword),
})

/** Of the twenty-odd places in the queue one network has so many, so that a flood from there keeps nobody else out. */
const mostOfNetwork = 5

const loginKey = ({ login, tenant }: { readonly login: string; readonly tenant?: string }): string =>
  tenant === undefined ? canonicalLogin(login) : `${tenant}\n${canonicalLogin(login)}`

export function createSignIn(deps: {
  readonly users: Users
  readonly passkeys: Passkeys
  readonly attempts: Attempts
  readonly audit: Audit
  readonly log: Log
}): SignIn {
  const { users, passkeys, attempts, audit, log } = deps
  // Around the whole attempt: who is turned away has neither counted against a login nor written anything.
  const turns = createHashing()
  const ofNetwork = createShares({ most: mostOfNetwork, retryAfterMs: 2_000 })

  /** `owner` shares the turns with others: a browser that is known, else the network from which it comes. */
  async function inTurn(owner: string, client: Origin, check: () => Promise<SignInResult>): Promise<SignInResult> {
    try {
      return await ofNetwork.run(owner, () => turns.run(check))
    } catch (thrown) {
      if (!(thrown instanceof BridgeError) || thrown.code !== 'rate_limited') throw thrown
      log('warn', 'oauth.login-slowed', { clientId: client.clientId, address: client.address, error: thrown.message })
      const problem = { kind: 'busy' } as const
      return { kind: 'refused', status: 429, problem, retryAfterS: Math.ceil((thrown.retryAfterMs ?? 1_000) / 1_000) }
    }
  }

  async function checkPassword(attempt: PasswordAttempt): Promise<SignInResult> {
    const { login, password, tenant, browser, ...client } = attempt
    const key = loginKey(attempt)
    const source = { address: client.address, browser: browser.idFor(key) }
    const waitMs = await attempts.begin(key, source)
    if (waitMs > 0) {
      log('warn', 'oauth.login-slowed', { ...client, waitMs })
      return {
        kind: 'refused',
        status: 429,
        problem: { kind: 'too-many-attempts', minutes: Math.ceil(waitMs / 60_000) },
        retryAfterS: Math.ceil(waitMs / 1000),
      }
    }
    const user = await users.authenticate(login, password, tenant)
    if (user === undefined) {
      // People type passwords into the wrong field, so the log gets a short hash of what was typed as login.
      log('warn', 'oauth.login-failed', { ...client, loginHash: hash('sha256', canonicalLogin(login)).slice(0, 12) })
      // The same work for a login that nobody has: how long the refusal takes must not tell.
      const owner = await users.find(login, tenant)
      await audit.refused(owner?.accountId ?? nobody, `from ${client.address}`)
      return { kind: 'refused', status: 422, problem: { kind: 'wrong-login' } }
    }
    await attempts.succeeded(key, source)
    browser.remember(key)
    log('info', 'oauth.login', { ...client, accountId: user.accountId })
    return { kind: 'signed-in', user }
  }

  async function checkPasskey(
    asker: string,
    credential: unknown,
    { tenant, ...client }: Origin,
  ): Promise<SignInResult> {
    const used = await passkeys.signIn(asker, credential)
    const user = used && (await users.findByAccount(used.accountId))
    // One from before a reset has ended, whatever is left of its record.
    if (
      used === undefined ||
      user === undefined ||
      user.tenant !== tenant ||
      used.createdAt <= (user.passkeysSince ?? 0)
    ) {
      log('warn', 'oauth.login-failed', { ...client, by: 'passkey' })
      return { kind: 'refused', status: 422, problem: { kind: 'unknown-passkey' } }
    }
    log('info', 'oauth.login', { ...client, by: 'passkey', accountId: user.accountId })
    return { kind: 'signed-in', user }
  }

  return {
    forget: (user) => attempts.forget(loginKey(user)),
    password: (attempt) => {
      const owner = attempt.browser.idFor(loginKey(attempt)) ?? networkOf(attempt.address)
      return inTurn(owner, attempt, () => checkPassword(attempt))
    },
    passkey: (asker, credential, origin) =>
      inTurn(networkOf(origin.address), origin, () => checkPasskey(asker, credential, origin)),
  }
}
