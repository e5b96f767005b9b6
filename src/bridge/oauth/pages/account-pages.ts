/** The pages of one's own account: connected assistants, sharing, passkeys, history; and the two ways in for a new person. */
import type { AuditEntry } from '../people/audit.ts'
import type { FormProblem } from '../people/person-faults.ts'
import { noteOf } from './account-notes.ts'
import { deletion, type DeletionView } from './deletion-page.ts'
import { type Html, markup, nothing, page } from './markup.ts'
import {
  alertOf,
  credentialsForm,
  message,
  titleOf,
  upstreamForm,
  type SignInView,
  type Voice,
  type Ways,
} from './pages.ts'
import { passkeyForm, passkeyScript, type PasskeyView } from './passkey-form.ts'
import type { Passkey } from '../people/passkeys.ts'
import type { OpenInvitation, SharedCamera, Sharing } from '../people/sharing.ts'
import type { LinkView } from '../provider/links.ts'
import type { SignedIn } from '../provider/sessions.ts'
import type { User } from '../people/users.ts'
import type { Words } from './words/en.ts'

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
  readonly history: readonly AuditEntry[]
  /** What was just done: the name of a note, or of none. Or why it could not be. */
  readonly note?: string
  readonly problem?: FormProblem
}

export interface TicketView {
  readonly action: string
  readonly csrf: string
  readonly kind: 'invitation' | 'reset'
  readonly login?: string
  readonly name?: string
  readonly problem?: FormProblem
}

export type AccountSignIn = Omit<SignInView, 'asker' | 'cancel'> & { readonly note?: string }

export interface AccountPages {
  signIn(view: AccountSignIn): string
  account(view: AccountView): string
  deletion(view: DeletionView): string
  ticket(view: TicketView): string
  ticketDone(kind: TicketView['kind']): string
  ticketUsedUp(): string
}

/** The pages of an account, with this name, in this language. */
export function createAccountPages(voice: Voice): AccountPages {
  const { welcome } = voice.words
  return {
    signIn: (view) => signIn(voice, view),
    account: (view) => account(voice, view),
    deletion: (view) => deletion(voice, view),
    ticket: (view) => ticket(voice, view),
    ticketDone: (kind) => message(voice, { title: welcome[kind].doneTitle, text: welcome[kind].done }),
    ticketUsedUp: () => message(voice, welcome.usedUp),
  }
}

function signIn({ brand, ways, words }: Voice, view: AccountSignIn): string {
  const body = markup`${wayBack(ways, words)}
    <h1>${words.account.signInHeading(brand.name)}</h1>
    <p>${words.account.signInText}</p>
    ${noteIn(view.note, words)}
    ${alertOf(view.problem, words)}
    ${view.upstream === undefined ? credentialsForm(view, words) : upstreamForm(view, view.upstream, words)}
    ${view.passkey === undefined ? nothing : passkeyForm(view.passkey, view.csrf, words.signIn.passkey, words)}`
  const head = view.passkey === undefined ? nothing : passkeyScript(view.passkey)
  return page(brand, words.language, titleOf(words.signIn.title, view.problem, words), body, head)
}

const wayBack = ({ cameras }: Ways, { account: say }: Words): Html =>
  cameras === undefined ? nothing : markup`<p class="way"><a href="${cameras}">${say.back}</a></p>`

function noteIn(name: string | undefined, words: Words): Html {
  const note = name === undefined ? undefined : noteOf(name, words)
  if (note === undefined) return nothing
  if (note.isBad) return markup`<p class="alert" id="problem" role="alert">${note.text}</p>`
  return markup`<p class="done" role="status">${note.text}</p>`
}

function account({ brand, ways, words }: Voice, view: AccountView): string {
  const { user, base, csrf } = view
  const { account: say } = words
  const head = view.passkey === undefined ? nothing : passkeyScript(view.passkey)
  const body = markup`${wayBack(ways, words)}
    <h1>${user.name}</h1>
    <p class="soft">${user.login}</p>
    ${noteIn(view.note, words)}
    ${alertOf(view.problem, words)}
    ${invitations(view, say)}
    ${assistants(view, words)}
    ${received(view, say)}
    ${view.cameras.map((camera) => sharing(camera, view, say))}
    ${browsers(view, words)}
    ${view.hasPassword ? passwordChange(view, words) : nothing}
    ${view.passkey === undefined ? nothing : passkeys(view, view.passkey, words)}
    ${data(view, say)}
    <h2>${say.history}</h2>
    ${view.history.length === 0 ? markup`<p class="soft">${say.none}</p>` : nothing}
    <ol class="history">
      ${view.history.map(
        ({ kind, at, detail }) =>
          markup`<li><time class="soft" datetime="${new Date(at).toISOString()}">${words.minute(at)}</time> ${say.kinds[kind]}${detailOf(detail, words)}</li>`,
      )}
    </ol>
    <div class="foot">${button(`${base}/logout`, csrf, {}, say.signOut)}</div>`
  return page(brand, words.language, say.title, body, head)
}

