/**
 * Certificates of a public authority by ACME (RFC 8555), for names and for addresses (RFC 8738). Written here, with `jose` for
 * the signatures: the client that most programs use for this was last released in 2024, knows no addresses, and brings an HTTP
 * client of its own, without our deadline and bounds.
 */
import { isIP } from 'node:net'
import { calculateJwkThumbprint, FlattenedSign, importJWK, type JWK } from 'jose'
import * as z from 'zod'
import type { pause } from 'transom-core/deadline'
import { retryAfterMs, type Fetch } from 'transom-core/fetch'
import type { Clock } from 'transom-core/ports'
import { faultsOf } from 'transom-core/wire/faults'

/** How control over a name is shown. */
export type ChallengeType = 'http-01' | 'dns-01'

/** What has to be shown for one name, until the authority has looked. */
export interface Challenge {
  readonly type: ChallengeType
  readonly name: string
  readonly token: string
  /** For HTTP-01 the answer itself (section 8.3); for DNS-01 its SHA-256 in base64url is the TXT record's value (section 8.4). */
  readonly keyAuthorization: string
}

/** Shows what a challenge asks for; resolves to what takes it away again. */
export type Solve = (challenge: Challenge, signal: AbortSignal) => Promise<() => unknown>

export interface AcmeOptions {
  /** The authority's directory. */
  readonly directory: string
  /** The account, an ES256 private key: the same key is the same account. */
  readonly accountKey: JWK
  readonly email?: string | undefined
  /** What binds the account to a customer of the authority, where it asks for that (section 7.3.4). `key`: base64url. */
  readonly binding?: { readonly keyId: string; readonly key: string } | undefined
  readonly fetch: Fetch
  /** Between two looks at an order: `pause` of `core/deadline`, which tests do not wait for. */
  readonly pause: typeof pause
  readonly clock: Clock
}

/** What the authority refused: `type` is the last part of its `urn:ietf:params:acme:error:…` (section 6.7), '' for no such answer. */
export class AcmeError extends Error {
  override readonly name = 'AcmeError'
  readonly type: string
  /** How long it asks to wait before the next try. */
  readonly retryAfterMs: number | undefined

  constructor(type: string, detail: string, waitMs?: number) {
    super(detail)
    this.type = type
    this.retryAfterMs = waitMs
  }
}

const httpsUrl = z.url({ protocol: /^https$/ })
const directoryShape = z.object({ newNonce: httpsUrl, newAccount: httpsUrl, newOrder: httpsUrl })
interface Problem {
  readonly type?: string | undefined
  readonly detail?: string | undefined
  readonly subproblems?: readonly Problem[] | undefined
}
const problem: z.ZodType<Problem> = z.object({
  type: z.string().optional(),
  detail: z.string().optional(),
  get subproblems() {
    return z.array(problem).optional()
  },
})
const challengeShape = z.object({
  type: z.string(),
  url: httpsUrl,
  // Base64url (section 8.1): it becomes a path.
  token: z
    .string()
    .regex(/^[\w-]+$/)
    .optional(),
  error: problem.optional(),
})
const authorizationShape = z.object({
  identifier: z.object({ type: z.string(), value: z.string() }),
  status: z.string(),
  challenges: z.array(challengeShape),
})
const orderShape = z.object({
  status: z.string(),
  authorizations: z.array(httpsUrl),
  finalize: httpsUrl,
  certificate: httpsUrl.optional(),
  error: problem.optional(),
})

/** A nonce may be too old by the time: the refusal has the next one (section 6.5). */
const tries = 4
/** Between two looks at what the authority still works on, at least: one that says "at once" is not asked without a pause. */
const lookMs = 1_000

/** What to certify, and how control over it is shown. */
export interface Order {
  readonly names: readonly string[]
  /** The request for the certificate in DER (RFC 2986), for the same names. */
  readonly csr: Buffer
  readonly type: ChallengeType
  readonly solve: Solve
}

/**
 * Resolves to the certificate as PEM with its chain. Rejects with an `AcmeError` for what the authority refuses, and with the
 * signal's reason.
 */
export async function orderCertificate(options: AcmeOptions, order: Order, signal: AbortSignal): Promise<string> {
  const session = await openSession(options, signal)
  const { post, settled } = session
  const identifiers = order.names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }))
  const created = await post(session.newOrder, { identifiers })
  const url = addressOf(created, 'the order')
  const { authorizations, finalize } = await readAs(orderShape, created)
  // One after the other: a program that changes a zone is not to run twice at once.
  for (const authorization of authorizations) await authorize(session, authorization, order, signal)
  await settled(url, orderShape, ['pending'])
  await post(finalize, { csr: order.csr.toString('base64url') })
  const done = await settled(url, orderShape, ['processing', 'ready'])
  if (done.status !== 'valid' || done.certificate === undefined)
    throw toError(done.error, `the order is ${done.status}`)
  return (await post(done.certificate, undefined)).text()
}

