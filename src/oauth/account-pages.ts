/** The pages of one's own account: connected assistants, sharing, passkeys, history; and the two ways in for a new person. */
import type { AuditEntry, AuditKind } from './audit.ts'
import { type Brand, type Html, markup, nothing, page } from './markup.ts'
import { alertOf, credentialsForm, upstreamForm, type SignInView } from './pages.ts'
import { passkeyForm, passkeyScript, type PasskeyView } from './passkey-form.ts'
import type { Passkey } from './passkeys.ts'
import type { User } from './users.ts'

export interface LinkView {
  readonly grantId: string
  readonly name: string
  readonly madeAt: number
  readonly usedAt?: number
}

export interface SharedCamera {
  readonly id: string
  readonly name: string
  readonly guests: readonly { readonly accountId: string; readonly login: string; readonly mayTalk: boolean }[]
}

export interface AccountView {
  readonly user: User
  /** Path of the account page; its forms post below it. */
  readonly base: string
  readonly csrf: string
  readonly links: readonly LinkView[]
  readonly cameras: readonly SharedCamera[]
  readonly passkeys: readonly Passkey[]
  readonly passkey?: PasskeyView
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

export type AccountSignIn = Omit<SignInView, 'asker' | 'cancel'>

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
  const body = markup`<h1>${user.name}</h1>
    <p class="soft">${user.login}</p>
    ${view.done === undefined ? nothing : markup`<p class="done" role="status">${view.done}</p>`}
    ${alertOf(view.problem)}
    <h2>Connected assistants</h2>
    ${view.links.length === 0 ? markup`<p class="soft">None. Link one in its app: enable the skill in the Alexa app, or add the service in the Google Home app.</p>` : nothing}
    <ul class="rows">
      ${view.links.map(
        (link) => markup`<li>
        <p><strong>${link.name}</strong><span class="soft">Connected ${day(link.madeAt)} · ${lastUsed(link.usedAt)}</span></p>
        ${button(`${base}/links/end`, csrf, { grant: link.grantId }, 'Remove', `Remove ${link.name}, connected ${day(link.madeAt)}`)}
      </li>`,
      )}
    </ul>
    ${view.cameras.map((camera) => sharing(camera, base, csrf))}
    <h2>Passkeys</h2>
    ${view.passkeys.length === 0 ? markup`<p class="soft">None. With a passkey you sign in by fingerprint, face or device PIN instead of a password.</p>` : nothing}
    <ul class="rows">
      ${view.passkeys.map(
        (passkey) => markup`<li>
        <p><strong>Passkey</strong><span class="soft">Made ${day(passkey.createdAt)} · ${lastUsed(passkey.usedAt)}</span></p>
        ${button(`${base}/passkeys/remove`, csrf, { passkey: passkey.id }, 'Remove', `Remove the passkey made ${day(passkey.createdAt)}`)}
      </li>`,
      )}
    </ul>
    ${view.passkey === undefined ? nothing : passkeyForm(view.passkey, csrf, 'Add a passkey')}
    <h2>What happened</h2>
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

function sharing(camera: SharedCamera, base: string, csrf: string): Html {
  return markup`<h2>${camera.name}</h2>
    <ul class="rows">
      ${camera.guests.map(
        (guest) => markup`<li>
        <p><strong>${guest.login}</strong><span class="soft">${guest.mayTalk ? 'May view and talk' : 'May view'}</span></p>
        ${button(`${base}/shares/end`, csrf, { camera: camera.id, account: guest.accountId }, 'Remove', `Stop sharing ${camera.name} with ${guest.login}`)}
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
        <div class="actions"><button class="button" type="submit">Share</button></div>
      </form>
    </details>`
}

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
      <p class="soft hint" id="rule">At least 8 characters, and not a common password. A few words in a row are easy to remember.</p>
      <div class="actions"><button class="button primary" type="submit">${isInvitation ? 'Create account' : 'Set password'}</button></div>
    </form>`
  return page(brand, view.problem === undefined ? title : `Error: ${title}`, body)
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
  'password-reset': 'New password',
  'passkey-added': 'Passkey added',
  'passkey-removed': 'Passkey removed',
  shared: 'Shared',
  unshared: 'No longer shared',
}

/** In UTC, which is the same for everybody; the server does not know where the reader is. */
const day = (at: number): string => new Date(at).toISOString().slice(0, 10)
const minute = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
const lastUsed = (at: number | undefined): string => (at === undefined ? 'not used yet' : `last used ${minute(at)}`)
