/** The pages of account linking as HTML: no script, every value escaped. */
import type { ClientKind } from 'transom-core/ports'
import { type Brand, type Html, markup, nothing, page, trusted } from './markup.ts'
import { passkeyForm, passkeyScript, type PasskeyView } from './passkey-form.ts'
import type { User } from '../people/users.ts'

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
  readonly problem?: string
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
  /** Our own fault. */
  outage(): string
  /** Any other short word to the visitor. */
  note(title: string, text: string): string
}

export function createPages(brand: Brand): Pages {
  return {
    signIn: (view) => signIn(brand, view),
    consent: (view) => consent(brand, view),
    entry: (view) => entry(brand, view),
    expired: () =>
      message(
        brand,
        'This page has expired',
        'Linking was finished already, took too long, or began in another browser. Please start again in the assistant’s app. If cookies are blocked, allow them for this site.',
      ),
    refused: (error, description) =>
      message(
        brand,
        'This request cannot be answered',
        'The assistant that sent you here asked in a way that does not fit how it is registered. Nothing was linked.',
        description === undefined ? error : `${error}: ${description}`,
      ),
    outage: () =>
      message(
        brand,
        'Something went wrong here',
        'The fault is ours and nothing was linked. Please try again in a minute.',
      ),
    note: (title, text) => message(brand, title, text),
  }
}

function signIn(brand: Brand, view: SignInView): string {
  const body = markup`<h1>Sign in to ${brand.name}</h1>
    <p>${whyToSignIn(brand, view.asker)}</p>
    ${alertOf(view.problem)}
    ${view.upstream === undefined ? credentialsForm(view) : upstreamForm(view, view.upstream)}
    ${view.passkey === undefined ? nothing : passkeyForm(view.passkey, view.csrf, 'Sign in with a passkey')}`
  const head = view.passkey === undefined ? nothing : passkeyScript(view.passkey)
  return page(brand, view.problem === undefined ? 'Sign in' : 'Error: sign in', body, head)
}

function whyToSignIn(brand: Brand, { kind, name }: Asker): string {
  if (kind === 'console') return 'Sign in to see your cameras.'
  return `${name} asks to be linked with your ${brand.name} account. After signing in you see what for, and decide.`
}

/** One button: a link preview opens pages, but presses nothing. */
function entry(brand: Brand, { user, action, csrf }: EntryView): string {
  const body = markup`<h1>Welcome to ${brand.name}</h1>
    <div class="account">
      <span class="initial" aria-hidden="true">${initial(user.name)}</span>
      <p>
        <span>Sign in as <strong>${user.name}</strong></span>
        <span class="soft">${user.login}</span>
      </p>
    </div>
    <form method="post" action="${action}">
      <input type="hidden" name="csrf" value="${csrf}" />
      <div class="actions"><button class="button primary" type="submit" autofocus>Sign in</button></div>
    </form>`
  return page(brand, 'Sign in', body)
}

export function alertOf(problem: string | undefined): Html {
  return problem === undefined ? nothing : markup`<p class="alert" id="problem" role="alert">${problem}</p>`
}

/** Another provider asks for the password, so this page does not. */
export function upstreamForm(
  { csrf, cancel }: { readonly csrf: string; readonly cancel?: string },
  upstream: { readonly name: string; readonly action: string },
): Html {
  return markup`<form method="post" action="${upstream.action}">
      <input type="hidden" name="csrf" value="${csrf}" />
      <div class="actions">
        <button class="button primary" type="submit">Continue with ${upstream.name}</button>
        ${cancel === undefined ? nothing : markup`<a class="button" href="${cancel}">Cancel</a>`}
      </div>
    </form>`
}

export function credentialsForm(
  view: Pick<SignInView, 'action' | 'csrf' | 'login' | 'problem'> & { readonly cancel?: string },
): Html {
  const isInvalid = view.problem === undefined ? nothing : trusted('aria-invalid="true" aria-describedby="problem"')
  const autofocus = trusted('autofocus')
  return markup`<form method="post" action="${view.action}">
      <input type="hidden" name="csrf" value="${view.csrf}" />
      <label for="login">Login</label>
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
      <label for="password">Password</label>
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
        <button class="button primary" type="submit">Sign in</button>
        ${view.cancel === undefined ? nothing : markup`<a class="button" href="${view.cancel}">Cancel</a>`}
      </div>
    </form>`
}

function consent(brand: Brand, view: ConsentView): string {
  const { name, kind } = view.asker
  const body = markup`<h1>Link ${brand.name} to ${name}?</h1>
    <div class="account">
      <span class="initial" aria-hidden="true">${initial(view.user.name)}</span>
      <p>
        <span>Signed in as <strong>${view.user.name}</strong></span>
        <span class="soft">${view.user.login}</span>
      </p>
    </div>
    <h2>By agreeing you allow ${name} to</h2>
    <ul class="may">
      <li>see which cameras and doorbells you have, and their names${camerasNow(view.cameras)}</li>
      <li>show their live picture and sound on your displays when you ask for it</li>
      <li>let you talk through them</li>
      <li>be told when somebody rings</li>
    </ul>
    <form method="post" action="${view.agree}">
      <input type="hidden" name="csrf" value="${view.csrf}" />
      <div class="actions">
        <button class="button primary" type="submit">Agree and link</button>
        <a class="button" href="${view.cancel}">Cancel</a>
      </div>
    </form>
    <form method="post" action="${view.switchAccount}">
      <input type="hidden" name="csrf" value="${view.csrf}" />
      <button class="quiet" type="submit">Use a different account</button>
    </form>
    <div class="foot soft">
      <p>${unlinking[kind]}</p>
      ${brand.privacyUrl === undefined ? nothing : markup`<p><a href="${brand.privacyUrl}">Privacy policy</a></p>`}
    </div>`
  return page(brand, `Link to ${name}`, body)
}

/** Enough of them to recognise which house it is. */
const mostNamed = 12

function camerasNow(names: readonly string[]): Html {
  if (names.length === 0) return nothing
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : ''
  return markup`: <strong>${names.slice(0, mostNamed).join(', ')}${more}</strong>, and those you add later`
}

function initial(name: string): string {
  const [first] = new Intl.Segmenter('en').segment(name)
  return first?.segment.toUpperCase() ?? ''
}

const unlinking: Record<ClientKind, string> = {
  alexa: 'You can end this at any time: disable the skill (add-on) in the Alexa app.',
  google: 'You can end this at any time: unlink the service in the Google Home app.',
  other: 'You can end this at any time on your account page.',
  console: 'You can end this at any time: sign out.',
}

function message(brand: Brand, title: string, text: string, detail?: string): string {
  const body = markup`<h1>${title}</h1>
    <p>${text}</p>
    ${detail === undefined ? nothing : markup`<p class="soft">For whoever set this up: <code>${detail}</code></p>`}`
  return page(brand, title, body)
}
