/** What a reader follows in the documentation is there: pages, places in them, commands with their options, settings. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Command } from 'commander'
import { readArguments } from '../src/simulator/arguments.ts'
import { readConfig, settingVariables } from '../src/transom/config.ts'
import { awsVariables } from '../src/bridge/aws/ground.ts'
import { createProgram } from '../src/transom/program.ts'
import type { Terminal } from '../src/transom/terminal.ts'
import { z } from 'zod'

const root = join(import.meta.dirname, '..')
// The changelog tells of commands and settings as they were.
const pages = [
  '{README,CONTRIBUTING}.md',
  'docs/**/*.md',
  'packaging/**/*.md',
  'bench/*.md',
  'examples/**/*.md',
  'skills/**/*.md',
]
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .toSorted()
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The text without its fenced blocks and code spans: what is in them is no link. */
const prose = (text: string): string => text.replace(/^ *```.*?^ *```/gms, '').replace(/`[^`\n]*`/g, '')

/** The anchors of a page, by GitHub's rule: lower case, punctuation dropped, blanks as hyphens. */
const anchorsOf = (path: string): readonly string[] =>
  [
    ...read(path)
      .replace(/^ *```.*?^ *```/gms, '')
      .matchAll(/^#+ (.+)$/gm),
  ].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )

describe('links', () => {
  test.each(pages)('of %s lead somewhere', (page) => {
    const targets = [...prose(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
    const dead = targets.filter((target) => {
      if (/^(https?|mailto):/.test(target)) return false
      const [file = '', anchor] = target.split('#')
      const path = file === '' ? page : normalize(join(dirname(page), file))
      if (!existsSync(join(root, path))) return true
      return anchor !== undefined && !anchorsOf(path).includes(anchor)
    })
    expect(dead).toEqual([])
  })

  test('lead from docs/README.md to every page of docs', () => {
    const linked = [...read('docs/README.md').matchAll(/\]\(([^)#\s]+)/g)].map(([, target = '']) =>
      join('docs', target),
    )
    expect(globSync('docs/*.md', { cwd: root }).filter((page) => !linked.includes(page))).toEqual(['docs/README.md'])
  })
})

interface CommandLine {
  readonly line: string
  /** A line of a shell block is typed as it stands; one in a sentence may lack what the reader puts in. */
  readonly isWhole: boolean
}

/** The command lines of a page: those of its shell blocks, and those in its sentences. */
function commandLines(page: string): readonly CommandLine[] {
  const text = read(page)
  const blocks = [...text.matchAll(/^ *```sh\n(.*?)^ *```/gms)].flatMap(([, block = '']) =>
    block.replaceAll('\\\n', ' ').split('\n'),
  )
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span)
  return [
    ...blocks.flatMap(simpleCommands).map((line) => ({ line, isWhole: true })),
    ...spans.flatMap(simpleCommands).map((line) => ({ line, isWhole: false })),
  ]
}

/** Each simple command of a line: what stands between pipes, `&&` and `;`, without comment, settings and redirection. */
const simpleCommands = (line: string): readonly string[] =>
  (line.replace(/(^|\s)#.*$/, '').match(/(?:"[^"]*"|'[^']*'|[^|&;])+/g) ?? []).map((part) =>
    part
      .trim()
      .replace(/^(?:\w+=\S*\s+)+/, '')
      .replace(/\s*[<>]\s*\S+$/, '')
      .replace(/^(?:sudo|docker compose exec bridge)\s+(?:\w+=\S*\s+)*/, ''),
  )

const words = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? '')

/** The words after `transom` of a command line that runs it, whichever way; undefined for another command. */
function wordsOfTransom(line: string): readonly string[] | undefined {
  const match = /^(?:npx transom|npm run(?: -s)? transom(?: --)?|(?:\S+\/)?transom(?:\/bin\.js)?)(?: (.+))?$/.exec(line)
  return match === null ? undefined : words(match[1] ?? '')
}

const missing = async (): Promise<never> => {
  throw new Error('a command of the documentation did something')
}
const terminal: Terminal = {
  env: {},
  out: () => {},
  err: () => {},
  write: missing,
  askSecret: missing,
  // eslint-disable-next-line require-yield
  async *lines() {
    await missing()
  },
  wait: missing,
  operator: missing,
  admin: missing,
  run: missing,
}

/** The real program, with commands that do nothing. */
function idleProgram(): Command {
  const program = createProgram(terminal)
  const disarm = (command: Command): void => {
    command.action(() => {})
    command.commands.forEach(disarm)
  }
  program.commands.forEach(disarm)
  return program
}

/** The words of a code span up to its placeholder, with the command that they name: `camera add`, `camera add … --url`. */
function unknownWords(given: readonly string[]): readonly string[] {
  let command: Command | undefined = idleProgram()
  const rest = [...given]
  for (;;) {
    const next: Command | undefined = command.commands.find((each) => each.name() === rest[0])
    if (next === undefined) break
    command = next
    rest.shift()
  }
  const isGroup = command.commands.length > 0
  const known = new Set(['--help', '-h', ...command.options.flatMap(({ long, short }) => [long, short])])
  if (command.name() === 'call' || command.name() === 'gateway') return []
  return rest.filter((word, at) => {
    if (word.startsWith('-')) return !known.has(word)
    return at === 0 && isGroup && !/^[^a-z]/.test(word)
  })
}

const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')))

/** What is wrong with a command line, in words; undefined for one that a reader can run. */
async function faultOf({ line, isWhole }: CommandLine): Promise<string | undefined> {
  const ofTransom = wordsOfTransom(line)
  const script = /^npm (?:run (?:-s |--silent )?)?([\w:-]+)/.exec(line)?.[1]
  const ofCall =
    /^npm run (?:-s )?call -- (.*)$/.exec(line)?.[1] ?? (ofTransom?.[0] === 'call' && line.split(' call ')[1])
  try {
    if (ofCall) {
      if (isWhole || !ofCall.includes('…')) readArguments(words(ofCall))
    } else if (ofTransom !== undefined) {
      if (isWhole) await idleProgram().parseAsync([...ofTransom], { from: 'user' })
      const unknown = isWhole ? [] : unknownWords(ofTransom)
      if (unknown.length > 0) return `nothing is called ${unknown.join(', ')}`
    } else if (script !== undefined && !npmsOwn.has(script) && scripts[script] === undefined)
      return `package.json has no script ${script}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return undefined
}

