/** Verifies AWS Signature Version 4, in the Authorization header or in the query of a presigned URL. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { ServiceError } from './service-error.ts'

export interface SignedRequest {
  readonly method: string
  /** Path and query exactly as they stand in the request line. */
  readonly target: string
  /** Names in small letters, every value that was sent (`headersDistinct` of Node's request). */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>
  readonly body: Buffer
}

const algorithm = 'AWS4-HMAC-SHA256'
/** How far a caller's clock may be off. A presigned URL may be older, as old as it says. */
const skewMs = 5 * 60_000
const maxExpiresS = 7 * 24 * 3_600

/** What the caller claims with the signature, not verified yet. */
interface Claim {
  readonly accessKeyId: string
  /** `<day>/<region>/kinesisvideo/aws4_request` */
  readonly scope: string
  readonly signedAt: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
  /** Seconds; only a presigned URL says it. */
  readonly expiresS?: number
}

/** A signature that holds, and for how long. Instants are epoch milliseconds. */
export interface Signature {
  /** Hexadecimal. */
  readonly hex: string
  readonly signedAt: number
  readonly validUntil: number
}

/**
 * Returns the credential that `find` knows under the access key id the request names, when the request was signed with its
 * secret, and the signature; `now` is epoch milliseconds. Follows `SignedHeaders`, whatever they are, as long as `host` is
 * among them, and takes any region. A session token may be there or not, signed or not. The payload's hash is always that of
 * the body received. A signature in a header holds 5 minutes, one in a query as long as its `X-Amz-Expires` says.
 * Throws `ServiceError` with status 403, for a wrong clock with the texts that SDKs look for to mend theirs.
 * Rules: "Create a signed AWS API request" of the IAM User Guide.
 */
export async function verifySigV4<T extends { readonly secret: string }>(
  request: SignedRequest,
  find: (accessKeyId: string) => Promise<T | undefined>,
  now: number,
): Promise<{ readonly credential: T; readonly signature: Signature }> {
  const [path, search] = splitOnce(request.target, '?')
  const query = parseQuery(search)
  const claim = readClaim(request, new Map(query))
  const { signedAt, validUntil } = checkTime(claim, now)
  const credential = await find(claim.accessKeyId)
  if (!credential) {
    throw new ServiceError('UnrecognizedClientException', 'The security token included in the request is invalid.')
  }
  const given = Buffer.from(claim.signature, 'hex')
  const isSigned = [...new Set([canonicalQuery(query), rawQuery(search)])].some((canonical) =>
    timingSafeEqual(sign(canonicalRequest(request, path, canonical, claim), claim, credential.secret), given),
  )
  if (!isSigned) {
    throw new ServiceError(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
    )
  }
  return { credential, signature: { hex: claim.signature, signedAt, validUntil } }
}

/** The access key id that a request names, whether or not it is signed with that key. */
export function claimedKey({ headers, target }: Pick<SignedRequest, 'headers' | 'target'>): string | undefined {
  return /\bCredential=([A-Za-z0-9_]{1,128})(?:\/|%2F)/i.exec(headers['authorization']?.[0] ?? target)?.[1]
}

function readClaim(request: SignedRequest, query: ReadonlyMap<string, string>): Claim {
  const header = request.headers['authorization']?.[0]
  const isPresigned = header === undefined && query.has('X-Amz-Signature')
  if (header === undefined && !isPresigned) {
    throw new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token')
  }
  const given = header === undefined ? query : parseAuthorization(header)
  const part = (name: string) => given.get(isPresigned ? `X-Amz-${name}` : name) ?? ''

  const credential = /^([A-Za-z0-9_]{1,128})\/(\d{8}\/[a-z0-9-]{1,64}\/kinesisvideo\/aws4_request)$/.exec(
    part('Credential'),
  )
  if (part('Algorithm') !== algorithm || !credential?.[1] || !credential[2]) {
    throw incomplete(`Credential should be <access key id>/<day>/<region>/kinesisvideo/aws4_request for ${algorithm}.`)
  }
  const signedAt = isPresigned ? part('Date') : (request.headers['x-amz-date']?.[0] ?? '')
  if (!/^\d{8}T\d{6}Z$/.test(signedAt) || !credential[2].startsWith(`${signedAt.slice(0, 8)}/`)) {
    throw incomplete('X-Amz-Date should be the day of the credential scope and a time, as YYYYMMDDTHHMMSSZ.')
  }
  const signedHeaders = part('SignedHeaders').split(';')
  if (!signedHeaders.includes('host')) throw incomplete('host must be a signed header.')
  if (!/^[0-9a-f]{64}$/.test(part('Signature'))) throw incomplete('Signature should be 64 hexadecimal digits.')
  const claim = {
    accessKeyId: credential[1],
    scope: credential[2],
    signedAt,
    signedHeaders,
    signature: part('Signature'),
  }
  if (!isPresigned) return claim
  const expiresS = /^\d{1,7}$/.test(part('Expires')) ? Number(part('Expires')) : 0
  if (expiresS < 1 || expiresS > maxExpiresS) throw incomplete(`X-Amz-Expires should be 1 to ${maxExpiresS} seconds.`)
  return { ...claim, expiresS }
}

