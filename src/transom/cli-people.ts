/** `transom user|link|client|signing-key|share`: what an operator does to people and clients of a running bridge. */
import { Argument, InvalidArgumentError, type Command } from 'commander'
import * as z from 'zod'
import { alexaRedirectUris, clientFacts, googleRedirectUris, homeAppLink } from 'transom-bridge/oauth/client'
import {
  accountLinks,
  clients,
  exported,
  history,
  madeClient,
  madePerson,
  newSecret,
  people,
  signingKey,
  signingKeys,
  welcomeLink,
} from 'transom-core/wire/operator'
import { callOperator } from './operator-client.ts'
import { leaf, show, UsageError, type CommonOptions, type Terminal } from './terminal.ts'

interface TenantOptions extends CommonOptions {
  readonly tenant?: string
}
interface ShareOptions extends TenantOptions {
  readonly talk?: true
  readonly recordings?: boolean
}
interface HoursOptions extends TenantOptions {
  readonly hours: number
}
interface RemoveOptions extends TenantOptions {
  readonly yes?: true
  readonly last?: true
}
interface ClientOptions extends TenantOptions {
  readonly vendor?: string
  readonly project?: string
  readonly redirect?: string
  readonly id?: string
  readonly name?: string
  readonly public?: true
}

const hourMs = 3_600_000
const date = (at: number): string => new Date(at).toISOString()
const lines = (found: readonly string[], none: string): string => (found.length === 0 ? none : found.join('\n'))
const assistantArgument = () => new Argument('<assistant>').choices(['alexa', 'google'])

/** Adds these commands. */
export function addPeopleCommands(program: Command, terminal: Terminal): void {
  addUsers(program, terminal)
  addLinks(program, terminal)
  addClients(program, terminal)
  addSigningKeys(program, terminal)
  addShares(program, terminal)
}

