/** New tokens for old ones, by one process at a time: two refreshes at once may revoke each other's tokens. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { AccountId, Clock, Store } from 'transom-core/ports'
import type { AlexaGrant, GrantRecords } from './grant-records.ts'
import { LWA_TIMEOUT_MS, whyNot, type Lwa } from './lwa.ts'

/** A refresher that died is not waited for any longer. */
const LEASE_MS = LWA_TIMEOUT_MS + 1_000
const LEASE_POLL_MS = 100

export type Refreshed =
  /** A grant with other tokens than before: new ones, or those of a grant that was accepted meanwhile. */
  | { readonly kind: 'renewed'; readonly grant: AlexaGrant }
  | { readonly kind: 'no-grant' }
  /** LWA refuses the refresh token of `grant` for good. */
  | { readonly kind: 'revoked'; readonly grant: AlexaGrant }
  | { readonly kind: 'unavailable'; readonly reason: string }

export type Refresh = (accountId: AccountId, before: AlexaGrant) => Promise<Refreshed>

/** Gets and keeps tokens to follow those of `before`. Rejects if the store does. */
export function createRefresh(deps: {
  readonly lwa: Lwa
  readonly records: Pick<GrantRecords, 'read' | 'change'>
  readonly store: Store
  readonly clock: Clock
}): Refresh {
  const { lwa, records, clock } = deps
  /** Held by the one process that is refreshing the tokens of an account. */
  const leases = deps.store.collection<{ readonly heldAt: number }>('alexa-refresh')
  const refreshing = new Map<AccountId, Promise<Refreshed>>()

  return (accountId, before) => {
    const running = refreshing.get(accountId)
    if (running) return running
    const refreshed = inTurn(accountId, before).finally(() => refreshing.delete(accountId))
    refreshing.set(accountId, refreshed)
    return refreshed
  }

  async function inTurn(accountId: AccountId, before: AlexaGrant): Promise<Refreshed> {
    const giveUpAt = clock() + LEASE_MS
    let heldUntil: number
    for (;;) {
      heldUntil = clock() + LEASE_MS
      const lease = { onlyIf: 'absent', expiresAt: heldUntil } as const
      if ((await leases.put(accountId, { heldAt: clock() }, lease)) !== undefined) break
      const done = since(before, await records.read(accountId))
      if (done !== undefined) return done
      if (clock() >= giveUpAt) return { kind: 'unavailable', reason: 'another process is refreshing' }
      await sleep(LEASE_POLL_MS)
    }
    try {
      return await here(accountId, before)
    } finally {
      // Later it may be another's.
      if (clock() < heldUntil) await leases.remove(accountId)
    }
  }

  async function here(accountId: AccountId, before: AlexaGrant): Promise<Refreshed> {
    // Whoever held the lease before us may have done it all.
    const grant = await records.read(accountId)
    const done = since(before, grant)
    if (done !== undefined || grant === undefined) return done ?? { kind: 'no-grant' }
    const result = await lwa.refresh(grant.refreshToken)
    if (result.kind === 'refused' && result.error === 'invalid_grant') return { kind: 'revoked', grant }
    if (result.kind !== 'tokens') return { kind: 'unavailable', reason: `LWA: ${whyNot(result)}` }
    const { accessToken, expiresAt, refreshToken = grant.refreshToken } = result
    const renew = (now: AlexaGrant) => ({ ...now, accessToken, refreshToken, expiresAt })
    // Unless a grant accepted meanwhile is there: that one is newer.
    await records.change(accountId, (now) => (isRenewed(now, grant) ? undefined : renew(now)))
    const kept = await records.read(accountId)
    return kept ? { kind: 'renewed', grant: kept } : { kind: 'no-grant' }
  }
}

/** What has become of a grant that was `before` and is `now`; nothing while its tokens are the same. */
function since(before: AlexaGrant, now: AlexaGrant | undefined): Refreshed | undefined {
  if (now === undefined) return { kind: 'no-grant' }
  return isRenewed(now, before) ? { kind: 'renewed', grant: now } : undefined
}

/** One may differ from the other in more than its tokens: in the region. */
const isRenewed = (grant: AlexaGrant, before: AlexaGrant): boolean => grant.accessToken !== before.accessToken
