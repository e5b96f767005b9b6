/** Keeps what each account has granted us: the tokens with which we may send its events to Alexa. */
import { createHash, type KeyObject } from 'node:crypto'
import { pause } from 'transom-core/deadline'
import { BridgeError } from 'transom-core/errors'
import type { AccountId, Clock, Log, Store } from 'transom-core/ports'
import { createGrantRecords, type AlexaGrant } from './grant-records.ts'
import { createLwa, whyNot, type Lwa, type LwaClient, type LwaResult } from './lwa.ts'
import { createRefresh } from './refresh.ts'
import type { AlexaRegion } from './region.ts'

/** Refresh when less than this is left of a token, so that it does not run out on its way. */
const REFRESH_AHEAD_MS = 300_000
/** Before a code is sent again: at once first, since most faults are of one connection or one server. */
const EXCHANGE_PAUSES_MS = [0, 500, 1_500]

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
  const { clock, log, region: home = 'NA' } = deps
  const records = createGrantRecords(deps)
  const { clientId, clientSecret, ...rest } = deps.lwa
  const lwa = clientId && clientSecret ? createLwa({ clientId, clientSecret, ...rest }, clock) : undefined
  const refresh = lwa && createRefresh({ ...deps, lwa, records })
  const missing = [!clientId && 'lwa.clientId', !clientSecret && 'lwa.clientSecret'].filter((name) => name !== false)
  const notConfigured = `no LWA client configured: ${missing.join(', ')} missing`

  async function accept({ accountId, linkId, code, region }: Accepted, signal: AbortSignal): Promise<void> {
    if (!lwa) {
      log('error', 'alexa.grant-not-configured', { missing, hint: "the pair on the skill's Permissions page" })
      throw new BridgeError('internal', notConfigured)
    }
    const codeDigest = createHash('sha256').update(code).digest('base64url')
    const result = await exchange(lwa, code, signal)
    const isBadCode = result.kind === 'refused' && result.error === 'invalid_grant'
    // A directive that Alexa repeats is answered alike, though its code is used up.
    if (isBadCode && (await records.read(accountId))?.codeDigest === codeDigest) return
    if (result.kind !== 'tokens')
      throw new BridgeError(isBadCode ? 'invalid_request' : 'internal', `LWA did not take the code: ${whyNot(result)}`)
    const { accessToken, refreshToken, expiresAt } = result
    if (refreshToken === undefined) throw new BridgeError('internal', 'LWA gave no refresh token')
    await records.put(accountId, {
      accessToken,
      refreshToken,
      expiresAt,
      codeDigest,
      acceptedAt: clock(),
      ...(region !== undefined && { region }),
      ...(linkId !== undefined && { linkId }),
    })
    log('info', 'alexa.grant-stored', { accountId, region: region ?? home })
    await deps.onAccepted?.(accountId)
  }

  async function bearer(accountId: AccountId, rejected?: string): Promise<Bearer> {
    const grant = await records.read(accountId)
    if (!grant) return { kind: 'no-grant' }
    const isGood = grant.accessToken !== rejected && grant.expiresAt - clock() > REFRESH_AHEAD_MS
    if (isGood) return tokenOf(grant)
    if (!refresh) return { kind: 'unavailable', reason: notConfigured }
    const refreshed = await refresh(accountId, grant)
    if (refreshed.kind === 'renewed') return tokenOf(refreshed.grant)
    if (refreshed.kind !== 'revoked') return refreshed
    await forget(accountId, 'LWA: invalid_grant', { token: refreshed.grant.accessToken })
    const another = await records.read(accountId)
    return another ? tokenOf(another) : { kind: 'no-grant' }
  }

  const tokenOf = ({ accessToken, region }: AlexaGrant): Bearer => ({
    kind: 'token',
    token: accessToken,
    ...(region === undefined ? { region: home, isGuess: true } : { region }),
  })

  async function forget(accountId: AccountId, why: string, only: GrantTrait): Promise<void> {
    if (!(await records.removeIf(accountId, (grant) => has(grant, only)))) return
    log('warn', 'alexa.grant-forgotten', { accountId, error: why })
    await deps.onForgotten?.(accountId, why)
  }

  return {
    isConfigured: lwa !== undefined,
    accept,
    bearer,
    async moved(accountId, region) {
      const isNews = await records.change(accountId, (grant) =>
        grant.region === region ? undefined : { ...grant, region },
      )
      if (isNews) log('info', 'alexa.region-learned', { accountId, region })
    },
    has: records.has,
    forget,
    async drop(accountId) {
      await records.remove(accountId)
      log('info', 'alexa.grant-dropped', { accountId })
    },
  }
}

/** Whether a grant has everything that is asked for. */
function has(grant: AlexaGrant, { token, linkId, acceptedBy }: GrantTrait): boolean {
  return (
    (token ?? grant.accessToken) === grant.accessToken &&
    (linkId === undefined || grant.linkId === linkId) &&
    (acceptedBy === undefined || (grant.acceptedAt ?? 0) <= acceptedBy)
  )
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
    await pause(pauseMs, signal)
    result = await lwa.exchange(code, signal)
  }
  return result
}