/** Asks the bridge, and reads its answer. */
async function ask<T>(
  { admin }: Terminal,
  shape: z.ZodType<T>,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<T> {
  return shape.parse(await callOperator(await admin(), method, path, body))
}
const nothing = z.undefined()

function addUsers(program: Command, terminal: Terminal): void {
  const user = program
    .command('user')
    .description('people who sign in to this bridge')
    .addHelpText(
      'after',
      `
Examples:
  transom user add ada --name "Ada Lovelace"     asks for the password
  transom user invite                            prints a link with which somebody signs up
  transom user reset ada
  transom user list
  transom user export ada > ada.json             everything that is kept of the account
  transom user remove ada --yes`,
    )
  leaf(user, 'add <login>', 'add a person; asks for the password, or takes NEW_PASSWORD from the environment')
    .option('--name <name>', 'what the pages call them; the login if not given')
    .option('--tenant <tenant>', "the vendor's brand")
    .action(async (login: string, { name = login, tenant, ...common }: TenantOptions & { readonly name?: string }) => {
      const password = terminal.env['NEW_PASSWORD'] ?? (await terminal.askSecret(`New password of ${login}: `))
      const made = await ask(terminal, madePerson, 'POST', '/users', {
        login,
        password,
        name,
        ...(tenant && { tenant }),
      })
      show(terminal, common, { text: `${login} is added. Account: ${made.accountId}`, json: made })
    })
  leaf(user, 'list', 'everybody who has an account').action(async (common: CommonOptions) => {
    const found: z.infer<typeof people>['people'][number][] = []
    for (let page = await onePage(terminal); page.length > 0; page = await onePage(terminal, found.at(-1)?.accountId))
      found.push(...page)
    const rows = found.map(({ login, name, tenant, createdAt, accountId }) =>
      [login, name, ...(tenant === undefined ? [] : [tenant]), `since ${date(createdAt)}`, accountId].join('  '),
    )
    show(terminal, common, { text: lines(rows, 'No users'), json: { people: found } })
  })
  leaf(user, 'export <login>', 'print everything that is kept of an account as JSON, without secrets')
    .option('--tenant <tenant>', "the vendor's brand")
    .action(async (login: string, { tenant }: TenantOptions) => {
      const found = await ask(terminal, exported, 'GET', personPath(login, '/export', { tenant }))
      terminal.out(JSON.stringify(found, undefined, 2))
    })
  leaf(user, 'remove <login>', 'remove an account with its cameras, links, shares and everything that is kept of it')
    .option('--tenant <tenant>', "the vendor's brand")
    .option('--yes', 'remove it; without this, only say what would be removed')
    .option('--last', 'remove it also when it is the last account')
    .action(async (login: string, { tenant, yes, last, ...common }: RemoveOptions) => {
      if (!yes) return questionRemoval(terminal, login, tenant)
      await ask(terminal, nothing, 'DELETE', personPath(login, '', { tenant, last: last && 'true' }))
      show(terminal, common, {
        text: `${login} and everything that was kept of the account is removed`,
        json: { removed: login },
      })
    })
  leaf(user, 'invite', 'print a link to sign up with; it works once')
    .option('--tenant <tenant>', "the vendor's brand")
    .option('--hours <hours>', 'how long it works', hoursOf, 72)
    .action(async ({ hours, tenant, ...common }: HoursOptions) => {
      const made = await ask(terminal, welcomeLink, 'POST', '/invitations', { hours, ...(tenant && { tenant }) })
      show(terminal, common, { text: `Works once, for ${hours} hours: ${made.link}`, json: made })
    })
  leaf(user, 'reset <login>', 'print a link to choose a new password with; it works once')
    .option('--tenant <tenant>', "the vendor's brand")
    .option('--hours <hours>', 'how long it works', hoursOf, 24)
    .action(async (login: string, { hours, tenant, ...common }: HoursOptions) => {
      const made = await ask(terminal, welcomeLink, 'POST', '/resets', { login, hours, ...(tenant && { tenant }) })
      show(terminal, common, { text: `Works once, for ${hours} hours: ${made.link}`, json: made })
    })
  leaf(user, 'history [login]', 'what happened to an account; without a login, attempts with logins that nobody has')
    .option('--tenant <tenant>', "the vendor's brand")
    .action(async (login: string | undefined, { tenant, ...common }: TenantOptions) => {
      const path = login === undefined ? '/history' : `/history?${query(login, tenant)}`
      const found = await ask(terminal, history, 'GET', path)
      const rows = found.history.map(({ at, kind, detail }) => [date(at), kind, detail].filter(Boolean).join('  '))
      show(terminal, common, { text: lines(rows, 'Nothing has happened yet'), json: found })
    })
}

const onePage = async (terminal: Terminal, after?: string) => {
  const page = after === undefined ? '' : `?after=${encodeURIComponent(after)}`
  return (await ask(terminal, people, 'GET', `/users${page}`)).people
}

async function questionRemoval(terminal: Terminal, login: string, tenant: string | undefined): Promise<never> {
  const {
    account,
    cameras = [],
    links,
  } = await ask(terminal, exported, 'GET', personPath(login, '/export', { tenant }))
  throw new Error(
    `nothing was removed yet. This removes ${login} (${account.name}). Cameras: ${names(cameras)}. Connected assistants: ${names(links)}. It cannot be undone. If this is meant, repeat the command with --yes`,
  )
}

const names = (all: readonly { readonly name: string }[]): string => all.map(({ name }) => name).join(', ') || 'none'

function personPath(login: string, below: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value)
  return `/users/${encodeURIComponent(login)}${below}?${given.toString()}`
}

