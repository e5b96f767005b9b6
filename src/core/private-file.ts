/** Files that hold keys: written whole or not at all, readable by their owner only. */
import { open, readFile, rename } from 'node:fs/promises'

/** The file's text, or `undefined` when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    // Of a directory that is read as a file, Node does not say which.
    throw Object.assign(error as NodeJS.ErrnoException, { path })
  }
}

/** Replaces the file by this text: whoever reads it, also after a crash, finds the old text or the new one. */
export async function writeWhole(path: string, text: string, mode = 0o600): Promise<void> {
  const draft = `${path}.new`
  const file = await open(draft, 'w', mode)
  try {
    // The draft of a crashed start keeps the mode it had; `mode` above counts only for a file that is created.
    await file.chmod(mode)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
