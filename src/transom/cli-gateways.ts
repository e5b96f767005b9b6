/** `transom gateway …`: the gateways on other machines that read cameras for the bridge. */
import type { Command } from 'commander'
import { listedGateways, newGateway } from 'transom-core/wire/registration'
import { callOperator as call } from './operator-client.ts'
import { leaf, show, type CommonOptions, type Terminal } from './terminal.ts'

/** Adds these commands. With `--bridge` or `--cameras` the gateway itself runs; it reads its words elsewhere. */
export function addGatewayCommands(program: Command, terminal: Terminal): void {
  const gateway = program
    .command('gateway')
    .description('gateways on other machines, which read cameras for this bridge')
    .addHelpText(
      'after',
      `
Examples:
  transom gateway add garage                                   prints its key, only once
  transom gateway --bridge https://bridge.example.org          on the other machine; asks for the key
  transom gateway --cameras cameras.json                       without a bridge, on AWS (docs/gateway.md)`,
    )
  leaf(gateway, 'add <name>', 'make a key for a gateway; it is shown only once').action(
    async (name: string, common: CommonOptions) => {
      const access = await terminal.operator()
      const made = newGateway.parse(await call(access, 'POST', '/gateways', { name }))
      show(terminal, common, { text: printMade(made.name, made.key, new URL(access.url).origin), json: made })
    },
  )
  leaf(gateway, 'list', 'the gateways, and whether they are connected').action(async (common: CommonOptions) => {
    const { gateways } = listedGateways.parse(await call(await terminal.operator(), 'GET', '/gateways'))
    const rows = gateways.map(({ name, createdAt, isConnected }) => {
      return `${name}  ${isConnected ? 'connected' : 'not connected'}  created ${new Date(createdAt).toISOString()}`
    })
    show(terminal, common, { text: rows.join('\n') || 'No gateways on other machines', json: gateways })
  })
  leaf(gateway, 'remove <name>', 'revoke the key of a gateway and end its connections').action(
    async (name: string, common: CommonOptions) => {
      await call(await terminal.operator(), 'DELETE', `/gateways/${encodeURIComponent(name)}`)
      show(terminal, common, { text: `${name} is removed`, json: { removed: name } })
    },
  )
}

function printMade(name: string, key: string, origin: string): string {
  return `
  The gateway ${name}. Its key is shown only once.

  Key          ${key}

  On the other machine, which asks for the key:
    npx transom-gateway --bridge ${origin.includes('localhost') ? 'https://<the address of this bridge>' : origin}

  A camera that it reads:
    transom camera add ID --url rtsp://… --user USER --gateway ${name}
`
}
