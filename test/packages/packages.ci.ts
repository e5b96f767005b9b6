/**
 * Each package as whoever installs it gets it: built, packed, and installed from its tarball into an empty folder. The
 * examples of the READMEs run there. Needs a registry for what the packages depend on; run by continuous integration.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { doorbellIsOnline } from '../flows/house.ts'
import { until } from '../until.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')
const work = mkdtempSync(join(tmpdir(), 'transom-packages-'))
const env = { ...process.env, NODE_OPTIONS: '', PATH: `${dirname(process.execPath)}:${process.env['PATH']}` }
const packages = readdirSync(join(root, 'src'))

beforeAll(async () => {
  await run(process.execPath, ['scripts/build.ts'], { cwd: root, env })
  for (const name of packages) {
    await run('npm', ['pack', '--silent', '--pack-destination', work], { cwd: join(root, 'dist/packages', name), env })
  }
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

const tarball = (name: string): string => join(work, `${name === 'transom' ? 'transom' : `transom-${name}`}-0.1.0.tgz`)

/** An empty folder with these packages in it, and with nothing that only development needs. */
async function install(...names: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(work, `${names[0]}-`))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
  const options = ['--no-audit', '--no-fund', '--omit=dev', '--loglevel=error', '--prefer-offline']
  await run('npm', ['install', ...options, ...names.map(tarball)], { cwd: folder, env })
  // The figures in CONTRIBUTING come from here.
  const { stdout: size } = await run('du', ['-sm', 'node_modules'], { cwd: folder })
  process.stdout.write(`${names.join(' + ')}: ${installed(folder).length} packages, ${parseInt(size)} MB\n`)
  return folder
}

/** The folders of all that is installed, however deep. */
function installed(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /(^|\/)node_modules\/(@[^/]+\/)?[^/@.]+\/package\.json$/.test(path))
    .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/package\.json$/.exec(path)![1]!)
}

/** Runs the first example of a README in this language; resolves with what it printed. */
async function example(name: string, folder: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(join(root, 'src', name, 'README.md'), 'utf8')) ?? []
  expect(code).not.toBe('')
  writeFileSync(join(folder, 'example.js'), code)
  const { stdout } = await run(process.execPath, ['example.js'], {
    cwd: folder,
    env: { ...env, ...more },
    timeout: 30_000,
  })
  return stdout
}

// Each installs from the network what a user would, which takes what it takes.
jest.setTimeout(600_000)

test('every package has a README, a licence, and exports that are there', () => {
  for (const name of packages) {
    const folder = join(root, 'dist/packages', name)
    const { exports = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      exports?: Record<string, { types: string; default: string }>
    }
    const files = Object.values(exports).flatMap(({ types, default: code }) => [types, code])
    expect([...files, 'README.md', 'LICENSE'].filter((file) => !existsSync(join(folder, file)))).toEqual([])
  }
})

test('a vendor installs the bridge without media, test tools and what builds the page', async () => {
  const folder = await install('bridge', 'core', 'kvs')
  const names = installed(folder)
  expect(names).toContain('transom-bridge')
  expect(
    names.filter((name) => /werift|node-av|ffmpeg|jest|vite|esbuild|googleapis$|chromium|^node$/.test(name)),
  ).toEqual([])
  expect(names.length).toBeLessThan(330)
  expect(await example('bridge', folder)).toBe('function\n')
})

test('the core alone', async () => {
  const folder = await install('core')
  expect(await example('core', folder)).toContain("eventId: 'evt-1'")
})