function addLinks(program: Command, terminal: Terminal): void {
  const link = program
    .command('link')
    .description('assistants connected to an account')
    .addHelpText('after', '\nExamples:\n  transom link list ada\n  transom link remove ada alexa')
  leaf(link, 'list <login>', 'the connected assistants of an account')
    .option('--tenant <tenant>', "the vendor's brand")
    .action(async (login: string, { tenant, ...common }: TenantOptions) => {
      const found = await ask(terminal, accountLinks, 'GET', `/links?${query(login, tenant)}`)
      const rows = found.links.map(({ name, madeAt, usedAt }) => {
        return `${name}  connected ${date(madeAt)}${usedAt === undefined ? '' : `, last used ${date(usedAt)}`}`
      })
      show(terminal, common, { text: lines(rows, 'No connected assistants'), json: found })
    })
  leaf(link, 'remove <login>', 'disconnect an assistant from an account, at once')
    .addArgument(assistantArgument())
    .option('--tenant <tenant>', "the vendor's brand")
    .action(async (login: string, assistant: string, { tenant, ...common }: TenantOptions) => {
      await ask(terminal, nothing, 'POST', '/links/end', { login, assistant, ...(tenant && { tenant }) })
      show(terminal, common, { text: `${assistant} is disconnected from ${login}`, json: { unlinked: assistant } })
    })
}

function addClients(program: Command, terminal: Terminal): void {
  const client = program
    .command('client')
    .description('OAuth clients: the skill, the Google project, apps')
    .addHelpText(
      'after',
      `
Examples:
  transom client add alexa --vendor M2AAAAAAAAAAAA
  transom client add google --project my-project-1234
  transom client add other --redirect https://app.example.org/callback --public
  transom client rotate alexa --hours 24`,
    )
  leaf(client, 'list', 'all clients').action(async (common: CommonOptions) => {
    const found = await ask(terminal, clients, 'GET', '/clients')
    const rows = found.clients.map(({ clientId, assistant, redirectUris, name }) =>
      [clientId, assistant, ...(name === undefined ? [] : [`"${name}"`]), ...redirectUris].join('  '),
    )
    show(terminal, common, { text: lines(rows, 'No clients'), json: found })
  })
  leaf(client, 'add', 'add a client; its secret is shown only once')
    .addArgument(new Argument('<kind>', 'whose client it is').choices(['alexa', 'google', 'other']))
    .option('--vendor <id>', 'the vendor id of the Amazon developer account, for its redirect URIs')
    .option('--project <id>', 'the project of the Google Home developer console, for its redirect URIs')
    .option('--redirect <uris>', 'redirect URIs, separated by commas')
    .option('--id <id>', 'the client id; made up if not given')
    .option('--tenant <tenant>', "the vendor's brand")
    .option('--name <name>', 'what people who connect it read')
    .option('--public', 'an app that cannot keep a secret')
    .action((kind: string, options: ClientOptions) => addClient(terminal, kind, options))
  leaf(client, 'rotate <id>', 'make a new secret, shown only once; the old one works for a while')
    .option('--hours <hours>', 'how long the old one works', hoursOf, 24)
    .action(async (id: string, { hours, ...common }: HoursOptions) => {
      const body = { overlapMs: hours * hourMs }
      const made = await ask(terminal, newSecret, 'POST', `/clients/${clientId(id)}/rotate`, body)
      const text = `New secret, shown only once: ${made.clientSecret}\nThe old one works for ${hours} hours.`
      show(terminal, common, { text, json: made })
    })
  leaf(client, 'remove <id>', 'remove a client; its links end, and its tokens within a minute').action(
    async (id: string, common: CommonOptions) => {
      await ask(terminal, nothing, 'DELETE', `/clients/${clientId(id)}`)
      show(terminal, common, { text: `${id} is removed`, json: { removed: id } })
    },
  )
}

