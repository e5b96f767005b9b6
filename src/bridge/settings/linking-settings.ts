/** Settings of account linking: another identity provider, foreign access tokens, Google's streamlined linking. */
import * as z from 'zod'
import { languages } from 'transom-core/language'
import { setting, wholeNumber } from 'transom-core/setting-shapes'
import type { ForeignTokens } from '../oauth/provider/foreign-tokens.ts'
import type { Brand } from '../oauth/pages/markup.ts'
import type { StreamlinedOptions } from '../oauth/provider/streamlined.ts'
import type { UpstreamOptions } from '../oauth/people/upstream.ts'

/** Part of the environment that `config.ts` reads. */
export const linkingEnvironment = {
  TRANSOM_NAME: setting(
    'bridge',
    'Your name on the sign-in pages.',
    z.string().trim().min(1).max(60).default('Transom'),
  ),
  TRANSOM_PRIVACY_URL: setting(
    'bridge',
    'Your privacy policy, which the sign-in pages link.',
    z.url({ protocol: /^https?$/ }).optional(),
  ),
  TRANSOM_LANGUAGE: setting(
    'bridge',
    'The language of the page, of signing in and of linking, `en` or `de`, for everybody who has not chosen another one there.',
    z.enum(languages).optional(),
    'that of each browser',
  ),
  TRANSOM_OPERATOR_KEY: setting(
    'bridge',
    "Opens introspection and the operator's API to whoever has it, from anywhere: `transom`. 32 characters or more.",
    z.string().min(32).optional(),
  ),
  TRANSOM_LINK_STARTS_PER_SECOND: setting(
    'tuning',
    'How many may begin to link in a second, all networks together, and a hundred times as many at once. Each start leaves a record of two kilobytes or so for half an hour.',
    wholeNumber(1, 1_000, 10),
  ),
  TRANSOM_LOGIN_ISSUER: setting(
    'login',
    'Its issuer, exactly as its metadata spell it.',
    z.url({ protocol: /^https?$/ }).optional(),
  ),
  TRANSOM_LOGIN_CLIENT_ID: setting('login', 'Client id that it gave you.', z.string().optional()),
  TRANSOM_LOGIN_CLIENT_SECRET: setting('login', 'The secret; a public client has none.', z.string().optional()),
  TRANSOM_LOGIN_NAME: setting(
    'login',
    'What the button says after "Continue with".',
    z.string().default('your account'),
  ),
  TRANSOM_TOKEN_ISSUER: setting('token', '`iss` of its access tokens.', z.string().optional()),
  TRANSOM_TOKEN_AUDIENCE: setting('token', '`aud` of its access tokens.', z.string().optional()),
  TRANSOM_TOKEN_JWKS_URL: setting('token', 'Its public keys.', z.url({ protocol: /^https?$/ }).optional()),
  TRANSOM_TOKEN_ACCOUNT_CLAIM: setting('token', 'The claim that names the account.', z.string().default('sub')),
  TRANSOM_TOKEN_SCOPE: setting(
    'token',
    'A scope that a token must have. Without it the audience is enough.',
    z.string().optional(),
  ),
  TRANSOM_TOKEN_ALEXA_CLIENT_ID: setting(
    'token',
    "Its client id for Alexa: a token of it opens Alexa's door and no other, and other clients' tokens do not open that.",
    z.string().optional(),
  ),
  TRANSOM_TOKEN_GOOGLE_CLIENT_ID: setting('token', 'The same for Google.', z.string().optional()),
  TRANSOM_GOOGLE_SIGN_IN_AUDIENCE: setting(
    'streamlined',
    'Client ids that Google issued to you, with commas: the `aud` of its assertions.',
    z.string().optional(),
  ),
  TRANSOM_GOOGLE_JWKS_URL: setting(
    'vendors',
    "The keys of Google's assertions.",
    z.url({ protocol: /^https?$/ }).optional(),
    "Google's",
  ),
  TRANSOM_GOOGLE_CREATES_ACCOUNTS: setting(
    'streamlined',
    '`on`: Google may create accounts.',
    z.enum(['on', 'off']).default('off'),
  ),
} as const

const shape = z.object(linkingEnvironment)

