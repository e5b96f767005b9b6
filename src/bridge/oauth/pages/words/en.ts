/** What the pages of account linking say in English. Its shape is that of every other language. */
import type { ClientKind } from 'transom-core/ports'
import type { AuditKind } from '../../people/audit.ts'
import type { ShownRights } from '../../people/sharing.ts'
import { personFaults, type FormProblem, type PersonFault } from '../../people/person-faults.ts'
import { markup } from '../markup.ts'

const dates = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'UTC' })
const times = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })

/** In UTC, which is the same for everybody; the server does not know where the reader is. */
const day = (at: number): string => dates.format(at)
const minute = (at: number): string => `${times.format(at)} UTC`

const problems = {
  busy: 'Too many people are signing in at this moment. Please try again in a few seconds.',
  incomplete: 'Please enter login and password.',
  'wrong-login': 'Login or password is wrong.',
  'wrong-password': 'The password is wrong. Nothing was changed.',
  'unknown-passkey': 'This passkey is not known here.',
} satisfies Partial<Record<FormProblem['kind'], string>>
const faults: Record<PersonFault, string> = personFaults

export const en = {
  language: 'en',
  day,
  minute,
  problems: {
    ...problems,
    tooManyAttempts: (minutes: number) =>
      `Too many attempts. Please wait ${minutes === 1 ? 'a minute' : `${minutes} minutes`} and try again.`,
    provider: (name: string) => `${name} did not sign you in.`,
    faults,
  },
  errorTitle: (title: string) => `Error: ${title}`,

  signIn: {
    title: 'Sign in',
    heading: (brand: string) => `Sign in to ${brand}`,
    forConsole: 'Sign in to see your cameras.',
    forAsker: (asker: string, brand: string) =>
      `${asker} asks to be linked with your ${brand} account. After signing in you see what for, and decide.`,
    login: 'Login',
    password: 'Password',
    signIn: 'Sign in',
    cancel: 'Cancel',
    continueWith: (provider: string) => `Continue with ${provider}`,
    passkey: 'Sign in with a passkey',
    provider: 'The provider',
    passkeyFailed: 'The passkey could not be used. You can try again, or use your password.',
    noPasskeyMade: 'No passkey was made. You can try again.',
  },

  entry: {
    heading: (brand: string) => `Welcome to ${brand}`,
    as: (name: string) => markup`Sign in as <strong>${name}</strong>`,
    usedUp: {
      title: 'This link is used up',
      text: 'It works once, for a day, and until the bridge is restarted. Restart it for a new one, or sign in with login and password.',
    },
  },

  consent: {
    title: (asker: string) => `Link to ${asker}`,
    heading: (brand: string, asker: string) => `Link ${brand} to ${asker}?`,
    as: (name: string) => markup`Signed in as <strong>${name}</strong>`,
    allow: (asker: string) => `By agreeing you allow ${asker} to`,
    see: 'see which cameras and doorbells you have, and their names',
    seeNow: (cameras: string) =>
      markup`see which cameras and doorbells you have, and their names: <strong>${cameras}</strong>, and those you add later`,
    more: (names: string, count: number) => `${names} and ${count} more`,
    rights: [
      'show their live picture and sound on your displays when you ask for it',
      'let you talk through them',
      'be notified when somebody rings',
    ],
    agree: 'Agree and link',
    otherAccount: 'Use a different account',
    privacy: 'Privacy policy',
    unlinking: {
      alexa: 'You can end this at any time: disable the skill (add-on) in the Alexa app.',
      google: 'You can end this at any time: unlink the service in the Google Home app.',
      other: 'You can end this at any time on your account page.',
      console: 'You can end this at any time: sign out.',
    } satisfies Record<ClientKind, string>,
  },

  /** From a page that goes no further. */
  ways: { cameras: 'To your cameras', account: 'Your account' },

  messages: {
    expired: {
      title: 'This page has expired',
      text: 'It was open for too long, was finished already, or was started in another browser. Please start again where you came from: in the assistant’s app, or here. If cookies are blocked, allow them for this site.',
    },
    lost: { title: 'There is nothing here', text: 'The address may be incomplete, or from an earlier version.' },
    refused: {
      title: 'This request cannot be answered',
      text: 'The assistant that sent you here asked in a way that does not fit how it is registered. Nothing was linked.',
    },
    outage: {
      title: 'Something went wrong here',
      text: 'The fault is ours and nothing was linked. Please try again in a minute.',
    },
    busy: { title: 'Too many at once', text: 'Please try again in a few seconds.' },
    forOperator: 'For the person who set this up:',
  },

  welcome: {
    invitation: {
      title: 'Create your account',
      submit: 'Create account',
      password: 'Password',
      doneTitle: 'Your account is ready',
      done: 'Now open the app of your assistant and link it: you will be asked for this login and password.',
    },
    reset: {
      title: 'Choose a new password',
      submit: 'Set password',
      password: 'New password',
      doneTitle: 'Your password is set',
      done: 'You can sign in with it now. Every browser was signed out, and earlier passkeys were removed. Connected assistants stay connected.',
    },
    usedUp: {
      title: 'This link is used up',
      text: 'It works once and for a limited time. Please ask the person who sent it for a new one.',
    },
    name: 'Your name',
    rule: 'At least 8 characters, and not a common password. A few words in a row are easy to remember.',
  },

  account: {
    title: 'Your account',
    signInHeading: (brand: string) => `Your ${brand} account`,
    signInText: 'Sign in to see which assistants are connected, who else can see your cameras, and what happened.',
    back: 'Back to your cameras',
    signOut: 'Sign out',
    lastUsed: (when: string) => `last used ${when}`,
    unused: 'not used yet',
    remove: 'Remove',
    removeOf: (what: string) => `Remove ${what}`,
    reallyRemove: 'Yes, remove',
    reallyRemoveOf: (what: string) => `Yes, remove ${what}`,
    none: 'Nothing yet.',

    invitations: 'Invitations',
    may({ mayTalk, mayViewRecordings }: ShownRights): string {
      if (mayViewRecordings) return mayTalk ? 'view, talk and see recordings' : 'view and see recordings'
      return mayTalk ? 'view and talk' : 'view'
    },
    offer: (owner: string, login: string, may: string) =>
      `${owner} (${login}) shares it with you: you may ${may}. The owner sees when you look.`,
    accept: 'Accept',
    acceptOf: (camera: string, owner: string) => `Accept ${camera} of ${owner}`,
    decline: 'Decline',
    declineOf: (camera: string, owner: string) => `Decline ${camera} of ${owner}`,

    received: 'Shared with you',
    receivedFrom: (owner: string, may: string) => `By ${owner} · you may ${may}`,
    leave: 'Leave',
    leaveOf: (camera: string, owner: string) => `Leave ${camera} of ${owner}`,
    leaveWarning: 'You will no longer see this camera, and only its owner can invite you again.',
    reallyLeave: 'Yes, leave',
    reallyLeaveOf: (camera: string, owner: string) => `Yes, leave ${camera} of ${owner}`,

    assistants: 'Connected assistants',
    noAssistant:
      'None. Link one in its app: enable the skill (add-on) in the Alexa app, or add the service in the Google Home app.',
    homeApp: 'Link with the Google Home app',
    linkOf: (assistant: string, when: string) => `${assistant}, connected ${when}`,
    connected: (when: string) => `Connected ${when}`,
    unlinkWarning: (assistant: string) => `${assistant} will no longer show your cameras or announce your doorbell.`,

    browsers: 'Where you are signed in',
    thisBrowser: 'This browser',
    signedIn: (when: string) => `Signed in ${when}`,
    signOutOf: (browser: string, when: string) => `Sign out ${browser}, signed in ${when}`,
    signOutOthers: 'Sign out every other browser',
    browser: (browser: string | undefined, system: string | undefined) =>
      `${browser ?? 'A browser'}${system === undefined ? '' : ` on ${system}`}`,

    password: 'Password',
    changePassword: 'Change your password',
    oldPassword: 'Current password',
    newPassword: 'New password',
    othersSignedOut: 'Every other browser will be signed out.',
    alsoPasskeys: 'Also remove my passkeys',
    change: 'Change password',

    passkeys: 'Passkeys',
    noPasskey: 'None. With a passkey you sign in by fingerprint, face or device PIN instead of a password.',
    passkey: 'Passkey',
    passkeyOf: (when: string) => `the passkey made ${when}`,
    made: (when: string) => `Made ${when}`,
    passkeyWarning: 'You will no longer be able to sign in with it.',
    addPasskey: 'Add a passkey',
    confirmFirst: 'A passkey signs in without your password, so please confirm first that this is you.',
    confirm: 'Confirm',
    confirmByPasskey: 'Confirm with a passkey',

    guest: (may: string) => `May ${may}`,
    invited: (may: string) => `Invited, no answer yet · may ${may}`,
    withdraw: 'Withdraw',
    withdrawOf: (guest: string, camera: string) => `Withdraw the invitation of ${guest} to ${camera}`,
    removeGuestWarning: 'This person can no longer see the camera, here and on their displays.',
    guestOf: (login: string, camera: string) => `${login} from ${camera}`,
    removeGuestOf: (guest: string, camera: string) => `Remove ${guest} from ${camera}`,
    share: (camera: string) => `Share ${camera}`,
    guestLogin: 'Login of the other person',
    guestMay: 'The other person may',
    view: 'view',
    viewAndTalk: 'view and talk',
    shareHint: 'The other person is asked first, within 14 days. You will see when they look.',
    invite: 'Invite',

    data: 'Your data',
    download: 'Download my data',
    downloadHint:
      'One file (JSON) with what is kept about you: your account, cameras, shares, assistants, sessions and history. Without passwords, keys, pictures and recordings.',
    deleteAccount: 'Delete my account …',

    history: 'Recent activity',
    kinds: {
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
      'recording-viewed': 'Recording viewed',
      unshared: 'No longer shared',
      'data-downloaded': 'Data downloaded',
      'account-removed': 'Account removed',
    } satisfies Record<AuditKind, string>,
  },

  deletion: {
    title: 'Delete your account',
    who: (name: string, login: string) => `This deletes the account of ${name} (${login}). It cannot be undone.`,
    goes: 'What is deleted',
    going: [
      'your name, login, password and passkeys',
      'your cameras here, with their settings, stills, recordings and history',
      'what you share with others, and what others share with you',
      'your connection with Alexa and Google: they are notified, and stop showing your cameras',
      'your sign-in in every browser, this one included',
    ],
    stays: 'What stays',
    staying: [
      'one line for the operator: that an account was deleted, without your name or login',
      'backups and logs of the operator, until the operator deletes them',
      'what Amazon and Google keep themselves: see your accounts there',
      'the settings of the cameras themselves, and what was downloaded from here',
    ],
    downloadFirst: 'Download my data first',
    last: 'You are the last person on this bridge. Afterwards only its operator can add somebody.',
    confirm: 'Please confirm that this is you.',
    password: 'Current password',
    submit: 'Delete my account',
    byPasskey: 'Delete my account, with a passkey',
    byProvider: (provider: string) => `Sign in with ${provider} again and delete my account`,
    keep: 'Keep my account',
  },

  /** What the account page says of what was just done. */
  notes: {
    removed: 'Removed. It stops working within a minute.',
    gone: 'It no longer exists.',
    invited:
      'Saved. The person with this login finds the invitation on the page and on this account page, and decides.',
    accepted: 'Accepted. Your assistants show the camera in a moment.',
    declined: 'Declined. The owner is not notified.',
    left: 'You left. You no longer see this camera, and its owner can read that.',
    unshared: 'No longer shared.',
    refused: 'This could not be shared: the camera is gone, is not yours, or has too many guests.',
    passkey: 'The passkey was added. You can sign in with it from now on.',
    nopasskey: 'The passkey could not be added. Please try again.',
    confirmed: 'Thank you. For five minutes you can add a passkey.',
    unconfirmed: 'Please enter your password, or use a passkey, before you add a passkey.',
    password: 'Your password is changed. Every other browser was signed out; connected assistants stay connected.',
    ended: 'This browser is signed out now.',
    allended: 'Every other browser was signed out.',
    signedout: 'You were signed out. Please sign in again; nothing was changed.',
    deleted: 'Your account was deleted, and you are signed out everywhere.',
  },
}

/** Every word of these pages, in one language. */
export type Words = typeof en
