/** `transom camera import`: requests, not time, are counted, against a bridge that is played on loopback. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import * as z from 'zod'
import { batchLimits } from '../../src/core/wire/registration.ts'
import { createTerminal } from './terminal.ts'

const asked = z.object({ cameras: z.array(z.looseObject({ id: z.string() })), dryRun: z.boolean() })
type Asked = z.infer<typeof asked>
let stop: (() => void) | undefined
afterEach(() => stop?.())

/** `refuse`: the status that answers this request instead, and its Retry-After in seconds. */
async function play(
  refuse: (request: Asked, number: number) => readonly [number, string | undefined] | undefined = () => undefined,
) {
  const requests: Asked[] = []
  const running = { now: 0, most: 0, bytes: 0 }
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    running.now += 1
    running.most = Math.max(running.most, running.now)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const body = Buffer.concat(chunks)
    running.bytes = Math.max(running.bytes, body.length)
    const read = asked.parse(JSON.parse(body.toString()))
    requests.push(read)
    const refused = refuse(read, requests.length)
    running.now -= 1
    if (refused !== undefined) {
      const [status, retryAfter] = refused
      response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter })
      return response.end(JSON.stringify({ error: 'rate_limited', message: 'too often' }))
    }
    const results = read.cameras.map(({ id: cameraId }) =>
      cameraId.startsWith('bad')
        ? { result: 'refused', cameraId, error: 'invalid_request', message: 'nobody has the login eve' }
        : { result: 'created', cameraId },
    )
    return response.end(JSON.stringify({ results }))
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stop = () => {
    server.closeAllConnections()
    server.close()
  }
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const sent = () => requests.flatMap(({ cameras }) => cameras.map(({ id }) => id))
  return { requests, running, sent, access: { url, token: 't' } }
}

const long = (id: string, bytes: number) => JSON.stringify({ id, name: 'x'.repeat(bytes) })
const lines = (count: number) => Array.from({ length: count }, (_, n) => JSON.stringify({ id: `c-${n + 1}` }))

test('a thousand cameras are ten requests, at most four at a time', async () => {
  const { requests, running, sent, access } = await play()
  const terminal = createTerminal({ access, piped: lines(1_000) })
  expect(await terminal.run('camera', 'import', '-', '--json')).toBe(0)
  expect(requests.map(({ cameras }) => cameras.length)).toEqual(Array.from({ length: 10 }, () => 100))
  expect(new Set(sent()).size).toBe(1_000)
  expect(running.most).toBeLessThanOrEqual(4)
  expect(JSON.parse(terminal.printed())).toEqual({
    summary: { created: 1_000, changed: 0, unchanged: 0, refused: 0, dryRun: false },
  })
})

test('what is refused is reported with its line and the reason, and the rest is done', async () => {
  const { sent, access } = await play()
  const terminal = createTerminal({ access, piped: ['{"id":"a"}', '', '{"id":', '{"id":"bad"}', '  ', '{"id":"b"}'] })
  expect(await terminal.run('camera', 'import', 'cameras.ndjson')).toBe(1)
  expect(sent()).toEqual(['a', 'bad', 'b'])
  const said = terminal
    .printed()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
  expect(said).toEqual([
    { line: 3, result: 'refused', error: 'invalid_request', message: 'the line is no JSON' },
    { line: 4, result: 'refused', cameraId: 'bad', error: 'invalid_request', message: 'nobody has the login eve' },
  ])
  expect(terminal.complained()).toBe('created 2, changed 0; unchanged 0, refused 2')
})

test('requests keep to the bytes that the bridge accepts, and a line that never fits is refused here', async () => {
  const { requests, running, access } = await play()
  const piped = [long('a', 300_000), long('b', 300_000), long('c', batchLimits.bytes)]
  expect(await createTerminal({ access, piped }).run('camera', 'import', '-')).toBe(1)
  expect(requests).toHaveLength(2)
  expect(running.bytes).toBeLessThanOrEqual(batchLimits.bytes)
})

test.each([
  [429, '7', 7_000],
  [503, undefined, 2_000],
])('a %i is waited for, as long as the bridge says, and the request sent again', async (status, after, ms) => {
  const { requests, access } = await play((_request, number) => (number === 1 ? [status, after] : undefined))
  const terminal = createTerminal({ access, piped: lines(3) })
  expect(await terminal.run('camera', 'import', '-')).toBe(0)
  expect(requests).toHaveLength(2)
  expect(requests[1]).toEqual(requests[0])
  expect(terminal.waits).toEqual([ms])
})

test('a bridge that only refuses is asked six times, and the line to go on from is named', async () => {
  const { requests, access } = await play(({ cameras }) => (cameras[0]?.id === 'c-101' ? [503, '1'] : undefined))
  const terminal = createTerminal({ access, piped: lines(150) })
  expect(await terminal.run('camera', 'import', '-')).toBe(1)
  expect(requests).toHaveLength(7)
  expect(terminal.complained()).toContain('--from 101')
})

test('a wrong key ends it at once, and nothing is sent again', async () => {
  const { requests, access } = await play(() => [401, undefined])
  const terminal = createTerminal({ access, piped: lines(10_000) })
  expect(await terminal.run('camera', 'import', '-')).toBe(1)
  expect(requests.length).toBeLessThanOrEqual(4)
  expect(terminal.waits).toEqual([])
  expect(terminal.complained()).toContain('--from 1')
})

test('--from leaves out the lines before, and --dry-run is passed on', async () => {
  const { requests, sent, access } = await play()
  expect(
    await createTerminal({ access, piped: lines(5) }).run('camera', 'import', '-', '--from', '4', '--dry-run'),
  ).toBe(0)
  expect(sent()).toEqual(['c-4', 'c-5'])
  expect(requests[0]?.dryRun).toBe(true)
})

test.each(['0', '-1', 'x', '1.5', ''])('--from %j is wrong usage', async (from) => {
  const { requests, access } = await play()
  expect(await createTerminal({ access, piped: lines(1) }).run('camera', 'import', '-', `--from=${from}`)).toBe(2)
  expect(requests).toEqual([])
})
