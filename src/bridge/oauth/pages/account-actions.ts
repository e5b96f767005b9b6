/** What people do on their account page. */
import type { Request, Response } from 'express'
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import type { AccountId } from 'transom-core/ports'
import type { NoteName } from './account-notes.ts'
import type { Audit } from '../people/audit.ts'
import type { KnownBrowsers } from '../people/known-browser.ts'
import { UnfitPerson } from '../people/person-faults.ts'
import type { Passkeys } from '../people/passkeys.ts'
import type { Sharing } from '../people/sharing.ts'
import { jsonOf } from '../request.ts'
import type { Accounts } from '../provider/accounts.ts'
import type { Current, Sessions } from '../provider/sessions.ts'
import type { SignIn, SignInRefusal } from '../people/sign-in.ts'
import { byPasskey, byPassword, passkeyOptions } from './sign-in-again.ts'
import type { Upstream } from '../people/upstream.ts'
import type { Users } from '../people/users.ts'

export interface ActionDeps {
  readonly accounts: Accounts
  readonly users: Users
  readonly signIn: SignIn
  readonly sessions: Sessions
  readonly browsers: KnownBrowsers
  readonly passkeys: Passkeys
  readonly upstream: Upstream | undefined
  readonly sharing: Sharing | undefined
  readonly audit: Audit
  readonly endLink: (account: AccountId, grantId: string) => Promise<boolean>
  /** The account has a new password: whoever is signed in by the old one is to be signed out. */
  readonly onNewPassword: (account: AccountId) => Promise<void>
}

/** A form that was posted by somebody who is signed in, from a page of ours. */
export interface Posted extends Current {
  readonly req: Request
  readonly res: Response
  /** Path of the account page. */
  readonly base: string
}

/** What to say on the page: by a redirect to it, or at once with what was wrong; nothing when it is answered already. */
type Outcome = NoteName | SignInRefusal | undefined
type Action = (posted: Posted) => Promise<Outcome>

const cameraField = z.string().max(256)
const shareForm = z.object({ camera: cameraField, login: z.string().max(300), talk: z.enum(['yes', 'no']) })
const shareEnd = z.object({ camera: cameraField, login: z.string().max(300) })
const invitationForm = z.object({ invitation: z.string().max(100) })
const newPassword = z.object({
  next: z.string().max(300),
  passkeys: z.enum(['keep', 'remove']).default('keep'),
})

/** By the path below the account page. */
export function accountActions(deps: ActionDeps): Readonly<Record<string, Action>> {
  return { ...sessionActions(deps), ...passwordActions(deps), ...passkeyActions(deps), ...linkActions(deps) }
}

/** The end of the account, by the path below its page. What was wrong is said on the page that asks for it. */
export function deletionActions(deps: ActionDeps): Readonly<Record<string, Action>> {
  return {
    async '/delete'(posted) {
      const result = await byPassword(deps, posted)
      return result.kind === 'refused' ? result : deleteAccount(deps, posted)
    },
    async '/delete/passkey/options'(posted) {
      posted.res.json(await passkeyOptions(deps, posted, 'delete'))
      return undefined
    },
    async '/delete/passkey'(posted) {
      const result = await byPasskey(deps, posted, 'delete')
      return result.kind === 'refused' ? result : deleteAccount(deps, posted)
    },
    async '/delete/upstream'({ res, base, user: { tenant }, secret }) {
      const way = { returnTo: `${base}/delete/upstream`, browser: `delete ${secret}`, isAgain: true }
      if (deps.upstream === undefined) return 'gone'
      res.redirect(303, await deps.upstream.begin({ ...way, ...(tenant !== undefined && { tenant }) }))
      return undefined
    },
  }
}

/** Call it only for somebody who has just shown again who they are. */
export async function deleteAccount(
  { accounts, sessions }: Pick<ActionDeps, 'accounts' | 'sessions'>,
  { req, res, user }: Pick<Posted, 'req' | 'res' | 'user'>,
): Promise<NoteName> {
  await accounts.remove(user, 'on the account page')
  // Its session is gone; its cookie goes with it.
  await sessions.leave(req, res)
  return 'deleted'
}

function sessionActions({ sessions, audit }: ActionDeps): Readonly<Record<string, Action>> {
  return {
    async '/logout'({ req, res, base }) {
      await sessions.leave(req, res)
      res.redirect(303, base)
      return undefined
    },
    async '/sessions/end'({ req, user }) {
      const { session } = z.object({ session: z.string().max(100) }).parse(req.body)
      const isEnded = await sessions.end(user.accountId, session)
      if (isEnded) await audit.write(user.accountId, 'signed-out', 'on the account page')
      return isEnded ? 'ended' : 'gone'
    },
    async '/sessions/end-others'({ user, id }) {
      await sessions.endAll(user.accountId, id)
      await audit.write(user.accountId, 'signed-out', 'every other browser')
      return 'allended'
    },
  }
}

