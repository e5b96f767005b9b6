/** `transom doctor`: the data directory, its disk, the store, and the secrets that belong to it. */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { createSqliteStore } from 'transom-core/store/sqlite'
import type { Clock } from 'transom-core/ports'
import { secretsShape } from '../secrets.ts'
import { bad, good, reasonOf, type Check } from './check.ts'

/** A press takes some hundred bytes; a log of the store up to some megabytes. */
const leastFree = 200e6

/** Checks of everything below this directory. The bridge may be running on it. */
export function dataChecks(dataDir: string, clock: Clock): readonly Check[] {
  return [
    { id: 'data-directory', run: async () => [checkDirectory(dataDir)] },
    { id: 'disk', run: async () => [await checkDisk(dataDir)] },
    { id: 'store', run: async () => [await checkStore(dataDir, clock)] },
    { id: 'secrets', run: async () => [checkSecrets(dataDir)] },
  ]
}

const notYet = (id: string) => good(id, 'not there yet: the first start makes it')

function checkDirectory(dataDir: string) {
  const id = 'data-directory'
  const found = statSync(dataDir, { throwIfNoEntry: false })
  if (found === undefined) return notYet(id)
  if (!found.isDirectory())
    return bad(id, `${dataDir} is a file`, 'Set TRANSOM_DATA to a directory that this user may write to.')
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return bad(id, `${dataDir} is not writable for this user`, `Let this user write there: chown -R "$USER" ${dataDir}`)
  }
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
    return bad(id, `${dataDir} is open to other users of this machine`, `Close it: chmod 700 ${dataDir}`)
  return good(id, dataDir)
}

async function checkDisk(dataDir: string) {
  const id = 'disk'
  if (!existsSync(dataDir)) return notYet(id)
  const { bavail, bsize } = await statfs(dataDir)
  const free = `${Math.round((bavail * bsize) / 1e6)} MB are free`
  return bavail * bsize < leastFree
    ? bad(id, free, 'Free some space, or move TRANSOM_DATA to another disk: on a full disk no press is kept.')
    : good(id, free)
}

/** Opens it as the bridge does, which reads it through; but only the bridge brings a file up to date: the one that runs may be older. */
async function checkStore(dataDir: string, clock: Clock) {
  const id = 'store'
  const path = join(dataDir, 'transom.db')
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  const hasSecrets = existsSync(join(dataDir, 'secrets.json'))
  if (size === 0)
    return hasSecrets
      ? bad(id, `${path} is missing or empty`, 'Restore the whole data directory: transom restore FILE')
      : notYet(id)
  try {
    await createSqliteStore(path, clock, 'read').close()
    return good(id, `${path} is whole, ${(size / 1e6).toFixed(1)} MB`)
  } catch (error) {
    const remedy = /newer Transom/.test(reasonOf(error))
      ? 'Start the newer Transom, or restore a backup of this version.'
      : 'Stop the bridge and restore your backup: transom restore FILE'
    return bad(id, error instanceof Error ? error.message : String(error), remedy)
  }
}

function checkSecrets(dataDir: string) {
  const id = 'secrets'
  const path = join(dataDir, 'secrets.json')
  const restore = 'Restore the whole data directory from one backup: transom restore FILE'
  if (!existsSync(path))
    return existsSync(join(dataDir, 'transom.db')) ? bad(id, `${path} is missing`, restore) : notYet(id)
  const parsed = secretsShape.safeParse(json(path))
  if (!parsed.success) return bad(id, `${path} is damaged`, restore)
  const credentialsKey = join(dataDir, 'certificates', 'credentials.key')
  if (parsed.data.credentials !== undefined && !existsSync(credentialsKey))
    return bad(id, `${credentialsKey} is missing, with which the cameras' keys are sealed`, restore)
  const mode = statSync(path).mode & 0o077
  if (process.platform !== 'win32' && mode !== 0)
    return bad(id, `${path} can be read by other users of this machine`, `Close it: chmod 600 ${path}`)
  return good(id, 'complete')
}

function json(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
