/** Who is signed in shows it once more, before something that a browser left open must not do. */
import type { Request, Response } from 'express'
import * as z from 'zod'
import type { KnownBrowsers } from '../people/known-browser.ts'
import type { Passkeys } from '../people/passkeys.ts'
import type { SignIn, SignInRefusal, SignInResult } from '../people/sign-in.ts'
import type { User } from '../people/users.ts'
import { jsonOf } from '../request.ts'

export interface AgainDeps {
  readonly signIn: SignIn
  readonly browsers: KnownBrowsers
  readonly passkeys: Passkeys
}

/** A form of somebody who is signed in. */
export interface Shown {
  readonly req: Request
  readonly res: Response
  readonly user: User
  /** Known to this browser alone. */
  readonly secret: string
}

const passwordForm = z.object({ password: z.string().max(300) })

/** By the form's field `password`. Refused also when it is somebody else's. Guesses are slowed down as at a login. */
export async function byPassword(
  { signIn, browsers }: AgainDeps,
  { req, res, user }: Omit<Shown, 'secret'>,
): Promise<SignInResult> {
  const { password } = passwordForm.parse(req.body)
  const result = await signIn.password({
    login: user.login,
    password,
    browser: browsers.of(req, res),
    ...at(req, user),
  })
  const isWrong = result.kind === 'refused' && result.status === 422
  return isWrong || isOther(result, user) ? refusal('wrong-password') : result
}

/** What the page's script hands to the authenticator. `purpose`: a passkey that is shown for one form is no good for another. */
export const passkeyOptions = ({ passkeys }: AgainDeps, { secret }: Shown, purpose: string) =>
  passkeys.signInOptions(`${purpose} ${secret}`)

/** By the form's field `credential`. */
export async function byPasskey(
  { signIn }: AgainDeps,
  { req, user, secret }: Shown,
  purpose: string,
): Promise<SignInResult> {
  const result = await signIn.passkey(`${purpose} ${secret}`, jsonOf(req.body?.credential), at(req, user))
  return isOther(result, user) ? refusal('unknown-passkey') : result
}

const isOther = (result: SignInResult, { accountId }: User): boolean =>
  result.kind === 'signed-in' && result.user.accountId !== accountId

const at = (req: Request, { tenant }: User) => ({
  clientId: 'account',
  address: req.ip ?? '',
  ...(tenant !== undefined && { tenant }),
})

const refusal = (kind: 'wrong-password' | 'unknown-passkey'): SignInRefusal => ({
  kind: 'refused',
  status: 422,
  problem: { kind },
})
