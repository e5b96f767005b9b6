/** `camera discover URL` against what go2rtc and Frigate answer, and `camera try` with each thing that a bridge may answer. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import type { PlayedTone, SourceProbe, StreamProbe, TriedSource } from '../../src/core/wire/source.ts'
import { createTerminal } from './terminal.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What each path answers; 404 for the rest. With a password, only to `anna` with it. */
const serveRestreams = (paths: Readonly<Record<string, object>>, password?: string) =>
  serve(({ url = '', headers }, response) => {
    const right = `Basic ${Buffer.from(`anna:${password}`).toString('base64')}`
    if (password !== undefined && headers.authorization !== right)
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="go2rtc"' }).end()
    const found = paths[url]
    response.writeHead(found === undefined ? 404 : 200).end(JSON.stringify(found))
  })

const streams = {
  porch: { producers: [{ url: 'rtsp://admin:tlJwpbo6@10.0.0.9/live' }] },
  'Back yard\u001b[2J': { producers: null },
}
const go2rtc = { '/api/streams': streams, '/api': { rtsp: { listen: ':8555' } } }

test.each([
  ['go2rtc', go2rtc, 8555],
  ['Frigate', { '/api/go2rtc/streams': streams }, 8554],
])('camera discover lists the streams of %s, without passwords and control characters', async (_name, paths, port) => {
  const base = await serveRestreams(paths)
  const terminal = createTerminal()
  expect(await terminal.run('camera', 'discover', base)).toBe(0)
  expect(terminal.printed()).toContain(`porch  rtsp://127.0.0.1:${port}/porch\n`)
  expect(terminal.printed()).toContain(`Back yard[2J  rtsp://127.0.0.1:${port}/Back%20yard`)
  expect(terminal.printed()).toContain('Next: transom camera probe')
  for (const secret of ['tlJwpbo6', '\u001b']) expect(terminal.printed()).not.toContain(secret)
  const json = createTerminal()
  expect(await json.run('camera', 'discover', base, '--json')).toBe(0)
  expect(JSON.parse(json.printed())).toEqual({
    streams: [
      { name: 'porch', address: `rtsp://127.0.0.1:${port}/porch` },
      expect.objectContaining({ name: 'Back yard\u001b[2J' }),
    ],
  })
})

test('camera discover asks for the password of the user, and says what is wrong without it', async () => {
  const base = await serveRestreams(go2rtc, 's3cret')
  const right = createTerminal({ secrets: ['s3cret'] })
  expect(await right.run('camera', 'discover', base, '--user', 'anna')).toBe(0)
  expect(right.asked).toEqual(['Password of anna: '])
  expect(right.printed()).toContain('porch')
  const nobody = createTerminal()
  expect(await nobody.run('camera', 'discover', base)).toBe(1)
  expect(nobody.complained()).toContain('--user')
  const wrong = createTerminal({ secrets: ['guess'] })
  expect(await wrong.run('camera', 'discover', base, '--user', 'anna')).toBe(1)
  expect(wrong.complained()).toMatch(/refuses .*\nCheck the user and the password/)
  expect(wrong.complained()).not.toContain('guess')
})

test('camera discover says what is wrong with its base URL', async () => {
  const empty = createTerminal()
  expect(await empty.run('camera', 'discover', await serveRestreams({ '/api/streams': {} }))).toBe(0)
  expect(empty.printed()).toContain('no streams')
  const other = createTerminal()
  expect(await other.run('camera', 'discover', await serveRestreams({}))).toBe(1)
  expect(other.complained()).toContain('neither go2rtc nor Frigate')
  for (const words of [['http://anna:s3cret@nas:1984'], ['rtsp://nas:8554/porch'], ['--user', 'anna']]) {
    const usage = createTerminal()
    expect(await usage.run('camera', 'discover', ...words)).toBe(2)
    expect(usage.complained()).toContain('--user')
    expect(usage.complained()).not.toContain('s3cret')
  }
})

const stream: StreamProbe = {
  url: 'rtsp://10.0.0.9/main',
  codec: 'H264',
  hasBFrames: false,
  hasBackChannel: true,
  displays: 'Echo Show, Nest Hub and browsers play it as it is.',
  advice: [],
}
const probed: SourceProbe = { information: {}, streams: [stream], best: stream, events: [], hasStills: false }
const silent: StreamProbe = {
  ...stream,
  fault: { code: 'source_stopped', message: 'nothing came' },
  displays: 'Nothing.',
}
const certificate = { place: '10.0.0.9:322', fingerprint: Array.from({ length: 32 }, () => 'AB').join(':') }

/** A bridge that knows the camera `porch`, and answers this when it is tried. */
async function bridge(path: 'try' | 'tone', answer: object, status = 200) {
  const url = await serve(({ method, url: asked, headers }, response) => {
    const isRight = method === 'POST' && asked === `/cameras/porch/${path}` && headers.authorization === 'Bearer key'
    response.writeHead(isRight ? status : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isRight ? answer : { error: 'camera_not_found', message: 'there is no such camera' }))
  })
  return { url, token: 'key' }
}

test.each<[string, TriedSource, number, readonly string[]]>([
  ['that has a picture', probed, 0, ['* rtsp://10.0.0.9/main', stream.displays]],
  [
    'of which no stream can be shown',
    { information: {}, streams: [silent], events: [], hasStills: false },
    1,
    ['Nothing.', 'No stream of this camera can be shown.'],
  ],
  [
    'that shows another certificate',
    { fault: { code: 'source_certificate', message: 'another certificate', advice: 'Accept it.' }, certificate },
    1,
    ['another certificate\nAccept it.\n', certificate.fingerprint],
  ],
])('camera try of a camera %s', async (_case, answer, status, lines) => {
  const access = await bridge('try', answer)
  const terminal = createTerminal({ access })
  expect(await terminal.run('camera', 'try', 'porch')).toBe(status)
  for (const line of lines) expect(terminal.printed()).toContain(line)
  expect(terminal.complained()).toBe('')
  const json = createTerminal({ access })
  expect(await json.run('camera', 'try', 'porch', '--json')).toBe(status)
  expect(JSON.parse(json.printed())).toEqual(answer)
})

test.each<[PlayedTone, number, string]>([
  [{ packets: 75, sent: 75 }, 0, 'The camera accepted the tone.'],
  [{ packets: 40, sent: 75 }, 0, 'The camera accepted 40 of 75 packets of the tone.'],
  [{ packets: 0, sent: 75 }, 1, 'The camera accepted 0 of 75 packets of the tone.'],
])('camera try --tone: %j', async (answer, status, text) => {
  const terminal = createTerminal({ access: await bridge('tone', answer) })
  expect(await terminal.run('camera', 'try', 'porch', '--tone')).toBe(status)
  expect(terminal.printed()).toContain(text)
})

test('camera try says why not, and what to do about a camera', async () => {
  const busy = { error: 'source_busy', message: 'the camera serves others' }
  const terminal = createTerminal({ access: await bridge('tone', busy, 503) })
  expect(await terminal.run('camera', 'try', 'porch', '--tone')).toBe(1)
  expect(terminal.complained()).toMatch(/^the camera serves others\nClose other programs/)
  const unknown = createTerminal({ access: await bridge('try', probed) })
  expect(await unknown.run('camera', 'try', 'attic')).toBe(1)
  expect(unknown.complained()).toBe('there is no such camera')
  const path = createTerminal()
  expect(await path.run('camera', 'try', '..')).toBe(2)
})
