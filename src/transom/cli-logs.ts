/** `transom logs`: the log in words, from a file or from what is piped in. */
import { Argument, Option, type Command } from 'commander'
import * as z from 'zod'
import { isLess, logLevels, type LogLevel } from 'transom-core/log'
import { readableLine } from 'transom-core/readable-log'
import { leaf, type CommonOptions, type Terminal } from './terminal.ts'

interface LogsOptions extends CommonOptions {
  readonly level: LogLevel
  readonly event?: string
  readonly camera?: string
  readonly session?: string
}

const line = z.looseObject({ at: z.string(), level: z.enum(logLevels), event: z.string() })

/** Adds this command. */
export function addLogsCommand(program: Command, terminal: Terminal): void {
  leaf(program, 'logs', 'show the log in words, filtered')
    .addArgument(new Argument('[file]', 'lines of the log (default: what is piped in)'))
    .addOption(new Option('--level <level>', 'this and worse').choices([...logLevels]).default('info'))
    .option('--event <name>', 'these events: broker.session, or all of broker')
    .option('--camera <id>', 'about this camera')
    .option('--session <id>', 'about this session')
    .addHelpText(
      'after',
      `
The bridge writes its log to standard error: in words on a terminal, else as JSON, a line for each event
(docs/log.md). TRANSOM_LOG_LEVEL leaves out what is less.

Examples:
  journalctl -u transom -o cat | transom logs --level warn
  docker logs bridge 2>&1 | transom logs --camera porch
  transom logs bridge.log --event broker`,
    )
    .action(async (file: string | undefined, options: LogsOptions) => {
      for await (const text of terminal.lines(file)) {
        const shown = shownLine(text, options)
        if (shown !== undefined) terminal.out(shown)
      }
    })
}

/** What is no line of the log (the greeting, other programs) is left out. */
function shownLine(text: string, { level, event, camera, session, json }: LogsOptions): string | undefined {
  const parsed = line.safeParse(parseJson(text))
  if (!parsed.success) return undefined
  const { data } = parsed
  const isWanted =
    !isLess(data.level, level) &&
    (event === undefined || data.event === event || data.event.startsWith(`${event}.`)) &&
    (camera === undefined || data['cameraId'] === camera || data['channelName'] === camera) &&
    (session === undefined || data['sessionId'] === session)
  if (!isWanted) return undefined
  return json ? text : readableLine(data)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
