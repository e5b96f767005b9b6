/** The pages of one's own account: connected assistants, sharing, passkeys, history; and the two ways in for a new person. */
import type { AuditEntry, AuditKind } from '../people/audit.ts'
import { type Brand, type Html, markup, nothing, page } from './markup.ts'
import { alertOf, credentialsForm, upstreamForm, type SignInView } from './pages.ts'
import { passkeyForm, passkeyScript, type PasskeyView } from './passkey-form.ts'
import type { Passkey } from '../people/passkeys.ts'
import type { OpenInvitation, SharedCamera, Sharing, ShownRights } from '../people/sharing.ts'
import type { LinkView } from '../provider/links.ts'
import type { SignedIn } from '../provider/sessions.ts'
import type { User } from '../people/users.ts'

export interface AccountView {
  readonly user: User
  /** Path of the account page; its forms post below it. */
  readonly base: string
  readonly csrf: string
  readonly links: readonly LinkView[]
  /** Opens the Google Home app where the account is linked. */
  readonly homeAppLink?: string
  readonly cameras: readonly SharedCamera[]
  readonly invitations: readonly OpenInvitation[]
  /** What others share with this person. */
  readonly received: Awaited<ReturnType<Sharing['received']>>
  readonly sessions: readonly (SignedIn & { readonly isThis: boolean })[]
  /** False where another provider signs people in. */
  readonly hasPassword: boolean
  readonly passkeys: readonly Passkey[]
  /** Add one; where passkeys are offered. */
  readonly passkey?: PasskeyView
  /** Show one, to be let add another. */
  readonly confirm?: PasskeyView
  /** The password or a passkey was just given again. */
  readonly isConfirmed: boolean
  /** The way back to our own page. */
  readonly consoleUri?: string
  readonly history: readonly AuditEntry[]
  /** What was just done, or why not. */
  readonly done?: string
  readonly problem?: string
}

export interface TicketView {
  readonly action: string
  readonly csrf: string
  readonly kind: 'invitation' | 'reset'
  readonly login?: string
  readonly name?: string
  readonly problem?: string
}

export type AccountSignIn = Omit<SignInView, 'asker' | 'cancel'> & { readonly done?: string }

export interface AccountPages {
  signIn(view: AccountSignIn): string
  account(view: AccountView): string
  ticket(view: TicketView): string
}

export function createAccountPages(brand: Brand): AccountPages {
  return {
    signIn(view) {
      const body = markup`<h1>Your ${brand.name} account</h1>
    <p>Sign in to see which assistants are connected, with whom your cameras are shared, and what happened.</p>
    ${view.done === undefined ? nothing : markup`<p class="done" role="status">${view.done}</p>`}
    ${alertOf(view.problem)}
    ${view.upstream === undefined ? credentialsForm(view) : upstreamForm(view, view.upstream)}
    ${view.passkey === undefined ? nothing : passkeyForm(view.passkey, view.csrf, 'Sign in with a passkey')}`
      const head = view.passkey === undefined ? nothing : passkeyScript(view.passkey)
      return page(brand, view.problem === undefined ? 'Sign in' : 'Error: sign in', body, head)
    },
    account: (view) => account(brand, view),
    ticket: (view) => ticket(brand, view),
  }
}