/** Shows that the name of this authorization is ours (section 7.5). */
async function authorize(
  { post, settled, thumbprint }: Session,
  url: string,
  { type, solve }: Order,
  signal: AbortSignal,
): Promise<void> {
  const { status, identifier, challenges } = await settled(url, authorizationShape, [])
  if (status === 'valid') return
  const challenge = challenges.find((one) => one.type === type)
  if (challenge?.token === undefined) throw new AcmeError('', `the authority offers no ${type} for ${identifier.value}`)
  const { token } = challenge
  const asked = { type, name: identifier.value, token, keyAuthorization: `${token}.${thumbprint}` }
  const remove = await solve(asked, signal)
  try {
    await post(challenge.url, {})
    const after = await settled(url, authorizationShape, ['pending'])
    if (after.status === 'valid') return
    const refused = after.challenges.find(({ error }) => error !== undefined)
    throw toError(refused?.error, `${identifier.value} is ${after.status}`)
  } finally {
    await remove()
  }
}

interface Session {
  readonly newOrder: string
  /** Of the account's key (RFC 7638), for key authorizations. */
  readonly thumbprint: string
  /** Sends a signed payload, or for `undefined` reads (POST-as-GET, section 6.3). Rejects with what is refused. */
  post(url: string, payload: object | undefined): Promise<Response>
  /** Reads until `status` is none of these. */
  settled<T extends { readonly status: string }>(url: string, shape: z.ZodType<T>, open: readonly string[]): Promise<T>
}

/** Makes the account, or finds it by its key. */
async function openSession(options: AcmeOptions, signal: AbortSignal): Promise<Session> {
  const { accountKey, clock, email, binding } = options
  const { kty, crv, x, y } = accountKey
  const jwk = { kty, crv, x, y } as JWK
  const key = await importJWK(accountKey, 'ES256')
  let who: { readonly kid: string } | { readonly jwk: JWK } = { jwk }
  let nonce: string | null = null

  const send = async (url: string, init: RequestInit) => {
    const response = await options.fetch(url, { ...init, signal })
    nonce = response.headers.get('replay-nonce')
    return response.ok ? response : errorOf(response, clock())
  }
  const read = async (url: string, method: 'GET' | 'HEAD') => {
    const answer = await send(url, { method })
    if (answer instanceof AcmeError) throw answer
    return answer
  }
  const directory = await readAs(directoryShape, await read(options.directory, 'GET'))

  async function post(url: string, payload: object | undefined): Promise<Response> {
    for (let left = tries; ; left--) {
      if (nonce === null) await read(directory.newNonce, 'HEAD')
      if (nonce === null) throw new AcmeError('', 'the authority gives no nonce')
      const body = await new FlattenedSign(Buffer.from(payload === undefined ? '' : JSON.stringify(payload)))
        .setProtectedHeader({ alg: 'ES256', nonce, url, ...who })
        .sign(key)
      const headers = { 'content-type': 'application/jose+json' }
      const answer = await send(url, { method: 'POST', headers, body: JSON.stringify(body) })
      if (!(answer instanceof AcmeError)) return answer
      if (answer.type !== 'badNonce' || left === 1) throw answer
    }
  }

  const account = await post(directory.newAccount, {
    termsOfServiceAgreed: true,
    ...(email !== undefined && { contact: [`mailto:${email}`] }),
    ...(binding && { externalAccountBinding: await bind(jwk, binding, directory.newAccount) }),
  })
  who = { kid: addressOf(account, 'the account') }
  return {
    newOrder: directory.newOrder,
    thumbprint: await calculateJwkThumbprint(jwk),
    post,
    async settled(url, shape, open) {
      for (;;) {
        const response = await post(url, undefined)
        const found = await readAs(shape, response)
        if (!open.includes(found.status)) return found
        const waitMs = Math.max(lookMs, retryAfterMs(response, clock()) ?? 0)
        if (!(await options.pause(waitMs, signal))) throw signal.reason
      }
    },
  }
}

const bind = (jwk: JWK, { keyId, key }: NonNullable<AcmeOptions['binding']>, url: string) =>
  new FlattenedSign(Buffer.from(JSON.stringify(jwk)))
    .setProtectedHeader({ alg: 'HS256', kid: keyId, url })
    .sign(Buffer.from(key, 'base64url'))

function addressOf({ headers }: Response, what: string): string {
  const location = headers.get('location')
  if (location === null) throw new AcmeError('', `the authority gives ${what} no address`)
  return location
}

async function errorOf(response: Response, now: number): Promise<AcmeError> {
  const found = problem.safeParse(await response.json().catch(() => undefined))
  return toError(found.data, `the authority answers ${response.status}`, retryAfterMs(response, now))
}

/** What it consists of says more than the whole. */
function toError(found: Problem | undefined, otherwise: string, waitMs?: number): AcmeError {
  const [first] = found?.subproblems ?? []
  const { type = found?.type ?? '', detail = found?.detail ?? otherwise } = first ?? {}
  return new AcmeError(type.slice(type.lastIndexOf(':') + 1), detail.slice(0, 500), waitMs)
}

async function readAs<T>(shape: z.ZodType<T>, response: Response): Promise<T> {
  const found = shape.safeParse(await response.json().catch(() => undefined))
  if (found.success) return found.data
  throw new AcmeError('', `the authority answers not as RFC 8555 wants it: ${faultsOf(found.error)}`)
}