export interface LinkingConfig {
  readonly brand: Brand
  readonly operatorKey: string | undefined
  /** How many may begin to link in a second. */
  readonly startsPerSecond: number
  readonly upstream: UpstreamOptions | undefined
  /** Verify-only: somebody else's server issues the tokens, and ours is not reachable. */
  readonly foreignTokens:
    | (ForeignTokens & { readonly alexaClientId?: string; readonly googleClientId?: string })
    | undefined
  readonly streamlined: StreamlinedOptions | undefined
}

/** Throws an `Error` that says which settings belong together. */
export function toLinkingConfig(env: z.infer<typeof shape>): LinkingConfig {
  return {
    brand: {
      name: env.TRANSOM_NAME,
      ...(env.TRANSOM_PRIVACY_URL && { privacyUrl: env.TRANSOM_PRIVACY_URL }),
      ...(env.TRANSOM_LANGUAGE && { language: env.TRANSOM_LANGUAGE }),
    },
    operatorKey: env.TRANSOM_OPERATOR_KEY,
    startsPerSecond: env.TRANSOM_LINK_STARTS_PER_SECOND,
    upstream: upstreamOf(env),
    foreignTokens: foreignTokensOf(env),
    streamlined: streamlinedOf(env),
  }
}

function upstreamOf(env: z.infer<typeof shape>): UpstreamOptions | undefined {
  const { TRANSOM_LOGIN_ISSUER: issuer, TRANSOM_LOGIN_CLIENT_ID: clientId } = env
  const clientSecret = env.TRANSOM_LOGIN_CLIENT_SECRET
  if (issuer === undefined && clientId === undefined && clientSecret === undefined) return undefined
  if (issuer === undefined || clientId === undefined) {
    throw new Error('TRANSOM_LOGIN_ISSUER and TRANSOM_LOGIN_CLIENT_ID belong together')
  }
  requireSafe('TRANSOM_LOGIN_ISSUER', issuer)
  return {
    issuer,
    clientId,
    name: env.TRANSOM_LOGIN_NAME,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(issuer.startsWith('http:') && { allowHttp: true }),
  }
}

function foreignTokensOf(env: z.infer<typeof shape>): LinkingConfig['foreignTokens'] {
  const issuer = env.TRANSOM_TOKEN_ISSUER
  const audience = env.TRANSOM_TOKEN_AUDIENCE
  const jwksUrl = env.TRANSOM_TOKEN_JWKS_URL
  if (issuer === undefined && audience === undefined && jwksUrl === undefined) return undefined
  if (issuer === undefined || audience === undefined || jwksUrl === undefined) {
    throw new Error('TRANSOM_TOKEN_ISSUER, TRANSOM_TOKEN_AUDIENCE and TRANSOM_TOKEN_JWKS_URL belong together')
  }
  requireSafe('TRANSOM_TOKEN_JWKS_URL', jwksUrl)
  const scope = env.TRANSOM_TOKEN_SCOPE
  const googleClientId = env.TRANSOM_TOKEN_GOOGLE_CLIENT_ID
  const accountClaim = env.TRANSOM_TOKEN_ACCOUNT_CLAIM
  const alexaClientId = env.TRANSOM_TOKEN_ALEXA_CLIENT_ID
  const optional = {
    ...(scope !== undefined && { scope }),
    ...(alexaClientId !== undefined && { alexaClientId }),
    ...(googleClientId !== undefined && { googleClientId }),
  }
  return { issuer, audience, jwksUrl, accountClaim, ...optional }
}

function streamlinedOf(env: z.infer<typeof shape>): StreamlinedOptions | undefined {
  if (env.TRANSOM_GOOGLE_SIGN_IN_AUDIENCE === undefined) return undefined
  requireSafe('TRANSOM_GOOGLE_JWKS_URL', env.TRANSOM_GOOGLE_JWKS_URL ?? '')
  return {
    audience: env.TRANSOM_GOOGLE_SIGN_IN_AUDIENCE.split(/[\s,]+/).filter((id) => id !== ''),
    mayCreate: env.TRANSOM_GOOGLE_CREATES_ACCOUNTS === 'on',
    ...(env.TRANSOM_GOOGLE_JWKS_URL !== undefined && { jwksUrl: env.TRANSOM_GOOGLE_JWKS_URL }),
  }
}

/** Whoever can change what comes from there decides who is let in; only this machine may do without TLS. */
function requireSafe(name: string, url: string): void {
  const { protocol, hostname } = URL.parse(url) ?? {}
  if (protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname ?? '')) {
    throw new Error(`${name} must be https`)
  }
}
