/** What settings look like, what the tables in the docs say of each, and what is said of a value that is wrong. */
import { isIPv6 } from 'node:net'
import * as z from 'zod'
import { faultLines } from './wire/faults.ts'

/** The tables of settings. `first`: what a bridge at home may need; `tuning`: what hardly anybody does. */
export const settingGroups = [
  'first',
  'bridge',
  'https',
  'cameras',
  'signaling',
  'turn',
  'alexa',
  'google',
  'login',
  'token',
  'streamlined',
  'tuning',
  'vendors',
  'aws',
] as const
/** The name of one of these tables. */
export type SettingGroup = (typeof settingGroups)[number]

interface SettingNote {
  readonly group: SettingGroup
  /** Markdown; links begin at the top of the repository. */
  readonly description: string
  /** What stands for the default, where it is not a value of the shape. */
  readonly otherwise?: string
}

const notes = z.registry<SettingNote>()

/** A setting with what the tables say of it, in Markdown: `npm run settings` writes them. `otherwise` instead of its default. */
export function setting<Shape extends z.ZodType>(
  group: SettingGroup,
  description: string,
  shape: Shape,
  otherwise?: string,
): Shape {
  notes.add(shape, { group, description, ...(otherwise !== undefined && { otherwise }) })
  return shape
}

/** A setting as a row of its table: its variable, its default and what it does. */
export interface DescribedSetting {
  readonly name: string
  readonly group: SettingGroup
  readonly description: string
  /** As Markdown. */
  readonly fallback: string
}

/** The settings of these variables, in their order. Throws for one that was not made by `setting`. */
export function describeSettings(variables: Readonly<Record<string, z.ZodType>>): readonly DescribedSetting[] {
  return Object.entries(variables).map(([name, shape]) => {
    const note = notes.get(shape)
    if (note === undefined) throw new Error(`${name} has no description: use setting()`)
    const value = defaultOf(shape)
    const fallback = value === undefined || value === '' ? 'none' : `\`${value}\``
    return { name, group: note.group, description: note.description, fallback: note.otherwise ?? fallback }
  })
}

/** As it would be written in the environment. */
function defaultOf(shape: unknown): string | undefined {
  if (shape instanceof z.ZodDefault) return String(shape.def.defaultValue)
  return shape instanceof z.ZodPipe ? defaultOf(shape.def.in) : undefined
}

/** Where a bridge keeps everything: `TRANSOM_DATA`. */
export const dataDirectory = z.string().default('./data')

/**
 * Where a bridge keeps everything, for programs that read no other setting: `TRANSOM_DATA` or its default. An empty
 * value means "not set".
 */
export const dataDirectoryOf = (env: Readonly<Record<string, string | undefined>>): string =>
  dataDirectory.parse(env['TRANSOM_DATA'] || undefined)

/**
 * A whole number from `least` to `most`, in decimal digits; `fallback` when it is not set. Digits only: `Number(' ')`
 * would be 0.
 */
export const wholeNumber = (least: number, most: number, fallback: number) => {
  const wanted = `must be a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,9}$/, { error: wanted, abort: true })
    .transform(Number)
    .refine((number) => number >= least && number <= most, wanted)
    .default(fallback)
}

/** `on` or `off` as a boolean; `fallback` when it is not set. */
export const onOff = (fallback: 'on' | 'off') =>
  z
    .enum(['on', 'off'])
    .default(fallback)
    .transform((value) => value === 'on')

/** How many proxies stand before us: `off` none, `on` one, or a number up to nine. */
export const proxyHops = z
  .string()
  .regex(/^(on|off|[1-9])$/, 'must be on, off or a number of proxies from 1 to 9')
  .default('off')
  .transform((value) => (value === 'off' ? 0 : value === 'on' ? 1 : Number(value)))

/**
 * The address of a site as its origin: scheme, host and port. Below a path neither the pages nor what is signed would
 * be found. `example` stands in the error.
 */
export const siteAddress = (example: string) =>
  z.string().transform((text, context) => {
    const url = URL.parse(text)
    if (url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin
    context.addIssue(`must be an http or https address without a path: ${example}`)
    return z.NEVER
  })

const hostOf = (host: string): string | undefined => URL.parse(`http://${host}`)?.hostname

/**
 * A host as it stands alone, without brackets, in the one spelling that a URL gives it; `undefined` for one that no URL can
 * hold, such as an address with a zone (`fe80::1%eth0`), and for what is more than a host.
 */
export function plainHost(text: string): string | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1')
  const host = isIPv6(bare) ? hostOf(`[${bare}]`) : /^[a-z\d._-]+$/i.test(bare) ? hostOf(bare) : undefined
  return host?.replace(/^\[|\]$/g, '')
}

/** Whether a host in its plain spelling means every address of this machine, and is none by which others reach it. */
export const isWildcard = (host: string): boolean => ['0.0.0.0', '::', '::ffff:0:0'].includes(host)

/** What `listen` takes, in its plain spelling: `::0` and `0` are the wildcards `::` and `0.0.0.0`. */
export const listenHost = z.string().transform((text, context) => {
  const host = plainHost(text)
  // On an IPv4-mapped address Node listens for IPv4 alone.
  if (host !== undefined) return host === '::ffff:0:0' ? '0.0.0.0' : host
  context.addIssue(
    text.includes('%')
      ? 'must be an address without a zone, which no URL can hold: leave out what begins with %, or use 0.0.0.0 or ::'
      : 'must be a name or an address of this machine alone, without scheme and port: 0.0.0.0 or :: for all of them',
  )
  return z.NEVER
})

/**
 * Reads variables of these shapes. Throws an `Error` that names each bad one and what it should be, and any `TRANSOM_`
 * variable that means nothing, because a misspelled setting would be silently ignored.
 */
export function readVariables<Shape extends z.ZodRawShape>(
  variables: z.ZodObject<Shape>,
  env: Readonly<Record<string, string | undefined>>,
): z.output<z.ZodObject<Shape>> {
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith('TRANSOM_') && !(name in variables.shape) && !name.startsWith('TRANSOM_TEST_'),
  )
  if (unknown.length > 0) throw new Error(unknown.map((name) => unknownSetting(name, variables)).join('\n'))
  // An empty value in a .env file means "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = variables.safeParse(given)
  if (!parsed.success) {
    throw new Error(faultLines(parsed.error).join('\n'))
  }
  return parsed.data
}

function unknownSetting(name: string, { shape }: z.ZodObject): string {
  const near = Object.keys(shape)
    .map((known) => ({ known, edits: editsBetween(name, known) }))
    .toSorted((one, other) => one.edits - other.edits)[0]
  // A third of the letters that differ from setting to setting.
  const isNear = near !== undefined && near.edits <= Math.max(2, (name.length - 'TRANSOM_'.length) / 3)
  return `unknown setting ${name}: ${isNear ? `did you mean ${near.known}?` : 'docs/settings.md has all of them'}`
}

/** Letters to insert, remove or replace until one text is the other (Levenshtein). */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 0; i < one.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < other.length; j++)
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (one[i] === other[j] ? 0 : 1)))
    row = next
  }
  return row[other.length]!
}
