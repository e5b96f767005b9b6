/** What the account page says of what was just done: a word in its address, so that reloading does nothing again. */

export type NoteName = keyof typeof notes

const notes = {
  removed: { done: 'Removed. It stops working within a minute.' },
  gone: { problem: 'It does not exist any more.' },
  invited: {
    done: 'Saved. Whoever has this login finds the invitation on the page and on this account page, and decides.',
  },
  accepted: { done: 'Accepted. Your assistants show the camera in a moment.' },
  declined: { done: 'Declined. The owner is not told.' },
  left: { done: 'You left. You no longer see this camera, and its owner can read that.' },
  unshared: { done: 'No longer shared.' },
  refused: { problem: 'This could not be shared: the camera is gone, is not yours, or has too many guests.' },
  passkey: { done: 'The passkey was added. You can sign in with it from now on.' },
  nopasskey: { problem: 'The passkey could not be added. Please try again.' },
  confirmed: { done: 'Thank you. For five minutes you can add a passkey.' },
  unconfirmed: { problem: 'Please enter your password, or use a passkey, before you add a passkey.' },
  password: {
    done: 'Your password is changed. Every other browser was signed out; connected assistants stay connected.',
  },
  ended: { done: 'This browser is signed out now.' },
  allended: { done: 'Every other browser was signed out.' },
  signedout: { problem: 'You were signed out. Please sign in again; nothing was changed.' },
} as const satisfies Readonly<Record<string, { readonly done: string } | { readonly problem: string }>>

/** Nothing for a word that is none of ours. */
export function noteOf(name: string): { readonly done?: string; readonly problem?: string } {
  return Object.entries(notes).find(([known]) => known === name)?.[1] ?? {}
}
