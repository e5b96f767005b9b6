#!/usr/bin/env node
/** The `transom` command: its words to the program, its answers to the terminal. */
import { existsSync } from 'node:fs'
import { askPassword } from 'transom-core/ask-password'
import { findAdmin, findOperator } from './operator-client.ts'
import { runTransom } from './program.ts'
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
  askSecret: (question) => askPassword(question),
  operator: () => findOperator(process.env),
  admin: () => findAdmin(process.env),
  async run(program, words) {
    process.argv.splice(2, Infinity, ...words)
    await programs[program]()
  },
}

// What is in the environment already wins.
if (existsSync('.env')) process.loadEnvFile('.env')
const status = await runTransom(process.argv.slice(2), terminal)
// A program that ran here has set its own.
process.exitCode ??= status
