/** What can happen in the house that others follow. Who follows is one table, at the end of `bridge.ts`. */
import type { SessionView } from '../broker/view.ts'
import type { PageNews } from '../cameras/events.ts'
import type { User } from '../oauth/people/users.ts'
import type { AccountId, Camera, Moment, RecordingListener } from 'transom-core/ports'

/** Each with what it is about. */
export interface Happenings {
  /** A camera is new, or its record is other than before. */
  readonly cameraChanged: readonly [camera: Camera]
  readonly cameraRemoved: readonly [camera: Camera]
  /** Something new that is kept by now. */
  readonly cameraNews: readonly [camera: Camera, news: PageNews]
  /** Something happens at a camera now that is worth a recording. */
  readonly cameraMoment: readonly [camera: Camera, moment: Moment]
  /** A recording has begun, has ended or was deleted. */
  readonly recordingChanged: Parameters<RecordingListener>
  /** Somebody presses the button: at once, before the press is kept. Not one that comes too often, or late. */
  readonly cameraRang: readonly [camera: Camera, eventId: string]
  /** The button rings without a pause. */
  readonly buttonStuck: readonly [camera: Camera]
  /** A camera master has come, or has stayed away; `at` is when, in epoch milliseconds. */
  readonly cameraOnline: readonly [camera: Camera, at: number]
  readonly cameraOffline: readonly [camera: Camera, at: number]
  /** Of a camera as the guest sees it, or saw it: shared, or shared otherwise than before. */
  readonly shareChanged: readonly [camera: Camera]
  readonly shareRemoved: readonly [camera: Camera]
  /** The share has ended with its camera. */
  readonly shareDropped: readonly [camera: Camera]
  /** A view has begun, has gone on or has ended; as its reader sees it. */
  readonly sessionMoved: readonly [view: SessionView, reader: AccountId]
  /** A view has failed or is over: once of each, as its reader sees it. */
  readonly sessionEnded: readonly [view: SessionView, reader: AccountId]
  /** The account has no link with this assistant any more; or has another one left. */
  readonly alexaUnlinked: readonly [account: AccountId]
  readonly googleUnlinked: readonly [account: AccountId]
  readonly alexaLinkRemoved: readonly [account: AccountId, linkId: string]
  readonly googleLinkRemoved: readonly [account: AccountId, linkId: string]
  /** The account is to be removed: its assistants can still be told. */
  readonly accountLeaves: readonly [user: User]
  /** Its links and sessions have ended. */
  readonly accountLeft: readonly [user: User]
}

/** For each happening what follows it, in this order. */
export type WhatFollows = {
  readonly [Name in keyof Happenings]: readonly ((...about: Happenings[Name]) => Promise<void> | void)[]
}

export interface House {
  /** Resolves when everything that follows is done. Rejects with the first that fails, and what comes after it is not done. */
  happened<Name extends keyof Happenings>(name: Name, ...about: Happenings[Name]): Promise<void>
  /** Says what follows, once everything is there that can. Before, nothing does. */
  follow(table: WhatFollows): void
}

export function createHouse(): House {
  let followers: Partial<WhatFollows> = {}
  return {
    async happened(name, ...about) {
      for (const follower of followers[name] ?? []) await follower(...about)
    },
    follow: (table) => void (followers = table),
  }
}
