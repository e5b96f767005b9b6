#!/usr/bin/env node
/** The `transom` command: starts the bridge, or hands the words after it to one of the tools. */
const usage = `
  transom                starts the bridge; TRANSOM_… in the environment or in .env are its settings
  transom call …         plays an Echo Show or a Nest Hub against a running bridge
  transom camera …       registers and changes cameras
  transom key …          keys for viewers
  transom gateway …      reads network cameras for a bridge elsewhere, or on AWS; add, list and remove are the bridge's side
  transom admin …        people, clients, keys, links and shares

  Each of them has --help.
`
const [command = 'start', ...words] = process.argv.slice(2)
/** The tools read their words from the process. */
const handOver = (args: readonly string[]) => process.argv.splice(2, Infinity, ...args)

switch (command) {
  case 'start':
    await import('./main.ts')
    break
  case 'call':
    handOver(words)
    await import('transom-simulator/main')
    break
  case 'admin':
    handOver(words)
    await import('./admin.ts')
    break
  case 'camera':
  case 'key':
    await import('./cli.ts')
    break
  case 'gateway':
    if (['add', 'list', 'remove'].includes(words[0] ?? '')) await import('./cli.ts')
    else {
      handOver(words)
      await import('transom-gateway/main')
    }
    break
  default:
    if (['help', '--help', '-h'].includes(command)) console.log(usage)
    else {
      console.error(`transom has no command ${command}${usage}`)
      process.exitCode = 2
    }
}
