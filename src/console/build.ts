/** Builds the page when there is no build, or one of other sources, so that `npm start` is all that it takes. Node's side. */
import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const sources = import.meta.dirname
const root = join(sources, '../..')
/** The package comes with its build instead of its sources. */
const isCheckout = existsSync(join(sources, 'index.html'))
/** Where the built page is. */
export const builtConsole = isCheckout ? join(root, 'dist/console') : join(sources, 'dist')

const buildMs = 60_000
const run = promisify(execFile)

/** Never throws: a bridge without its page is still a bridge. Resolves to what is wrong, in words for the operator, or to undefined. */
export async function ensureConsole(): Promise<string | undefined> {
  if (!isCheckout) return undefined
  try {
    const stamp = await stampOf()
    if ((await builtStamp()) === stamp) return undefined
    await build(stamp)
    return undefined
  } catch (error) {
    return `the page cannot be built: ${reasonOf(error)}`
  }
}

/** Of a failed build the one line that says why, and what can be done where that is known. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  if (/@rollup\/rollup-|@esbuild\//.test(said)) {
    return 'its bundler is an optional dependency that is not installed. npm install installs it; npm prune --omit=optional leaves out FFmpeg afterwards'
  }
  const [, reason] = /^\s*((?:\w*Error|error): .+)$/m.exec(said) ?? []
  return reason ?? (said || (error instanceof Error ? error.message : String(error)))
}

/** In a process of its own, whose memory goes with it; into a directory of its own, so that a half-built page is never served. */
async function build(stamp: string): Promise<void> {
  const vite = viteProgram()
  if (vite === undefined) throw new Error('Vite is not installed. npm install --include=dev installs it.')
  const made = `${builtConsole}-${process.pid}`
  try {
    await run(process.execPath, [vite, 'build', sources, '--outDir', made, '--emptyOutDir', '--logLevel', 'warn'], {
      timeout: buildMs,
      cwd: root,
      env: { ...process.env, NODE_ENV: 'production', NO_COLOR: '1' },
    })
    await writeFile(join(made, '.stamp'), stamp)
    // Another bridge that was started with us was quicker, and its page is being read.
    if ((await builtStamp()) === stamp) return
    await mkdir(dirname(builtConsole), { recursive: true })
    await rm(builtConsole, { recursive: true, force: true })
    await rename(made, builtConsole).catch(async (error: unknown) => {
      if ((await builtStamp()) !== stamp) throw error
    })
  } finally {
    await rm(made, { recursive: true, force: true })
  }
}

/** A digest of everything that the build is made of. */
async function stampOf(): Promise<string> {
  const folders = [sources, join(sources, '../player')]
  const entries = await Promise.all(folders.map((folder) => readdir(folder, { recursive: true, withFileTypes: true })))
  const files = entries
    .flat()
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const lock = join(root, 'package-lock.json')
  const parts = await Promise.all([...files, lock].map(async (file) => hash('sha256', await readFile(file))))
  return hash('sha256', parts.join())
}

async function builtStamp(): Promise<string | undefined> {
  try {
    await access(join(builtConsole, 'index.html'))
    return await readFile(join(builtConsole, '.stamp'), 'utf8')
  } catch {
    return undefined
  }
}

function viteProgram(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js')
  } catch {
    return undefined
  }
}
