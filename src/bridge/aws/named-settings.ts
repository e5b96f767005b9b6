/** Settings that name a secret instead of being one. What reads them is loaded only where there are any. */
import type { Environment } from './ground.ts'

/**
 * The environment with each `TRANSOM_…` of the form `ssm:NAME` or `secretsmanager:NAME` replaced by that secret, within `ms`
 * milliseconds (default 3,000). Throws an `Error` that names each setting which cannot be read.
 */
export async function withSecrets(env: Environment, ms?: number): Promise<Environment> {
  if (!Object.entries(env).some(([name, value]) => /^TRANSOM_.*=(ssm|secretsmanager):/s.test(`${name}=${value}`)))
    return env
  const { readSecrets } = await import('./secrets.ts')
  return readSecrets(env, ms)
}
