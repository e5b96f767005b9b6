/** `transom doctor`: the running bridge itself, and the redirect URIs of its clients; where none runs, whether one could start. */
import { createServer } from 'node:net'
import * as z from 'zod'
import { boundedFetch } from 'transom-core/fetch'
import { clients } from 'transom-core/wire/operator'
import { googleRedirectUris, alexaRedirectUris } from 'transom-bridge/oauth/client'
import type { OperatorAccess } from 'transom-bridge/operator/operator'
import type { Config } from '../config.ts'
import { callOperator } from '../operator-client.ts'
import { bad, good, reasonOf, type Check, type Finding } from './check.ts'

/** `access`: the running bridge; undefined when none runs. */
export function bridgeChecks(config: Config, access: OperatorAccess | undefined): readonly Check[] {
  if (access === undefined)
    return [
      {
        id: 'bridge',
        run: async () => [bad('bridge', 'the bridge is not running', 'Start it: transom start')],
      },
      { id: 'port', run: async () => [await checkPort('port', 'TRANSOM_PORT', config.host, config.port)] },
      {
        id: 'signaling-port',
        run: async () => [
          await checkPort('signaling-port', 'TRANSOM_SIGNALING_PORT', config.host, config.signaling.port),
        ],
      },
    ]
  return [
    { id: 'bridge', run: async (signal) => [await checkReadiness(access, signal)] },
    { id: 'redirect-uris', run: async () => [await checkRedirectUris(access)] },
  ]
}

const readiness = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().optional() })),
})

async function checkReadiness({ url }: OperatorAccess, signal: AbortSignal): Promise<Finding> {
  const id = 'bridge'
  try {
    const response = await boundedFetch({ ms: 8_000 })(`${new URL(url).origin}/readyz`, { signal })
    const { ready, checks } = readiness.parse(await response.json())
    const failing = Object.entries(checks).flatMap(([name, { ok, detail }]) => (ok ? [] : [`${name}: ${detail}`]))
    return ready
      ? good(id, 'running; store, signaling and outbox work')
      : bad(id, failing.join(', '), 'Look at the log; restart the bridge if it does not recover.')
  } catch (error) {
    return bad(id, `it does not answer: ${reasonOf(error)}`, 'Restart the bridge.')
  }
}

/** The consoles of Amazon and Google send people back to these alone; one that is missing fails for a part of the customers. */
async function checkRedirectUris(access: OperatorAccess): Promise<Finding> {
  const id = 'redirect-uris'
  const admin = { ...access, url: `${access.url}/admin` }
  const { clients: found } = clients.parse(await callOperator(admin, 'GET', '/clients'))
  const wrong = found.flatMap(({ clientId, assistant, redirectUris }) => {
    const fault = assistant === 'alexa' || assistant === 'google' ? redirectFault(assistant, redirectUris) : undefined
    return fault === undefined ? [] : [`${clientId}: ${fault}`]
  })
  return wrong.length === 0
    ? good(id, `${found.length} clients, with the addresses of their consoles`)
    : bad(
        id,
        wrong.join('; '),
        'Add the client again with transom client add alexa --vendor ID or google --project ID, which know all addresses.',
      )
}

/** What is missing of one vendor's set, or stands there although the vendor has no such address. */
function redirectFault(assistant: 'alexa' | 'google', uris: readonly string[]): string | undefined {
  const [known, id] =
    assistant === 'alexa'
      ? [alexaRedirectUris, uris.flatMap((uri) => /\/api\/skill\/link\/(\w+)$/.exec(uri)?.[1] ?? [])[0]]
      : [googleRedirectUris, uris.flatMap((uri) => /\/r\/([\w-]+)$/.exec(uri)?.[1] ?? [])[0]]
  if (id === undefined) return `no address of ${assistant === 'alexa' ? 'Amazon' : 'Google'}`
  const missing = known(id).filter((uri) => !uris.includes(uri))
  return missing.length === 0 ? undefined : `${missing.join(', ')} is missing`
}

async function checkPort(id: string, setting: string, host: string, port: number): Promise<Finding> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const server = createServer()
  server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message))
  server.listen(port, host, () => resolve(undefined))
  const code = await promise
  server.close()
  if (code === undefined) return good(id, `${host}:${port} is free`)
  const remedies: Readonly<Record<string, string>> = {
    EADDRINUSE: `Stop what uses it, or set ${setting} to another port.`,
    EACCES: `Set ${setting} to a port above 1023.`,
  }
  return bad(id, `${host}:${port}: ${code}`, remedies[code] ?? 'Set TRANSOM_HOST to an address of this machine.')
}