describe('signaling', () => {
  test('the service alone, and on it the client and a camera', async () => {
    const folder = await install('signaling', 'core', 'kvs', 'gateway')
    expect(await example('signaling', folder)).toContain('CONTROL_PLANE_URI=https://127.0.0.1:')

    // The same service, which stays until it is told to end.
    const code = readFileSync(join(folder, 'example.js'), 'utf8')
      .replace('const { accessKeyId }', 'const { accessKeyId, secretAccessKey }')
      .replace(
        /console\.log\(.*\)/,
        "console.log(JSON.stringify({ accessKeyId, secretAccessKey, endpoint: service.endpoint, caPath: service.caPath }))\nawait new Promise((resolve) => process.stdin.once('end', resolve).resume())",
      )
    writeFileSync(join(folder, 'service.js'), code)
    const service = spawn(process.execPath, ['service.js'], { cwd: folder, env, stdio: ['pipe', 'pipe', 'inherit'] })
    const [line] = (await once(service.stdout, 'data', { signal: AbortSignal.timeout(60_000) })) as [Buffer]
    const { accessKeyId, secretAccessKey, endpoint, caPath } = JSON.parse(line.toString()) as Record<string, string>
    const camera = {
      AWS_ACCESS_KEY_ID: accessKeyId!,
      AWS_SECRET_ACCESS_KEY: secretAccessKey!,
      AWS_DEFAULT_REGION: 'eu-west-1',
      CONTROL_PLANE_URI: endpoint!,
      AWS_KVS_CACERT_PATH: caPath!,
    }
    try {
      expect(await example('kvs', folder, camera)).toContain('stun:')
      expect(await example('gateway', folder, camera)).toBe('0\n')
    } finally {
      service.stdin.end()
      await once(service, 'close')
    }
  })
})

test('the simulator reports why it cannot call a bridge that is not there', async () => {
  const folder = await install('simulator', 'core')
  expect(await example('simulator', folder, { BRIDGE: 'http://127.0.0.1:9' })).toContain('bridge_unreachable')
})

test('the page alone, built', async () => {
  const folder = await install('console', 'player')
  const listed = await example('console', folder)
  expect(listed).toContain('index.html')
  expect(installed(folder)).not.toContain('vite')
})

test('the player comes with types', async () => {
  const folder = await install('player')
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'src/player/README.md'), 'utf8')) ?? []
  mkdirSync(join(folder, 'app'))
  writeFileSync(join(folder, 'app/page.ts'), code)
  const options =
    '--noEmit --strict --target es2022 --lib es2022,dom,dom.iterable --module esnext --moduleResolution bundler'
  const compile = () =>
    run(join(root, 'node_modules/.bin/tsc'), [...options.split(' '), 'app/page.ts'], { cwd: folder, env })
  await compile()
  // A mistake in it is one for the compiler.
  writeFileSync(join(folder, 'app/page.ts'), code.replace("cameraId: 'front-door'", 'cameraId: 7'))
  await expect(compile()).rejects.toMatchObject({ stdout: expect.stringContaining('TS2322') })
})

describe('npx transom', () => {
  let folder: string
  let bridge: ChildProcess | undefined
  afterAll(() => void bridge?.kill('SIGKILL'))

  test('starts everything with the page built, and is called', async () => {
    folder = await install('transom', ...packages.filter((name) => name !== 'transom' && name !== 'player'), 'player')
    const bin = join(folder, 'node_modules/transom/bin.js')
    const settings = { ...env, TRANSOM_PORT: '0', TRANSOM_SIGNALING_PORT: '0' }
    bridge = spawn(process.execPath, [bin], { cwd: folder, env: settings, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const out of [bridge.stdout!, bridge.stderr!]) out.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await until(
      () => said.includes('Transom is running') && said.includes(doorbellIsOnline),
      () => said,
    )
    const { bridge: url } = JSON.parse(readFileSync(join(folder, 'data/simulator.json'), 'utf8')) as { bridge: string }
    expect(await (await fetch(url)).text()).toContain('<script type="module"')
    const { stdout } = await run(process.execPath, [bin, 'call', '--assistant', 'alexa', '--json', '--seconds', '1'], {
      cwd: folder,
      env: settings,
    })
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, cause: null })
    expect((await run(process.execPath, [bin, 'camera', 'list'], { cwd: folder, env: settings })).stdout).toContain(
      'front-door',
    )
    bridge.kill('SIGTERM')
    expect(await once(bridge, 'exit')).toEqual([0, null])
  })

  test('says where to read what there is to a word that it does not know', async () => {
    const bin = join(folder, 'node_modules/transom/bin.js')
    await expect(run(process.execPath, [bin, 'paint'], { cwd: folder, env })).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('transom --help'),
    })
  })
})
