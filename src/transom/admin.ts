/** `npm run admin`: what an operator does to people, clients, keys, links and shares of a running bridge. */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { alexaRedirectUris, clientFacts, googleRedirectUris, homeAppLink } from 'transom-bridge/oauth/client'
import { callOperator, findAdmin } from './operator-client.ts'
import type { OperatorAccess } from 'transom-bridge/operator/operator'

/** A command's words, after the two that name it, its options, and the password from the environment. */
interface Input {
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly password: string
}

interface Asked {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
  /** Printed where the bridge has nothing to say; otherwise beside what it says. */
  readonly says?: object
}

interface Command {
  readonly usage: string
  readonly ask: (input: Input) => Asked
}

const hourMs = 3_600_000

/** By name. What is printed is JSON, with secrets in it exactly where they are shown once. */
const commands: Readonly<Record<string, Command>> = {
  'user add': {
    usage: 'LOGIN --name NAME [--tenant T]   password from the environment: NEW_PASSWORD',
    ask({ words, options, password }) {
      const login = word(words, 0, 'a login')
      if (password === '')
        throw new Error(`set NEW_PASSWORD in the environment, or let ${login} choose one: user invite`)
      const body = { login, password, name: text(options, 'name') ?? login, ...optional(options, 'tenant') }
      return { method: 'POST', path: '/users', body }
    },
  },
  'user invite': {
    usage: '[--tenant T] [--hours 72]   prints a link to sign up with, once',
    ask: ({ options }) => ({
      method: 'POST',
      path: '/invitations',
      body: { hours: hours(options, 72), ...optional(options, 'tenant') },
    }),
  },
  'user reset': {
    usage: 'LOGIN [--tenant T] [--hours 24]   prints a link to set a new password with, once',
    ask: ({ words, options }) => ({
      method: 'POST',
      path: '/resets',
      body: { ...person(words, options), hours: hours(options, 24) },
    }),
  },
  'user history': {
    usage: '[LOGIN] [--tenant T]   what happened to the account; without one, logins that nobody has',
    ask: ({ words, options }) => ({
      method: 'GET',
      path: words.length === 0 ? '/history' : `/history?${query(words, options)}`,
    }),
  },
  'user links': {
    usage: 'LOGIN [--tenant T]   its connected assistants',
    ask: ({ words, options }) => ({ method: 'GET', path: `/links?${query(words, options)}` }),
  },
  'user unlink': {
    usage: 'LOGIN alexa|google [--tenant T]   ends the links of an account with an assistant',
    ask({ words, options }) {
      const assistant = words[1]
      if (assistant !== 'alexa' && assistant !== 'google') throw new Error('which assistant: alexa or google?')
      const body = { ...person(words, options), assistant }
      return { method: 'POST', path: '/links/end', body, says: { unlinked: assistant } }
    },
  },
  'client list': { usage: '', ask: () => ({ method: 'GET', path: '/clients' }) },
  'client add': {
    usage:
      'alexa --vendor VENDOR_ID | google --project PROJECT_ID | other --redirect URI   [--id ID] [--tenant T] [--name N] [--public]',
    ask({ words, options }) {
      const [assistant = ''] = words
      if (!['alexa', 'google', 'other'].includes(assistant)) {
        throw new Error('which kind of client: alexa, google or other?')
      }
      const redirectUris = redirectUrisOf(assistant, options)
      const project = assistant === 'google' ? text(options, 'project') : undefined
      const id = text(options, 'id')
      const body = {
        assistant,
        redirectUris,
        ...optional(options, 'tenant'),
        ...optional(options, 'name'),
        ...(id !== undefined && { clientId: id }),
        ...(options['public'] === true && { isPublic: true }),
      }
      return {
        method: 'POST',
        path: '/clients',
        body,
        says: { redirectUris, ...(project !== undefined && { deepLink: homeAppLink(project) }) },
      }
    },
  },
  'client rotate': {
    usage: 'ID [--hours 24]   a new secret, shown once; the old one is taken for so many hours more',
    ask: ({ words, options }) => ({
      method: 'POST',
      path: `/clients/${clientId(words)}/rotate`,
      body: { overlapMs: hours(options, 24) * hourMs },
    }),
  },
  'client remove': {
    usage: 'ID   its links end, and its tokens stop within a minute',
    ask({ words }) {
      const id = clientId(words)
      return { method: 'DELETE', path: `/clients/${id}`, says: { removed: id } }
    },
  },
  'keys list': { usage: '', ask: () => ({ method: 'GET', path: '/keys' }) },
  'keys rotate': {
    usage: '  a new key signs in two minutes; tokens of the old one stay good to their end',
    ask: () => ({ method: 'POST', path: '/keys/rotate' }),
  },
  'share add': {
    usage: 'CAMERA OWNER GUEST [--talk] [--tenant T]',
    ask({ words, options }) {
      const body = { ...share(words, options), mayTalk: options['talk'] === true }
      return { method: 'POST', path: '/shares', body, says: { shared: body.camera } }
    },
  },
  'share remove': {
    usage: 'CAMERA OWNER GUEST [--tenant T]',
    ask({ words, options }) {
      const body = share(words, options)
      return { method: 'POST', path: '/shares/end', body, says: { unshared: body.camera } }
    },
  },
}

