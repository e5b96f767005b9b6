/** What the commands of `transom` share: where they print, whom they ask, and how they show a result. */
import type { Command } from 'commander'
import type { OperatorAccess } from 'transom-bridge/operator/operator'

/** What came of a command: for people, and as JSON for programs. */
export interface Printed {
  readonly text: string
  readonly json: unknown
}

/** The command line was wrong: exit code 2, while whatever fails later is 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What failed is printed by now: exit code 1, and not another word. */
export class Failed extends Error {
  override readonly name = 'Failed'
}

/** What a command line touches beside the bridge; tests have their own. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  out(this: void, text: string): void
  err(this: void, text: string): void
  /** Writes bytes to the standard output; resolves when they are written. */
  write(this: void, bytes: AsyncIterable<Uint8Array>): Promise<void>
  /** Asks for a secret without showing it. Rejects with an `Error` when none is given. */
  askSecret(this: void, question: string): Promise<string>
  /** The lines of a file, or of what is piped in. */
  lines(this: void, file?: string): AsyncIterable<string>
  /** Resolves after so many milliseconds. */
  wait(this: void, ms: number): Promise<void>
  /** The API of the running bridge for cameras, and that for people, clients, links and keys. Reject with what to do. */
  operator(this: void): Promise<OperatorAccess>
  admin(this: void): Promise<OperatorAccess>
  /** Starts a program that reads its own words. */
  run(this: void, program: 'start' | 'call' | 'gateway', words: readonly string[]): Promise<void>
}

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: true
}

/** Shows what came of a command. */
export function show({ out }: Terminal, { json }: CommonOptions, printed: Printed): void {
  out(json ? JSON.stringify(printed.json, undefined, 2) : printed.text)
}

/** Adds a command that has no further ones below it. `usage`: its name and its arguments, `add <login>`. */
export function leaf(parent: Command, usage: string, description: string): Command {
  return parent.command(usage).description(description).option('--json', 'print JSON')
}
