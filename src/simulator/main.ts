/** `npm run call`: plays an assistant against a running bridge, prints what happened, and exits 1 when it is not all right. */

import { existsSync } from 'node:fs'
import { dataDirectoryOf } from 'transom-core/setting-shapes'
import { type Arguments, overridden, readArguments, usage } from './arguments.ts'
import { call } from './call.ts'
import { CallError } from './causes.ts'
import { endLink, type Link } from './link.ts'
import { printLine, printReport, printSummary, summarize } from './print.ts'
import type { CallReport } from './report.ts'
import { readSettings, type Settings } from './settings.ts'
import { loadTone } from './tone.ts'

async function main(): Promise<number> {
  let args: Arguments | undefined
  let settings: Settings
  try {
    if (existsSync('.env')) process.loadEnvFile('.env')
    args = readArguments(process.argv.slice(2))
    if (args === undefined) {
      console.log(usage)
      return 0
    }
    settings = overridden(readSettings(dataDirectoryOf(process.env)), args)
  } catch (error) {
    const message = `${error instanceof Error ? error.message : String(error)}\n\nnpm run call -- --help tells more.`
    // A program that asked for JSON reads nothing else, not even of its own mistake.
    const isJson = process.argv.includes('--json')
    if (isJson) console.log(JSON.stringify({ ok: false, cause: { code: 'wrong_usage', message } }, null, 2))
    else console.error(message)
    return 2
  }
  const interrupt = new AbortController()
  process.once('SIGINT', () => interrupt.abort(new CallError('interrupted')))
  return args.repeat === 1 ? single(args, settings, interrupt.signal) : soak(args, settings, interrupt.signal)
}

async function single(args: Arguments, settings: Settings, signal: AbortSignal): Promise<number> {
  const { report, link } = await call(callOptions(args, settings, signal))
  await leave(args, settings, link)
  console.log(args.json ? JSON.stringify(report, null, 2) : printReport(report))
  return report.ok ? 0 : 1
}

/** Many calls in a row in one process. The account is linked once, as a real one is. */
async function soak(args: Arguments, settings: Settings, signal: AbortSignal): Promise<number> {
  const reports: CallReport[] = []
  const tone = await loadTone()
  let link: Link | undefined
  while (reports.length < args.repeat && !signal.aborted) {
    const made = await call({ ...callOptions(args, settings, signal), tone, ...(link === undefined ? {} : { link }) })
    link = made.link
    reports.push(made.report)
    if (!args.json) console.log(printLine(reports.length, made.report))
  }
  await leave(args, settings, link)
  const summary = summarize(reports)
  const ok = summary.failed === 0 && reports.length === args.repeat
  console.log(
    args.json
      ? JSON.stringify({ ok, assistant: args.assistant, summary, calls: reports }, null, 2)
      : printSummary(summary),
  )
  return ok ? 0 : 1
}

/** What was linked for this run is unlinked after it; a bridge that is gone by now keeps it. */
async function leave({ assistant }: Arguments, settings: Settings, link: Link | undefined): Promise<void> {
  if (link === undefined) return
  const { bridge, clients } = settings
  try {
    await endLink({ assistant, bridge, client: clients[assistant] }, link, AbortSignal.timeout(2_000))
  } catch (error) {
    console.error(`the link of this run stays: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function callOptions(
  { assistant, surface, ring, camera, seconds }: Arguments,
  settings: Settings,
  signal: AbortSignal,
) {
  return { assistant, surface, ring, settings, seconds, signal, ...(camera === undefined ? {} : { camera }) }
}

process.exitCode = await main()
// Everything of ours is closed by now, but werift cannot take back a query to a STUN or TURN server that stays silent. What was
// printed may still be on its way through a pipe, whose reader is busy.
process.stdout.write('', () => setTimeout(() => process.exit(), 100).unref())
