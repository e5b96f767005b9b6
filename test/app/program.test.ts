/** The command line of `transom`: help everywhere without a bridge, mistakes answered with what was meant, exit codes, JSON. */
import { expect, test } from '@jest/globals'
import { version } from '../../src/core/version.ts'
import { createTerminal } from './terminal.ts'

const leaves = [
  ...['start', 'backup', 'restore', 'upgrade-check', 'doctor', 'explain', 'logs', 'version', 'completion'].map(
    (name) => [name],
  ),
  ...['discover', 'probe', 'add', 'import', 'list', 'change', 'key', 'revoke', 'trust', 'try', 'remove'].map((verb) => [
    'camera',
    verb,
  ]),
  ...['list', 'export', 'remove'].map((verb) => ['recordings', verb]),
  ...['add', 'invite', 'reset', 'history'].map((verb) => ['user', verb]),
  ...['list', 'remove'].map((verb) => ['link', verb]),
  ...['list', 'add', 'rotate', 'remove'].map((verb) => ['client', verb]),
  ...['list', 'rotate'].map((verb) => ['signing-key', verb]),
  ...['add', 'remove'].map((verb) => ['share', verb]),
  ...['add', 'list', 'remove'].map((verb) => ['key', verb]),
  ...['add', 'list', 'remove'].map((verb) => ['gateway', verb]),
]

test.each(leaves)('transom %s %s --help needs no bridge', async (...words) => {
  const path = words.filter(Boolean)
  for (const line of [
    [...path, '--help'],
    [...path.slice(0, -1), 'help', ...path.slice(-1)],
  ]) {
    const terminal = createTerminal()
    expect(await terminal.run(...line)).toBe(0)
    expect(terminal.printed()).toContain(`Usage: transom ${path.join(' ')}`)
    expect(terminal.complained()).toBe('')
  }
})

test.each(['camera', 'recordings', 'user', 'link', 'client', 'signing-key', 'share', 'key', 'gateway'])(
  'transom %s shows its commands with examples, and that something is missing',
  async (noun) => {
    const terminal = createTerminal()
    expect(await terminal.run(noun)).toBe(2)
    expect(terminal.complained()).toContain(`Examples:\n  transom ${noun}`)
    expect(await createTerminal().run(noun, '--help')).toBe(0)
  },
)

test.each([
  ['an unknown command', ['camra', 'list'], "unknown command 'camra'\n(Did you mean camera?)\nSee: transom --help"],
  ['an unknown subcommand', ['camera', 'lst'], '(Did you mean list?)\nSee: transom camera --help'],
  [
    'an unknown option',
    ['camera', 'add', 'x', '--onvi', 'y'],
    '(Did you mean --onvif?)\nSee: transom camera add --help',
  ],
  ['a missing argument', ['user', 'add'], "missing required argument 'login'"],
  ['an argument too many', ['camera', 'list', 'x'], 'too many arguments'],
  ['a choice that there is not', ['link', 'remove', 'ada', 'siri'], 'alexa, google'],
  ['a number that is none', ['user', 'invite', '--hours', 'soon'], 'It must be a whole number up to 8760.'],
  ['a bad id', ['camera', 'remove', '..'], 'not . or ..'],
  ['options that do not go together', ['camera', 'add', 'x', '--user', 'u'], '--user goes with --url'],
])('%s is wrong usage', async (_, words, message) => {
  const access = { url: 'http://127.0.0.1:1/operator', token: 'x' }
  const terminal = createTerminal({ access })
  expect(await terminal.run(...words)).toBe(2)
  expect(terminal.complained()).toContain(message)
  expect(terminal.printed()).toBe('')
  const json = createTerminal({ access })
  expect(await json.run(...words, '--json')).toBe(2)
  expect(JSON.parse(json.printed())).toEqual({
    error: { code: 'wrong_usage', message: expect.stringContaining(message.split('\n')[0]!) },
  })
  expect(json.complained()).toBe('')
})

test('what fails later is 1, and JSON where that was asked for', async () => {
  const terminal = createTerminal()
  expect(await terminal.run('camera', 'list')).toBe(1)
  expect(terminal.complained()).toBe('no bridge runs here')
  const json = createTerminal()
  expect(await json.run('camera', 'list', '--json')).toBe(1)
  expect(JSON.parse(json.printed())).toEqual({ error: { code: 'failed', message: 'no bridge runs here' } })
})

test('without words the bridge starts; call and the gateway get their own words', async () => {
  const terminal = createTerminal()
  for (const words of [
    [],
    ['start'],
    ['call', '--assistant', 'alexa', '--help'],
    ['gateway', '--bridge', 'https://bridge.example'],
  ])
    expect(await terminal.run(...words)).toBe(0)
  expect(terminal.started).toEqual([
    ['start'],
    ['start'],
    ['call', '--assistant', 'alexa', '--help'],
    ['gateway', '--bridge', 'https://bridge.example'],
  ])
})

test('the version is that of the packages', async () => {
  for (const words of [['version'], ['--version']]) {
    const terminal = createTerminal()
    expect(await terminal.run(...words)).toBe(0)
    expect(terminal.printed()).toBe(version)
  }
  const json = createTerminal()
  await json.run('version', '--json')
  expect(JSON.parse(json.printed())).toEqual({ version })
})

test('a secret is asked for, and never stands in the command line', async () => {
  const terminal = createTerminal({ secrets: ['correct horse'] })
  expect(await terminal.run('user', 'add', 'ada')).toBe(1)
  expect(terminal.asked).toEqual(['New password of ada: '])
  expect(await terminal.run('user', 'add', 'ada', '--password', 'x')).toBe(2)
})

test.each([
  ['commands', [''], ['camera', 'user', 'completion', 'version']],
  ['a command that is begun', ['cam'], ['camera']],
  ['subcommands', ['camera', ''], ['discover', 'add', 'remove']],
  ['options', ['camera', 'add', 'porch', '--on'], ['--onvif']],
  ['choices of an argument', ['link', 'remove', 'ada', ''], ['alexa', 'google']],
  ['shells', ['completion', 'z'], ['zsh']],
])('completion finds %s', async (_, words, found) => {
  const terminal = createTerminal()
  expect(await terminal.run('complete', ...words)).toBe(0)
  expect(terminal.printed().split('\n')).toEqual(expect.arrayContaining(found))
})

test.each(['bash', 'zsh', 'fish'])('%s gets a script', async (shell) => {
  const terminal = createTerminal()
  expect(await terminal.run('completion', shell)).toBe(0)
  expect(terminal.printed()).toContain('transom complete')
})
