/** Addresses of media for players that show no token: sealed, so that they say nothing and cannot be changed, and short-lived. */
import type { KeyObject } from 'node:crypto'
import * as z from 'zod'
import { accountId, cameraId, type AccountId, type CameraId, type Clock } from 'transom-core/ports'
import { seal, unseal } from 'transom-core/seal'
import { Refused } from './refusals.ts'

/** For whom an address is, and what it opens. */
export interface MediaGrant {
  readonly accountId: AccountId
  readonly cameraId: CameraId
  readonly use:
    | { readonly kind: 'recorded'; readonly from: number; readonly to: number }
    /** One recording as a file; `isShared`: handed on by its owner. */
    | { readonly kind: 'clip'; readonly from: number; readonly to: number; readonly isShared: boolean }
    /** What is recorded from an instant on. `target`: seconds that no fragment in the playlist is longer than. */
    | { readonly kind: 'live'; readonly from: number; readonly target: number }
}

export interface MediaAddresses {
  /** A part of a path that opens this until then (epoch milliseconds), or for as long as it takes to see it. */
  mint(grant: MediaGrant, until?: number): string
  /** Throws `Refused` for what we never gave, and for what has expired. */
  open(token: string): MediaGrant
}

/** Beside the length of what is seen, of which a few hours count. */
const graceMs = 15 * 60_000
const mostMs = 6 * 3_600_000
const liveMs = 3_600_000
const context = 'media address'

const sealed = z.object({
  accountId: z.string(),
  cameraId: z.string(),
  until: z.number(),
  use: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('recorded'), from: z.number(), to: z.number() }),
    z.object({ kind: z.literal('clip'), from: z.number(), to: z.number(), isShared: z.boolean() }),
    z.object({ kind: z.literal('live'), from: z.number(), target: z.number() }),
  ]),
})

const lifeOf = (use: MediaGrant['use']): number =>
  use.kind === 'live' ? liveMs : Math.min(use.to - use.from, mostMs) + graceMs

/** `key`: 32 bytes. */
export function createMediaAddresses({
  key,
  clock,
}: {
  readonly key: KeyObject
  readonly clock: Clock
}): MediaAddresses {
  return {
    mint(grant, until = clock() + lifeOf(grant.use)) {
      return seal(key, context, JSON.stringify({ ...grant, until } satisfies z.input<typeof sealed>))
    },
    open(token) {
      const text = unseal(key, context, token)
      if (text === undefined) throw new Refused('forbidden', 'this address was changed, or another bridge gave it')
      const { until, use, ...whose } = sealed.parse(JSON.parse(text))
      if (clock() >= until) throw new Refused('forbidden', 'this address has expired: ask for a new one')
      return { accountId: accountId(whose.accountId), cameraId: cameraId(whose.cameraId), use }
    },
  }
}
