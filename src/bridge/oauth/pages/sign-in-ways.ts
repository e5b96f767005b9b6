/** The ways to sign in, alike on the account page and on the way to a link: password, passkey, another provider. */
import type { Request, Response, Router } from 'express'
import type { KnownBrowsers } from '../people/known-browser.ts'
import type { Passkeys } from '../people/passkeys.ts'
import type { FormProblem } from '../people/person-faults.ts'
import { signInForm, type Origin, type SignIn, type SignInResult } from '../people/sign-in.ts'
import type { Upstream } from '../people/upstream.ts'
import type { User } from '../people/users.ts'
import { answer, jsonOf, queryOf } from '../request.ts'
import type { PasskeyView } from './passkey-form.ts'
import { leavingContentPolicy, passkeyContentPolicy } from './style.ts'

export interface WaysDeps {
  readonly signIn: SignIn
  readonly browsers: KnownBrowsers
  /** Whether sign-in pages offer passkeys; the options for one. */
  readonly passkeys: Pick<Passkeys, 'isOffered' | 'signInOptions'>
  /** Signs people in instead of login and password. */
  readonly upstream: Upstream | undefined
  /** Address of the passkeys' script. */
  readonly script: string
}

/** Somebody who stands before a sign-in page. */
export interface Visit {
  /** Ties a passkey's challenge or another provider's answer to this page in this browser. */
  readonly asker: string
  /** Path of the page's forms, as the browser sees it. */
  readonly below: string
  origin(): Origin | Promise<Origin>
  /** The page, once more. */
  show(again?: Again): void | Promise<void>
  goOn(user: User): Promise<void>
}

/** What the page says when it comes again, and with which status. */
export interface Again {
  readonly status?: number
  readonly problem?: FormProblem
  readonly login?: string
}

/** Opens the forms of a page: `login` takes its password form, the others lie at `below`. Both are patterns of Express. */
export function addSignInWays(
  router: Router,
  { login, below }: { readonly login: string; readonly below: string },
  { signIn, browsers, passkeys, upstream }: Omit<WaysDeps, 'script'>,
  visits: {
    /** By a form of the page; throws when it does not carry our token. */
    posted(req: Request, res: Response): Visit | Promise<Visit>
    /** By the link back from the other provider. */
    returned(req: Request, res: Response): Visit | Promise<Visit>
  },
): void {
  router.post(
    login,
    answer(async (req, res) => {
      const visit = await visits.posted(req, res)
      if (upstream !== undefined) return visit.show()
      const form = signInForm.safeParse(req.body)
      if (!form.success) return visit.show({ status: 422, problem: { kind: 'incomplete' } })
      const browser = browsers.of(req, res)
      const result = await signIn.password({ ...form.data, browser, ...(await visit.origin()) })
      await conclude(res, visit, result, form.data.login)
    }),
  )
  router.post(
    `${below}/passkey/options`,
    answer(async (req, res) => {
      const { asker } = await visits.posted(req, res)
      res.json(await passkeys.signInOptions(asker))
    }),
  )
  router.post(
    `${below}/passkey`,
    answer(async (req, res) => {
      const visit = await visits.posted(req, res)
      const origin = await visit.origin()
      await conclude(res, visit, await signIn.passkey(visit.asker, jsonOf(req.body?.credential), origin))
    }),
  )
  router.post(
    `${below}/upstream`,
    answer(async (req, res) => {
      const visit = await visits.posted(req, res)
      if (upstream === undefined) return visit.show()
      const { tenant } = await visit.origin()
      const way = { returnTo: `${visit.below}/upstream`, browser: visit.asker }
      res.redirect(303, await upstream.begin({ ...way, ...(tenant !== undefined && { tenant }) }))
    }),
  )
  // The ticket is worth something only together with this browser's cookie, and once.
  router.get(
    `${below}/upstream`,
    answer(async (req, res) => {
      const visit = await visits.returned(req, res)
      const user = await upstream?.redeem(queryOf(req, 'ticket'), visit.asker)
      const problem = { kind: 'provider', name: upstream?.name ?? 'The provider' } as const
      await conclude(
        res,
        visit,
        user === undefined ? { kind: 'refused', status: 422, problem } : { kind: 'signed-in', user },
      )
    }),
  )
}

async function conclude(res: Response, visit: Visit, result: SignInResult, login?: string): Promise<void> {
  if (result.kind === 'signed-in') return visit.goOn(result.user)
  const { status, problem, retryAfterS } = result
  if (retryAfterS !== undefined) res.set('retry-after', String(retryAfterS))
  await visit.show({ status, problem, ...(login !== undefined && { login }) })
}

/** What a sign-in page offers beside its password form, and sets the policy that lets it. `query` is kept by its forms. */
export function offerWays(
  res: Response,
  { passkeys, upstream, script }: Omit<WaysDeps, 'signIn' | 'browsers'>,
  below: string,
  query = '',
): { readonly passkey?: PasskeyView; readonly upstream?: { readonly name: string; readonly action: string } } {
  res.set('content-security-policy', upstream === undefined ? passkeyContentPolicy(script) : leavingContentPolicy)
  if (upstream !== undefined) return { upstream: { name: upstream.name, action: `${below}/upstream${query}` } }
  if (!passkeys.isOffered) return {}
  const passkey = `${below}/passkey`
  return { passkey: { use: 'get', action: `${passkey}${query}`, options: `${passkey}/options`, script } }
}
