/** Keeps what each account has granted us: the tokens with which we may send its events to Alexa. */
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { BridgeError } from '../errors.ts'
import type { AccountId, Clock, Log, Store, Stored } from '../ports.ts'
import { createLwa, type LwaClient, type LwaResult } from './lwa.ts'
import { seal, unseal } from './seal.ts'

/** Refresh when less than this is left of a token, so that it does not run out on its way. */
const REFRESH_AHEAD_MS = 300_000
const LWA_TIMEOUT_MS = 4_000

export type Bearer =
  | { readonly kind: 'token'; readonly token: string }
  /** The account has granted nothing, or has taken it back. */
  | { readonly kind: 'no-grant' }
  /** There is a grant but no token to be had for it now; later there may be one. */
  | { readonly kind: 'unavailable'; readonly reason: string }

export interface AlexaGrants {
  /** False while the LWA client is not configured: then nothing can be granted, and no event can be sent. */
  readonly isConfigured: boolean
  /** Exchanges the code of an AcceptGrant and stores the tokens; resolves when they are stored. Throws `BridgeError`. */
  accept(accountId: AccountId, code: string, signal: AbortSignal): Promise<void>
  /** A token for the event gateway, good for five minutes at least and not the `rejected` one. Rejects if the store does. */
  bearer(accountId: AccountId, rejected?: string): Promise<Bearer>
  /** Forgets the account's grant; it comes back when the customer enables the skill again. */
  forget(accountId: AccountId, why: string): Promise<void>
}

const grantSchema = z.object({ accessToken: z.string(), refreshToken: z.string(), expiresAt: z.number() })
type AlexaGrant = z.infer<typeof grantSchema>

export function createAlexaGrants(deps: {
  readonly store: Store
  /** Encrypts the stored tokens: a secret key of 32 bytes. */
  readonly key: KeyObject
  readonly lwa: Partial<LwaClient>
  readonly clock: Clock
  readonly log: Log
}): AlexaGrants {
  const { key, clock, log } = deps
  const links = deps.store.collection<{ readonly sealed: string }>('alexa-link')
  const { clientId, clientSecret, ...rest } = deps.lwa
  const lwa =
    clientId && clientSecret
      ? createLwa({ clientId, clientSecret, ...rest }, { clock, timeoutMs: LWA_TIMEOUT_MS })
      : undefined
  const missing = [!clientId && 'lwa.clientId', !clientSecret && 'lwa.clientSecret'].filter((name) => name !== false)
  const refreshing = new Map<AccountId, Promise<Bearer>>()

  const sealed = (accountId: AccountId, grant: AlexaGrant) => ({ sealed: seal(key, accountId, JSON.stringify(grant)) })

  async function read(accountId: AccountId): Promise<{ grant: AlexaGrant; version: number } | undefined> {
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

  async function accept(accountId: AccountId, code: string, signal: AbortSignal): Promise<void> {
    if (!lwa) {
      log('error', 'alexa.grant_not_configured', { missing, hint: "the pair on the skill's Permissions page" })
      throw new BridgeError('internal', `no LWA client configured: ${missing.join(', ')} missing`)
    }
    const result = await lwa.exchange(code, signal)
    if (result.kind !== 'tokens') throw new BridgeError('internal', `LWA did not take the code: ${whyNot(result)}`)
    const { accessToken, refreshToken, expiresAt } = result
    if (refreshToken === undefined) throw new BridgeError('internal', 'LWA gave no refresh token')
    await links.put(accountId, sealed(accountId, { accessToken, refreshToken, expiresAt }))
    log('info', 'alexa.grant_stored', { accountId })
  }

  async function bearer(accountId: AccountId, rejected?: string): Promise<Bearer> {
    const link = await read(accountId)
    if (!link) return { kind: 'no-grant' }
    const { accessToken, expiresAt } = link.grant
    if (accessToken !== rejected && expiresAt - clock() > REFRESH_AHEAD_MS) return { kind: 'token', token: accessToken }
    const running = refreshing.get(accountId)
    if (running) return running
    const refreshed = refresh(accountId, link).finally(() => refreshing.delete(accountId))
    refreshing.set(accountId, refreshed)
    return refreshed
  }

  async function refresh(accountId: AccountId, link: { grant: AlexaGrant; version: number }): Promise<Bearer> {
    if (!lwa) return { kind: 'unavailable', reason: `no LWA client configured: ${missing.join(', ')} missing` }
    const result = await lwa.refresh(link.grant.refreshToken)
    if (result.kind === 'tokens') {
      const { accessToken, expiresAt, refreshToken = link.grant.refreshToken } = result
      // At the version that was read: a grant accepted meanwhile is newer than what this refresh brings.
      const fresh = sealed(accountId, { accessToken, refreshToken, expiresAt })
      const version = await links.put(accountId, fresh, { onlyIf: { version: link.version } })
      return version === undefined ? stored(accountId) : { kind: 'token', token: accessToken }
    }
    if (result.kind === 'refused' && result.error === 'invalid_grant') {
      const current = await read(accountId)
      if (current && current.version !== link.version) return { kind: 'token', token: current.grant.accessToken }
      await forget(accountId, 'LWA: invalid_grant')
      return { kind: 'no-grant' }
    }
    return { kind: 'unavailable', reason: `LWA: ${whyNot(result)}` }
  }

  async function stored(accountId: AccountId): Promise<Bearer> {
    const link = await read(accountId)
    return link ? { kind: 'token', token: link.grant.accessToken } : { kind: 'no-grant' }
  }

  async function forget(accountId: AccountId, why: string): Promise<void> {
    await links.remove(accountId)
    log('warn', 'alexa.grant_forgotten', { accountId, why })
  }

  return { isConfigured: lwa !== undefined, accept, bearer, forget }
}

function whyNot(result: Exclude<LwaResult, { kind: 'tokens' }>): string {
  return result.kind === 'refused' ? result.error : result.reason
}
