/** What stops a start, in words that say which setting or file it is about and what to do. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Makes the data directory, readable by its owner only. */
export async function makeDataDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const isFile = ['EEXIST', 'ENOTDIR'].includes(codeOf(cause))
    const why = isFile ? `${path} is a file, or lies in one` : `${path} cannot be made (${codeOf(cause)})`
    throw new Error(`TRANSOM_DATA: ${why}: set it to a directory that this user may write to`, { cause })
  }
}

/** Without this file nobody can sign in to the signaling service any more, and it would be made anew without a word. */
export function requireCredentialsKey(dataDir: string): void {
  const path = join(dataDir, 'certificates', 'credentials.key')
  if (existsSync(path)) return
  throw new Error(
    `${path} is missing, and the cameras' access keys are sealed with it: restore it from your backup. Without one, remove ` +
      `"credentials" from secrets.json, start, and give each camera new keys: npm run transom -- camera key <camera id> --replace`,
  )
}

/** Opens a listener; says which setting moves it when its address cannot be had. */
export async function atAddress<T>(setting: string, host: string, port: number, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (cause) {
    const why = whyNotThere(codeOf(cause), setting, host, port)
    throw why === undefined ? cause : new Error(why, { cause })
  }
}

function whyNotThere(code: string, setting: string, host: string, port: number): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is taken: stop what uses it, or set ${setting}`
    case 'EACCES':
      return `port ${port} on ${host} is not for this user (below 1024 the system decides who may): set ${setting}`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return `${host} is no address of this machine: set TRANSOM_HOST to 127.0.0.1, 0.0.0.0 or one of its own, without a scheme`
    default:
      return undefined
  }
}

function codeOf(error: unknown): string {
  return error !== null && typeof error === 'object' && 'code' in error ? String(error.code) : 'no code'
}
