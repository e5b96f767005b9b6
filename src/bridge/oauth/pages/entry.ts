/** Into our own page without a password: `<issuer>/enter/<code>`, the link that the start prints; and out of it again. */
import { createHmac, hash, randomBytes } from 'node:crypto'
import express, { type Request, type Response, type Router } from 'express'
import type { AccountId, Clock, Log, Store } from 'transom-core/ports'
import type { Audit } from '../people/audit.ts'
import type { InLanguage, Pages } from './pages.ts'
import { cookieKind } from '../cookies.ts'
import { answer, isSameText } from '../request.ts'
import type { Sessions } from '../provider/sessions.ts'
import type { User, Users } from '../people/users.ts'

export interface EntryDeps {
  readonly sessions: Pick<Sessions, 'begin' | 'leave'>
  readonly store: Store
  readonly users: Users
  readonly audit: Audit
  readonly pages: InLanguage<Pages>
  readonly issuer: string
  /** Where who has entered is sent: our own page. */
  readonly consoleUri: string
  readonly csrfKey: string
  readonly clock: Clock
  readonly log: Log
}

export interface Entry {
  readonly router: Router
  /** A link that signs this person in, once, within a day. Earlier ones of the same person end. */
  linkFor(account: AccountId): Promise<string>
}

const linkMs = 24 * 3_600_000

export function createEntry(deps: EntryDeps): Entry {
  const { sessions, users, audit, pages, issuer, consoleUri, clock, log } = deps
  // Under the code's hash: who reads the store cannot enter.
  const records = deps.store.collection<{ readonly accountId: AccountId }>('oauth-entry')
  // Ties the form to the browser that was shown it: nobody signs somebody else's browser in to an account of their own.
  const formCookie = cookieKind(issuer, 'transom_enter', '/enter', 'strict')
  const router = express.Router()
  router.use('/enter', express.urlencoded({ extended: false, limit: '4kb', parameterLimit: 5 }))

  router.get(
    '/enter/:code',
    answer(async (req, res) => {
      const user = await whose((await records.get(keyOf(req)))?.value)
      if (user === undefined) return showUsedUp(req, res)
      const secret = formCookie.read(req) ?? randomBytes(24).toString('base64url')
      res.cookie(formCookie.name, secret, { ...formCookie.rules, maxAge: linkMs })
      res.send(pages(req).entry({ user, action: `${req.baseUrl}${req.path}`, csrf: csrfOf(req, secret) }))
    }),
  )

  router.post(
    '/enter/:code',
    answer(async (req, res) => {
      const secret = formCookie.read(req)
      if (secret === undefined || !isSameText(req.body?.csrf, csrfOf(req, secret))) {
        log('warn', 'oauth.refused', { path: 'enter', error: 'the form does not carry our token' })
        throw Object.assign(new Error('the form does not carry our token'), { status: 400 })
      }
      // Of several at once exactly one gets it.
      const taken = await records.take(keyOf(req))
      const user = await whose(taken?.value)
      if (taken === undefined || user === undefined) return showUsedUp(req, res)
      try {
        await sessions.begin(req, res, user.accountId)
      } catch (error) {
        const { value, expiresAt } = taken
        await records.put(taken.id, value, { group: value.accountId, ...(expiresAt !== undefined && { expiresAt }) })
        throw error
      }
      log('info', 'oauth.login', { clientId: 'console', by: 'link', accountId: user.accountId })
      await audit.write(user.accountId, 'signed-in', `by the link of the start, from ${req.ip ?? 'somewhere'}`)
      res.clearCookie(formCookie.name, formCookie.rules)
      res.redirect(303, consoleUri)
    }),
  )

  // The tokens are revoked by themselves (RFC 7009); this ends what would give the next ones without a question.
  router.post(
    '/leave',
    answer(async (req, res) => {
      const site = req.get('sec-fetch-site')
      if (site !== undefined && site !== 'same-origin') {
        throw Object.assign(new Error('only our own page signs out'), { status: 400 })
      }
      await sessions.leave(req, res)
      res.status(204).end()
    }),
  )

  return {
    router,
    async linkFor(accountId) {
      for (const { id } of await records.list(accountId)) await records.remove(id)
      const code = randomBytes(24).toString('base64url')
      await records.put(hashOf(code), { accountId }, { group: accountId, expiresAt: clock() + linkMs })
      return `${issuer}/enter/${code}`
    },
  }

  async function whose(entry: { readonly accountId: AccountId } | undefined): Promise<User | undefined> {
    return entry && users.findByAccount(entry.accountId)
  }

  function showUsedUp(req: Request, res: Response): void {
    res.status(404).send(pages(req).entryUsedUp())
  }

  function csrfOf(req: Request, secret: string): string {
    return createHmac('sha256', deps.csrfKey)
      .update(`enter ${secret} ${keyOf(req)}`)
      .digest('base64url')
  }
}

const hashOf = (code: string): string => hash('sha256', code, 'base64url')
const keyOf = (req: Request): string => hashOf(String(req.params['code']).slice(0, 100))
