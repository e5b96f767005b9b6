/** A terminal for command lines in tests: what is typed comes from a list, what is printed is kept. */
import type { OperatorAccess } from '../../src/bridge/operator/operator.ts'
import { runTransom } from '../../src/transom/program.ts'
import type { Terminal } from '../../src/transom/terminal.ts'

export interface TerminalOptions {
  /** The running bridge; none when not given. */
  readonly access?: OperatorAccess
  /** What is typed when a secret is asked for, in this order. */
  readonly secrets?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** What is piped in. */
  readonly piped?: readonly string[]
}

export function createTerminal({ access, secrets = [], env = {}, piped = [] }: TerminalOptions = {}) {
  const [outs, errs, asked, started] = [[] as string[], [] as string[], [] as string[], [] as unknown[]]
  const waits: number[] = []
  const typed = [...secrets]
  const written: Uint8Array[] = []
  const find = async (): Promise<OperatorAccess> => {
    if (access === undefined) throw new Error('no bridge runs here')
    return access
  }
  const terminal: Terminal = {
    env,
    out: (text) => void outs.push(text),
    err: (text) => void errs.push(text),
    async write(bytes) {
      for await (const chunk of bytes) written.push(chunk)
    },
    async askSecret(question) {
      asked.push(question)
      const secret = typed.shift()
      if (secret === undefined) throw new Error('no password came')
      return secret
    },
    async *lines() {
      yield* piped
    },
    wait: async (ms) => void waits.push(ms),
    operator: find,
    admin: find,
    run: async (program, words) => void started.push([program, ...words]),
  }
  return {
    run: (...words: readonly string[]) => runTransom(words, terminal),
    /** What went to stdout, and to stderr. */
    printed: () => outs.join('\n'),
    complained: () => errs.join('\n'),
    /** What was written to stdout as bytes. */
    bytes: () => Buffer.concat(written),
    /** The questions for secrets, and the programs that were started with their words. */
    asked,
    started,
    /** How long was waited, each time, in milliseconds. */
    waits,
  }
}
