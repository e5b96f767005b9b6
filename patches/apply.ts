/**
 * Applies `patches/<package>/*.patch`, in the order of their names, to the package in node_modules; `npm install` runs it.
 * It starts from the files as they were published, which it keeps as `<file>.orig`, so a changed patch needs no reinstallation.
 * A patched file is a new file: package managers link files of several projects to one another.
 */
import { globSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { applyPatch, parsePatch } from 'diff'

const patches = import.meta.dirname
const modules = join(patches, '..', 'node_modules')

/** The files that the patches touch, by path, as the patches leave them. Throws when a patch does not fit. */
export function patchedFiles(): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const name of globSync('*/*.patch', { cwd: patches }).toSorted()) {
    for (const patch of parsePatch(readFileSync(join(patches, name), 'utf8'))) {
      const file = join(modules, dirname(name), (patch.newFileName ?? '').replace(/^b\//, ''))
      const text = applyPatch(texts.get(file) ?? published(file), patch)
      if (text === false) throw new Error(`patches/${name} does not fit ${file}: was another version installed?`)
      texts.set(file, text)
    }
  }
  return texts
}

const published = (file: string): string => readFileSync(existsSync(`${file}.orig`) ? `${file}.orig` : file, 'utf8')

if (import.meta.main) {
  for (const [file, text] of patchedFiles()) {
    if (!existsSync(`${file}.orig`)) renameSync(file, `${file}.orig`)
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
}
