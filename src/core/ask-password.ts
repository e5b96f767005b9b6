/** A password for a command: asked for at a terminal without showing it, otherwise the first line of stdin. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** Rejects with an `Error` that says what to do when none is given. */
export async function askPassword(question: string, input: NodeJS.ReadStream = process.stdin): Promise<string> {
  // With `terminal` readline turns the echo off and writes what is typed here.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: nowhere, terminal: input.isTTY })
  const { promise, resolve } = Promise.withResolvers<string>()
  lines.once('line', resolve)
  // Ctrl-C, Ctrl-D, or the end of what was piped.
  lines.once('SIGINT', () => lines.close())
  lines.once('close', () => resolve(''))
  if (input.isTTY) process.stderr.write(question)
  const password = await promise
  lines.close()
  if (input.isTTY) process.stderr.write('\n')
  if (password === '') throw new Error('no password came: type it when asked, or pipe it to stdin')
  return password
}
