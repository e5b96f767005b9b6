/** `npm start`: the whole bridge in one process, until Ctrl-C. */
import { ensureConsole } from 'transom-console/build'
import { readConfig } from './config.ts'
import { startEmbedded, type Embedded } from './embedded.ts'
import { greeting, terminalLanguage } from './greeting.ts'
import { createLog } from 'transom-core/log'
import { readableLine } from 'transom-core/readable-log'
import type { Log } from 'transom-core/ports'
import { loadSettings } from './environment.ts'
import { explainFile } from './start-faults.ts'

/** What is not closed by then is abandoned: a stop takes a second at most. */
const closeMs = 900

try {
  loadSettings()
  const config = readConfig(process.env)
  const inWords = process.stderr.isTTY ? readableLine : undefined
  const log = createLog((line) => process.stderr.write(line), Date.now, { least: config.logLevel, inWords })
  const [embedded, problem] = await Promise.all([
    startEmbedded(config, Date.now, log),
    config.console ? ensureConsole() : undefined,
  ])
  if (problem !== undefined) log('error', 'transom.page-not-built', { error: problem })
  if (process.stdin.isTTY) listenForRing(embedded)
  process.once('SIGINT', () => void stop(embedded, 'SIGINT', log))
  process.once('SIGTERM', () => void stop(embedded, 'SIGTERM', log))
  // Last: whoever reads it may stop us at once.
  console.log(
    greeting(embedded, config, process.stdin.isTTY, terminalLanguage(process.env, config.linking.brand.language)),
  )
} catch (thrown) {
  const error = explainFile(thrown)
  console.error(`Transom cannot start.\n${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

/** `r` and Enter presses the bell, as a finger at the door would. */
function listenForRing(embedded: Embedded): void {
  process.stdin.on('data', (typed) => {
    if (typed.toString().trim().toLowerCase() === 'r') embedded.press()
  })
  // The keyboard alone does not keep the bridge running.
  process.stdin.unref()
}

async function stop(embedded: Embedded, signal: string, log: Log): Promise<void> {
  log('info', 'transom.stopping', { signal })
  // A second Ctrl-C does not wait.
  process.once('SIGINT', () => process.exit(130))
  // Every write that was answered is on disk already: nothing is lost with what is cut off.
  const timer = setTimeout(() => {
    log('warn', 'transom.stopping-late', { closeMs })
    process.exit(0)
  }, closeMs)
  await embedded.close()
  clearTimeout(timer)
  // What a library still has running (a query by mDNS, a TURN server that does not answer) keeps nobody here.
  process.exit(0)
}
