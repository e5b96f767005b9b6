/** `npm run admin`: what an operator does to users, clients, keys and links, on the store itself; the bridge may run meanwhile. */
import { createSecretKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createAlexaGrants } from '../alexa/grants.ts'
import { alexaRedirectUris, googleRedirectUris } from '../oauth/client.ts'
import type { OAuth } from '../oauth/server.ts'
import { accountId, cameraId, type AccountId, type Clock, type Log } from '../ports.ts'
import { createSqliteStore } from '../store/sqlite.ts'
import { createCameras } from './cameras.ts'
import { readConfig } from './config.ts'
import { demoClients } from './demo-clients.ts'
import { createLinking } from './linking.ts'
import { loadSecrets } from './secrets.ts'
import { createShares, type Shares } from './sharing.ts'

export interface Operator {
  readonly oauth: OAuth
  readonly shares: Shares
  readonly publicUrl: string
  close(): Promise<void>
}

/** A command's words, after the two that name it, and its options. */
export interface AdminInput {
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
}

type Command = (operator: Operator, input: AdminInput) => Promise<unknown>

const hourMs = 3_600_000

/** By name. Each returns what is printed: JSON, with secrets in it exactly where they are shown once. */
export const commands: Readonly<Record<string, { readonly usage: string; readonly run: Command }>> = {
  'user add': {
    usage: 'LOGIN --name NAME [--tenant T]   password from the environment: NEW_PASSWORD',
    async run({ oauth }, { words, options }) {
      const password = process.env['NEW_PASSWORD'] ?? ''
      const user = { login: word(words, 0, 'a login'), password, name: text(options, 'name') ?? word(words, 0, '') }
      return { accountId: await oauth.users.create({ ...user, ...optional(options, 'tenant') }) }
    },
  },
  'user invite': {
    usage: '[--tenant T] [--hours 72]   prints a link to sign up with, once',
    async run({ oauth, publicUrl }, { options }) {
      const code = await oauth.tickets.issue({ kind: 'invitation', ...optional(options, 'tenant') }, hours(options, 72))
      return { link: `${publicUrl}/oauth/welcome/${code}` }
    },
  },
  'user reset': {
    usage: 'LOGIN [--tenant T] [--hours 24]   prints a link to set a new password with, once',
    async run(operator, { words, options }) {
      const account = await accountOf(operator, words[0], options)
      const code = await operator.oauth.tickets.issue({ kind: 'reset', accountId: account }, hours(options, 24))
      return { link: `${operator.publicUrl}/oauth/welcome/${code}` }
    },
  },
  'user history': {
    usage: 'LOGIN [--tenant T]   what happened to the account',
    run: async (operator, { words, options }) =>
      operator.oauth.audit.read(await accountOf(operator, words[0], options), 100),
  },
  'user unlink': {
    usage: 'LOGIN alexa|google [--tenant T]   ends the links of an account with an assistant',
    async run(operator, { words, options }) {
      const [login, assistant] = words
      if (assistant !== 'alexa' && assistant !== 'google') throw new Error('which assistant: alexa or google?')
      await operator.oauth.unlinkAssistant(await accountOf(operator, login, options), assistant)
      return { unlinked: assistant }
    },
  },
  'client list': { usage: '', run: ({ oauth }) => oauth.clients.list() },
  'client add': {
    usage:
      'alexa --vendor VENDOR_ID | google --project PROJECT_ID | other --redirect URI   [--id ID] [--tenant T] [--name N] [--public]',
    async run({ oauth }, { words, options }) {
      const assistant = words[0]
      if (assistant !== 'alexa' && assistant !== 'google' && assistant !== 'other') {
        throw new Error('which kind of client: alexa, google or other?')
      }
      const redirectUris = [
        ...(text(options, 'redirect')?.split(',') ?? []),
        ...(assistant === 'alexa' && text(options, 'vendor') ? alexaRedirectUris(text(options, 'vendor') ?? '') : []),
        ...(assistant === 'google' && text(options, 'project')
          ? googleRedirectUris(text(options, 'project') ?? '')
          : []),
      ]
      const id = text(options, 'id')
      const made = await oauth.clients.add({
        assistant,
        redirectUris,
        ...optional(options, 'tenant'),
        ...optional(options, 'name'),
        ...(id !== undefined && { clientId: id }),
        ...(options['public'] === true && { isPublic: true }),
      })
      return { ...made, redirectUris }
    },
  },
  'client rotate': {
    usage: 'ID [--hours 24]   a new secret, shown once; the old one is taken for so many hours more',
    run: ({ oauth }, { words, options }) => oauth.clients.rotate(word(words, 0, 'a client id'), hours(options, 24)),
  },
  'client remove': {
    usage: 'ID   its tokens stop within a minute',
    async run({ oauth }, { words }) {
      await oauth.clients.remove(word(words, 0, 'a client id'))
      return { removed: words[0] }
    },
  },
  'keys list': { usage: '', run: ({ oauth }) => oauth.keyring.list() },
  'keys rotate': {
    usage: '  a new key signs in two minutes; tokens of the old one stay good to their end',
    run: ({ oauth }) => oauth.keyring.rotate(),
  },
  'share add': {
    usage: 'CAMERA OWNER GUEST [--talk] [--tenant T]',
    async run(operator, { words, options }) {
      const [owner, guest] = await ownerAndGuest(operator, words, options)
      await operator.shares.share(owner, cameraId(word(words, 0, 'a camera')), guest, options['talk'] === true)
      await operator.oauth.audit.write(owner, 'shared', `${words[0]} with ${words[2]}, by the operator`)
      return { shared: words[0] }
    },
  },
  'share remove': {
    usage: 'CAMERA OWNER GUEST [--tenant T]',
    async run(operator, { words, options }) {
      const [owner, guest] = await ownerAndGuest(operator, words, options)
      await operator.shares.unshare(owner, cameraId(word(words, 0, 'a camera')), guest)
      await operator.oauth.audit.write(owner, 'unshared', `${words[0]} with ${words[2]}, by the operator`)
      return { unshared: words[0] }
    },
  },
}

