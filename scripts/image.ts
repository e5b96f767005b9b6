/**
 * `npm run image`, after `npm run build`: what a machine or a container installs, in dist/image (the built packages with the
 * lock file, where `npm install` puts the dependencies), and in dist/add-on the same as an add-on of Home Assistant.
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
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
for (const file of ['package-lock.json', 'LICENSE', 'NOTICE']) await cp(join(root, file), join(image, file))
const { name, version, type, workspaces } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<
  string,
  unknown
>
const manifest = { name, version, private: true, type, workspaces }
await writeFile(join(image, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)

await cp(join(root, 'packaging/home-assistant'), addOn, { recursive: true })
await cp(image, join(addOn, 'transom/image'), { recursive: true })