function account(brand: Brand, view: AccountView): string {
  const { user, base, csrf } = view
  const head = view.passkey === undefined ? nothing : passkeyScript(view.passkey)
  const body = markup`${view.consoleUri === undefined ? nothing : markup`<p class="way"><a href="${view.consoleUri}">Back to your cameras</a></p>`}
    <h1>${user.name}</h1>
    <p class="soft">${user.login}</p>
    ${view.done === undefined ? nothing : markup`<p class="done" role="status">${view.done}</p>`}
    ${alertOf(view.problem)}
    ${invitations(view)}
    ${assistants(view)}
    ${received(view)}
    ${view.cameras.map((camera) => sharing(camera, base, csrf))}
    ${browsers(view)}
    ${view.hasPassword ? passwordChange(view) : nothing}
    ${view.passkey === undefined ? nothing : passkeys(view, view.passkey)}
    <h2>Recent activity</h2>
    ${view.history.length === 0 ? markup`<p class="soft">Nothing yet.</p>` : nothing}
    <ol class="history">
      ${view.history.map(
        ({ kind, at, detail }) =>
          markup`<li><time class="soft" datetime="${new Date(at).toISOString()}">${minute(at)}</time> ${words[kind]}${detail === undefined ? '' : `: ${detail}`}</li>`,
      )}
    </ol>
    <div class="foot">${button(`${base}/logout`, csrf, {}, 'Sign out')}</div>`
  return page(brand, 'Your account', body, head)
}

function invitations({ invitations: open, base, csrf }: AccountView): Html {
  if (open.length === 0) return nothing
  return markup`<h2>Invitations</h2>
    <ul class="rows">
      ${open.map(({ id, camera, owner, ...rights }) => {
        const what = `${camera} of ${owner.login}`
        return markup`<li>
        <p><strong>${camera}</strong><span class="soft">${owner.name} (${owner.login}) shares it with you: you may ${mayDo(rights)}. The owner sees when you look.</span></p>
        <div>
          ${button(`${base}/invitations/accept`, csrf, { invitation: id }, 'Accept', `Accept ${what}`)}
          ${button(`${base}/invitations/decline`, csrf, { invitation: id }, 'Decline', `Decline ${what}`)}
        </div>
      </li>`
      })}
    </ul>`
}

const mayDo = ({ mayTalk, mayViewRecordings }: ShownRights): string => {
  if (mayViewRecordings) return mayTalk ? 'view, talk and see recordings' : 'view and see recordings'
  return mayTalk ? 'view and talk' : 'view'
}

function received({ received: cameras, base, csrf }: AccountView): Html {
  if (cameras.length === 0) return nothing
  return markup`<h2>Shared with you</h2>
    <ul class="rows">
      ${cameras.map(
        ({ id, name, owner, ...rights }) => markup`<li>
        <p><strong>${name}</strong><span class="soft">By ${owner} · you may ${mayDo(rights)}</span></p>
        ${asked('Leave', `Leave ${name} of ${owner}`, 'You will no longer see this camera, and only its owner can invite you again.', button(`${base}/received/leave`, csrf, { camera: id }, 'Yes, leave', `Yes, leave ${name} of ${owner}`))}
      </li>`,
      )}
    </ul>`
}

function assistants({ links, homeAppLink, base, csrf }: AccountView): Html {
  return markup`<h2>Connected assistants</h2>
    ${links.length === 0 ? markup`<p class="soft">None. Link one in its app: enable the skill (add-on) in the Alexa app, or add the service in the Google Home app.</p>` : nothing}
    ${homeAppLink === undefined ? nothing : markup`<p><a href="${homeAppLink}">Link with the Google Home app</a></p>`}
    <ul class="rows">
      ${links.map((link) => {
        const what = `${link.name}, connected ${day(link.madeAt)}`
        return markup`<li>
        <p><strong>${link.name}</strong><span class="soft">Connected ${day(link.madeAt)} · ${lastUsed(link.usedAt)}</span></p>
        ${asked('Remove', `Remove ${what}`, `${link.name} will no longer show your cameras or announce your doorbell.`, button(`${base}/links/end`, csrf, { grant: link.grantId }, 'Yes, remove', `Yes, remove ${what}`))}
      </li>`
      })}
    </ul>`
}

function browsers({ sessions, base, csrf }: AccountView): Html {
  const hasOthers = sessions.some(({ isThis }) => !isThis)
  return markup`<h2>Where you are signed in</h2>
    <ul class="rows">
      ${sessions.map(
        ({ id, browser, at, isThis }) => markup`<li>
        <p><strong>${browser}</strong><span class="soft">${isThis ? 'This browser · ' : ''}Signed in ${minute(at)}</span></p>
        ${isThis ? nothing : button(`${base}/sessions/end`, csrf, { session: id }, 'Sign out', `Sign out ${browser}, signed in ${minute(at)}`)}
      </li>`,
      )}
    </ul>
    ${hasOthers ? button(`${base}/sessions/end-others`, csrf, {}, 'Sign out every other browser') : nothing}`
}

