/** The pages of account linking as HTML: no script, every value escaped. */
import type { Language } from 'transom-core/language'
import type { ClientKind } from 'transom-core/ports'
import { type Brand, type Html, markup, nothing, page, trusted } from './markup.ts'
import { languageFor, type Asking } from '../language.ts'
import type { FormProblem } from '../people/person-faults.ts'
import { passkeyForm, passkeyScript, type PasskeyView } from './passkey-form.ts'
import type { User } from '../people/users.ts'
import { de } from './words/de.ts'
import { en, type Words } from './words/en.ts'

/** Who asks to be linked: the name people know, and what kind of client it is. */
export interface Asker {
  readonly kind: ClientKind
  readonly name: string
}

export interface SignInView {
  readonly asker: Asker
  /** Where the form posts to, and where Cancel leads. */
  readonly action: string
  readonly cancel: string
  readonly csrf: string
  /** What was typed before, and what was wrong with it. */
  readonly login?: string
  readonly problem?: FormProblem
  /** Offered where the browser can; the page works without. */
  readonly passkey?: PasskeyView
  /** Instead of login and password: another provider signs people in, and this form leads there. */
  readonly upstream?: { readonly name: string; readonly action: string }
}

/** The page behind a one-time link. */
export interface EntryView {
  readonly user: User
  readonly action: string
  readonly csrf: string
}

export interface ConsentView {
  readonly asker: Asker
  readonly user: User
  /** Names of the cameras that this account may see now; those that come later are included in the consent. */
  readonly cameras: readonly string[]
  readonly agree: string
  readonly cancel: string
  readonly switchAccount: string
  readonly csrf: string
}

export interface Pages {
  signIn(view: SignInView): string
  consent(view: ConsentView): string
  entry(view: EntryView): string
  /** The pending request is gone: too old, already used, or of another browser. */
  expired(): string
  /** An OAuth error that cannot be told to the client, with its code for whoever set the client up. */
  refused(error: string, description?: string): string
  /** There is nothing at this address. */
  lost(): string
  /** Our own fault. */
  outage(): string
  /** The link that the start printed has been used. */
  entryUsedUp(): string
  /** Too many begin to link at this moment. */
  busy(): string
}

/** Where a page that goes no further leads on to. */
export interface Ways {
  readonly account: string
  /** Our own page, if there is one. */
  readonly cameras?: string
}

/** In whose name a page speaks, and in which language. */
export interface Voice {
  readonly brand: Brand
  readonly ways: Ways
  readonly words: Words
}

const catalogues: Readonly<Record<Language, Words>> = { en, de }

/** For the visitor of a request. `hints`: as in `languageFor`. */
export type InLanguage<T> = (asking: Asking, hints?: readonly string[]) => T

/** Makes pages for each language, and gives each visitor those of their own. */
export function inLanguages<T>(brand: Brand, ways: Ways, make: (voice: Voice) => T): InLanguage<T> {
  const all = { en: make({ brand, ways, words: catalogues.en }), de: make({ brand, ways, words: catalogues.de }) }
  const made: Readonly<Record<Language, T>> = all
  return (asking, hints) => made[languageFor(asking, brand.language, hints)]
}

/** The pages of linking and sign-in, with this name, in this language. */
export function createPages(voice: Voice): Pages {
  const { messages, entry: ofEntry } = voice.words
  return {
    signIn: (view) => signIn(voice, view),
    consent: (view) => consent(voice, view),
    entry: (view) => entry(voice, view),
    entryUsedUp: () => message(voice, ofEntry.usedUp),
    expired: () => message(voice, messages.expired),
    lost: () => message(voice, messages.lost),
    refused: (error, description) =>
      message(voice, messages.refused, description === undefined ? error : `${error}: ${description}`),
    outage: () => message(voice, messages.outage),
    busy: () => message(voice, messages.busy),
  }
}

function signIn(voice: Voice, view: SignInView): string {
  const { brand, words } = voice
  const { signIn: say } = words
  const body = markup`<h1>${say.heading(brand.name)}</h1>
    <p>${view.asker.kind === 'console' ? say.forConsole : say.forAsker(view.asker.name, brand.name)}</p>
    ${alertOf(view.problem, words)}
    ${view.upstream === undefined ? credentialsForm(view, words) : upstreamForm(view, view.upstream, words)}
    ${view.passkey === undefined ? nothing : passkeyForm(view.passkey, view.csrf, say.passkey, words)}`
  const head = view.passkey === undefined ? nothing : passkeyScript(view.passkey)
  return page(brand, words.language, titleOf(say.title, view.problem, words), body, head)
}

/** One button: a link preview opens pages, but presses nothing. */
function entry({ brand, words }: Voice, { user, action, csrf }: EntryView): string {
  const { entry: say, signIn } = words
  const body = markup`<h1>${say.heading(brand.name)}</h1>
    <div class="account">
      <span class="initial" aria-hidden="true">${initial(user.name)}</span>
      <p>
        <span>${say.as(user.name)}</span>
        <span class="soft">${user.login}</span>
      </p>
    </div>
    <form method="post" action="${action}">
      <input type="hidden" name="csrf" value="${csrf}" />
      <div class="actions"><button class="button primary" type="submit" autofocus>${signIn.signIn}</button></div>
    </form>`
  return page(brand, words.language, signIn.title, body)
}

/** The title of a page with a form, which a screen reader reads first. */
export const titleOf = (title: string, problem: FormProblem | undefined, words: Words): string =>
  problem === undefined ? title : words.errorTitle(title)

