/** What a page needs to offer a passkey: a form that stays hidden without our script, and the script. */
import { type Html, markup } from './markup.ts'
import type { Words } from './words/en.ts'

export interface PasskeyView {
  /** Where the script asks for the options, and where the form posts the credential. */
  readonly options: string
  readonly action: string
  readonly script: string
  /** Sign in with one, or add one. */
  readonly use: 'get' | 'create'
}

export function passkeyForm(
  { options, action, use }: PasskeyView,
  csrf: string,
  says: string,
  { signIn }: Words,
): Html {
  return markup`<form method="post" action="${action}" data-passkey="${use}" data-options="${options}" hidden>
      <input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="credential" value="" />
      <div class="actions"><button class="button" type="submit">${says}</button></div>
      <p class="alert" role="alert" data-says="${use === 'create' ? signIn.noPasskeyMade : signIn.passkeyFailed}" hidden></p>
    </form>`
}

export function passkeyScript({ script }: PasskeyView): Html {
  return markup`<script src="${script}" defer></script>`
}

/**
 * The whole script. The options come from us by JSON (WebAuthn Level 3 section 5.1), and the credential leaves in an
 * ordinary form post, so that what follows is the same redirect as after a password.
 */
export const passkeyProgram = `'use strict'
for (const form of document.querySelectorAll('form[data-passkey]')) {
  const isCreating = form.dataset.passkey === 'create'
  const Credential = window.PublicKeyCredential
  if (!Credential || !Credential.parseCreationOptionsFromJSON || !Credential.parseRequestOptionsFromJSON) continue
  form.hidden = false
  const button = form.querySelector('button')
  const problem = form.querySelector('[role=alert]')
  form.addEventListener('submit', async (event) => {
    if (form.elements.credential.value !== '') return
    event.preventDefault()
    button.disabled = true
    problem.hidden = true
    try {
      const body = new URLSearchParams({ csrf: form.elements.csrf.value })
      const reply = await fetch(form.dataset.options, { method: 'POST', body })
      if (!reply.ok) throw new Error('no options')
      const options = await reply.json()
      const credential = isCreating
        ? await navigator.credentials.create({ publicKey: Credential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: Credential.parseRequestOptionsFromJSON(options) })
      form.elements.credential.value = JSON.stringify(credential.toJSON())
      form.submit()
    } catch (error) {
      button.disabled = false
      problem.textContent = problem.dataset.says
      problem.hidden = false
    }
  })
}
`