/** As it was written down, in English. */
function detailOf(detail: string | undefined, { language }: Words): Html {
  if (detail === undefined) return nothing
  return language === 'en' ? markup`: ${detail}` : markup`: <span lang="en">${detail}</span>`
}

type Say = Words['account']

function invitations({ invitations: open, base, csrf }: AccountView, say: Say): Html {
  if (open.length === 0) return nothing
  return markup`<h2>${say.invitations}</h2>
    <ul class="rows">
      ${open.map(
        ({ id, camera, owner, ...rights }) => markup`<li>
        <p><strong>${camera}</strong><span class="soft">${say.offer(owner.name, owner.login, say.may(rights))}</span></p>
        <div>
          ${button(`${base}/invitations/accept`, csrf, { invitation: id }, say.accept, say.acceptOf(camera, owner.login))}
          ${button(`${base}/invitations/decline`, csrf, { invitation: id }, say.decline, say.declineOf(camera, owner.login))}
        </div>
      </li>`,
      )}
    </ul>`
}

function received({ received: cameras, base, csrf }: AccountView, say: Say): Html {
  if (cameras.length === 0) return nothing
  return markup`<h2>${say.received}</h2>
    <ul class="rows">
      ${cameras.map(({ id, name, owner, ...rights }) => {
        const leave = button(
          `${base}/received/leave`,
          csrf,
          { camera: id },
          say.reallyLeave,
          say.reallyLeaveOf(name, owner),
        )
        return markup`<li>
        <p><strong>${name}</strong><span class="soft">${say.receivedFrom(owner, say.may(rights))}</span></p>
        ${asked(say.leave, say.leaveOf(name, owner), say.leaveWarning, leave)}
      </li>`
      })}
    </ul>`
}

function assistants({ links, homeAppLink, base, csrf }: AccountView, words: Words): Html {
  const { account: say, day } = words
  return markup`<h2>${say.assistants}</h2>
    ${links.length === 0 ? markup`<p class="soft">${say.noAssistant}</p>` : nothing}
    ${homeAppLink === undefined ? nothing : markup`<p><a href="${homeAppLink}">${say.homeApp}</a></p>`}
    <ul class="rows">
      ${links.map((link) => {
        const what = say.linkOf(link.name, day(link.madeAt))
        const fields = { grant: link.grantId }
        const end = button(`${base}/links/end`, csrf, fields, say.reallyRemove, say.reallyRemoveOf(what))
        return markup`<li>
        <p><strong>${link.name}</strong><span class="soft">${say.connected(day(link.madeAt))} · ${lastUsed(link.usedAt, words)}</span></p>
        ${asked(say.remove, say.removeOf(what), say.unlinkWarning(link.name), end)}
      </li>`
      })}
    </ul>`
}

function browsers({ sessions, base, csrf }: AccountView, { account: say, minute }: Words): Html {
  const hasOthers = sessions.some(({ isThis }) => !isThis)
  return markup`<h2>${say.browsers}</h2>
    <ul class="rows">
      ${sessions.map(({ id, browser: { browser, system }, at, isThis }) => {
        const name = say.browser(browser, system)
        const end = button(`${base}/sessions/end`, csrf, { session: id }, say.signOut, say.signOutOf(name, minute(at)))
        return markup`<li>
        <p><strong>${name}</strong><span class="soft">${isThis ? `${say.thisBrowser} · ` : ''}${say.signedIn(minute(at))}</span></p>
        ${isThis ? nothing : end}
      </li>`
      })}
    </ul>
    ${hasOthers ? button(`${base}/sessions/end-others`, csrf, {}, say.signOutOthers) : nothing}`
}

function passwordChange({ user, base, csrf, passkeys: known }: AccountView, words: Words): Html {
  const { account: say } = words
  return markup`<h2>${say.password}</h2>
    <details>
      <summary>${say.changePassword}</summary>
      <form method="post" action="${base}/password">
        <input type="hidden" name="csrf" value="${csrf}" />
        <input type="hidden" name="username" autocomplete="username" value="${user.login}" />
        <label for="old">${say.oldPassword}</label>
        <input id="old" name="password" type="password" autocomplete="current-password" maxlength="256" required />
        <label for="next">${say.newPassword}</label>
        <input id="next" name="next" type="password" autocomplete="new-password" minlength="8" maxlength="256" required aria-describedby="rule" />
        <p class="soft hint" id="rule">${words.welcome.rule} ${say.othersSignedOut}</p>
        ${known.length === 0 ? nothing : markup`<label class="choice"><input type="checkbox" name="passkeys" value="remove" /> ${say.alsoPasskeys}</label>`}
        <div class="actions"><button class="button" type="submit">${say.change}</button></div>
      </form>
    </details>`
}