const npmsOwn = new Set(['install', 'ci', 'prune', 'audit', 'run', 'version', 'pack', 'publish'])

describe('command lines', () => {
  test.each(pages)('of %s can be run', async (page) => {
    const faults = await Promise.all(
      commandLines(page).map(async (each) => ({ line: each.line, fault: await faultOf(each) })),
    )
    expect(faults.filter(({ fault }) => fault !== undefined)).toEqual([])
  })

  test.each([
    ['npx transom camera ad porch', true],
    ['npx transom camera add porch --color red', true],
    ['npx transom camera remove', true],
    ['transom camera add … --color', false],
    ['transom kamera', false],
    ['npm run bench:nothing', false],
    ['npm run call -- --assistant siri', true],
  ])('%s would be found', async (line, isWhole) => {
    expect(await faultOf({ line, isWhole })).toBeDefined()
  })
})

describe('settings', () => {
  // The last two are read by the gateway on another machine and by the benchmarks, and by nothing else.
  const known = new Set([
    ...Object.keys({ ...settingVariables, ...awsVariables }),
    'TRANSOM_GATEWAY_KEY',
    'TRANSOM_BENCH_SECONDS',
  ])

  test.each(pages)('that %s names exist', (page) => {
    const named = [...read(page).matchAll(/\bTRANSOM_[A-Z0-9_]*[A-Z0-9]\b(?!_)/g)].map(([name]) => name)
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })
})

/** The values of a JSON block: one, one in each line, or a member of a larger object. */
function valuesOf(block: string): readonly unknown[] {
  if (/^"\w+":/.test(block)) return [JSON.parse(`{${block}}`)]
  return /^\{.*\}$/m.test(block)
    ? block
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [JSON.parse(block)]
}

test('the ports in docs/install.md are the defaults of the bridge and of coturn.conf', () => {
  const { port, signaling } = readConfig({})
  const relay = (name: string) => Number(new RegExp(`^${name}=(\\d+)`, 'm').exec(read('docs/coturn.conf'))?.[1])
  const ports = [port, signaling.port, relay('listening-port'), relay('min-port'), relay('max-port')]
  const told = read('docs/install.md')
    .split('\n')
    .filter((line) => /^\| (?:TCP|UDP)/.test(line))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/\d+/g)].map(Number))
  expect(new Set(told)).toEqual(new Set(ports))
})

describe('examples in JSON', () => {
  test.each(pages)('of %s can be parsed', (page) => {
    const blocks = [...read(page).matchAll(/^ *```json\n(.*?)^ *```/gms)].map(([, block = '']) => block)
    for (const block of blocks) expect(valuesOf(block)).not.toContain(undefined)
  })
})
