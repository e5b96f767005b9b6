/** The pages of account linking as HTML: no script, every value escaped. */
import { type Assistant, assistantNames } from './client.ts'
import { stylesheet } from './style.ts'
import type { User } from './users.ts'

/** How the bridge calls itself on its pages. */
export interface Brand {
  readonly name: string
  readonly privacyUrl?: string
}

export interface SignInView {
  readonly assistant: Assistant
  /** Where the form posts to, and where Cancel leads. */
  readonly action: string
  readonly cancel: string
  readonly csrf: string
  /** What was typed before, and what was wrong with it. */
  readonly login?: string
  readonly problem?: string
}

export interface ConsentView {
  readonly assistant: Assistant
  readonly user: User
  readonly agree: string
  readonly cancel: string
  readonly switchAccount: string
  readonly csrf: string
}

export interface Pages {
  signIn(view: SignInView): string
  consent(view: ConsentView): string
  /** The pending request is gone: too old, already used, or of another browser. */
  expired(): string
  /** An OAuth error that cannot be told to the client, with its code for whoever set the client up. */
  refused(error: string, description?: string): string
  /** Our own fault. */
  outage(): string
}

export function createPages(brand: Brand): Pages {
  return {
    signIn: (view) => signIn(brand, view),
    consent: (view) => consent(brand, view),
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
  }
}

function signIn(brand: Brand, view: SignInView): string {
  const isInvalid = view.problem === undefined ? nothing : trusted('aria-invalid="true" aria-describedby="problem"')
  const autofocus = trusted('autofocus')
  const body = markup`<h1>Sign in to ${brand.name}</h1>
    <p>
      ${assistantNames[view.assistant]} asks to be linked with your ${brand.name} account. After signing in you see what
      for, and decide.
    </p>
    ${view.problem === undefined ? nothing : markup`<p class="alert" id="problem" role="alert">${view.problem}</p>`}
    <form method="post" action="${view.action}">
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
        <a class="button" href="${view.cancel}">Cancel</a>
      </div>
    </form>`
  return page(brand, view.problem === undefined ? 'Sign in' : 'Error: sign in', body)
}

function consent(brand: Brand, view: ConsentView): string {
  const name = assistantNames[view.assistant]
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
      <li>see which cameras and doorbells you have, and their names</li>
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
      <p>${unlinking[view.assistant]}</p>
      ${brand.privacyUrl === undefined ? nothing : markup`<p><a href="${brand.privacyUrl}">Privacy policy</a></p>`}
    </div>`
  return page(brand, `Link to ${name}`, body)
}

function initial(name: string): string {
  const [first] = new Intl.Segmenter('en').segment(name)
  return first?.segment.toUpperCase() ?? ''
}

const unlinking: Record<Assistant, string> = {
  alexa: 'You can end this at any time: disable the skill in the Alexa app.',
  google: 'You can end this at any time: unlink the service in the Google Home app.',
}

function message(brand: Brand, title: string, text: string, detail?: string): string {
  const body = markup`<h1>${title}</h1>
    <p>${text}</p>
    ${detail === undefined ? nothing : markup`<p class="soft">For whoever set this up: <code>${detail}</code></p>`}`
  return page(brand, title, body)
}

function page(brand: Brand, title: string, body: Html): string {
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title} – ${brand.name}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <style>${trusted(stylesheet)}</style>
      </head>
      <body>
        <main>
          <p class="brand">${fanlight}${brand.name}</p>
          ${body}
        </main>
      </body>
    </html>
`.markup
}

/** A transom: the window above a door. */
const fanlight = trusted(
  '<svg viewBox="0 0 32 20" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">' +
    '<path d="M2 18a14 14 0 0 1 28 0ZM11 18a5 5 0 0 1 10 0M16 4v9M6.5 8.5l5.7 6M25.5 8.5l-5.7 6"/></svg>',
)

interface Html {
  readonly markup: string
}

const nothing: Html = { markup: '' }

/** For our own constants only. */
function trusted(markup: string): Html {
  return { markup }
}

/** Text between the quasi-literals is escaped unless it came out of `markup` itself. */
function markup(literals: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const parts = literals.map((literal, index) => {
    const value = values[index] ?? ''
    return literal + (typeof value === 'string' ? escape(value) : value.markup)
  })
  return { markup: parts.join('') }
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
