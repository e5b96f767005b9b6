/** `transom recordings …`: what was recorded of a camera: listed, saved as a file, deleted. */
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Argument, type Command } from 'commander'
import { recordings, type RecordingRow } from 'transom-core/wire/api'
import { cameraIdShape } from 'transom-core/wire/registration'
import { callOperator as call, readFromOperator } from './operator-client.ts'
import { leaf, show, UsageError, type CommonOptions, type Terminal } from './terminal.ts'
import { printTime, readTime } from './times.ts'

interface SpanOptions extends CommonOptions {
  readonly from?: string
  readonly to?: string
}

interface Span {
  readonly from?: number
  readonly to?: number
}

const dayMs = 24 * 3_600_000
/** The API gives one day, where a begin has no end. */
const latest = 1e15

/** Adds these commands. */
export function addRecordingCommands(program: Command, terminal: Terminal): void {
  const group = program
    .command('recordings')
    .description('what was recorded of a camera')
    .addHelpText(
      'after',
      `
A time is 21:14 (the last such time; after --to, the first one after --from), -15m (also s, h, d),
2026-11-28, 2026-11-28T21:14 or 2026-11-28T21:14:00Z. Without a time zone it is of this machine.
A camera is recorded after: transom camera change porch --record events

Examples:
  transom recordings list porch                                     the last 24 hours
  transom recordings list porch --from 2026-11-01 --to 2026-11-08
  transom recordings export porch --last --out visitor.mp4
  transom recordings export porch --from 21:10 --to 21:20 --out - | ffplay -
  transom recordings remove porch --to -7d                          all that ended more than a week ago
  transom recordings pause porch                                    nothing is recorded until: resume porch`,
    )
  addSpan(
    leaf(group, 'list <camera>', 'the recordings of a time, the oldest first (default: the last 24 hours)'),
  ).action(async (camera: string, options: SpanOptions) => {
    const { from = Date.now() - dayMs, to } = spanOf(options)
    const rows = await list(terminal, camera, { from, ...(to !== undefined && { to }) })
    show(terminal, options, { text: rows.map(printRow).join('\n') || 'No recordings', json: rows })
  })
  for (const [verb, method, done] of [
    ['pause', 'PUT', 'records nothing until: transom recordings resume'],
    ['resume', 'DELETE', 'records again'],
  ] as const)
    leaf(group, `${verb} <camera>`, verb === 'pause' ? 'record nothing for now' : 'go on recording').action(
      async (camera: string, options: CommonOptions) => {
        await call(await terminal.operator(), method, `${cameraPathOf(camera)}/recording/pause`)
        show(terminal, options, { text: `${camera} ${done}`, json: { camera, isPaused: verb === 'pause' } })
      },
    )
  addSpan(leaf(group, 'export <camera>', 'save recordings as one MP4 file'))
    .addArgument(new Argument('[recording]', 'its number in the list'))
    .option('--last', 'the newest recording')
    .requiredOption('--out <file>', 'the file to write; - is the standard output')
    .option('--force', 'overwrite the file')
    .action(async (camera: string, recording: string | undefined, options: ExportOptions) => {
      await exportClip(terminal, camera, recording, options)
    })
  addSpan(leaf(group, 'remove <camera>', 'delete recordings for good, each as a whole'))
    .addArgument(new Argument('[recording]', 'its number in the list'))
    .option('--all', 'all recordings of the camera; with --yes')
    .option('--yes', 'confirms --all')
    .action(async (camera: string, recording: string | undefined, options: RemoveOptions) => {
      await remove(terminal, camera, recording, options)
    })
}

interface ExportOptions extends SpanOptions {
  readonly last?: true
  readonly out: string
  readonly force?: true
}

interface RemoveOptions extends SpanOptions {
  readonly all?: true
  readonly yes?: true
}

const addSpan = (command: Command): Command =>
  command.option('--from <time>', 'from when on').option('--to <time>', 'until when')

async function exportClip(
  terminal: Terminal,
  camera: string,
  recording: string | undefined,
  { last, out, force, ...options }: ExportOptions,
): Promise<void> {
  const span = spanOf(options)
  const isSpan = span.from !== undefined && span.to !== undefined
  if (!isSpan && (span.from ?? span.to) !== undefined) throw new UsageError('give both --from and --to')
  onlyOne([recording, last, isSpan || undefined], 'give --last, or --from and --to, or the number of a recording')
  if (out === '-' && options.json) throw new UsageError('--json and --out - both print: give one')
  // Also checked when it is opened; the bridge need not make a file for nothing.
  if (out !== '-' && !force && (await stat(out).catch(() => undefined))) throw exists(out)
  const path = isSpan
    ? `/clip.mp4?${queryOf(span)}`
    : `/${recording === undefined ? (await newest(terminal, camera)).id : numberOf(recording)}/clip.mp4`
  const body = await readFromOperator(await terminal.operator(), `${pathOf(camera)}${path}`)
  if (out === '-') return terminal.write(body)
  await save(body, out, force === true)
  const { size } = await stat(out)
  show(terminal, options, { text: `${out}: ${megabytes(size)}`, json: { file: out, bytes: size } })
}