/** `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; some signers put no space after the comma. */
function parseAuthorization(header: string): Map<string, string> {
  const [name, rest] = splitOnce(header.trim(), ' ')
  const parts = rest.split(',').map((part) => splitOnce(part.trim(), '='))
  return new Map([['Algorithm', name], ...parts])
}

/** Returns when it was signed and until when that holds. */
function checkTime({ signedAt, expiresS }: Claim, now: number): Omit<Signature, 'hex'> {
  const at = Date.parse(signedAt.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (Number.isNaN(at)) throw incomplete('X-Amz-Date is not a date.')
  // The C SDK signs for a week what it uses at once: so it connects although its clock is an hour slow, as at AWS.
  const ageMs = expiresS === undefined ? skewMs : expiresS * 1_000
  if (at < now - ageMs) {
    const bound = expiresS === undefined ? '5 min.' : `${expiresS} s`
    throw new ServiceError(
      'InvalidSignatureException',
      `Signature expired: ${signedAt} is now earlier than ${amzDate(now - ageMs)} (${amzDate(now)} - ${bound})`,
    )
  }
  if (at > now + skewMs) {
    throw new ServiceError(
      'InvalidSignatureException',
      `Signature not yet current: ${signedAt} is still later than ${amzDate(now + skewMs)} (${amzDate(now)} + 5 min.)`,
    )
  }
  return { signedAt: at, validUntil: at + ageMs }
}

function canonicalRequest(request: SignedRequest, path: string, query: string, { signedHeaders }: Claim): string {
  const headers = signedHeaders.map((name) => {
    const values = request.headers[name]
    if (!values) throw incomplete('A header named in SignedHeaders is missing.')
    return `${name}:${values.map((value) => value.trim().replace(/ +/g, ' ')).join(',')}\n`
  })
  return [
    request.method,
    // Every service but S3 signs the path encoded once more than it is sent.
    encode(path).replaceAll('%2F', '/'),
    query,
    headers.join(''),
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n')
}

/** The query encoded as AWS's rules say. */
function canonicalQuery(query: readonly (readonly [string, string])[]): string {
  return joinSorted(query.map(([name, value]) => [encode(name), encode(value)]))
}

/** The query as it was sent: some signers escape less or otherwise (AWS's iOS sample leaves `:` as it is), and sign that. */
function rawQuery(search: string): string {
  return joinSorted(partsOf(search))
}

function joinSorted(pairs: readonly (readonly [string, string])[]): string {
  return pairs
    .filter(([name]) => name !== 'X-Amz-Signature')
    .toSorted(([a, av], [b, bv]) => compare(a, b) || compare(av, bv))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function sign(canonical: string, { scope, signedAt }: Claim, secret: string): Buffer {
  const key = scope.split('/').reduce((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`))
  return hmac(key, [algorithm, signedAt, scope, sha256(canonical)].join('\n'))
}

function parseQuery(search: string): [string, string][] {
  try {
    return partsOf(search).map(([name, value]) => [decodeURIComponent(name), decodeURIComponent(value)])
  } catch (error) {
    throw new ServiceError('InvalidArgumentException', 'The query is not percent-encoded UTF-8.', { cause: error })
  }
}

const partsOf = (search: string): [string, string][] =>
  search
    .split('&')
    .filter((part) => part !== '')
    .map((part) => splitOnce(part, '='))

/** RFC 3986 section 2.3: all but the unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** What stands before and after the first separator; all of it and nothing when there is none. */
function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
const hmac = (key: Buffer, data: string) => createHmac('sha256', key).update(data).digest()
const amzDate = (at: number) => new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '')
const incomplete = (message: string) => new ServiceError('IncompleteSignatureException', message)