function passkeys(view: AccountView, passkey: PasskeyView, words: Words): Html {
  const { base, csrf } = view
  const { account: say, day } = words
  return markup`<h2>${say.passkeys}</h2>
    ${view.passkeys.length === 0 ? markup`<p class="soft">${say.noPasskey}</p>` : nothing}
    <ul class="rows">
      ${view.passkeys.map(({ id, createdAt, usedAt }) => {
        const what = say.passkeyOf(day(createdAt))
        const remove = button(
          `${base}/passkeys/remove`,
          csrf,
          { passkey: id },
          say.reallyRemove,
          say.reallyRemoveOf(what),
        )
        return markup`<li>
        <p><strong>${say.passkey}</strong><span class="soft">${say.made(day(createdAt))} · ${lastUsed(usedAt, words)}</span></p>
        ${asked(say.remove, say.removeOf(what), say.passkeyWarning, remove)}
      </li>`
      })}
    </ul>
    ${view.isConfirmed ? passkeyForm(passkey, csrf, say.addPasskey, words) : confirmation(view, words)}`
}

/** Before a passkey is added. */
function confirmation({ base, csrf, confirm, hasPassword, passkeys: known }: AccountView, words: Words): Html {
  const { account: say } = words
  const byPassword = markup`<form method="post" action="${base}/confirm">
        <input type="hidden" name="csrf" value="${csrf}" />
        <label for="confirm">${say.password}</label>
        <input id="confirm" name="password" type="password" autocomplete="current-password" maxlength="256" required />
        <div class="actions"><button class="button" type="submit">${say.confirm}</button></div>
      </form>`
  const hasPasskey = known.length > 0 && confirm !== undefined
  return markup`<details>
      <summary>${say.addPasskey}</summary>
      <p class="soft">${say.confirmFirst}</p>
      ${hasPassword ? byPassword : nothing}
      ${hasPasskey ? passkeyForm(confirm, csrf, say.confirmByPasskey, words) : nothing}
    </details>`
}

function data({ base }: AccountView, say: Say): Html {
  return markup`<h2>${say.data}</h2>
    <p class="way"><a href="${base}/data" aria-describedby="data">${say.download}</a></p>
    <p class="soft hint" id="data">${say.downloadHint}</p>
    <p class="way"><a href="${base}/delete">${say.deleteAccount}</a></p>`
}

function sharing(camera: SharedCamera, { base, csrf }: AccountView, say: Say): Html {
  return markup`<h2>${camera.name}</h2>
    <ul class="rows">
      ${camera.guests.map(({ login, isInvited, ...rights }) => {
        const end = (text: string, label: string) =>
          button(`${base}/shares/end`, csrf, { camera: camera.id, login }, text, label)
        return markup`<li>
        <p><strong>${login}</strong><span class="soft">${isInvited ? say.invited(say.may(rights)) : say.guest(say.may(rights))}</span></p>
        ${
          isInvited
            ? end(say.withdraw, say.withdrawOf(login, camera.name))
            : asked(
                say.remove,
                say.removeGuestOf(login, camera.name),
                say.removeGuestWarning,
                end(say.reallyRemove, say.reallyRemoveOf(say.guestOf(login, camera.name))),
              )
        }
      </li>`
      })}
    </ul>
    <details>
      <summary>${say.share(camera.name)}</summary>
      <form method="post" action="${base}/shares">
        <input type="hidden" name="csrf" value="${csrf}" />
        <input type="hidden" name="camera" value="${camera.id}" />
        <label for="guest-${camera.id}">${say.guestLogin}</label>
        <input id="guest-${camera.id}" name="login" type="text" autocomplete="off" autocapitalize="none" maxlength="254" required />
        <fieldset>
          <legend>${say.guestMay}</legend>
          <label class="choice"><input type="radio" name="talk" value="no" checked /> ${say.view}</label>
          <label class="choice"><input type="radio" name="talk" value="yes" /> ${say.viewAndTalk}</label>
        </fieldset>
        <p class="soft hint">${say.shareHint}</p>
        <div class="actions"><button class="button" type="submit">${say.invite}</button></div>
      </form>
    </details>`
}

function ticket({ brand, words }: Voice, view: TicketView): string {
  const { welcome: say, signIn } = words
  const { title, password, submit } = say[view.kind]
  const body = markup`<h1>${title}</h1>
    ${alertOf(view.problem, words)}
    <form method="post" action="${view.action}">
      <input type="hidden" name="csrf" value="${view.csrf}" />
      ${
        view.kind === 'invitation'
          ? markup`<label for="name">${say.name}</label>
      <input id="name" name="name" type="text" autocomplete="name" maxlength="100" required value="${view.name ?? ''}" />
      <label for="login">${signIn.login}</label>
      <input id="login" name="login" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="254" required value="${view.login ?? ''}" />`
          : markup`<input type="hidden" name="username" autocomplete="username" value="${view.login ?? ''}" />`
      }
      <label for="password">${password}</label>
      <input id="password" name="password" type="password" autocomplete="new-password" minlength="8" maxlength="256" required aria-describedby="rule" />
      <p class="soft hint" id="rule">${say.rule}</p>
      <div class="actions"><button class="button primary" type="submit">${submit}</button></div>
    </form>`
  return page(brand, words.language, titleOf(title, view.problem, words), body)
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

const lastUsed = (at: number | undefined, { account, minute }: Words): string =>
  at === undefined ? account.unused : account.lastUsed(minute(at))
