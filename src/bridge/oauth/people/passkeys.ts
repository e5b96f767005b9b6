/** Passkeys (WebAuthn): registered on the account page, used instead of a password. Only public keys are kept. */
import { hash } from 'node:crypto'
import { isIP } from 'node:net'
import * as z from 'zod'
import { accountId, type AccountId, type Clock, type Collection, type Log, type Store } from 'transom-core/ports'
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

interface PasskeysDeps {
  readonly store: Store
  readonly issuer: string
  readonly name: string
  /** True where another provider signs people in: a passkey would go past it. */
  readonly isOff: boolean
  readonly clock: Clock
  readonly log: Log
}

interface Context {
  readonly name: string
  /** What a browser's answer has to say of us. */
  readonly site: { readonly expectedOrigin: string; readonly expectedRPID: string }
  readonly isOffered: boolean
  readonly records: Collection<PasskeyRecord>
  readonly challenges: Challenges
  readonly clock: Clock
  readonly log: Log
}

export function createPasskeys(deps: PasskeysDeps): Passkeys {
  const { store, clock } = deps
  const { origin, hostname } = new URL(deps.issuer)
  const isOffered = !deps.isOff && isIP(hostname.replace(/^\[|\]$/g, '')) === 0
  const records = store.collection<PasskeyRecord>('oauth-passkey')
  const challenges = createChallenges(store, clock)
  const site = { expectedOrigin: origin, expectedRPID: hostname }
  const context = { ...deps, site, isOffered, records, challenges }

  return {
    isOffered,
    registrationOptions: (user) => registrationOptions(context, user),
    register: (user, credential) => register(context, user, credential),
    async signInOptions(asker) {
      // No list of credentials: it would tell a stranger who has an account. The browser shows what it has.
      const { generateAuthenticationOptions } = await loadWebAuthn()
      const options = await generateAuthenticationOptions({ rpID: hostname, userVerification: 'required' })
      await challenges.keep(asker, options.challenge)
      return options
    },
    signIn: (asker, credential) => signIn(context, asker, credential),
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
}

interface Challenges {
  keep(asker: string, challenge: string): Promise<void>
  /** The latest one, which is gone then. */
  take(asker: string): Promise<string | undefined>
}

function createChallenges(store: Store, clock: Clock): Challenges {
  const kept = store.collection<string>('oauth-challenge')
  return {
    async keep(asker, challenge) {
      await kept.put(keyOf(asker), challenge, { expiresAt: clock() + challengeMs })
    },
    take: async (asker) => (await kept.take(keyOf(asker)))?.value,
  }
}

/** Loaded with its parsers of certificates when somebody uses a passkey. */
const loadWebAuthn = () => import('@simplewebauthn/server')

async function registrationOptions({ name, site, records, challenges }: Context, user: User): Promise<object> {
  const known = await records.list(user.accountId)
  const { generateRegistrationOptions } = await loadWebAuthn()
  const options = await generateRegistrationOptions({
    rpName: name,
    rpID: site.expectedRPID,
    userID: new Uint8Array(Buffer.from(user.accountId)),
    userName: user.login,
    userDisplayName: user.name,
    attestationType: 'none',
    excludeCredentials: known.map(({ value }) => ({ id: value.credentialId })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
  await challenges.keep(`add ${user.accountId}`, options.challenge)
  return options
}

async function register(context: Context, user: User, credential: unknown): Promise<boolean> {
  const { site, isOffered, records, challenges, clock, log } = context
  const expectedChallenge = await challenges.take(`add ${user.accountId}`)
  const parsed = registration.safeParse(credential)
  if (!isOffered || expectedChallenge === undefined || !parsed.success) return false
  const { verifyRegistrationResponse } = await loadWebAuthn()
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response: parsed.data,
    expectedChallenge,
    requireUserVerification: true,
    ...site,
  }).catch((error: unknown) => refused(log, 'add', error))
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
}

async function signIn(context: Context, asker: string, credential: unknown): ReturnType<Passkeys['signIn']> {
  const { site, isOffered, records, challenges, clock, log } = context
  const expectedChallenge = await challenges.take(asker)
  const parsed = authentication.safeParse(credential)
  if (!isOffered || expectedChallenge === undefined || !parsed.success) return undefined
  const { userHandle, ...response } = parsed.data.response
  const stored = await records.get(keyOf(parsed.data.id))
  if (stored === undefined) return undefined
  const { value } = stored
  const { verifyAuthenticationResponse } = await loadWebAuthn()
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response: { ...parsed.data, response: { ...response, ...(userHandle === undefined ? {} : { userHandle }) } },
    expectedChallenge,
    requireUserVerification: true,
    ...site,
    credential: {
      id: value.credentialId,
      publicKey: new Uint8Array(Buffer.from(value.publicKey, 'base64url')),
      counter: value.counter,
    },
  }).catch((error: unknown) => refused(log, 'use', error))
  if (!verified) return undefined
  if (userHandle !== undefined && Buffer.from(userHandle, 'base64url').toString() !== value.accountId) return undefined
  const used = { ...value, counter: authenticationInfo?.newCounter ?? value.counter, usedAt: clock() }
  await records.put(stored.id, used, { group: value.accountId, onlyIf: { version: stored.version } })
  return { accountId: accountId(value.accountId), createdAt: value.createdAt }
}

/** The library throws for whatever does not verify; to the visitor every reason is the same. */
function refused(
  log: Log,
  what: string,
  error: unknown,
): { verified: false; registrationInfo?: never; authenticationInfo?: never } {
  log('warn', 'oauth.passkey-refused', { what, error: error instanceof Error ? error.message : String(error) })
  return { verified: false }
}

/** Credential ids may be over a kilobyte long, and an asker is a secret of one browser. */
const keyOf = (text: string): string => hash('sha256', text, 'base64url')