function passwordChange({ user, base, csrf, passkeys: known }: AccountView): Html {
  return markup`<h2>Password</h2>
    <details>
      <summary>Change your password</summary>
      <form method="post" action="${base}/password">
        <input type="hidden" name="csrf" value="${csrf}" />
        <input type="hidden" name="username" autocomplete="username" value="${user.login}" />
        <label for="old">Current password</label>
        <input id="old" name="password" type="password" autocomplete="current-password" maxlength="256" required />
        <label for="next">New password</label>
        <input id="next" name="next" type="password" autocomplete="new-password" minlength="8" maxlength="256" required aria-describedby="rule" />
        <p class="soft hint" id="rule">${passwordRule} Every other browser will be signed out.</p>
        ${known.length === 0 ? nothing : markup`<label class="choice"><input type="checkbox" name="passkeys" value="remove" /> Also remove my passkeys</label>`}
        <div class="actions"><button class="button" type="submit">Change password</button></div>
      </form>
    </details>`
}

function passkeys(view: AccountView, passkey: PasskeyView): Html {
  const { base, csrf, confirm, isConfirmed } = view
  return markup`<h2>Passkeys</h2>
    ${view.passkeys.length === 0 ? markup`<p class="soft">None. With a passkey you sign in by fingerprint, face or device PIN instead of a password.</p>` : nothing}
    <ul class="rows">
      ${view.passkeys.map(({ id, createdAt, usedAt }) => {
        const what = `the passkey made ${day(createdAt)}`
        return markup`<li>
        <p><strong>Passkey</strong><span class="soft">Made ${day(createdAt)} · ${lastUsed(usedAt)}</span></p>
        ${asked('Remove', `Remove ${what}`, 'You will no longer be able to sign in with it.', button(`${base}/passkeys/remove`, csrf, { passkey: id }, 'Yes, remove', `Yes, remove ${what}`))}
      </li>`
      })}
    </ul>
    ${
      isConfirmed
        ? passkeyForm(passkey, csrf, 'Add a passkey')
        : markup`<details>
      <summary>Add a passkey</summary>
      <p class="soft">A passkey signs in without your password, so please confirm first that this is you.</p>
      ${
        view.hasPassword
          ? markup`<form method="post" action="${base}/confirm">
        <input type="hidden" name="csrf" value="${csrf}" />
        <label for="confirm">Password</label>
        <input id="confirm" name="password" type="password" autocomplete="current-password" maxlength="256" required />
        <div class="actions"><button class="button" type="submit">Confirm</button></div>
      </form>`
          : nothing
      }
      ${view.passkeys.length === 0 || confirm === undefined ? nothing : passkeyForm(confirm, csrf, 'Confirm with a passkey')}
    </details>`
    }`
}

function sharing(camera: SharedCamera, base: string, csrf: string): Html {
  return markup`<h2>${camera.name}</h2>
    <ul class="rows">
      ${camera.guests.map(
        (guest) => markup`<li>
        <p><strong>${guest.login}</strong><span class="soft">${guest.isInvited ? 'Invited, no answer yet · may' : 'May'} ${mayDo(guest)}</span></p>
        ${button(`${base}/shares/end`, csrf, { camera: camera.id, login: guest.login }, guest.isInvited ? 'Withdraw' : 'Remove', guest.isInvited ? `Withdraw the invitation of ${guest.login} to ${camera.name}` : `Remove ${guest.login} from ${camera.name}`)}
      </li>`,
      )}
    </ul>
    <details>
      <summary>Share ${camera.name}</summary>
      <form method="post" action="${base}/shares">
        <input type="hidden" name="csrf" value="${csrf}" />
        <input type="hidden" name="camera" value="${camera.id}" />
        <label for="guest-${camera.id}">Login of the other person</label>
        <input id="guest-${camera.id}" name="login" type="text" autocomplete="off" autocapitalize="none" maxlength="254" required />
        <fieldset>
          <legend>The other person may</legend>
          <label class="choice"><input type="radio" name="talk" value="no" checked /> view</label>
          <label class="choice"><input type="radio" name="talk" value="yes" /> view and talk</label>
        </fieldset>
        <p class="soft hint">The other person is asked first, within 14 days. You will see when they look.</p>
        <div class="actions"><button class="button" type="submit">Invite</button></div>
      </form>
    </details>`
}