/** What comes only in part leaves nothing behind, and what stood there before stays. */
async function save(body: AsyncIterable<Uint8Array>, file: string, isForced: boolean): Promise<void> {
  const path = isForced ? `${file}.part` : file
  try {
    await pipeline(body, createWriteStream(path, { flags: isForced ? 'w' : 'wx', mode: 0o600 }))
    if (isForced) await rename(path, file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw exists(file)
    await rm(path, { force: true })
    throw error
  }
}

const exists = (file: string) => new Error(`${file} exists: --force overwrites it`)

async function remove(
  terminal: Terminal,
  camera: string,
  recording: string | undefined,
  { all, yes, ...options }: RemoveOptions,
): Promise<void> {
  const span = spanOf(options)
  const isSpan = (span.from ?? span.to) !== undefined
  onlyOne([recording, all, isSpan || undefined], 'give the number of a recording, or --from or --to, or --all --yes')
  if (all && !yes) throw new UsageError(`this deletes all recordings of ${camera}: add --yes`)
  const path = recording === undefined ? `?${queryOf(span)}` : `/${numberOf(recording)}`
  await call(await terminal.operator(), 'DELETE', `${pathOf(camera)}${path}`)
  const what = recording === undefined ? (all ? 'all recordings' : 'the recordings of this time') : recording
  show(terminal, options, { text: `${camera}: ${what} deleted`, json: { camera, removed: recording ?? span } })
}

/** All pages of it, in order of time. */
async function list(terminal: Terminal, camera: string, span: Span): Promise<readonly RecordingRow[]> {
  const access = await terminal.operator()
  const rows = new Map<number, RecordingRow>()
  for (let from: number | undefined = span.from ?? 0; from !== undefined;) {
    const { recordings: page, next } = recordings.parse(
      await call(access, 'GET', `${pathOf(camera)}?${queryOf({ to: latest, ...span, from })}`),
    )
    for (const row of page) rows.set(row.id, row)
    from = next
  }
  return [...rows.values()]
}

/** Looks back further and further, since lists begin with the oldest. */
async function newest(terminal: Terminal, camera: string): Promise<RecordingRow> {
  const now = Date.now()
  for (const from of [now - dayMs, now - 30 * dayMs, 0]) {
    const last = (await list(terminal, camera, { from })).at(-1)
    if (last !== undefined) return last
  }
  throw new Error(`nothing is recorded of ${camera}`)
}

function spanOf({ from: begin, to: end }: SpanOptions): Span {
  const now = Date.now()
  const from = begin === undefined ? undefined : timeOf('--from', begin, now)
  const to = end === undefined ? undefined : timeOf('--to', end, now, from)
  if (from !== undefined && to !== undefined && to <= from) throw new UsageError('--to must be later than --from')
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
}

function timeOf(option: string, text: string, now: number, after?: number): number {
  const at = readTime(text, now, after)
  if (at === undefined)
    throw new UsageError(`${option} must be a time such as 21:14, -15m or 2026-11-28T21:14, and not ${text}`)
  return at
}

function onlyOne(given: readonly unknown[], advice: string): void {
  if (given.filter((one) => one !== undefined).length !== 1) throw new UsageError(advice)
}

function numberOf(recording: string): number {
  if (!/^\d{1,15}$/.test(recording)) throw new UsageError(`a recording has a number, and ${recording} is none`)
  return Number(recording)
}

function queryOf({ from, to }: Span): string {
  return new URLSearchParams({
    ...(from !== undefined && { from: String(from) }),
    ...(to !== undefined && { to: String(to) }),
  }).toString()
}

/** Checked here, too: a path with `..` in it never leaves as it was written. */
function cameraPathOf(camera: string): string {
  const parsed = cameraIdShape.safeParse(camera)
  if (!parsed.success) throw new UsageError(`the id ${parsed.error.issues[0]?.message}`)
  return `/cameras/${encodeURIComponent(parsed.data)}`
}

const pathOf = (camera: string): string => `${cameraPathOf(camera)}/recordings`

function printRow({ id, from, to, isOpen, bytes, events }: RecordingRow): string {
  const length = `${Math.round((to - from) / 1_000)} s`.padStart(6)
  const happened = events.map(({ kind, at }) => `${kind} ${printTime(at).slice(11)}`).join(', ')
  return `${id}  ${printTime(from)} ${length}  ${megabytes(bytes)}${isOpen ? '  recording' : ''}  ${happened}`.trimEnd()
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
