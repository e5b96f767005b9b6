/** The answer to a camera's challenge: Digest with MD5, SHA-256 or SHA-512/256 (RFC 7616, and RFC 2617's without qop), else Basic (RFC 7617). */
import { createHash, randomBytes } from 'node:crypto'

export interface Login {
  readonly user: string
  readonly password: string
}

/** Makes the `Authorization` of each further request, counting its uses. */
export type Authorize = (method: string, url: string) => string

/** RFC 7616 section 6.1, with the names that `node:crypto` has for them; the stronger ones later. */
const algorithms: Readonly<Record<string, string>> = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' }

/** By the strongest of the challenges, in whatever order they come; `undefined` when none can be met. */
export function answerChallenges(challenges: readonly string[], login: Login): Authorize | undefined {
  const read = challenges.flatMap(readChallenges)
  const digests = read.filter(({ scheme }) => scheme === 'digest')
  const digest = digests.toSorted((one, other) => strength(other.parameters) - strength(one.parameters))[0]
  if (digest && strength(digest.parameters) > 0) return createDigest(digest.parameters, login)
  if (read.some(({ scheme }) => scheme === 'basic')) {
    const basic = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
    return () => basic
  }
  return undefined
}

/** Only the nonce was too old: the same password may be tried again (RFC 7616 section 3.3). */
export const isStale = (challenges: readonly string[]): boolean =>
  challenges.flatMap(readChallenges).some(({ parameters }) => parameters.get('stale')?.toLowerCase() === 'true')

/** What a camera asks for whose challenges cannot be met, and what to do about it: goes on from the camera's name. */
export function whyUnmet(challenges: readonly string[]): string {
  const digest = challenges.flatMap(readChallenges).find(({ scheme }) => scheme === 'digest')
  const name = digest && nameOf(digest.parameters)
  const way =
    name === undefined
      ? 'neither by Digest nor by Basic'
      : name.replace(/-SESS$/, '') in algorithms
        ? 'by a Digest that is not known here (its nonce or its qop)'
        : `by a Digest that is not known here (${name.replace(/[^\w-]/g, '').slice(0, 20)})`
  return `asks for the password ${way}: choose Digest with MD5 or SHA-256 in its settings`
}

type Parameters = ReadonlyMap<string, string>

interface Challenge {
  readonly scheme: string
  readonly parameters: Parameters
}

// A name is tried from its beginning alone: a long word that is none would take the square of its length.
const parameter = /(?<![\w-])([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g

/** Several may stand in one header: a scheme begins where a word is followed by a parameter and not by `=`. */
function readChallenges(header: string): Challenge[] {
  const starts = [...header.matchAll(/(?:^|,)\s*(digest|basic)(?=\s+[\w-]+\s*=|\s*$|\s*,)/gi)]
  return starts.map((start, index) => {
    const text = header.slice(start.index + start[0].length, starts[index + 1]?.index)
    const parameters = [...text.matchAll(parameter)].map(
      ([, name = '', quoted, bare]) => [name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare ?? ''] as const,
    )
    return { scheme: (start[1] ?? '').toLowerCase(), parameters: new Map(parameters) }
  })
}

/** 0: not known here. */
function strength(parameters: Parameters): number {
  const algorithm = algorithms[nameOf(parameters).replace(/-SESS$/, '')]
  const qop = parameters.get('qop')
  const isMet = qop === undefined || qop.split(',').some((one) => one.trim().toLowerCase() === 'auth')
  if (algorithm === undefined || !isMet || !parameters.has('nonce')) return 0
  return Object.values(algorithms).indexOf(algorithm) + 1
}

const nameOf = (parameters: Parameters): string => (parameters.get('algorithm') ?? 'MD5').toUpperCase()

function createDigest(parameters: Parameters, { user, password }: Login): Authorize {
  const name = nameOf(parameters)
  const isSession = name.endsWith('-SESS')
  const algorithm = algorithms[name.replace(/-SESS$/, '')] ?? 'md5'
  const hash = (...parts: readonly string[]) => createHash(algorithm).update(parts.join(':')).digest('hex')
  const realm = parameters.get('realm') ?? ''
  const nonce = parameters.get('nonce') ?? ''
  const hasQop = parameters.has('qop')
  const cnonce = randomBytes(8).toString('hex')
  const secret = hash(user, realm, password)
  const key = isSession ? hash(secret, nonce, cnonce) : secret
  let uses = 0
  return (method, url) => {
    uses += 1
    const nc = uses.toString(16).padStart(8, '0')
    const request = hash(method, url)
    const response = hasQop ? hash(key, nonce, nc, cnonce, 'auth', request) : hash(key, nonce, request)
    const opaque = parameters.get('opaque')
    const parts = [
      `username=${quote(user)}`,
      `realm=${quote(realm)}`,
      `nonce=${quote(nonce)}`,
      `uri=${quote(url)}`,
      `response="${response}"`,
      // Without one it is MD5, and old cameras do not know the word.
      ...(parameters.has('algorithm') ? [`algorithm=${parameters.get('algorithm')}`] : []),
      ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
      ...(hasQop ? ['qop=auth', `nc=${nc}`] : []),
      ...(hasQop || isSession ? [`cnonce="${cnonce}"`] : []),
    ]
    return `Digest ${parts.join(', ')}`
  }
}

/** No control character gets out of a quoted string into a header of its own. */
// eslint-disable-next-line no-control-regex -- they are what is meant
const quote = (text: string): string => `"${text.replace(/[\x00-\x1f\x7f]/g, '').replace(/["\\]/g, '\\$&')}"`
