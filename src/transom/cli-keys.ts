/** `transom key …`: keys for viewers that are none of the bridge's. */
import type { Command } from 'commander'
import {
  cameraIdShape,
  listedViewerKeys,
  viewerKey,
  type ListedViewerKey,
  type ViewerKey,
} from 'transom-core/wire/registration'
import { faultsOf } from 'transom-core/wire/faults'
import { callOperator as call } from './operator-client.ts'
import { leaf, show, UsageError, type CommonOptions, type Terminal } from './terminal.ts'

/** Adds these commands. */
export function addKeyCommands(program: Command, terminal: Terminal): void {
  const key = program
    .command('key')
    .description('keys with which an app, a page or a script views cameras by KVS, and does nothing else')
    .addHelpText('after', '\nExamples:\n  transom key add --viewer porch garden --name wall-tablet\n  transom key list')
  leaf(key, 'add <camera...>', 'make a key; its secret is shown only once')
    .option('--viewer', 'for a viewer, which is all that there is; a camera gets its keys by: transom camera key ID')
    .option('--name <text>', 'what it is for')
    .action(async (cameras: string[], { viewer, name, ...common }: KeyOptions) => {
      if (!viewer)
        throw new UsageError('a camera gets its keys by: camera key ID; for a viewer say: key add --viewer CAMERA…')
      const issued = viewerKey.parse(await call(await terminal.operator(), 'POST', '/keys', { cameras, name }))
      show(terminal, common, { text: printViewerKey(issued), json: issued })
    })
  leaf(key, 'list', 'the keys and their cameras').action(async (common: CommonOptions) => {
    const { keys } = listedViewerKeys.parse(await call(await terminal.operator(), 'GET', '/keys'))
    show(terminal, common, { text: keys.map(printListed).join('\n') || 'No viewer keys', json: keys })
  })
  leaf(key, 'remove <access-key-id>', 'revoke a key and end its connections').action(
    async (accessKeyId: string, common: CommonOptions) => {
      const id = cameraIdShape.safeParse(accessKeyId)
      if (!id.success) throw new UsageError(`the id of the key ${faultsOf(id.error)}`)
      await call(await terminal.operator(), 'DELETE', `/keys/${encodeURIComponent(id.data)}`)
      show(terminal, common, { text: `${accessKeyId} is revoked`, json: { revoked: accessKeyId } })
    },
  )
}

interface KeyOptions extends CommonOptions {
  readonly viewer?: true
  readonly name?: string
}

function printListed({ accessKeyId, name, createdAt, cameras }: ListedViewerKey): string {
  const made = `made ${new Date(createdAt).toISOString()}`
  return `${accessKeyId}  ${name === undefined ? '' : `"${name}"  `}${made}  ${cameras.join(' ')}`
}

function printViewerKey({ accessKeyId, secretAccessKey, region, endpoint, caPath, channels }: ViewerKey): string {
  const rows = channels.map(({ cameraId, channelName, channelArn }) => {
    const channel = cameraId === channelName ? '' : `, channel ${channelName}`
    return `  Camera       ${cameraId}${channel}\n               ${channelArn}`
  })
  return `
  A viewer's key. The secret below is shown only once.

  Access key   ${accessKeyId}
  Secret       ${secretAccessKey}
  Region       ${region}
  Endpoint     ${endpoint}
  Authority    ${caPath ?? 'a public one'}
${rows.join('\n')}
`
}
