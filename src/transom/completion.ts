/** Completion of `transom` in bash, zsh and fish: the shell asks `transom complete`, so that it is always true. */
import { Argument, type Command } from 'commander'
import type { Terminal } from './terminal.ts'

const scripts = {
  bash: `_transom() {
  local IFS=$'\\n'
  COMPREPLY=($(transom complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _transom transom`,
  zsh: `#compdef transom
_transom() {
  local -a found
  found=("\${(@f)$(transom complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _transom transom`,
  fish: `complete -c transom -f -a '(transom complete (commandline -opc)[2..] (commandline -ct))'`,
} as const

/** Adds `completion SHELL`. */
export function addCompletion(program: Command, { out }: Terminal): void {
  program
    .command('completion')
    .description('print a script that completes the words of transom in a shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      `
Examples:
  transom completion bash >> ~/.bashrc
  transom completion zsh > ~/.zfunc/_transom
  transom completion fish > ~/.config/fish/completions/transom.fish`,
    )
    .action((shell: keyof typeof scripts) => out(scripts[shell]))
}

/** What may stand for the last of these words, which may be empty: commands, options, or the choices of an argument. */
export function complete(program: Command, words: readonly string[]): readonly string[] {
  const begun = words.at(-1) ?? ''
  const { command, rest } = walk(program, words.slice(0, -1))
  const found = begun.startsWith('-')
    ? [...command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []), '--help']
    : command.commands.length > 0
      ? command.commands.map((one) => one.name())
      : (command.registeredArguments[rest]?.argChoices ?? [])
  return found.filter((word) => word.startsWith(begun))
}

/** The full name of the command that these words lead to: `transom camera add`. */
export const commandAt = (program: Command, words: readonly string[]): string => walk(program, words).path

function walk(program: Command, words: readonly string[]) {
  let command = program
  let path = program.name()
  let rest = 0
  for (const word of words) {
    if (word.startsWith('-')) continue
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined) rest += 1
    else {
      command = next
      path = `${path} ${word}`
    }
  }
  return { command, path, rest }
}