export const adminUsage = [
  'npm run admin -- COMMAND',
  ...Object.entries(commands).map(([name, { usage }]) => `  ${name} ${usage}`.trimEnd()),
  '  The bridge is the one that runs on TRANSOM_DATA (./data); if none does, that of TRANSOM_PUBLIC_URL, by its TRANSOM_OPERATOR_KEY.',
].join('\n')

/** Runs one command line. Throws an `Error` whose message is for the operator. */
export async function runAdmin(access: OperatorAccess, args: readonly string[], password = ''): Promise<object> {
  const { method, path, body, says } = read(args, password)
  const answer = await callOperator(access, method, path, body)
  return { ...(typeof answer === 'object' && answer), ...says }
}

/** Throws an `Error` with what would be right, before anybody is asked. */
function read(args: readonly string[], password: string): Asked {
  const string = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      name: string,
      tenant: string,
      hours: string,
      vendor: string,
      project: string,
      redirect: string,
      id: string,
      public: { type: 'boolean' },
      talk: { type: 'boolean' },
    },
  })
  const command = commands[positionals.slice(0, 2).join(' ')]
  if (command === undefined) throw new Error(adminUsage)
  return command.ask({ words: positionals.slice(2), options: values, password })
}

function redirectUrisOf(assistant: string, options: Input['options']): readonly string[] {
  const vendor = text(options, 'vendor')
  const project = text(options, 'project')
  return [
    ...(text(options, 'redirect')?.split(',') ?? []),
    ...(assistant === 'alexa' && vendor !== undefined ? alexaRedirectUris(vendor) : []),
    ...(assistant === 'google' && project !== undefined ? googleRedirectUris(project) : []),
  ]
}

function person(words: readonly string[], options: Input['options']) {
  return { login: word(words, 0, 'a login'), ...optional(options, 'tenant') }
}

function query(words: readonly string[], options: Input['options']): string {
  return new URLSearchParams(person(words, options)).toString()
}

function share(words: readonly string[], options: Input['options']) {
  const camera = word(words, 0, 'a camera')
  const [owner, guest] = [word(words, 1, "the owner's login"), word(words, 2, "the guest's login")]
  return { camera, owner, guest, ...optional(options, 'tenant') }
}

function word(words: readonly string[], index: number, what: string): string {
  const found = words[index]
  if (found === undefined) throw new Error(`${what} is missing\n${adminUsage}`)
  return found
}

/** Checked here, too: a path with `..` in it never leaves as it was written. */
function clientId(words: readonly string[]): string {
  const parsed = clientFacts.shape.clientId.safeParse(word(words, 0, 'a client id'))
  if (!parsed.success) throw new Error(`the client id ${parsed.error.issues[0]?.message}`)
  return parsed.data
}

function text(options: Input['options'], name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

function optional<Name extends 'tenant' | 'name'>(
  options: Input['options'],
  name: Name,
): Partial<Record<Name, string>> {
  const value = text(options, name)
  const found: Partial<Record<Name, string>> = {}
  if (value !== undefined) found[name] = value
  return found
}

function hours(options: Input['options'], fallback: number): number {
  const count = Number(text(options, 'hours') ?? fallback)
  if (!Number.isInteger(count) || count < 0 || count > 8760) throw new Error('--hours is a whole number up to 8760')
  return count
}

if (import.meta.main) {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env')
    const { NEW_PASSWORD: password = '', ...env } = process.env
    console.log(JSON.stringify(await runAdmin(await findAdmin(env), process.argv.slice(2), password), undefined, 2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}
