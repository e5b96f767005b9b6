/**
 * `npm run build`: each package of src/ as it is published, in dist/packages: JavaScript with `.d.ts`, the page built, and
 * a manifest whose exports lead there. In development nothing of this is needed.
 */
import { execFile } from 'node:child_process'
import { cp, glob, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build as bundle } from 'esbuild'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const built = join(root, 'dist/packages')

/** Modules that are bundled into ours, because what a user would install under their name is not what we run; with what of them. */
const vendored: Readonly<Record<string, Readonly<Record<string, { readonly file: string; readonly names: string }>>>> =
  {
    // Its dependency googleapis is 89 MB, of which it uses one class; shims/googleapis has that class.
    bridge: {
      'actions-on-google/dist/service/smarthome/smarthome.js': { file: 'smart-home', names: '{ smarthome }' },
    },
    // As patches/werift leaves it.
    gateway: { werift: { file: 'werift', names: '*' } },
    simulator: { werift: { file: 'werift', names: '*' } },
  }

interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, string>>
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

await rm(built, { recursive: true, force: true })
await Promise.all([
  // One after the other: both write what they share, the types of core.
  tsc('src/player/tsconfig.build.json').then(() => tsc('tsconfig.build.json')),
  run('vite', ['build', join(root, 'src/console'), '--outDir', join(built, 'console/dist'), '--logLevel', 'warn']),
])
for await (const file of glob('**/*.d.ts', { cwd: built })) await rewrite(join(built, file), withoutTs)
for await (const file of glob('*/package.json', { cwd: join(root, 'src') })) await publishable(file.split('/')[0]!)

async function tsc(project: string): Promise<void> {
  await run('tsc', ['-p', join(root, project)]).catch((error: { readonly stdout?: string }) => {
    throw new Error(`tsc -p ${project}:\n${error.stdout ?? ''}`, { cause: error })
  })
}

/** Everything beside the compiler's output that belongs into the package of this name. */
async function publishable(name: string): Promise<void> {
  const [from, to] = [join(root, 'src', name), join(built, name)]
  await mkdir(to, { recursive: true })
  await cp(join(root, 'LICENSE'), join(to, 'LICENSE'))
  await cp(join(from, 'README.md'), join(to, 'README.md'))
  for await (const asset of glob('*.{clip,opus}', { cwd: from })) await cp(join(from, asset), join(to, asset))
  const bundled = vendored[name] ?? {}
  for (const [module, { file, names }] of Object.entries(bundled))
    await vendor(`export ${names} from '${module}'`, module, file, to)
  const { devDependencies: _, ...manifest } = JSON.parse(await readFile(join(from, 'package.json'), 'utf8')) as Manifest
  const isBundled = (dependency: string): boolean =>
    Object.keys(bundled).some((module) => module === dependency || module.startsWith(`${dependency}/`))
  const published = {
    ...manifest,
    exports: mapValues(manifest.exports ?? {}, compiled),
    ...(manifest.bin && { bin: mapValues(manifest.bin, (source) => source.replace(/\.ts$/, '.js')) }),
    dependencies: Object.fromEntries(Object.entries(manifest.dependencies ?? {}).filter(([one]) => !isBundled(one))),
  }
  await writeFile(join(to, 'package.json'), `${JSON.stringify(published, undefined, 2)}\n`)
}

function mapValues<T>(values: Readonly<Record<string, string>>, change: (value: string) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]))
}

/** `./x.ts` is `./x.js` with its types; anything else is itself. */
function compiled(source: string): string | { readonly types: string; readonly default: string } {
  if (!source.endsWith('.ts')) return source
  const path = source.slice(0, -'.ts'.length)
  return { types: `${path}.d.ts`, default: `${path}.js` }
}

/** Puts a module with all that it needs into one file, and lets ours import that. */
async function vendor(contents: string, module: string, file: string, to: string): Promise<void> {
  await bundle({
    stdin: { contents, resolveDir: root },
    outfile: join(to, `vendor/${file}.js`),
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    mainFields: ['module', 'main'],
    legalComments: 'inline',
    // Packages that are still CommonJS inside call require.
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  })
  for await (const source of glob('**/*.js', { cwd: to, exclude: ['vendor/**'] })) {
    const up = '../'.repeat(source.split('/').length - 1) || './'
    await rewrite(join(to, source), (text) => text.replaceAll(`'${module}'`, `'${up}vendor/${file}.js'`))
  }
}

/** The compiler rewrites the extensions of imports in JavaScript, not in declarations. */
function withoutTs(text: string): string {
  return text.replaceAll(/(from|import\()(\s*)(['"])(\.{1,2}\/[^'"]+)\.ts\3/g, '$1$2$3$4.js$3')
}

async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(path, 'utf8')
  const changed = change(text)
  if (changed !== text) await writeFile(path, changed)
}
