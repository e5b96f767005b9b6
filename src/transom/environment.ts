/** Where settings come from: the environment, then `.env`, then `transom.yaml`, each only where the one before says nothing. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import * as z from 'zod'

/**
 * Puts the settings of `.env` and `transom.yaml` in this directory into `env`. Throws an `Error` that names the file and what is
 * wrong with it; what the settings mean is for `readConfig`.
 */
export function loadSettings(env: NodeJS.ProcessEnv = process.env, directory: string = process.cwd()): void {
  const dotEnv = join(directory, '.env')
  if (existsSync(dotEnv)) process.loadEnvFile(dotEnv)
  const path = join(directory, 'transom.yaml')
  if (!existsSync(path)) return
  for (const [name, value] of Object.entries(settingsOf(readFileSync(path, 'utf8'), path))) env[name] ??= value
}

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const fromFile = z.strictObject({ file: z.string().min(1) })

/**
 * The settings in the text of such a file, by the names of their variables: `public_url` is `TRANSOM_PUBLIC_URL`. `{ file: … }`
 * is the content of a file, for secrets; lists of words are joined, everything else is JSON, as in the environment.
 */
export function settingsOf(text: string, path: string): Readonly<Record<string, string>> {
  let content: unknown
  try {
    content = parse(text)
  } catch (cause) {
    throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  const settings = z.record(z.string(), z.unknown()).safeParse(content ?? {})
  if (!settings.success) throw new Error(`${path} must be a list of settings: public_url: https://bridge.example.org`)
  return Object.fromEntries(
    Object.entries(settings.data).map(([key, value]) => {
      if (!/^[a-z][a-z0-9_]*$/.test(key))
        throw new Error(`${path}: ${key} is not the name of a setting: write TRANSOM_PUBLIC_URL as public_url`)
      return [`TRANSOM_${key.toUpperCase()}`, textOf(value, key, path)]
    }),
  )
}

function textOf(value: unknown, key: string, path: string): string {
  const plain = scalar.safeParse(value)
  if (plain.success) return scalarText(plain.data)
  const named = fromFile.safeParse(value)
  if (named.success) return secretOf(resolve(dirname(path), named.data.file), key, path)
  const words = z.array(scalar).safeParse(value)
  return words.success ? words.data.map(scalarText).join(',') : JSON.stringify(value)
}

function scalarText(value: z.infer<typeof scalar>): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return value === null ? '' : String(value)
}

function secretOf(file: string, key: string, path: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new Error(`${path}: ${key}: ${file} cannot be read: let this user read it, or correct its name`, { cause })
  }
}