const passwordRule = 'At least 8 characters, and not a common password. A few words in a row are easy to remember.'

function ticket(brand: Brand, view: TicketView): string {
  const isInvitation = view.kind === 'invitation'
  const title = isInvitation ? 'Create your account' : 'Choose a new password'
  const invalid = alertOf(view.problem)
  const body = markup`<h1>${title}</h1>
    ${invalid}
    <form method="post" action="${view.action}">
      <input type="hidden" name="csrf" value="${view.csrf}" />
      ${
        isInvitation
          ? markup`<label for="name">Your name</label>
      <input id="name" name="name" type="text" autocomplete="name" maxlength="100" required value="${view.name ?? ''}" />
      <label for="login">Login</label>
      <input id="login" name="login" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="254" required value="${view.login ?? ''}" />`
          : markup`<input type="hidden" name="username" autocomplete="username" value="${view.login ?? ''}" />`
      }
      <label for="password">${isInvitation ? 'Password' : 'New password'}</label>
      <input id="password" name="password" type="password" autocomplete="new-password" minlength="8" maxlength="256" required aria-describedby="rule" />
      <p class="soft hint" id="rule">${passwordRule}</p>
      <div class="actions"><button class="button primary" type="submit">${isInvitation ? 'Create account' : 'Set password'}</button></div>
    </form>`
  return page(brand, view.problem === undefined ? title : `Error: ${title}`, body)
}

/** What cannot be undone is asked for twice, without a script. */
function asked(says: string, label: string, warning: string, form: Html): Html {
  return markup`<details class="asked">
          <summary aria-label="${label}">${says}</summary>
          <p class="soft">${warning}</p>
          ${form}
        </details>`
}

/** A form that is one button. `label` says to a screen reader which of many it is. */
function button(action: string, csrf: string, fields: Record<string, string>, says: string, label = says): Html {
  return markup`<form method="post" action="${action}">
          <input type="hidden" name="csrf" value="${csrf}" />
          ${Object.entries(fields).map(([name, value]) => markup`<input type="hidden" name="${name}" value="${value}" />`)}
          <button class="quiet" type="submit" aria-label="${label}">${says}</button>
        </form>`
}

const words: Record<AuditKind, string> = {
  linked: 'Connected',
  unlinked: 'Disconnected',
  'token-reused': 'Disconnected, because a token was used by two parties',
  'login-failed': 'Wrong password',
  'signed-up': 'Account created',
  'signed-in': 'Signed in',
  'signed-out': 'Signed out',
  'password-reset': 'New password by a link of the operator; every browser was signed out',
  'password-changed': 'Password changed',
  'passkey-added': 'Passkey added',
  'passkey-removed': 'Passkey removed',
  shared: 'Shared',
  invited: 'Invited',
  left: 'No longer shared, because the guest left',
  unshared: 'No longer shared',
  'recording-viewed': 'Recording viewed',
  'account-removed': 'Account removed',
}

/** In UTC, which is the same for everybody; the server does not know where the reader is. */
const day = (at: number): string => new Date(at).toISOString().slice(0, 10)
const minute = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
const lastUsed = (at: number | undefined): string => (at === undefined ? 'not used yet' : `last used ${minute(at)}`)
