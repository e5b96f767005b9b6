/** Google's streamlined linking: an assertion by Google says who the person is; we answer whether we know them, or make the link. */
import { type FetchImplementation, jwtVerify } from 'jose'
import { errors, type KoaContextWithOIDC, type Provider, type ResourceServer } from 'oidc-provider'
import * as z from 'zod'
import type { Clock, Log } from 'transom-core/ports'
import { jwtBearer } from './adapter.ts'
import { remoteKeys } from './key-set.ts'
import type { User, Users } from '../people/users.ts'

export interface StreamlinedOptions {
  /** The client ids that Google issued to us (Google API console): who its assertions are for. */
  readonly audience: readonly string[]
  /** Google's keys; default Google's own address. */
  readonly jwksUrl?: string
  /** True to make accounts for people we do not know (`intent=create`). */
  readonly mayCreate?: boolean
  /** For tests. */
  readonly fetch?: FetchImplementation
}

/** Google writes its name both ways (OpenID Connect page of Google Identity). */
const googleIssuers = ['https://accounts.google.com', 'accounts.google.com']
/** Where Google publishes the keys of its assertions. */
export const googleKeys = 'https://www.googleapis.com/oauth2/v3/certs'
const identityIssuer = 'https://accounts.google.com'

const assertionClaims = z.object({
  sub: z.string().min(1).max(255),
  email: z.string().max(254).optional(),
  email_verified: z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]).default(false),
  hd: z.string().optional(),
  name: z.string().optional(),
})
type Person = z.infer<typeof assertionClaims>

/** What the answer must be besides tokens. */
type Verdict =
  | { readonly kind: 'link'; readonly user: User }
  | { readonly kind: 'answer'; readonly status: number; readonly body: object }

interface StreamlinedDeps {
  readonly users: Users
  /** What the access tokens are for. */
  readonly audience: string
  readonly scope: string
  readonly clock: Clock
  readonly log: Log
  /** The rules of Google's access tokens, as everywhere else. */
  readonly resourceServer: ResourceServer
}

/** Adds the grant type of Google's assertions (RFC 7523 section 2.1, with Google's `intent`) to the provider. */
export function addStreamlinedLinking(provider: Provider, options: StreamlinedOptions, deps: StreamlinedDeps): void {
  const keys = remoteKeys(options.jwksUrl ?? googleKeys, options.fetch)
  const parameters = z.object({ assertion: z.string().max(8192).default(''), intent: z.string().default('') })

  const grant = async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { assertion, intent } = parameters.parse(ctx.oidc.params ?? {})
    const { client } = ctx.oidc
    if (client?.['assistant'] !== 'google') throw new errors.UnauthorizedClient('only Google links so')
    const person = await readAssertion(assertion, keys, options, deps)
    const tenant = client['tenant'] as string | undefined
    const verdict = await judge(deps.users, intent, { person, tenant }, options.mayCreate ?? false)
    deps.log('info', 'oauth.streamlined', { clientId: client.clientId, intent, isKnown: verdict.kind === 'link' })
    if (verdict.kind === 'answer') {
      ctx.status = verdict.status
      ctx.body = verdict.body
    } else ctx.body = await issueTokens(provider, ctx, verdict.user, deps)
  }
  provider.registerGrantType(jwtBearer, grant, ['assertion', 'intent', 'scope'])
}

/** Who the assertion speaks of. Throws `invalid_grant` when Google has not signed it for us. */
async function readAssertion(
  assertion: string,
  keys: ReturnType<typeof remoteKeys>,
  { audience }: StreamlinedOptions,
  { clock, log }: StreamlinedDeps,
): Promise<Person> {
  try {
    const { payload } = await jwtVerify(assertion, keys, {
      algorithms: ['RS256', 'ES256'],
      issuer: googleIssuers,
      audience: [...audience],
      requiredClaims: ['exp', 'iat'],
      currentDate: new Date(clock()),
      clockTolerance: 60,
    })
    return assertionClaims.parse(payload)
  } catch (error) {
    log('warn', 'oauth.assertion-refused', { error: error instanceof Error ? error.message : String(error) })
    throw new errors.InvalidGrant('the assertion does not verify')
  }
}