async function addClient(terminal: Terminal, assistant: string, options: ClientOptions): Promise<void> {
  const { vendor, project, redirect, id, name, tenant, public: isPublic, ...common } = options
  const redirectUris = [
    ...(redirect?.split(',') ?? []),
    ...(assistant === 'alexa' && vendor !== undefined ? alexaRedirectUris(vendor) : []),
    ...(assistant === 'google' && project !== undefined ? googleRedirectUris(project) : []),
  ]
  const described = { ...(tenant && { tenant }), ...(name && { name }), ...(isPublic && { isPublic }) }
  const body = { assistant, redirectUris, ...described, ...(id !== undefined && { clientId: id }) }
  const made = await ask(terminal, madeClient, 'POST', '/clients', body)
  const deepLink = assistant === 'google' && project !== undefined ? homeAppLink(project) : undefined
  const rows = [
    `Client id     ${made.clientId}`,
    ...(made.clientSecret === undefined ? [] : [`Client secret ${made.clientSecret}   shown only once`]),
    ...redirectUris.map((uri) => `Redirect URI  ${uri}`),
    ...(deepLink === undefined ? [] : [`Google Home   ${deepLink}`]),
  ]
  show(terminal, common, { text: rows.join('\n'), json: { ...made, redirectUris, ...(deepLink && { deepLink }) } })
}

function addSigningKeys(program: Command, terminal: Terminal): void {
  const key = program
    .command('signing-key')
    .description('the keys that sign access tokens')
    .addHelpText('after', '\nExamples:\n  transom signing-key list\n  transom signing-key rotate')
  leaf(key, 'list', 'the keys, and from when they sign').action(async (common: CommonOptions) => {
    const found = await ask(terminal, signingKeys, 'GET', '/keys')
    const rows = found.keys.map(({ kid, signsFrom, until }) => {
      return `${kid}  signs from ${date(signsFrom)}${until === undefined ? '' : `, valid until ${date(until)}`}`
    })
    show(terminal, common, { text: lines(rows, 'No keys'), json: found })
  })
  leaf(key, 'rotate', 'make a new key, which signs in two minutes; tokens of the old one stay valid').action(
    async (common: CommonOptions) => {
      const made = await ask(terminal, signingKey, 'POST', '/keys/rotate')
      show(terminal, common, { text: `${made.kid} signs from ${date(made.signsFrom)}`, json: made })
    },
  )
}

function addShares(program: Command, terminal: Terminal): void {
  const share = program
    .command('share')
    .description('cameras shared with other people, without asking them')
    .addHelpText('after', '\nExamples:\n  transom share add porch ada bob --talk\n  transom share remove porch ada bob')
  leaf(share, 'add <camera> <owner> <guest>', 'share a camera; owner and guest are logins')
    .option('--talk', 'the guest may talk, too')
    .option('--recordings', 'the guest may see what happened there and what was recorded, too')
    .option('--no-recordings')
    .option('--tenant <tenant>', "the vendor's brand")
    .action(async (camera: string, owner: string, guest: string, options: ShareOptions) => {
      const { talk = false, recordings, tenant, ...common } = options
      const rights = { mayTalk: talk, ...(recordings !== undefined && { mayViewRecordings: recordings }) }
      const body = { camera, owner, guest, ...rights, ...(tenant && { tenant }) }
      await ask(terminal, nothing, 'POST', '/shares', body)
      show(terminal, common, { text: `${camera} is shared with ${guest}`, json: { shared: camera } })
    })
  leaf(share, 'remove <camera> <owner> <guest>', 'end a share')
    .option('--tenant <tenant>', "the vendor's brand")
    .action(async (camera: string, owner: string, guest: string, { tenant, ...common }: TenantOptions) => {
      await ask(terminal, nothing, 'POST', '/shares/end', { camera, owner, guest, ...(tenant && { tenant }) })
      show(terminal, common, { text: `${camera} is no longer shared with ${guest}`, json: { unshared: camera } })
    })
}

const query = (login: string, tenant: string | undefined): string =>
  new URLSearchParams({ login, ...(tenant !== undefined && { tenant }) }).toString()

/** Checked here, too: a path with `..` in it never leaves as it was written. */
function clientId(word: string): string {
  const parsed = clientFacts.shape.clientId.safeParse(word)
  if (!parsed.success) throw new UsageError(`the client id ${parsed.error.issues[0]?.message}`)
  return parsed.data
}

function hoursOf(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 0 || count > 8760)
    throw new InvalidArgumentError('It must be a whole number up to 8760.')
  return count
}
