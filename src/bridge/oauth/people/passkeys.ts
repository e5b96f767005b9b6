/** Passkeys (WebAuthn): registered on the account page, used instead of a password. Only public keys are kept. */
import { hash } from 'node:crypto'
import { isIP } from 'node:net'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import * as z from 'zod'
import { accountId, type AccountId, type Clock, type Log, type Store } from 'transom-core/ports'
import type { User } from './users.ts'

export interface Passkey {
  readonly id: string
  readonly createdAt: number
  readonly usedAt?: number
}

export interface Passkeys {
  /** False where browsers offer none: a passkey belongs to a host name, not to an address. */
  readonly isOffered: boolean
  registrationOptions(user: User): Promise<object>
  /** Adds what the browser made for the latest options of this user. False when it does not verify. */
  register(user: User, credential: unknown): Promise<boolean>
  /** `asker` ties the options to one sign-in page; nothing else may use the answer. */
  signInOptions(asker: string): Promise<object>
  /** Whose passkey it is and when it was made, or `undefined` when it does not verify. */
  signIn(
    asker: string,
    credential: unknown,
  ): Promise<{ readonly accountId: AccountId; readonly createdAt: number } | undefined>
  list(account: AccountId): Promise<readonly Passkey[]>
  /** False when the account has no such passkey. */
  remove(account: AccountId, id: string): Promise<boolean>
  removeAll(account: AccountId): Promise<void>
}

interface PasskeyRecord {
  readonly accountId: AccountId
  readonly credentialId: string
  /** COSE key, base64url. */
  readonly publicKey: string
  readonly counter: number
  readonly createdAt: number
  readonly usedAt?: number
}

const challengeMs = 5 * 60_000
const base64url = z
  .string()
  .regex(/^[\w-]+$/)
  .max(8192)
const credentialFacts = { id: base64url.max(1400), rawId: base64url.max(1400), type: z.literal('public-key') }
const extensions = z.object({}).default({})
const registration = z.object({
  ...credentialFacts,
  clientExtensionResults: extensions,
  response: z.object({ clientDataJSON: base64url, attestationObject: base64url }),
})
const authentication = z.object({
  ...credentialFacts,
  clientExtensionResults: extensions,
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.optional(),
  }),
})

export function createPasskeys(deps: {
  readonly store: Store
  readonly issuer: string
  readonly name: string
  /** True where another provider signs people in: a passkey would go past it. */
  readonly isOff: boolean
  readonly clock: Clock
  readonly log: Log
}): Passkeys {
  const { store, name, clock, log } = deps
  const { origin, hostname } = new URL(deps.issuer)
  const records = store.collection<PasskeyRecord>('oauth-passkey')
  const challenges = store.collection<string>('oauth-challenge')
  const isOffered = !deps.isOff && isIP(hostname.replace(/^\[|\]$/g, '')) === 0
  const expected = { expectedOrigin: origin, expectedRPID: hostname, requireUserVerification: true }

  const keepChallenge = (asker: string, challenge: string) =>
    challenges.put(keyOf(asker), challenge, { expiresAt: clock() + challengeMs })
  const takeChallenge = async (asker: string) => (await challenges.take(keyOf(asker)))?.value

  return {
    isOffered,
    async registrationOptions(user) {
      const known = await records.list(user.accountId)
      const options = await generateRegistrationOptions({
        rpName: name,
        rpID: hostname,
        userID: new Uint8Array(Buffer.from(user.accountId)),
        userName: user.login,
        userDisplayName: user.name,
        attestationType: 'none',
        excludeCredentials: known.map(({ value }) => ({ id: value.credentialId })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      })
      await keepChallenge(`add ${user.accountId}`, options.challenge)
      return options
    },
    async register(user, credential) {
      const expectedChallenge = await takeChallenge(`add ${user.accountId}`)
      const parsed = registration.safeParse(credential)
      if (!isOffered || expectedChallenge === undefined || !parsed.success) return false
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: parsed.data,
        expectedChallenge,
        ...expected,
      }).catch((error: unknown) => refused('add', error))
      if (!verified || registrationInfo === undefined) return false
      const { id, publicKey, counter } = registrationInfo.credential
      const record = {
        accountId: user.accountId,
        credentialId: id,
        publicKey: Buffer.from(publicKey).toString('base64url'),
        counter,
        createdAt: clock(),
      }
      return (await records.put(keyOf(id), record, { onlyIf: 'absent', group: user.accountId })) !== undefined
    },
    async signInOptions(asker) {
      // No list of credentials: it would tell a stranger who has an account. The browser shows what it has.
      const options = await generateAuthenticationOptions({ rpID: hostname, userVerification: 'required' })
      await keepChallenge(asker, options.challenge)
      return options
    },
    async signIn(asker, credential) {
      const expectedChallenge = await takeChallenge(asker)
      const parsed = authentication.safeParse(credential)
      if (!isOffered || expectedChallenge === undefined || !parsed.success) return undefined
      const { userHandle, ...response } = parsed.data.response
      const stored = await records.get(keyOf(parsed.data.id))
      if (stored === undefined) return undefined
      const { value } = stored
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: { ...parsed.data, response: { ...response, ...(userHandle === undefined ? {} : { userHandle }) } },
        expectedChallenge,
        ...expected,
        credential: {
          id: value.credentialId,
          publicKey: new Uint8Array(Buffer.from(value.publicKey, 'base64url')),
          counter: value.counter,
        },
      }).catch((error: unknown) => refused('use', error))
      if (!verified) return undefined
      if (userHandle !== undefined && Buffer.from(userHandle, 'base64url').toString() !== value.accountId)
        return undefined
      const used = { ...value, counter: authenticationInfo?.newCounter ?? value.counter, usedAt: clock() }
      await records.put(stored.id, used, { group: value.accountId, onlyIf: { version: stored.version } })
      return { accountId: accountId(value.accountId), createdAt: value.createdAt }
    },
    async list(account) {
      return (await records.list(account)).map(({ id, value: { createdAt, usedAt } }) => ({
        id,
        createdAt,
        ...(usedAt === undefined ? {} : { usedAt }),
      }))
    },
    async remove(account, id) {
      const stored = id === '' || id.length > 100 ? undefined : await records.get(id)
      if (stored?.value.accountId !== account) return false
      await records.remove(id)
      return true
    },
    async removeAll(account) {
      for await (const { id } of records.all(account)) await records.remove(id)
    },
  }

  /** The library throws for whatever does not verify; to the visitor every reason is the same. */
  function refused(
    what: string,
    error: unknown,
  ): { verified: false; registrationInfo?: never; authenticationInfo?: never } {
    log('warn', 'oauth.passkey-refused', { what, error: error instanceof Error ? error.message : String(error) })
    return { verified: false }
  }
}

/** Credential ids may be over a kilobyte long, and an asker is a secret of one browser. */
const keyOf = (text: string): string => hash('sha256', text, 'base64url')
