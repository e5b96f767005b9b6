/** What is wrong with a login, a name or a password that somebody has chosen. */
import { BridgeError } from 'transom-core/errors'

/** Each with the sentence that operators and clients of the API get; the pages say it in their reader's language. */
export const personFaults = {
  login_missing: 'Please enter a login.',
  login_characters: 'The login has characters that cannot be used.',
  login_reserved: 'Please choose another login.',
  login_long: 'The login is too long.',
  login_taken: 'This login is taken. Please choose another one.',
  name_missing: 'Please enter a name.',
  name_long: 'The name is too long.',
  name_characters: 'The name has characters that cannot be shown.',
  password_short: 'The password needs at least 8 characters.',
  password_long: 'The password has at most 256 characters.',
  password_own: 'Please choose a password that is not your own name or login.',
  password_common: 'This is one of the most common passwords, which are guessed first. Please choose another one.',
  no_password: 'Nobody signs in to this account by password.',
  account_changed: 'The account was changed meanwhile. Please try again.',
} as const

export type PersonFault = keyof typeof personFaults

/** Narrows a text to one of them. */
export const isPersonFault = (text: string): text is PersonFault => Object.hasOwn(personFaults, text)

/** A login, a name or a password that cannot be; for a program it is an `invalid_request`. */
export class UnfitPerson extends BridgeError {
  readonly faults: readonly PersonFault[]

  constructor(...faults: readonly PersonFault[]) {
    super('invalid_request', faults.map((fault) => personFaults[fault]).join(' '))
    this.faults = faults
  }
}

/** Why a form did not lead on, for the page to say it in words. `minutes`: to wait, at least one. */
export type FormProblem =
  | { readonly kind: 'busy' | 'incomplete' | 'wrong-login' | 'wrong-password' | 'unknown-passkey' }
  | { readonly kind: 'too-many-attempts'; readonly minutes: number }
  | { readonly kind: 'provider'; readonly name: string }
  | { readonly kind: 'unfit'; readonly faults: readonly PersonFault[] }