/** Whom Google speaks of, and at which tenant's client. */
interface Asked {
  readonly person: Person
  readonly tenant: string | undefined
}

const identityOf = ({ sub }: Person) => ({ issuer: identityIssuer, subject: sub })

async function judge(users: Users, intent: string, asked: Asked, mayCreate: boolean): Promise<Verdict> {
  const known = await find(users, asked)
  switch (intent) {
    case 'check':
      return known === undefined
        ? { kind: 'answer', status: 404, body: { account_found: false } }
        : { kind: 'answer', status: 200, body: { account_found: true } }
    case 'get':
      return known === undefined ? unlinked() : bound(users, known, asked.person)
    case 'create':
      if (known !== undefined) return unlinked(known.login)
      return mayCreate ? { kind: 'link', user: await create(users, asked) } : unlinked()
    default:
      throw new errors.InvalidRequest('intent must be check, get or create')
  }
}

/** An address alone proves a person only where Google itself runs the mailbox (google-home.md section 5.3). */
async function find(users: Users, { person, tenant }: Asked): Promise<User | undefined> {
  const known = await users.findByIdentity(identityOf(person))
  if (known !== undefined) return known.tenant === tenant ? known : undefined
  const named = isAuthoritative(person) ? await users.find(person.email ?? '', tenant) : undefined
  // Whoever signed up under somebody else's address would be given that person's Google Home.
  return named?.isSelfNamed === true ? undefined : named
}

async function bound(users: Users, user: User, person: Person): Promise<Verdict> {
  const isOurs =
    (await users.bindIdentity(user.accountId, identityOf(person))) ||
    (await users.findByIdentity(identityOf(person)))?.accountId === user.accountId
  return isOurs ? { kind: 'link', user } : unlinked(user.login)
}

function create(users: Users, { person, tenant }: Asked): Promise<User> {
  const isProven = isAuthoritative(person) || person.email_verified
  const login = isProven && person.email !== undefined ? person.email : person.sub
  const described = { login, name: person.name ?? login, ...(tenant !== undefined && { tenant }) }
  return users.ofIdentity(identityOf(person), described)
}

/** Makes the link; resolves with the answer of RFC 6749 section 5.1. */
async function issueTokens(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  { accountId }: User,
  { audience, scope, resourceServer }: StreamlinedDeps,
): Promise<object> {
  const { client } = ctx.oidc
  if (client === undefined) throw new errors.InvalidClient('no client')
  const grant = new provider.Grant({ accountId, clientId: client.clientId })
  grant.addResourceScope(audience, scope)
  const grantId = await grant.save()
  ctx.oidc.entity('Grant', grant)
  const common = { accountId, client, grantId, gty: jwtBearer, scope }
  const access = new provider.AccessToken(common)
  access.resourceServer = new provider.ResourceServer(audience, resourceServer)
  access.scope = scope
  const refresh = new provider.RefreshToken({ ...common, resource: audience, rotations: 0 })
  return {
    token_type: 'Bearer',
    access_token: await access.save(),
    refresh_token: await refresh.save(),
    expires_in: access.expiration,
    scope,
  }
}

function unlinked(loginHint?: string): Verdict {
  return {
    kind: 'answer',
    status: 401,
    body: { error: 'linking_error', ...(loginHint !== undefined && { login_hint: loginHint }) },
  }
}

/** `hd` says whose Workspace the account is in; the address may be of another domain, whose mailboxes Google does not run. */
function isAuthoritative({ email = '', email_verified: isVerified, hd = '' }: Person): boolean {
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase()
  return email.includes('@') && (domain === 'gmail.com' || (isVerified && domain === hd.toLowerCase()))
}
