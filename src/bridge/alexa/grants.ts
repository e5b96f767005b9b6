/** Keeps what each account has granted us: the tokens with which we may send its events to Alexa. */
import { createHash, type KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { BridgeError } from 'transom-core/errors'
import type { AccountId, Clock, Log, Store, Stored } from 'transom-core/ports'
import { createLwa, LWA_TIMEOUT_MS, type Lwa, type LwaClient, type LwaResult } from './lwa.ts'
import { alexaRegions, type AlexaRegion } from './region.ts'
import { seal, unseal } from 'transom-core/seal'

/** Refresh when less than this is left of a token, so that it does not run out on its way. */
const REFRESH_AHEAD_MS = 300_000
/** Before a code is sent again: at once first, since most faults are of one connection or one server. */
const EXCHANGE_PAUSES_MS = [0, 500, 1_500]
/** A refresher that died is not waited for any longer. */
const LEASE_MS = LWA_TIMEOUT_MS + 1_000
const LEASE_POLL_MS = 100

export type Bearer =
  /** `isGuess`: nobody has told the customer's region yet, and no gateway has accepted an event. */
  | { readonly kind: 'token'; readonly token: string; readonly region: AlexaRegion; readonly isGuess?: boolean }
  /** The account has granted nothing, or has taken it back. */
  | { readonly kind: 'no-grant' }
  /** There is a grant but no token to be had for it now; later there may be one. */
  | { readonly kind: 'unavailable'; readonly reason: string }

export interface AlexaGrants {
  /** False while the LWA client is not configured: then nothing can be granted, and no event can be sent. */
  readonly isConfigured: boolean
  /**
   * Exchanges the code of an AcceptGrant and stores the tokens; resolves when they are stored. Throws `BridgeError`.
   */
  accept(accepted: Accepted, signal: AbortSignal): Promise<void>
  /** A token for the event gateway, good for five minutes at least and not the `rejected` one. Rejects if the store does. */
  bearer(accountId: AccountId, rejected?: string): Promise<Bearer>
  /** The account turned out to belong to this region. */
  moved(accountId: AccountId, region: AlexaRegion): Promise<void>
  /** Whether the account has a grant. */
  has(accountId: AccountId): Promise<boolean>
  /**
   * Forgets the account's grant of this token or link, or of then; it comes back when the customer enables the skill again.
   * One given since is not forgotten for what was said of the one before.
   */
  forget(accountId: AccountId, why: string, only: GrantTrait): Promise<void>
  /** The account is not linked any more: its grant goes, and its owner expects no events. */
  drop(accountId: AccountId): Promise<void>
}

/** By what a grant is told from the one that may have taken its place. */
export interface GrantTrait {
  readonly token?: string
  readonly linkId?: string
  /** Accepted at this instant, epoch milliseconds, or before. */
  readonly acceptedBy?: number
}

/** What an AcceptGrant says. */
export interface Accepted {
  readonly accountId: AccountId
  /** The link whose token came with it: the grant ends with it. Absent where another server issues the tokens. */
  readonly linkId: string | undefined
  readonly code: string
  /** The customer's, where it is known by the Lambda that was called. */
  readonly region: AlexaRegion | undefined
}

const grantSchema = z.object({
  accessToken: z.string(),
  refreshToken: z.string(),
  expiresAt: z.number(),
  region: z.enum(alexaRegions).optional(),
  /** Absent of grants from before it was kept. */
  acceptedAt: z.number().optional(),
  /** Of the code that it was given for. */
  codeDigest: z.string().optional(),
  /** Of the link that brought it; absent in grants of before. */
  linkId: z.string().optional(),
})
type AlexaGrant = z.infer<typeof grantSchema>
interface Link {
  readonly grant: AlexaGrant
  readonly version: number
}

export function createAlexaGrants(deps: {
  readonly store: Store
  /** Encrypts the stored tokens: a secret key of 32 bytes. */
  readonly key: KeyObject
  readonly lwa: Partial<LwaClient>
  /** Of accounts whose region is not known otherwise. Default NA. */
  readonly region?: AlexaRegion
  /** Told when an account has granted, so that what its owner was told before can go. Must not reject. */
  readonly onAccepted?: (accountId: AccountId) => Promise<void>
  /** Told when an account's grant is gone, so that its owner can be. Must not reject. */
  readonly onForgotten?: (accountId: AccountId, why: string) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}): AlexaGrants {
  const { key, clock, log, region: home = 'NA' } = deps
  const links = deps.store.collection<{ readonly sealed: string }>('alexa-link')
  const { clientId, clientSecret, ...rest } = deps.lwa
  const lwa = clientId && clientSecret ? createLwa({ clientId, clientSecret, ...rest }, clock) : undefined
  const missing = [!clientId && 'lwa.clientId', !clientSecret && 'lwa.clientSecret'].filter((name) => name !== false)
  /** Held by the one process that is refreshing the tokens of an account. */
  const leases = deps.store.collection<{ readonly heldAt: number }>('alexa-refresh')
  const refreshing = new Map<AccountId, Promise<Bearer>>()

  const sealed = (accountId: AccountId, grant: AlexaGrant) => ({ sealed: seal(key, accountId, JSON.stringify(grant)) })

  async function read(accountId: AccountId): Promise<Link | undefined> {
    const link: Stored<{ readonly sealed: string }> | undefined = await links.get(accountId)
    if (!link) return undefined
    const text = unseal(key, accountId, link.value.sealed)
    if (text === undefined) {
      log('error', 'alexa.grant_unreadable', {
        accountId,
        hint: 'the key has changed; the skill must be enabled again',
      })
      return undefined
    }
    return { grant: grantSchema.parse(JSON.parse(text)), version: link.version }
  }

  async function accept({ accountId, linkId, code, region }: Accepted, signal: AbortSignal): Promise<void> {
    if (!lwa) {
      log('error', 'alexa.grant_not_configured', { missing, hint: "the pair on the skill's Permissions page" })
      throw new BridgeError('internal', `no LWA client configured: ${missing.join(', ')} missing`)
    }
    const codeDigest = createHash('sha256').update(code).digest('base64url')
    const result = await exchange(lwa, code, signal)
    if (result.kind === 'refused' && result.error === 'invalid_grant') {
      // A directive that Alexa repeats is answered alike, though its code is used up.
      if ((await read(accountId))?.grant.codeDigest === codeDigest) return
    }
    if (result.kind !== 'tokens') throw new BridgeError('internal', `LWA did not take the code: ${whyNot(result)}`)
    const { accessToken, refreshToken, expiresAt } = result
    if (refreshToken === undefined) throw new BridgeError('internal', 'LWA gave no refresh token')
    const grant = {
      accessToken,
      refreshToken,
      expiresAt,
      codeDigest,
      acceptedAt: clock(),
      ...(region !== undefined && { region }),
      ...(linkId !== undefined && { linkId }),
    }
    await links.put(accountId, sealed(accountId, grant))
    log('info', 'alexa.grant_stored', { accountId, region: region ?? home })
    await deps.onAccepted?.(accountId)
  }

  async function bearer(accountId: AccountId, rejected?: string): Promise<Bearer> {
    const link = await read(accountId)
    if (!link) return { kind: 'no-grant' }
    const { accessToken, expiresAt } = link.grant
    if (accessToken !== rejected && expiresAt - clock() > REFRESH_AHEAD_MS) return tokenOf(link.grant)
    const running = refreshing.get(accountId)
    if (running) return running
    const refreshed = refresh(accountId, link).finally(() => refreshing.delete(accountId))
    refreshing.set(accountId, refreshed)
    return refreshed
  }

  const tokenOf = ({ accessToken, region }: AlexaGrant): Bearer => ({
    kind: 'token',
    token: accessToken,
    ...(region === undefined ? { region: home, isGuess: true } : { region }),
  })

  /** One process refreshes, the others wait for what it brings: two refreshes at once may revoke each other's tokens. */
  async function refresh(accountId: AccountId, link: Link): Promise<Bearer> {
    if (!lwa) return { kind: 'unavailable', reason: `no LWA client configured: ${missing.join(', ')} missing` }
    const giveUpAt = clock() + LEASE_MS
    let heldUntil: number
    for (;;) {
      heldUntil = clock() + LEASE_MS
      const lease = { onlyIf: 'absent', expiresAt: heldUntil } as const
      if ((await leases.put(accountId, { heldAt: clock() }, lease)) !== undefined) break
      const current = await read(accountId)
      if (!current) return { kind: 'no-grant' }
      if (isRenewed(current, link)) return tokenOf(current.grant)
      if (clock() >= giveUpAt) return { kind: 'unavailable', reason: 'another process is refreshing' }
      await sleep(LEASE_POLL_MS)
    }
    try {
      return await refreshHere(lwa, accountId, link)
    } finally {
      // Later it may be another's.
      if (clock() < heldUntil) await leases.remove(accountId)
    }
  }

  async function refreshHere(lwa: Lwa, accountId: AccountId, before: Link): Promise<Bearer> {
    // Whoever held the lease before us may have done it all.
    const link = await read(accountId)
    if (!link) return { kind: 'no-grant' }
    if (isRenewed(link, before)) return tokenOf(link.grant)
    const result = await lwa.refresh(link.grant.refreshToken)
    if (result.kind === 'tokens') {
      const { accessToken, expiresAt, refreshToken = link.grant.refreshToken } = result
      return keep(accountId, link, { accessToken, refreshToken, expiresAt })
    }
    if (result.kind === 'refused' && result.error === 'invalid_grant') {
      await forget(accountId, 'LWA: invalid_grant', { token: link.grant.accessToken })
      return stored(accountId)
    }
    return { kind: 'unavailable', reason: `LWA: ${whyNot(result)}` }
  }

  /** Keeps what a refresh of `before` brought, unless a grant accepted meanwhile is there: that one is newer. */
  async function keep(
    accountId: AccountId,
    before: Link,
    fresh: Pick<AlexaGrant, 'accessToken' | 'refreshToken' | 'expiresAt'>,
  ): Promise<Bearer> {
    for (let link: Link | undefined = before; ; link = await read(accountId)) {
      if (!link) return { kind: 'no-grant' }
      if (isRenewed(link, before)) return tokenOf(link.grant)
      const grant = { ...link.grant, ...fresh }
      const version = await links.put(accountId, sealed(accountId, grant), { onlyIf: { version: link.version } })
      if (version !== undefined) return tokenOf(grant)
    }
  }

  async function stored(accountId: AccountId): Promise<Bearer> {
    const link = await read(accountId)
    return link ? tokenOf(link.grant) : { kind: 'no-grant' }
  }

  async function moved(accountId: AccountId, region: AlexaRegion): Promise<void> {
    for (;;) {
      const link = await read(accountId)
      if (!link || link.grant.region === region) return
      const put = { onlyIf: { version: link.version } }
      if ((await links.put(accountId, sealed(accountId, { ...link.grant, region }), put)) !== undefined) break
    }
    log('info', 'alexa.region_learned', { accountId, region })
  }

  async function forget(accountId: AccountId, why: string, only: GrantTrait): Promise<void> {
    if (!(await removeIf(accountId, only))) return
    log('warn', 'alexa.grant_forgotten', { accountId, why })
    await deps.onForgotten?.(accountId, why)
  }

  async function drop(accountId: AccountId): Promise<void> {
    await links.remove(accountId)
    log('info', 'alexa.grant_dropped', { accountId })
  }

  /** False when there is another grant by now, or none. */
  async function removeIf(accountId: AccountId, { token, linkId, acceptedBy }: GrantTrait): Promise<boolean> {
    for (;;) {
      const link = await read(accountId)
      if (!link || (token ?? link.grant.accessToken) !== link.grant.accessToken) return false
      if (linkId !== undefined && link.grant.linkId !== linkId) return false
      if (acceptedBy !== undefined && (link.grant.acceptedAt ?? 0) > acceptedBy) return false
      // A removal on a condition: a record that has run out does not exist.
      const gone = { onlyIf: { version: link.version }, expiresAt: clock() }
      if ((await links.put(accountId, { sealed: '' }, gone)) !== undefined) return true
    }
  }

  return {
    isConfigured: lwa !== undefined,
    accept,
    bearer,
    moved,
    has: async (accountId) => (await links.get(accountId)) !== undefined,
    forget,
    drop,
  }
}

/**
 * Alexa sends the code once and waits eight seconds: what LWA cannot say now it may be able to say in a moment. The signal,
 * aborted before they are over, ends it.
 */
async function exchange(lwa: Lwa, code: string, signal: AbortSignal): Promise<LwaResult> {
  let result = await lwa.exchange(code, signal)
  for (const pauseMs of EXCHANGE_PAUSES_MS) {
    if (result.kind !== 'unavailable' || signal.aborted) break
    // An abort ends the pause, and is then the reason that the exchange gives.
    await sleep(pauseMs, undefined, { signal }).catch(() => {})
    result = await lwa.exchange(code, signal)
  }
  return result
}

/** One may differ from the other in more than its tokens: in the region. */
const isRenewed = (link: Link, before: Link): boolean => link.grant.accessToken !== before.grant.accessToken

function whyNot(result: Exclude<LwaResult, { kind: 'tokens' }>): string {
  return result.kind === 'refused' ? result.error : result.reason
}
