/** What the processes that run for months load when they start: what few need is loaded by those who need it. */
import { expect, test } from '@jest/globals'
import { build, type Plugin } from 'esbuild'

/** Whatever is imported only when it is needed, and what belongs to others, is named and not read. */
const boundaries: Plugin = {
  name: 'boundaries',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^/ }, ({ path, kind }) =>
      kind === 'dynamic-import'
        ? { path, external: true }
        : /^(\.|transom-|src\/)/.test(path)
          ? null
          : { path, external: true },
    ),
}

/** The packages that are there once this file is imported, and the rooms of this house. */
async function loadedBy(entryPoint: string): Promise<ReadonlySet<string>> {
  const { metafile } = await build({
    entryPoints: [entryPoint],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
    metafile: true,
    plugins: [boundaries],
  })
  const inputs = Object.entries(metafile.inputs)
  const packages = inputs.flatMap(([, { imports }]) =>
    imports.filter(({ external, kind }) => external === true && kind === 'import-statement').map(({ path }) => path),
  )
  return new Set([...packages, ...inputs.map(([path]) => path.split('/').slice(0, 2).join('/'))])
}

const idle = (names: ReadonlySet<string>): readonly string[] =>
  ['mediabunny', 'mqtt', 'web-push', '@simplewebauthn/server', 'commander', 'node-av'].filter((name) => names.has(name))

test('the bridge starts without the cameras’ media, the command line, MQTT, passkeys, push and the SDKs of AWS', async () => {
  const names = await loadedBy('src/transom/main.ts')
  expect(names).toContain('oidc-provider')
  expect(idle(names)).toEqual([])
  expect([...names].filter((name) => /^(werift|@aws-sdk\/|@smithy\/)/.test(name))).toEqual([])
})

test('`transom start` loads nothing of the other commands', async () => {
  const names = await loadedBy('src/transom/bin.ts')
  expect(names).toContain('src/transom')
  expect(idle(names)).toEqual([])
  expect(names).not.toContain('src/gateway')
})

test('the gateway starts without FFmpeg and the writer of recordings', async () => {
  const names = await loadedBy('src/gateway/main.ts')
  expect(names).toContain('werift')
  expect(idle(names)).toEqual([])
})
