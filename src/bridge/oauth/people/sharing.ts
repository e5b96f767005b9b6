/** What people do with cameras of theirs and of others, as the account page and the operator ask for it. */
import type { AccountId } from 'transom-core/ports'
import type { User } from './users.ts'

/** What a guest may do with a camera beside seeing it live. */
export interface GuestRights {
  readonly mayTalk: boolean
  /** What happened there and what was recorded of it, too. Left out: as it is, at first not. */
  readonly mayViewRecordings?: boolean | undefined
}

/** The same as it is shown. */
export interface ShownRights {
  readonly mayTalk: boolean
  readonly mayViewRecordings?: true
}

export interface SharedGuest extends ShownRights {
  readonly login: string
  /** Known once the person has accepted. */
  readonly name?: string
  readonly isInvited?: true
}

/** For whom it is meant to read. */
export interface OpenInvitation extends ShownRights {
  readonly id: string
  /** The camera's name. */
  readonly camera: string
  readonly owner: { readonly login: string; readonly name: string }
}

export interface SharedCamera {
  readonly id: string
  readonly name: string
  readonly guests: readonly SharedGuest[]
}

/** `cameras` does it. Methods throw `BridgeError` for what cannot be. */
export interface Sharing {
  cameras(owner: AccountId): Promise<readonly SharedCamera[]>
  guests(owner: AccountId, cameraId: string): Promise<readonly SharedGuest[]>
  /** Invites whoever has this login; a guest's rights change at once. Never tells whether anybody has it. */
  invite(owner: User, cameraId: string, login: string, rights: GuestRights): Promise<void>
  /** Ends the invitation or the share. Never tells whether there was one. */
  withdraw(owner: User, cameraId: string, login: string): Promise<void>
  invitations(guest: User): Promise<readonly OpenInvitation[]>
  /** False when there is no such invitation to this person. */
  accept(guest: User, id: string): Promise<boolean>
  decline(guest: User, id: string): Promise<boolean>
  /** The cameras that others share with this account; `owner` is a login. */
  received(
    guest: AccountId,
  ): Promise<readonly (ShownRights & { readonly id: string; readonly name: string; readonly owner: string })[]>
  /** False when it is not shared with this account. */
  leave(guest: AccountId, cameraId: string): Promise<boolean>
  /** Without consent: for the operator, who has it otherwise. */
  share(owner: AccountId, cameraId: string, guest: AccountId, rights: GuestRights): Promise<void>
  unshare(owner: AccountId, cameraId: string, guest: AccountId): Promise<void>
  /** The camera was removed: its invitations end. */
  forget(camera: { readonly accountId: AccountId; readonly id: string }): Promise<void>
  /** The person's account is about to be removed: leaves what is shared with it, and ends the invitations to its login. */
  forgetPerson(user: User): Promise<void>
}
