/** `transom doctor`: what is wrong with this set-up, and what to change. */
import type { Command } from 'commander'
import { examine, printFindings } from './doctor/doctor.ts'
import { Failed, leaf, show, type CommonOptions, type Terminal } from './terminal.ts'

/** Adds this command. */
export function addDoctorCommand(program: Command, terminal: Terminal): void {
  leaf(program, 'doctor', 'check all that a call needs, and print what to change')
    .addHelpText(
      'after',
      `
It works with the bridge running or stopped, asks each server that is set up, and plays each network camera for a
moment. Exit status 1: a check failed.

Examples:
  transom doctor
  transom doctor --json | jq '.checks[] | select(.ok | not)'`,
    )
    .action(async (options: CommonOptions) => {
      if (options.json !== true) terminal.err('Checking; cameras and servers that do not answer take up to 30 s …')
      const access = await terminal.operator().catch(() => undefined)
      const checks = await examine({ env: terminal.env, access, clock: Date.now })
      show(terminal, options, { text: printFindings(checks), json: { checks } })
      if (checks.some(({ ok }) => !ok)) throw new Failed()
    })
}