/** What went wrong with a form, above it. */
export function alertOf(problem: FormProblem | undefined, words: Words): Html {
  if (problem === undefined) return nothing
  return markup`<p class="alert" id="problem" role="alert">${problemText(problem, words)}</p>`
}

function problemText(problem: FormProblem, { problems }: Words): string {
  switch (problem.kind) {
    case 'too-many-attempts':
      return problems.tooManyAttempts(problem.minutes)
    case 'provider':
      return problems.provider(problem.name)
    case 'unfit':
      return problem.faults.map((fault) => problems.faults[fault]).join(' ')
    case 'busy':
    case 'incomplete':
    case 'wrong-login':
    case 'wrong-password':
    case 'unknown-passkey':
      return problems[problem.kind]
  }
}

/** Another provider asks for the password, so this page does not. */
export function upstreamForm(
  { csrf, cancel }: { readonly csrf: string; readonly cancel?: string },
  upstream: { readonly name: string; readonly action: string },
  { signIn: say }: Words,
): Html {
  return markup`<form method="post" action="${upstream.action}">
      <input type="hidden" name="csrf" value="${csrf}" />
      <div class="actions">
        <button class="button primary" type="submit">${say.continueWith(upstream.name)}</button>
        ${cancel === undefined ? nothing : markup`<a class="button" href="${cancel}">${say.cancel}</a>`}
      </div>
    </form>`
}

export function credentialsForm(
  view: Pick<SignInView, 'action' | 'csrf' | 'login' | 'problem'> & { readonly cancel?: string },
  { signIn: say }: Words,
): Html {
  const isInvalid = view.problem === undefined ? nothing : trusted('aria-invalid="true" aria-describedby="problem"')
  const autofocus = trusted('autofocus')
  return markup`<form method="post" action="${view.action}">
      <input type="hidden" name="csrf" value="${view.csrf}" />
      <label for="login">${say.login}</label>
      <input
        id="login"
        name="login"
        type="text"
        autocomplete="username"
        autocapitalize="none"
        autocorrect="off"
        spellcheck="false"
        maxlength="254"
        required
        value="${view.login ?? ''}"
        ${isInvalid}
        ${view.login ? nothing : autofocus}
      />
      <label for="password">${say.password}</label>
      <input
        id="password"
        name="password"
        type="password"
        autocomplete="current-password"
        maxlength="256"
        required
        ${isInvalid}
        ${view.login ? autofocus : nothing}
      />
      <div class="actions">
        <button class="button primary" type="submit">${say.signIn}</button>
        ${view.cancel === undefined ? nothing : markup`<a class="button" href="${view.cancel}">${say.cancel}</a>`}
      </div>
    </form>`
}

function consent({ brand, words }: Voice, view: ConsentView): string {
  const { name, kind } = view.asker
  const { consent: say } = words
  const body = markup`<h1>${say.heading(brand.name, name)}</h1>
    <div class="account">
      <span class="initial" aria-hidden="true">${initial(view.user.name)}</span>
      <p>
        <span>${say.as(view.user.name)}</span>
        <span class="soft">${view.user.login}</span>
      </p>
    </div>
    <h2>${say.allow(name)}</h2>
    <ul class="may">
      <li>${camerasNow(view.cameras, words)}</li>
      ${say.rights.map((right) => markup`<li>${right}</li>`)}
    </ul>
    <form method="post" action="${view.agree}">
      <input type="hidden" name="csrf" value="${view.csrf}" />
      <div class="actions">
        <button class="button primary" type="submit">${say.agree}</button>
        <a class="button" href="${view.cancel}">${words.signIn.cancel}</a>
      </div>
    </form>
    <form method="post" action="${view.switchAccount}">
      <input type="hidden" name="csrf" value="${view.csrf}" />
      <button class="quiet" type="submit">${say.otherAccount}</button>
    </form>
    <div class="foot soft">
      <p>${say.unlinking[kind]}</p>
      ${brand.privacyUrl === undefined ? nothing : markup`<p><a href="${brand.privacyUrl}">${say.privacy}</a></p>`}
    </div>`
  return page(brand, words.language, say.title(name), body)
}

/** Enough of them to recognise which house it is. */
const mostNamed = 12

function camerasNow(names: readonly string[], { consent: say }: Words): Html | string {
  if (names.length === 0) return say.see
  const shown = names.slice(0, mostNamed).join(', ')
  return say.seeNow(names.length > mostNamed ? say.more(shown, names.length - mostNamed) : shown)
}

function initial(name: string): string {
  const [first] = new Intl.Segmenter('en').segment(name)
  return first?.segment.toUpperCase() ?? ''
}

/** A page that only says something, and where to go from there. `detail`: for whoever runs the bridge. */
export function message(
  { brand, ways, words }: Voice,
  { title, text }: { readonly title: string; readonly text: string },
  detail?: string,
): string {
  const body = markup`<h1>${title}</h1>
    <p>${text}</p>
    ${detail === undefined ? nothing : markup`<p class="soft">${words.messages.forOperator} <code>${detail}</code></p>`}
    <div class="actions">
      ${ways.cameras === undefined ? nothing : markup`<a class="button" href="${ways.cameras}">${words.ways.cameras}</a>`}
      <a class="button" href="${ways.account}">${words.ways.account}</a>
    </div>`
  return page(brand, words.language, title, body)
}
