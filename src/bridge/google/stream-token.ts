/** The token that Google's player shows at the signaling door: one for each stream, stored only as a hash. */
import { createHash, randomBytes } from 'node:crypto'
import { BridgeError } from 'transom-core/errors'
import type { AccountId, CameraId, Clock, Store, Stored } from 'transom-core/ports'

/** From EXECUTE to the last offer: long enough for a slow display and its repeats, short enough for a leaked log. */
const beginWithinMs = 2 * 60_000

/** How long the token of a stream that began may still say `end`; a display that shows a camera for longer loses only that. */
const endWithinMs = 24 * 60 * 60_000

interface StreamTokenRecord {
  readonly accountId: AccountId
  readonly cameraId: CameraId
  /** Epoch milliseconds; no offer is taken later. */
  readonly beginBy: number
}

/** What a valid stream token says. */
export interface StreamGrant {
  readonly accountId: AccountId
  readonly cameraId: CameraId
  readonly reference: string
}

/** A grant that may begin a stream. */
export interface BeginGrant extends StreamGrant {
  /** Lets the token live on for the `end` of the stream; it begins none any later than before. One write, once a token. */
  readonly keepForEnd: () => Promise<void>
}

export interface StreamTokens {
  /** A new token (256 bits, base64url) that may begin one stream of this camera in the next two minutes. */
  mint(accountId: AccountId, cameraId: CameraId): Promise<string>
  /** Throws `unauthorized`, or `token_expired` when it is too late to begin. Repeats of an offer are welcome until then. */
  redeemToBegin(token: string): Promise<BeginGrant>
  /** Throws `unauthorized`. */
  redeemToEnd(token: string): Promise<StreamGrant>
  revoke(token: string): Promise<void>
  /** Revokes every token of an account. */
  revokeAll(accountId: AccountId): Promise<void>
}

export function createStreamTokens({ store, clock }: { store: Store; clock: Clock }): StreamTokens {
  const records = store.collection<StreamTokenRecord>('stream-token')

  async function find(token: string): Promise<Stored<StreamTokenRecord>> {
    const stored = await records.get(hashOf(token))
    if (!stored) throw new BridgeError('unauthorized', 'no such stream token, or it was revoked or has expired')
    return stored
  }

  return {
    async mint(accountId, cameraId) {
      const token = randomBytes(32).toString('base64url')
      const beginBy = clock() + beginWithinMs
      await records.put(hashOf(token), { accountId, cameraId, beginBy }, { expiresAt: beginBy, group: accountId })
      return token
    },

    async redeemToBegin(token) {
      const { id, value, version, expiresAt } = await find(token)
      if (clock() > value.beginBy)
        throw new BridgeError('token_expired', 'the stream token is too old to begin a stream')
      return {
        ...grantOf(token, value),
        async keepForEnd() {
          if (expiresAt !== undefined && expiresAt > value.beginBy) return
          // At its version: an `end` that came in between has removed the record, and it must stay removed.
          const options = { expiresAt: clock() + endWithinMs, group: value.accountId, onlyIf: { version } }
          await records.put(id, value, options)
        },
      }
    },

    async redeemToEnd(token) {
      return grantOf(token, (await find(token)).value)
    },

    async revoke(token) {
      await records.remove(hashOf(token))
    },

    async revokeAll(accountId) {
      for await (const { id } of records.all(accountId)) await records.remove(id)
    },
  }
}

function grantOf(token: string, { accountId, cameraId }: StreamTokenRecord): StreamGrant {
  return { accountId, cameraId, reference: referenceOf(token) }
}

/** The name of a token's session in the broker: the first 22 characters (132 bits) of its hash. */
export function referenceOf(token: string): string {
  return hashOf(token).slice(0, 22)
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
