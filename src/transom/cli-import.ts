/** `transom camera import`: many cameras of a file, one JSON object a line, to the running bridge. */
import type { OperatorAccess } from 'transom-bridge/operator/operator'
import { batchLimits, cameraBatchResults, type BatchResult } from 'transom-core/wire/registration'
import { callOperator, OperatorRefusal } from './operator-client.ts'
import { Failed, UsageError, type CommonOptions, type Terminal } from './terminal.ts'

/** Requests under way at the same time. */
const sideBySide = 4
/** Attempts at one request, in all. */
const attempts = 6
/** Where the bridge does not say when to come back. */
const waitMs = 2_000
/** Leaves room for what stands around the cameras. */
const bodyBytes = batchLimits.bytes - 1_024

/** What the command may say. */
export interface ImportValues extends CommonOptions {
  readonly from?: string
  readonly dryRun?: true
  readonly keys?: true
}

interface Line {
  readonly line: number
  readonly camera: unknown
}

/**
 * Sends the cameras of a file (`-`: standard input) in batches, and prints as NDJSON each that was refused, with its line
 * and the reason; at the end the counts, with `--json` as the last line of it. Rejects with `Failed` when one was refused,
 * and with an `Error` that names the line to go on from when the bridge cannot be asked any more.
 */
export async function importCameras(terminal: Terminal, file: string, values: ImportValues): Promise<void> {
  const from = lineOf(values.from ?? '1')
  const access = await terminal.operator()
  const counts = { created: 0, changed: 0, unchanged: 0, refused: 0 }
  const report = (line: number, { result, ...said }: BatchResult): void => {
    counts[result] += 1
    if (result === 'refused' || (result === 'created' && values.keys))
      terminal.out(JSON.stringify({ line, result, ...said }))
  }
  const unreadable = (line: number, message: string): void =>
    report(line, { result: 'refused', error: 'invalid_request', message })

  const batches = batchesOf(terminal.lines(file === '-' ? undefined : file), from, unreadable)
  const underWay = new Set<number>()
  const faults: unknown[] = []
  const work = async (): Promise<void> => {
    for await (const batch of shared(batches)) {
      // What another request has met, this one would meet, too.
      const [first] = batch
      if (first === undefined) continue
      underWay.add(first.line)
      if (faults.length > 0) return
      const results = await send(terminal, access, batch, values.dryRun === true)
      for (const [index, { line }] of batch.entries()) {
        const result = results[index]
        if (result !== undefined) report(line, result)
      }
      underWay.delete(first.line)
    }
  }
  await Promise.all(
    Array.from({ length: sideBySide }, async () => work().catch((fault: unknown) => faults.push(fault))),
  )
  if (faults.length > 0) {
    const [fault] = faults
    const message = fault instanceof Error ? fault.message : String(fault)
    throw new Error(
      underWay.size === 0 ? message : `${message}\nTo go on where this stopped: --from ${Math.min(...underWay)}`,
      { cause: fault },
    )
  }
  const { created, changed, unchanged, refused } = counts
  const would = values.dryRun ? 'would be ' : ''
  if (values.json) terminal.out(JSON.stringify({ summary: { ...counts, dryRun: values.dryRun === true } }))
  else terminal.err(`${would}created ${created}, changed ${changed}; unchanged ${unchanged}, refused ${refused}`)
  if (refused > 0) throw new Failed()
}

function lineOf(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new UsageError('--from must be the number of a line, from 1 on')
  return Number(text)
}

/** Cut by number and by bytes, as the bridge limits a request. Blank lines count as lines, and are nothing else. */
async function* batchesOf(
  lines: AsyncIterable<string>,
  from: number,
  unreadable: (line: number, message: string) => void,
): AsyncGenerator<readonly Line[], void, undefined> {
  let [batch, bytes, line]: [Line[], number, number] = [[], 0, 0]
  for await (const text of lines) {
    line += 1
    if (line < from || text.trim() === '') continue
    const camera = parse(text)
    // As it is sent: an escape may be shorter or longer than in the file.
    const size = Buffer.byteLength(JSON.stringify(camera ?? null)) + 1
    if (camera === undefined) unreadable(line, 'the line is no JSON')
    else if (size > bodyBytes) unreadable(line, `the line must be at most ${bodyBytes} bytes`)
    else {
      if (batch.length === batchLimits.cameras || bytes + size > bodyBytes) {
        yield batch
        ;[batch, bytes] = [[], 0]
      }
      batch.push({ line, camera })
      bytes += size
    }
  }
  if (batch.length > 0) yield batch
}

/** Undefined for what is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** For several readers of one generator: whoever leaves does not end it for the others. */
function shared<T>(generator: AsyncGenerator<T, void, undefined>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => ({ next: async () => generator.next() }) }
}

/** The same request again is safe, so what may pass is waited for. */
async function send(
  terminal: Terminal,
  access: OperatorAccess,
  batch: readonly Line[],
  dryRun: boolean,
): Promise<readonly BatchResult[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const body = { cameras: batch.map(({ camera }) => camera), dryRun }
      const { results } = cameraBatchResults.parse(await callOperator(access, 'POST', '/cameras:batch', body))
      if (results.length !== batch.length)
        throw new Error(`the bridge answers ${results.length} of ${batch.length} cameras`)
      return results
    } catch (error) {
      const mayPass = error instanceof OperatorRefusal && [429, 502, 503, 504].includes(error.status)
      if (!mayPass || attempt === attempts) throw error
      await terminal.wait(error.retryAfterMs ?? waitMs * attempt)
    }
  }
}
