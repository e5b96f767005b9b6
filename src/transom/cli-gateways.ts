/** `npm run transom -- gateway …`: the gateways on other machines that read cameras for the bridge. */
import { listedGateways, newGateway } from 'transom-core/wire/registration'
import type { OperatorAccess } from 'transom-bridge/operator/operator'
import type { Printed } from './cli-keys.ts'
import { callOperator as call } from './operator-client.ts'

/** Runs `gateway VERB SUBJECT…`. Throws an `Error` that says what is wrong, or `undefined` when this is no command. */
export async function runGatewayCommand(
  access: OperatorAccess,
  verb: string,
  subjects: readonly string[],
): Promise<Printed | undefined> {
  const [name, ...rest] = subjects
  if (rest.length > 0 || (name === undefined) !== (verb === 'list')) return undefined
  switch (verb) {
    case 'add': {
      const made = newGateway.parse(await call(access, 'POST', '/gateways', { name }))
      return { text: printMade(made.name, made.key, new URL(access.url).origin), json: made }
    }
    case 'list': {
      const { gateways } = listedGateways.parse(await call(access, 'GET', '/gateways'))
      const lines = gateways.map(({ name, createdAt, isConnected }) => {
        return `${name}  ${isConnected ? 'connected' : 'not connected'}  made ${new Date(createdAt).toISOString()}`
      })
      return { text: lines.join('\n') || 'no gateways on other machines', json: gateways }
    }
    case 'remove':
      await call(access, 'DELETE', `/gateways/${encodeURIComponent(name ?? '')}`)
      return { text: `${name} is removed`, json: { removed: name } }
    default:
      return undefined
  }
}

function printMade(name: string, key: string, origin: string): string {
  return `
  The gateway ${name}. Its key is shown only once.

  Key          ${key}

  On the other machine, which asks for the key:
    npx transom-gateway --bridge ${origin.includes('localhost') ? 'https://<the address of this bridge>' : origin}

  A camera that it reads:
    npm run transom -- camera add ID --url rtsp://… --user USER --gateway ${name}
`
}
