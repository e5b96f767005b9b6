#!/usr/bin/env node
/** The `transom` command: its words to the program, its answers to the terminal. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { pipeline } from 'node:stream/promises'
import { askPassword } from 'transom-core/ask-password'
import { loadSettings } from './environment.ts'
import { findAdmin, findOperator } from './operator-client.ts'
import type { Terminal } from './terminal.ts'

/** These read their words from the process, and end it themselves. */
const programs = {
  start: () => import('./main.ts'),
  call: () => import('transom-simulator/main'),
  gateway: () => import('transom-gateway/main'),
} as const

const terminal: Terminal = {
  env: process.env,
  out: (text) => console.log(text),
  err: (text) => console.error(text),
  // Who reads is not hung up on: other commands print there, too.
  write: (bytes) => pipeline(bytes, process.stdout, { end: false }),
  askSecret: (question) => askPassword(question),
  lines: (file) => createInterface({ input: file === undefined ? process.stdin : createReadStream(file) }),
  wait: async (ms) => setTimeout(ms),
  operator: () => findOperator(process.env),
  admin: () => findAdmin(process.env),
  async run(program, words) {
    process.argv.splice(2, Infinity, ...words)
    await programs[program]()
  },
}

process.exitCode = await main()

async function main(): Promise<NodeJS.Process['exitCode']> {
  try {
    loadSettings()
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    return 2
  }
  const words = process.argv.slice(2)
  // The bridge runs for months, and needs nothing of what the other commands load.
  if (words.length === 0 || (words.length === 1 && words[0] === 'start')) {
    await programs.start()
    return process.exitCode
  }
  const { runTransom } = await import('./program.ts')
  const status = await runTransom(words, terminal)
  // A program that ran here has set its own.
  return process.exitCode ?? status
}
