/** The page before an account is deleted: what goes, what stays, and a form that only its person can fill in. */
import type { FormProblem } from '../people/person-faults.ts'
import { type Html, markup, nothing, page } from './markup.ts'
import { alertOf, titleOf, type Voice } from './pages.ts'
import { passkeyForm, passkeyScript, type PasskeyView } from './passkey-form.ts'
import type { User } from '../people/users.ts'

export interface DeletionView {
  readonly user: User
  /** Path of the account page. */
  readonly base: string
  readonly csrf: string
  /** Nobody else has an account on this bridge. */
  readonly isLast: boolean
  readonly hasPassword: boolean
  /** Of somebody who has one. */
  readonly passkey?: PasskeyView
  /** The name of the other provider that signs people in. */
  readonly provider?: string
  readonly problem?: FormProblem
}

export function deletion({ brand, words }: Voice, view: DeletionView): string {
  const { base, csrf, user, passkey, provider } = view
  const { deletion: say } = words
  const byPassword = markup`<form method="post" action="${base}/delete">
      <input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="username" autocomplete="username" value="${user.login}" />
      <label for="password">${say.password}</label>
      <input id="password" name="password" type="password" autocomplete="current-password" maxlength="256" required />
      <div class="actions"><button class="button primary" type="submit">${say.submit}</button></div>
    </form>`
  const body = markup`<p class="way"><a href="${base}">${say.keep}</a></p>
    <h1>${say.title}</h1>
    ${alertOf(view.problem, words)}
    <p>${say.who(user.name, user.login)}</p>
    ${view.isLast ? markup`<p>${say.last}</p>` : nothing}
    <h2>${say.goes}</h2>
    ${list(say.going)}
    <h2>${say.stays}</h2>
    ${list(say.staying)}
    <p class="way"><a href="${base}/data">${say.downloadFirst}</a></p>
    <p>${say.confirm}</p>
    ${view.hasPassword ? byPassword : nothing}
    ${passkey === undefined ? nothing : passkeyForm(passkey, csrf, say.byPasskey, words)}
    ${
      provider === undefined
        ? nothing
        : markup`<form method="post" action="${base}/delete/upstream">
      <input type="hidden" name="csrf" value="${csrf}" />
      <div class="actions"><button class="button primary" type="submit">${say.byProvider(provider)}</button></div>
    </form>`
    }
    <div class="actions"><a class="button" href="${base}">${say.keep}</a></div>`
  const head = passkey === undefined ? nothing : passkeyScript(passkey)
  return page(brand, words.language, titleOf(say.title, view.problem, words), body, head)
}

const list = (items: readonly string[]): Html => markup`<ul>${items.map((item) => markup`<li>${item}</li>`)}</ul>`
