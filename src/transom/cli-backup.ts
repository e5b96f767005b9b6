/** `transom backup`, `transom restore`, `transom upgrade-check`: what is kept, in one file and back. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { dataDirectoryOf } from 'transom-core/setting-shapes'
import { backUp, restore } from './backup.ts'
import { checkData, printFindings } from './doctor/doctor.ts'
import { Failed, leaf, show, type CommonOptions, type Terminal } from './terminal.ts'

/** Adds these commands. */
export function addBackupCommands(program: Command, terminal: Terminal): void {
  const dataDir = () => resolve(dataDirectoryOf(terminal.env))
  leaf(program, 'backup [file]', 'write all that the bridge keeps into one file, also while it runs')
    .addHelpText(
      'after',
      `
The file holds accounts, links, cameras, keys and certificates, so it is readable for its owner only. Settings
(.env, transom.yaml) and recordings are not in it.

Examples:
  transom backup                            transom-2026-11-28T08-00-00Z.backup in this folder
  transom backup /mnt/nas/doorbell.backup`,
    )
    .action((given: string | undefined, common: CommonOptions) => {
      const now = Date.now()
      const stamp = new Date(now).toISOString().replace(/\.\d+/, '').replaceAll(':', '-')
      const facts = backUp(dataDir(), resolve(given ?? `transom-${stamp}.backup`), now)
      const text = `${facts.file}: ${(facts.bytes / 1e6).toFixed(1)} MB, the store and ${facts.files.length} other files. Keep it secret.`
      show(terminal, common, { text, json: facts })
    })
  leaf(program, 'restore <file>', 'put a backup in the place of what the bridge keeps; the bridge must be stopped')
    .addHelpText(
      'after',
      '\nWhat was there is kept in a folder beside it.\n\nExamples:\n  transom restore doorbell.backup',
    )
    .action((file: string, common: CommonOptions) => {
      const facts = restore(resolve(file), dataDir(), Date.now())
      const before = facts.kept === undefined ? '' : `\nWhat was there is in ${facts.kept}; remove it when all is well.`
      const made = `made by Transom ${facts.version} on ${new Date(facts.madeAt).toISOString()}`
      show(terminal, common, { text: `${dataDir()} is restored from a backup ${made}.${before}`, json: facts })
    })
  leaf(program, 'upgrade-check', 'check whether this version of Transom can start with these settings and this data')
    .addHelpText(
      'after',
      '\nRun it with the new version, before the old one is stopped.\n\nExamples:\n  npx transom@next upgrade-check',
    )
    .action(async (common: CommonOptions) => {
      const checks = await checkData(terminal.env, Date.now)
      show(terminal, common, { text: printFindings(checks), json: { checks } })
      if (checks.some(({ ok }) => !ok)) throw new Failed()
    })
}
