/** `npm run transom -- key …`: keys for viewers that are none of the bridge's. */
import {
  cameraIdShape,
  listedViewerKeys,
  viewerKey,
  type ListedViewerKey,
  type ViewerKey,
} from 'transom-core/wire/registration'
import { faultsOf } from 'transom-core/wire/faults'
import { callOperator as call } from './operator-client.ts'
import type { OperatorAccess } from 'transom-bridge/operator/operator'

export interface KeyOptions {
  readonly viewer: boolean
  readonly name?: string | undefined
}

/** What a command printed: for people, and as JSON for programs. */
export interface Printed {
  readonly text: string
  readonly json: unknown
}

/** Runs `key VERB SUBJECT…`. Throws an `Error` that says what is wrong, or `undefined` when this is no command. */
export async function runKeyCommand(
  access: OperatorAccess,
  verb: string,
  subjects: readonly string[],
  { viewer, name }: KeyOptions,
): Promise<Printed | undefined> {
  switch (verb) {
    case 'add': {
      if (!viewer)
        throw new Error('a camera gets its keys by: camera key ID; for a viewer say: key add --viewer CAMERA…')
      if (subjects.length === 0) return undefined
      const issued = viewerKey.parse(await call(access, 'POST', '/keys', { cameras: subjects, name }))
      return { text: printViewerKey(issued), json: issued }
    }
    case 'list': {
      if (subjects.length > 0) return undefined
      const { keys } = listedViewerKeys.parse(await call(access, 'GET', '/keys'))
      return { text: keys.map(printListed).join('\n') || 'no viewer keys', json: keys }
    }
    case 'remove': {
      const [accessKeyId, ...rest] = subjects
      if (accessKeyId === undefined || rest.length > 0) return undefined
      const id = cameraIdShape.safeParse(accessKeyId)
      if (!id.success) throw new Error(`the id of the key ${faultsOf(id.error)}`)
      await call(access, 'DELETE', `/keys/${encodeURIComponent(id.data)}`)
      return { text: `${accessKeyId} is revoked`, json: { revoked: accessKeyId } }
    }
    default:
      return undefined
  }
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