function passwordActions(deps: ActionDeps): Readonly<Record<string, Action>> {
  const { users, sessions, passkeys, audit, onNewPassword } = deps
  return {
    async '/password'({ req, res, user }) {
      const form = newPassword.parse(req.body)
      const result = await byPassword(deps, { req, res, user })
      if (result.kind === 'refused') return result
      try {
        await users.setPassword(user.accountId, form.next, { endsPasskeys: form.passkeys === 'remove' })
      } catch (error) {
        if (!(error instanceof UnfitPerson)) throw error
        return { kind: 'refused', status: 422, problem: { kind: 'unfit', faults: error.faults } }
      }
      if (form.passkeys === 'remove') await passkeys.removeAll(user.accountId)
      await onNewPassword(user.accountId)
      // This browser goes on, in a session that nobody knew before.
      await sessions.begin(req, res, user.accountId)
      await audit.write(user.accountId, 'password-changed')
      return 'password'
    },
    /** Before what would outlive a browser that somebody left open: the password again, or a passkey. */
    async '/confirm'(posted) {
      const result = await byPassword(deps, posted)
      if (result.kind === 'refused') return result
      await sessions.confirm(posted.id)
      return 'confirmed'
    },
  }
}

function passkeyActions(deps: ActionDeps): Readonly<Record<string, Action>> {
  const { sessions, passkeys, audit } = deps
  return {
    async '/confirm/passkey/options'(posted) {
      posted.res.json(await passkeyOptions(deps, posted, 'confirm'))
      return undefined
    },
    async '/confirm/passkey'(posted) {
      const result = await byPasskey(deps, posted, 'confirm')
      if (result.kind === 'refused') return result
      await sessions.confirm(posted.id)
      return 'confirmed'
    },
    async '/passkeys/options'({ res, user, isConfirmed }) {
      if (!isConfirmed) res.status(403).json({ error: 'confirm first' })
      else res.json(await passkeys.registrationOptions(user))
      return undefined
    },
    async '/passkeys'({ req, user, isConfirmed }) {
      if (!isConfirmed) return 'unconfirmed'
      const isAdded = await passkeys.register(user, jsonOf(req.body?.credential))
      if (isAdded) await audit.write(user.accountId, 'passkey-added')
      return isAdded ? 'passkey' : 'nopasskey'
    },
    async '/passkeys/remove'({ req, user }) {
      const { passkey } = z.object({ passkey: z.string().max(100) }).parse(req.body)
      const isRemoved = await passkeys.remove(user.accountId, passkey)
      if (isRemoved) await audit.write(user.accountId, 'passkey-removed')
      return isRemoved ? 'removed' : 'gone'
    },
  }
}

function linkActions({ sharing, endLink }: ActionDeps): Readonly<Record<string, Action>> {
  return {
    async '/links/end'({ req, user }) {
      const { grant } = z.object({ grant: z.string().max(100) }).parse(req.body)
      return (await endLink(user.accountId, grant)) ? 'removed' : 'gone'
    },
    async '/shares'({ req, user }) {
      const { camera, login, talk } = shareForm.parse(req.body)
      return refusable('invited', async () => sharing?.invite(user, camera, login, { mayTalk: talk === 'yes' }))
    },
    async '/shares/end'({ req, user }) {
      const { camera, login } = shareEnd.parse(req.body)
      return refusable('unshared', async () => sharing?.withdraw(user, camera, login))
    },
    async '/invitations/accept'({ req, user }) {
      const { invitation } = invitationForm.parse(req.body)
      return refusable('accepted', async () => sharing?.accept(user, invitation))
    },
    async '/invitations/decline'({ req, user }) {
      const { invitation } = invitationForm.parse(req.body)
      return refusable('declined', async () => sharing?.decline(user, invitation))
    },
    async '/received/leave'({ req, user }) {
      const { camera } = z.object({ camera: cameraField }).parse(req.body)
      return refusable('left', async () => sharing?.leave(user.accountId, camera))
    },
  }
}

/** A share that cannot be is said on the page it was asked for on: nothing has expired. */
async function refusable(done: NoteName, work: () => Promise<boolean | undefined | void>): Promise<NoteName> {
  try {
    return (await work()) === false ? 'gone' : done
  } catch (error) {
    if (error instanceof BridgeError && ['invalid_request', 'camera_not_found'].includes(error.code)) return 'refused'
    throw error
  }
}