export const adminUsage = [
  'npm run admin -- COMMAND',
  ...Object.entries(commands).map(([name, { usage }]) => `  ${name} ${usage}`.trimEnd()),
].join('\n')

/** Runs one command line. Throws an `Error` whose message is for the operator. */
export async function runAdmin(operator: Operator, args: readonly string[]): Promise<unknown> {
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
  return command.run(operator, { words: positionals.slice(2), options: values })
}

/** Opens the store of an embedded bridge, whether it runs or not. */
export async function openOperator(
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  log: Log,
): Promise<Operator> {
  const config = readConfig(env)
  const databasePath = join(config.dataDir, 'transom.db')
  if (!existsSync(databasePath))
    throw new Error(`there is no bridge in ${config.dataDir}: start it once, or set TRANSOM_DATA`)
  const secrets = await loadSecrets(join(config.dataDir, 'secrets.json'), databasePath)
  const store = createSqliteStore(databasePath, clock)
  const cameras = createCameras(store)
  const shares = createShares(store, cameras)
  const key = createSecretKey(secrets.keys.sealing, 'base64')
  const grants = createAlexaGrants({ store, key, lwa: config.alexa.lwa, clock, log })
  const publicUrl = config.publicUrl ?? `http://localhost:${config.port}`
  const { oauth } = createLinking({
    config: config.linking,
    behindProxy: false,
    publicUrl,
    keys: secrets.keys,
    clients: demoClients(secrets),
    store,
    cameras,
    shares,
    async onUnlinked(account, assistant) {
      if (assistant === 'alexa') await grants.forget(account, 'unlinked by the operator')
    },
    clock,
    log,
  })
  return { oauth, shares, publicUrl, close: () => store.close() }
}

async function accountOf(
  { oauth }: Operator,
  login: string | undefined,
  options: AdminInput['options'],
): Promise<AccountId> {
  const user = await oauth.users.find(login ?? '', text(options, 'tenant'))
  if (user === undefined) throw new Error(`there is no user ${login ?? ''}`)
  return accountId(user.accountId)
}

async function ownerAndGuest(operator: Operator, words: readonly string[], options: AdminInput['options']) {
  return [await accountOf(operator, words[1], options), await accountOf(operator, words[2], options)] as const
}

function word(words: readonly string[], index: number, what: string): string {
  const found = words[index]
  if (found === undefined) throw new Error(`${what} is missing\n${adminUsage}`)
  return found
}

function text(options: AdminInput['options'], name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

function optional<Name extends 'tenant' | 'name'>(
  options: AdminInput['options'],
  name: Name,
): Partial<Record<Name, string>> {
  const value = text(options, name)
  const found: Partial<Record<Name, string>> = {}
  if (value !== undefined) found[name] = value
  return found
}

function hours(options: AdminInput['options'], fallback: number): number {
  const count = Number(text(options, 'hours') ?? fallback)
  if (!Number.isFinite(count) || count < 0 || count > 24 * 365) throw new Error('--hours is a number from 0 to 8760')
  return Math.round(count * hourMs)
}

const errorsOnly: Log = (level, event, fields) => {
  if (level === 'error') console.error(event, fields)
}

if (import.meta.main) {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env')
    const { NEW_PASSWORD: _, ...env } = process.env
    const operator = await openOperator(env, Date.now, errorsOnly)
    try {
      console.log(JSON.stringify(await runAdmin(operator, process.argv.slice(2)), undefined, 2))
    } finally {
      await operator.close()
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}
