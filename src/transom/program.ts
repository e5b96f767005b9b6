/** The command line of `transom`: every command with its help, and how mistakes are answered. */
import { styleText } from 'node:util'
import { Command, CommanderError } from 'commander'
import { version } from 'transom-core/version'
import { addBackupCommands } from './cli-backup.ts'
import { addCameraCommands } from './cli-cameras.ts'
import { addExplainCommand } from './cli-explain.ts'
import { addGatewayCommands } from './cli-gateways.ts'
import { addKeyCommands } from './cli-keys.ts'
import { addLogsCommand } from './cli-logs.ts'
import { addPeopleCommands } from './cli-people.ts'
import { addRecordingCommands } from './cli-recordings.ts'
import { addDoctorCommand } from './cli-doctor.ts'
import { addCompletion, commandAt, complete } from './completion.ts'
import { Failed, leaf, show, UsageError, type CommonOptions, type Terminal } from './terminal.ts'

const bridgeFacts = `
The bridge is the one that runs on TRANSOM_DATA (./data). If none does, it is the one at TRANSOM_PUBLIC_URL,
with its TRANSOM_OPERATOR_KEY. A file .env in this folder is read, too.
Exit status: 0 done, 1 failed, 2 wrong usage. Every command has --json.`

/** Runs one command line, and resolves to its exit status: 0 done, 1 failed, 2 wrong usage. Never rejects. */
export async function runTransom(words: readonly string[], terminal: Terminal): Promise<number> {
  const given = withoutOldWords(words.length === 0 ? ['start'] : words)
  const [first = '', ...rest] = given
  if (first === 'complete') {
    for (const word of complete(createProgram(terminal), rest)) terminal.out(word)
    return 0
  }
  // The simulator and the gateway on another machine have their own words.
  if (first === 'call' || (first === 'gateway' && rest[0]?.startsWith('--') === true && !isHelp(rest[0])))
    return attempt(given, terminal, () => terminal.run(first, rest))
  return attempt(given, terminal, async () => {
    await createProgram(terminal).parseAsync([...given], { from: 'user' })
  })
}

async function attempt(words: readonly string[], terminal: Terminal, work: () => Promise<void>): Promise<number> {
  try {
    await work()
    return 0
  } catch (thrown) {
    // Help and version are no mistakes, and printed by now; without a subcommand, help is the answer to one.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') return 2
    if (thrown instanceof Failed) return 1
    const isUsage = thrown instanceof CommanderError || thrown instanceof UsageError
    const message = (thrown instanceof Error ? thrown.message : String(thrown)).replace(/^error: /, '')
    if (words.includes('--json')) {
      terminal.out(JSON.stringify({ error: { code: isUsage ? 'wrong_usage' : 'failed', message } }, undefined, 2))
    } else {
      terminal.err(isUsage ? `${message}\nSee: ${commandAt(createProgram(terminal), words)} --help` : message)
    }
    return isUsage ? 2 : 1
  }
}

const isHelp = (word: string): boolean => word === '--help'

/** `npm run admin` printed JSON, and had some other names. */
function withoutOldWords(words: readonly string[]): readonly string[] {
  if (words[0] !== 'admin') return words
  const [, noun = '', verb = '', ...rest] = words
  const [newNoun, newVerb] = oldWords[`${noun} ${verb}`] ?? [noun, verb]
  return [newNoun, newVerb, ...rest, '--json'].filter((word) => word !== '')
}

const oldWords: Readonly<Record<string, readonly [string, string]>> = {
  'user links': ['link', 'list'],
  'user unlink': ['link', 'remove'],
  'keys list': ['signing-key', 'list'],
  'keys rotate': ['signing-key', 'rotate'],
}

/** Every command. Nothing is done until it parses something. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('transom')
    .description('Shows a doorbell on an Echo Show or a Nest Hub.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this text')
    .helpCommand('help [command]', 'help for a command')
    .exitOverride()
    .configureHelp({ styleTitle: (text) => styleText('bold', text), showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => terminal.out(text.replace(/\n$/, '')),
      writeErr: (text) => terminal.err(text.replace(/\n$/, '')),
      // What was wrong is printed once, at the end.
      outputError: () => {},
    })
    .addHelpText('after', bridgeFacts)
  program
    .command('start')
    .description('start the bridge; TRANSOM_… in the environment or in .env are its settings')
    .addHelpText('after', '\nExamples:\n  transom start\n  TRANSOM_HOST=0.0.0.0 transom start')
    .action(() => terminal.run('start', []))
  program
    .command('call')
    .description('play an Echo Show or a Nest Hub against a running bridge: transom call --help')
    .allowUnknownOption()
    .allowExcessArguments()
    .action((_options: object, command: Command) => terminal.run('call', command.args))
  addCameraCommands(program, terminal)
  addRecordingCommands(program, terminal)
  addPeopleCommands(program, terminal)
  addKeyCommands(program, terminal)
  addGatewayCommands(program, terminal)
  addBackupCommands(program, terminal)
  addDoctorCommand(program, terminal)
  addExplainCommand(program, terminal)
  addLogsCommand(program, terminal)
  addCompletion(program, terminal)
  leaf(program, 'version', 'print the version').action((options: CommonOptions) =>
    show(terminal, options, { text: version, json: { version } }),
  )
  return program
}
