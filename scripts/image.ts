/**
 * `npm run image`, after `npm run build`: what a machine or a container installs, in dist/image (the built packages with the
 * lock file, where `npm install` puts the dependencies), and in dist/add-on the same as an add-on of Home Assistant.
 */
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const image = join(root, 'dist/image')
const addOn = join(root, 'dist/add-on')

await Promise.all([image, addOn].map((folder) => rm(folder, { recursive: true, force: true })))
await mkdir(image, { recursive: true })
// Where the lock file has them.
await cp(join(root, 'dist/packages'), join(image, 'src'), {
  recursive: true,
  filter: (path) => !path.endsWith('.d.ts'),
})
// npm makes no links to the programs of workspaces.
await chmod(join(image, 'src/transom/bin.js'), 0o755)
for (const file of ['package-lock.json', 'LICENSE', 'NOTICE']) await cp(join(root, file), join(image, file))
const { name, version, type, workspaces, allowScripts } = JSON.parse(
  await readFile(join(root, 'package.json'), 'utf8'),
) as Record<string, unknown>
const manifest = { name, version, private: true, type, workspaces, allowScripts }
await writeFile(join(image, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)

await cp(join(root, 'packaging/home-assistant'), addOn, { recursive: true })
await cp(image, join(addOn, 'transom/image'), { recursive: true })
