/** The links that an operator hands out: `<issuer>/welcome/<code>`, to sign up or to choose a new password. */
import { createHmac } from 'node:crypto'
import express, { type Request, type Response, type Router } from 'express'
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import type { AccountId } from 'transom-core/ports'
import type { AccountPages } from './account-pages.ts'
import type { Audit } from '../people/audit.ts'
import type { InLanguage } from './pages.ts'
import { UnfitPerson, type FormProblem } from '../people/person-faults.ts'
import { longestPassword } from '../people/password.ts'
import { answer, isSameText } from '../request.ts'
import type { Ticket, Tickets } from '../people/tickets.ts'
import { longestLogin, type Users } from '../people/users.ts'

export interface WelcomeDeps {
  readonly users: Users
  readonly tickets: Tickets
  readonly audit: Audit
  readonly accountPages: InLanguage<AccountPages>
  readonly csrfKey: string
  /** The account has a new password: whoever is signed in by the old one is to be signed out. */
  readonly onNewPassword: (account: AccountId) => Promise<void>
  readonly removePasskeys: (account: AccountId) => Promise<void>
}

/** Whoever signs up must learn that a login is taken; one invitation is not to tell who else is here. */
const mostTaken = 5

const form = z.object({
  login: z.string().max(longestLogin).default(''),
  name: z.string().max(300).default(''),
  password: z.string().max(longestPassword),
})

type Person = Readonly<z.infer<typeof form>>

type Redeemed =
  | { readonly kind: 'served' }
  | { readonly kind: 'used-up' }
  | { readonly kind: 'refused'; readonly problem: FormProblem }

export function createWelcome(deps: WelcomeDeps): Router {
  const { users, tickets, audit, accountPages, csrfKey } = deps
  const router = express.Router()
  router.use('/welcome', express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 10 }))

  router.get(
    '/welcome/:code',
    answer(async (req, res) => {
      const ticket = await tickets.look(codeOf(req))
      if (ticket === undefined) return showUsedUp(req, res)
      const user = ticket.kind === 'reset' ? await users.findByAccount(ticket.accountId) : undefined
      show(req, res, ticket, user === undefined ? {} : { login: user.login })
    }),
  )

  router.post(
    '/welcome/:code',
    answer(async (req, res) => {
      const ticket = await tickets.look(codeOf(req))
      if (ticket === undefined) return showUsedUp(req, res)
      if (!isSameText(req.body?.csrf, csrfOf(req))) throw new BridgeError('invalid_request', 'not our form')
      const parsed = form.safeParse(req.body)
      const { login, name, password } = parsed.success ? parsed.data : { login: '', name: '', password: '' }
      const outcome = await redeem(codeOf(req), { login, name, password })
      if (outcome.kind === 'used-up') return showUsedUp(req, res)
      if (outcome.kind === 'refused')
        return show(req, res.status(422), ticket, { login, name, problem: outcome.problem })
      res.send(accountPages(req).ticketDone(ticket.kind))
    }),
  )

  return router

  /** Of several posts of one link at once, one is served and the others find it gone; a form that fails gives it back. */
  async function redeem(code: string, person: Person): Promise<Redeemed> {
    const taken = await tickets.redeem(code)
    if (taken === undefined) return { kind: 'used-up' }
    const ticket = taken.value
    try {
      if (ticket.kind === 'invitation' && (await users.find(person.login, ticket.tenant)) !== undefined) {
        const count = (ticket.taken ?? 0) + 1
        if (count > mostTaken) return { kind: 'used-up' }
        await tickets.restore(code, { ...taken, value: { ...ticket, taken: count } })
        return { kind: 'refused', problem: { kind: 'unfit', faults: ['login_taken'] } }
      }
      const account = await serve(ticket, person)
      await audit.write(account, ticket.kind === 'reset' ? 'password-reset' : 'signed-up')
      return { kind: 'served' }
    } catch (error) {
      await tickets.restore(code, taken)
      if (error instanceof UnfitPerson) return { kind: 'refused', problem: { kind: 'unfit', faults: error.faults } }
      throw error
    }
  }

  async function serve(ticket: Ticket, person: Person): Promise<AccountId> {
    if (ticket.kind === 'invitation') {
      return users.create({
        ...person,
        isSelfNamed: true,
        ...(ticket.tenant !== undefined && { tenant: ticket.tenant }),
      })
    }
    // Who had to ask for a reset may have lost more than a password.
    await users.setPassword(ticket.accountId, person.password, { endsPasskeys: true })
    await deps.removePasskeys(ticket.accountId)
    await deps.onNewPassword(ticket.accountId)
    return ticket.accountId
  }

  function show(
    req: Request,
    res: Response,
    { kind }: Ticket,
    more: { login?: string; name?: string; problem?: FormProblem },
  ): void {
    res.send(accountPages(req).ticket({ action: `${req.baseUrl}${req.path}`, csrf: csrfOf(req), kind, ...more }))
  }

  function showUsedUp(req: Request, res: Response): void {
    res.status(404).send(accountPages(req).ticketUsedUp())
  }

  /** The code is the secret that ties the form to whoever was given the link. */
  function csrfOf(req: Request): string {
    return createHmac('sha256', csrfKey)
      .update(`welcome ${codeOf(req)}`)
      .digest('base64url')
  }
}

const codeOf = (req: Request): string => String(req.params['code']).slice(0, 100)
