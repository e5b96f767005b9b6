/** Which passwords are acceptable; hashes and checks them with argon2id, kept as PHC strings. */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { createQueue, type Queue } from 'transom-core/admission'
import type { PersonFault } from './person-faults.ts'

/** In characters as people count them. NIST SP 800-63B section 3.1.1.2 asks for eight at least, and to accept long ones. */
const shortestPassword = 8
export const longestPassword = 256

/**
 * Why a new password is refused; `undefined` when it is acceptable. Beside the length,
 * NIST SP 800-63B section 3.1.1.2 asks to refuse what is commonly used, and what can be guessed from the person.
 */
export async function passwordProblem(
  password: string,
  person: { readonly login: string; readonly name: string },
): Promise<PersonFault | undefined> {
  const plain = plainForm(password)
  if (Array.from(plain).length < shortestPassword) return 'password_short'
  if (password.length > longestPassword) return 'password_long'
  const [mailbox = ''] = person.login.split('@')
  if ([person.login, mailbox, person.name].map(plainForm).includes(plain)) return 'password_own'
  // Half a megabyte that only a new password needs.
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  if (!isPattern(plain) && !dictionary['passwords-common'].includes(plain)) return undefined
  return 'password_common'
}

/** As `00000000`, `12341234` and `87654321`: common ones that the list leaves out, because they need none to be guessed. */
function isPattern(plain: string): boolean {
  const codes = Array.from(plain, (character) => character.codePointAt(0) ?? 0)
  const isRepeated = [1, 2, 3, 4].some((length) => codes.every((code, at) => code === codes[at % length]))
  const [first = 0, second = 0] = codes
  const step = second - first
  return isRepeated || (Math.abs(step) === 1 && codes.every((code, at) => code === first + at * step))
}

/** Capitals make a common password hardly less common; the list has none. */
const plainForm = (text: string): string => text.normalize('NFKC').trim().toLowerCase()

/** OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, two passes, one lane. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 }
const saltBytes = 16
const tagBytes = 32
/** A hash that no password has; checking against it costs what checking a real one costs. */
const nobodysHash = encode(cost, Buffer.alloc(saltBytes), Buffer.alloc(tagBytes))

/** A hash takes tens of milliseconds of a core, and one of libuv's four threads: a flood of them must not hold up the rest. */
const hashingLimits = { atOnce: Math.max(1, Math.min(2, availableParallelism() - 1)), waiting: 20, retryAfterMs: 2_000 }

/** The turns of those who hash or check a password. Throws `BridgeError` `rate_limited` when twenty wait already. */
export const createHashing = (): Queue => createQueue(hashingLimits)

interface Cost {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

/** The PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$tag`) of a password. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  return encode(cost, salt, await derive(password, salt, cost, tagBytes))
}

/**
 * True when `password` belongs to the stored PHC string. Without a string (no such user) the answer is false after the
 * same work, so that the time taken does not tell which logins exist. Throws on a string that is not ours.
 */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const { cost, salt, tag } = decode(stored ?? nobodysHash)
  const isSame = timingSafeEqual(tag, await derive(password, salt, cost, tag.length))
  return isSame && stored !== undefined
}

/** One way to write a character counts: NIST SP 800-63B section 3.1.1.2 asks for NFKC before hashing. */
function derive(password: string, nonce: Buffer, cost: Cost, tagLength: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2('argon2id', { message: password.normalize('NFKC'), nonce, tagLength, ...cost }, (error, tag) =>
      error ? reject(error) : resolve(tag),
    )
  })
}

function encode(cost: Cost, salt: Buffer, tag: Buffer): string {
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${unpadded(salt)}$${unpadded(tag)}`
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

function decode(phc: string): { cost: Cost; salt: Buffer; tag: Buffer } {
  const parts = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([\w+/]+)\$([\w+/]+)$/.exec(phc)
  const [, memory, passes, parallelism, salt, tag] = parts ?? []
  if (salt === undefined || tag === undefined) throw new Error('the stored password hash is not an argon2id PHC string')
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  }
}
